/* engine/alert_body.c - the canonical body of an alert: JSON promised byte for byte for the same journal and the same build.
 *
 * Keys stand in a fixed order; numbers are written with the shortest digits that read back the same; nothing of wall time is in it. */
#include "engine/fold_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const severity_name[] = {"info", "warning", "error", "critical"};

/* A placeholder's number format: [+][.digits][f|g|e|d|%]; anything else was refused when the rule was loaded. */
static void put_number(fm_text *out, double value, fm_slice format)
{
    char printf_format[16] = "%", text[400];
    size_t at = 1;
    bool percent = false, integer = false;
    for (size_t i = 0; i < format.size && at < sizeof(printf_format) - 3; i++) {
        char c = format.data[i];
        if (c == '%')
            percent = true;
        else if (c == 'd')
            integer = true;
        else
            printf_format[at++] = c;
    }
    if (isnan(value)) {
        fm_text_put(out, "n/a");
        return;
    }
    if (percent || integer) {
        if (integer && memchr(printf_format, '.', at) == NULL) {
            memcpy(printf_format + at, ".0", 2);
            at += 2;
        }
        printf_format[at++] = 'f';
        value = percent ? value * 100.0 : value;
    } else if (format.size == 0 || strchr("fge", format.data[format.size - 1]) == NULL) {
        printf_format[at++] = 'g';
    }
    printf_format[at] = 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
    snprintf(text, sizeof(text), printf_format, value);
#pragma GCC diagnostic pop
    fm_text_put(out, text);
    if (percent)
        fm_text_put(out, "%");
}

static int visible_need(const fm_plan_rule *planned, const fm_rule *rule, fm_slice name)
{
    for (uint32_t k = 0; k < planned->visible; k++)
        if (fm_slice_equal(fm_slice_of(rule->needs[planned->need[k]].name), name))
            return (int)k;
    return -1;
}

static void put_placeholder(fm_text *out, const fm_fold *fold, const fm_pending_alert *pending, fm_slice inside)
{
    const fm_row *row = &fold->row[pending->row];
    const fm_rule *rule = &fold->current->set->rule[pending->rule];
    const fm_plan_rule *planned = &fold->current->rule[pending->rule];
    const char *colon = memchr(inside.data, ':', inside.size);
    fm_slice name = {inside.data, colon != NULL ? (size_t)(colon - inside.data) : inside.size};
    fm_slice format = colon != NULL ? (fm_slice){colon + 1, inside.size - name.size - 1} : (fm_slice){"", 0};
    int need = visible_need(planned, rule, name);
    if (need >= 0)
        put_number(out, fold->matrix[(size_t)pending->row * fold->current->column_count + planned->column[need]], format);
    else if (fm_slice_equal(name, FM_SLICE("symbol")))
        fm_text_put(out, row->series->symbol);
    else if (fm_slice_equal(name, FM_SLICE("key")))
        fm_text_put(out, pending->key);
    else if (fm_slice_equal(name, FM_SLICE("score")))
        put_number(out, pending->score, format);
}

static void message(fm_text *out, const fm_fold *fold, const fm_pending_alert *pending)
{
    const char *at = fold->current->set->rule[pending->rule].message;
    while (*at != 0) {
        const char *open = strchr(at, '{');
        const char *close = open != NULL ? strchr(open, '}') : NULL;
        if (close == NULL) {
            fm_text_put(out, at);
            return;
        }
        fm_text_add(out, at, (size_t)(open - at));
        put_placeholder(out, fold, pending, (fm_slice){open + 1, (size_t)(close - open - 1)});
        at = close + 1;
    }
}

static void put_features(fm_text *out, const fm_fold *fold, const fm_pending_alert *pending)
{
    const fm_rule *rule = &fold->current->set->rule[pending->rule];
    const fm_plan_rule *planned = &fold->current->rule[pending->rule];
    const double *values = fold->matrix + (size_t)pending->row * fold->current->column_count;
    fm_text_put(out, ",\"features\":[");
    for (uint32_t k = 0; k < planned->visible; k++) {
        const fm_need *need = &rule->needs[planned->need[k]];
        fm_text_printf(out, "%s{\"name\":\"%s\",\"actual\":", k > 0 ? "," : "", need->name);
        fm_text_real(out, values[planned->column[k]]);
        fm_text_put(out, ",\"expected\":");
        fm_text_real(out, need->kernel->outputs[need->output].usual);
        fm_text_put(out, ",\"contribution\":null}");
    }
    fm_text_put(out, "]");
}

void fm_alert_body(fm_fold *fold, const fm_pending_alert *pending)
{
    const fm_row *row = &fold->row[pending->row];
    const fm_rule *rule = &fold->current->set->rule[pending->rule];
    fm_text *out = &fold->body;
    char id[33], hash[33];
    fm_text *text = &fold->message;
    fm_hash128_hex(pending->id, id);
    fm_hash128_hex(rule->hash, hash);
    fm_text_clear(out);
    fm_text_printf(out, "{\"schema\":\"fmads.alert/1\",\"id\":\"%s\",\"rule\":{\"id\":\"%s\",\"version\":%u,\"hash\":\"%s\",\"file\":", id,
                   rule->id, rule->version, hash);
    fm_text_json(out, fm_slice_of(rule->file));
    fm_text_printf(out, ",\"line\":%d},\"symbol\":", rule->line);
    fm_text_json(out, fm_slice_of(row->series->symbol));
    fm_text_put(out, ",\"venue\":");
    fm_text_json(out, fm_slice_of(row->series->venue));
    fm_text_put(out, ",\"key\":");
    fm_text_json(out, fm_slice_of(pending->key));
    fm_text_printf(out, ",\"severity\":\"%s\",\"state\":\"firing\",\"event_time\":%lld,\"start_time\":%lld,\"score\":", severity_name[pending->severity],
                   (long long)row->now_ns, (long long)pending->start_ns);
    fm_text_real(out, pending->score);
    fm_text_put(out, ",\"p\":null,\"message\":");
    fm_text_clear(text);
    message(text, fold, pending);
    fm_text_json(out, (fm_slice){text->data, text->size});
    fm_text_put(out, ",\"labels\":{");
    for (uint32_t i = 0; i < rule->label_count; i++) {
        fm_text_put(out, i > 0 ? "," : "");
        fm_text_json(out, fm_slice_of(rule->label_name[i]));
        fm_text_put(out, ":");
        fm_text_json(out, fm_slice_of(rule->label_value[i]));
    }
    fm_text_put(out, "}");
    put_features(out, fold, pending);
    fm_text_printf(out, ",\"evidence\":{\"partition\":%u,\"from\":%llu,\"to\":%llu}}", row->partition->index,
                   (unsigned long long)pending->start_position, (unsigned long long)row->position);
}
