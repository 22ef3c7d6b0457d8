/* tool/report_page.c - see the header. Rows, not time, run along a picture: nights and weekends take no room. */
#include "tool/report_page.h"

#include "base/event.h"

#include <math.h>
#include <string.h>
#include <time.h>

#define PRICE_HEIGHT 150
#define SCORE_HEIGHT 70
#define GAP          6
#define HEIGHT       (PRICE_HEIGHT + GAP + SCORE_HEIGHT)
#define WHOLE_WIDTH  1080
#define EVENT_WIDTH  350

static const char STYLE[] =
    ":root{--paper:#fff;--ink:#1c2430;--faint:#6b7684;--line:#d8dee6;--price:#1f5fa8;--score:#8a94a3;--event:#f2b84b55;"
    "--spare:#9aa5b155;--alarm:#c62828;--found:#1b7f4d}\n"
    "@media(prefers-color-scheme:dark){:root{--paper:#12161c;--ink:#e4e9f0;--faint:#93a0b0;--line:#2c3542;--price:#"
    "6fb1ff;--score:#77828f;--event:#f2b84b44;--spare:#9aa5b133;--alarm:#ff6b6b;--found:#58d39a}}\n"
    "body{font:15px/1.5 system-ui,sans-serif;background:var(--paper);color:var(--ink);max-width:1120px;margin:2rem "
    "auto;padding:0 1rem}\n"
    "h1{font-size:1.6rem}h2{font-size:1.05rem;margin:2.2rem 0 "
    ".3rem;overflow-wrap:anywhere}p,td,th{color:var(--ink)}.faint,figcaption{color:var(--faint);font-size:.85rem}\n"
    "table{border-collapse:collapse;margin:1rem 0}td,th{padding:.25rem .9rem;border-bottom:1px solid "
    "var(--line);text-align:right}td:first-child,th:first-child,td:nth-child(2),th:nth-child(2){text-align:left}\n"
    "svg{display:block;width:100%;height:auto}figure{margin:0}.events{display:grid;grid-template-columns:repeat(auto-"
    "fill,minmax(300px,1fr));gap:1rem;margin:.8rem 0}\n"
    ".price{fill:none;stroke:var(--price);stroke-width:1.2}.score{fill:none;stroke:var(--score);stroke-width:1.2}."
    "frame{fill:none;stroke:var(--line)}.event{fill:var(--event)}.spare{fill:var(--spare)}\n"
    ".alarm{stroke:var(--alarm);stroke-width:1.4}.hit{stroke:var(--found);stroke-width:1.4}.bound{stroke:var(--alarm);"
    "stroke-dasharray:4 3;stroke-width:.8}svg "
    "text{fill:var(--faint);paint-order:stroke;stroke:var(--paper);stroke-width:3px;font:11px system-ui,sans-serif}\n"
    ".yes{color:var(--found);font-weight:600}.no{color:var(--alarm);font-weight:600}\n";

static void put_html(fm_text *page, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '<')
            fm_text_put(page, "&lt;");
        else if (*text == '&')
            fm_text_put(page, "&amp;");
        else if (*text == '"')
            fm_text_put(page, "&quot;");
        else
            fm_text_add(page, text, 1);
    }
}

static void put_time(fm_text *page, int64_t ts_ns, const char *format)
{
    char text[64];
    time_t seconds = (time_t)(ts_ns / FM_NS_PER_S);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    strftime(text, sizeof(text), format, &parts);
    fm_text_put(page, text);
}

void fm_page_begin(fm_text *page, const char *title, const char *method)
{
    fm_text_put(page, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
                      "content=\"width=device-width\"><title>");
    put_html(page, title);
    fm_text_printf(page, "</title><style>\n%s</style></head><body><h1>", STYLE);
    put_html(page, title);
    fm_text_put(page, "</h1><p>");
    put_html(page, method);
    fm_text_put(
        page,
        "</p><p class=\"faint\">Above, the price; below, the score, with the alarm bound dashed. Shaded: labelled "
        "windows; "
        "grey: what counts neither way (optional events, probation). Green: the alarm that found an event; red: false "
        "alarms. Rows run along the pictures, not time, so closed markets take no room. Times are UTC.</p>\n");
}

void fm_page_table(fm_text *page, const fm_report_row *row, int count)
{
    fm_text_put(page, "<table><tr><th>group</th><th>budget</th><th>threshold</th><th>found</th><th>false "
                      "alarms</th><th>days</th><th>a day</th></tr>\n");
    for (int i = 0; i < count; i++)
        fm_text_printf(
            page, "<tr><td>%s</td><td>%s</td><td>%.4g</td><td>%d of %d</td><td>%d</td><td>%d</td><td>%.3g</td></tr>\n",
            row[i].group, row[i].budget, row[i].threshold, row[i].found, row[i].events, row[i].false_alarms,
            row[i].days, row[i].false_per_day);
    fm_text_put(page, "</table>\n");
}

