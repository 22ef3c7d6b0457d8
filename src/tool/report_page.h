/* tool/report_page.h - a report as one HTML page without scripts or anything from elsewhere: tables, and pictures in
 * SVG. */
#ifndef FM_TOOL_REPORT_PAGE_H
#define FM_TOOL_REPORT_PAGE_H

#include "base/text.h"
#include "tool/report_series.h"

typedef struct fm_report_row { /* of the table at the top */
    char group[32], budget[48];
    double threshold, false_per_day;
    int found, events, false_alarms, days;
} fm_report_row;

void fm_page_begin(fm_text *page, const char *title, const char *method);
void fm_page_table(fm_text *page, const fm_report_row *row, int count);

/* One series as a whole, then each of its events from near by. */
void fm_page_series(fm_text *page, const fm_report_series *series, double threshold);
void fm_page_end(fm_text *page);

#endif