/* ---- pictures ---- */

typedef struct picture { /* of the rows from ts[first] to ts[last - 1] of the prices */
    const fm_report_series *series;
    double threshold;
    int first, last, width;
} picture;

/* Index of the first row at or behind the time. */
static int row_at(const fm_report_points *points, int64_t ts_ns)
{
    int low = 0, high = points->count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (points->ts_ns[middle] < ts_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static double x_of(const picture *in, int64_t ts_ns)
{
    int at = row_at(&in->series->price, ts_ns), rows = in->last - in->first;
    return (double)(at - in->first) * in->width / (rows > 0 ? rows : 1);
}

/* The lowest and highest finite value of the points in each pixel's column, as a line that goes through both. */
static void draw_line(fm_text *page, const picture *in, const fm_report_points *points, double low, double high,
                      int top, int height, const char *class)
{
    int at = row_at(points, in->series->price.ts_ns[in->first]);
    int64_t end_ns = in->series->price.ts_ns[in->last - 1];
    double scale = high > low ? height / (high - low) : 0.0;
    char move = 'M';
    fm_text_printf(page, "<path class=\"%s\" d=\"", class);
    while (at < points->count && points->ts_ns[at] <= end_ns) {
        int column = (int)x_of(in, points->ts_ns[at]);
        double least = INFINITY, most = -INFINITY;
        for (; at < points->count && points->ts_ns[at] <= end_ns && (int)x_of(in, points->ts_ns[at]) == column; at++) {
            double value = points->value[at];
            least = value < least ? value : least;
            most = value > most ? value : most;
        }
        if (least > most)
            continue;
        fm_text_printf(page, "%c%d %.1f", move, column, top + height - (least - low) * scale);
        if (most > least)
            fm_text_printf(page, "V%.1f", top + height - (most - low) * scale);
        move = 'L';
    }
    fm_text_put(page, "\"/>");
}

static void range_of(const picture *in, const fm_report_points *points, double *low, double *high)
{
    int at = row_at(points, in->series->price.ts_ns[in->first]);
    int64_t end_ns = in->series->price.ts_ns[in->last - 1];
    *low = INFINITY;
    *high = -INFINITY;
    for (; at < points->count && points->ts_ns[at] <= end_ns; at++) {
        *low = points->value[at] < *low ? points->value[at] : *low;
        *high = points->value[at] > *high ? points->value[at] : *high;
    }
    if (*low > *high)
        *low = *high = 0.0;
}

static void draw_windows(fm_text *page, const picture *in)
{
    const fm_report_series *series = in->series;
    double counts = series->probation > 0 ? x_of(in, series->score.ts_ns[series->probation]) : 0;
    if (counts > 0)
        fm_text_printf(page,
                       "<rect class=\"spare\" x=\"0\" y=\"0\" width=\"%.1f\" height=\"%d\"><title>probation: alarms do "
                       "not count</title></rect>",
                       counts < in->width ? counts : in->width, HEIGHT);
    for (int i = 0; i < series->label_count; i++) {
        const fm_label *label = series->label[i];
        double from = x_of(in, label->start_ns), to = x_of(in, label->end_ns);
        if (to < 0 || from > in->width)
            continue;
        from = from < 0 ? 0 : from;
        to = to > in->width ? in->width : to;
        fm_text_printf(page, "<rect class=\"%s\" x=\"%.1f\" y=\"0\" width=\"%.1f\" height=\"%d\"><title>",
                       label->optional ? "spare" : "event", from, to - from > 2 ? to - from : 2.0, HEIGHT);
        put_html(page, label->kind);
        fm_text_put(page, " ");
        put_html(page, label->note);
        fm_text_put(page, "</title></rect>");
    }
}

static void draw_mark(fm_text *page, const picture *in, int64_t ts_ns, const char *class)
{
    double x = x_of(in, ts_ns);
    if (x >= 0 && x <= in->width)
        fm_text_printf(page, "<path class=\"%s\" d=\"M%.1f %dV%d\"/>", class, x, PRICE_HEIGHT + GAP, HEIGHT);
}

static void draw_axis(fm_text *page, const picture *in, double low, double high)
{
    const fm_report_points *price = &in->series->price;
    int marks = in->width / 180 + 1;
    bool days = price->ts_ns[in->last - 1] - price->ts_ns[in->first] > 4 * 86400 * FM_NS_PER_S;
    for (int i = 0; i < marks; i++) {
        int at = in->first + (int)((double)(in->last - 1 - in->first) * i / marks);
        fm_text_printf(page, "<text x=\"%d\" y=\"%d\">", in->width * i / marks + 2, HEIGHT + 13);
        put_time(page, price->ts_ns[at], days ? "%Y-%m-%d" : "%m-%d %H:%M");
        fm_text_put(page, "</text>");
    }
    fm_text_printf(page,
                   "<text x=\"%d\" y=\"12\" text-anchor=\"end\">%.6g</text><text x=\"%d\" y=\"%d\" "
                   "text-anchor=\"end\">%.6g</text>",
                   in->width - 3, high, in->width - 3, PRICE_HEIGHT - 4, low);
}

static void draw(fm_text *page, const picture *in)
{
    const fm_report_series *series = in->series;
    double low, high, least, most;
    range_of(in, &series->price, &low, &high);
    range_of(in, &series->score, &least, &most);
    most = most > 1.25 * in->threshold ? most : 1.25 * in->threshold;
    least = least < 0 ? least : 0;
    fm_text_printf(page, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"price and score\">", in->width,
                   HEIGHT + 18);
    draw_windows(page, in);
    fm_text_printf(page,
                   "<rect class=\"frame\" x=\".5\" y=\".5\" width=\"%d\" height=\"%d\"/><rect class=\"frame\" x=\".5\" "
                   "y=\"%d.5\" width=\"%d\" height=\"%d\"/>",
                   in->width - 1, PRICE_HEIGHT - 1, PRICE_HEIGHT + GAP, in->width - 1, SCORE_HEIGHT - 1);
    draw_line(page, in, &series->price, low, high, 6, PRICE_HEIGHT - 12, "price");
    draw_line(page, in, &series->score, least, most, PRICE_HEIGHT + GAP + 3, SCORE_HEIGHT - 6, "score");
    if (isfinite(in->threshold) && most > least)
        fm_text_printf(page, "<path class=\"bound\" d=\"M0 %.1fH%d\"/>",
                       PRICE_HEIGHT + GAP + 3 + (SCORE_HEIGHT - 6) * (1.0 - (in->threshold - least) / (most - least)),
                       in->width);
    for (int i = 0; i < series->false_alarms; i++)
        draw_mark(page, in, series->false_ns[i], "alarm");
    for (int i = 0; i < series->label_count; i++)
        if (series->result[i].found)
            draw_mark(page, in, series->result[i].alarm_ns, "hit");
    draw_axis(page, in, low, high);
    fm_text_put(page, "</svg>");
}

/* The event with twice its rows, and at least 60, on each side. */
static void draw_event(fm_text *page, const fm_report_series *series, int index, double threshold)
{
    const fm_label *label = series->label[index];
    const fm_report_found *result = &series->result[index];
    int from = row_at(&series->price, label->start_ns), to = row_at(&series->price, label->end_ns);
    int margin = 2 * (to - from) > 60 ? 2 * (to - from) : 60;
    picture in = {series, threshold, from > margin ? from - margin : 0,
                  to + margin < series->price.count ? to + margin : series->price.count, EVENT_WIDTH};
    fm_text_put(page, "<figure>");
    if (in.last - in.first > 1)
        draw(page, &in);
    fm_text_put(page, "<figcaption>");
    put_time(page, label->start_ns, "%Y-%m-%d %H:%M ");
    put_html(page, label->kind);
    if (label->note[0] != '\0') {
        fm_text_put(page, ": ");
        put_html(page, label->note);
    }
    if (result->found)
        fm_text_printf(page, " - <span class=\"yes\">found</span> %+.0f s, score %.3g",
                       (double)(result->alarm_ns - label->at_ns) / 1e9, result->peak);
    else
        fm_text_printf(page, " - <span class=\"%s\">%s</span>, highest score %.3g", label->optional ? "faint" : "no",
                       label->optional ? "not found, optional" : "missed", result->peak);
    fm_text_put(page, "</figcaption></figure>\n");
}

void fm_page_series(fm_text *page, const fm_report_series *series, double threshold)
{
    fm_text_put(page, "<h2>");
    put_html(page, series->file);
    if (series->instrument[0] != '\0') {
        fm_text_put(page, ", ");
        put_html(page, series->instrument);
    }
    int found = 0;
    for (int i = 0; i < series->label_count; i++)
        found += series->result[i].found;
    fm_text_printf(page,
                   "</h2><p class=\"faint\">%d rows on %d days; %d of %d windows found, %d false alarms at %.4g</p>\n",
                   series->price.count, series->days, found, series->label_count, series->false_alarms, threshold);
    if (series->price.count > 1)
        draw(page, &(picture){series, threshold, 0, series->price.count, WHOLE_WIDTH});
    fm_text_put(page, "<div class=\"events\">\n");
    for (int i = 0; i < series->label_count; i++)
        draw_event(page, series, i, threshold);
    fm_text_put(page, "</div>\n");
}

void fm_page_end(fm_text *page)
{
    fm_text_put(page, "</body></html>\n");
}
