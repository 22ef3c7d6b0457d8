/* ingest/format/bars.c - bars, by the names of their columns.
 *
 * The event time of a bar is its end, since it is not known before. A bar of less than a day ends one interval after
 * the time that names it. A day ends at 24:00 of the clock that names it; in New York with the session, 16:00, half
 * days too. Bars of bids beside asks become the bar of the bids and, before it, a quote of both closes: every number is
 * one that was there, and open, high and low of the asks are lost. */
#include "ingest/format/cells.h"
#include "ingest/format/new_york.h"
#include "ingest/format/row_time.h"

#define DAY_NS       (86400 * FM_NS_PER_S)
#define SESSION_NS   (16 * 3600 * FM_NS_PER_S) /* from midnight to its end */
#define DCENTS_SCALE 4
#define ROUNDED_TO   6
#define YAHOO_KEEPS  6
#define OTHERS_KEEP  FM_SCALE_MAX

typedef enum role { OPEN, HIGH, LOW, CLOSE, ASK, VOLUME, BUY_VOLUME, TRADES, END, SYMBOL, DIVIDEND, SPLIT, ROLES } role;

static const char *const role_names[ROLES][4] = {
    [OPEN] = {"open", "open_dcents", "bid_open"},
    [HIGH] = {"high", "high_dcents", "bid_high"},
    [LOW] = {"low", "low_dcents", "bid_low"},
    [CLOSE] = {"close", "close_dcents", "bid_close"},
    [ASK] = {"ask_close"},
    [VOLUME] = {"volume"},
    [BUY_VOLUME] = {"taker_buy_volume"},
    [TRADES] = {"count"},
    [END] = {"close_time"},
    [SYMBOL] = {"name", "symbol", "ticker"},
    [DIVIDEND] = {"dividends"},
    [SPLIT] = {"stock splits"},
};

typedef struct bar_layout {
    bool new_york; /* where the row tells no zone */
    int shift;     /* prices are so many decimals below their unit */
    int kept;      /* decimals; numbers with more are tails of floats and rounded */
} bar_layout;

typedef struct bar_columns {
    int of[ROLES]; /* -1 = there is none */
} bar_columns;

static_assert(sizeof(bar_columns) <= FM_FILE_MEMORY, "a reader has room for it");

static const int *columns_of(const fm_file_reader *reader)
{
    return ((const bar_columns *)(const void *)reader->memory)->of;
}

static bool has_prices(const fm_file_reader *reader, fm_slice name)
{
    (void)name;
    for (role at = OPEN; at <= CLOSE; at++)
        if (fm_file_column(reader, role_names[at][0]) < 0)
            return false;
    return fm_file_column(reader, "type") < 0;
}

static bool is_yahoo_daily(const fm_file_reader *reader, fm_slice name)
{
    return has_prices(reader, name) &&
           (fm_file_column(reader, "adj close") >= 0 || fm_file_column(reader, "dividends") >= 0);
}

static int find_columns(fm_file_reader *reader, fm_error *error)
{
    (void)error;
    bar_columns *columns = (void *)reader->memory;
    for (role at = 0; at < ROLES; at++) {
        columns->of[at] = -1;
        for (int name = 0; role_names[at][name] && columns->of[at] < 0; name++)
            columns->of[at] = fm_file_column(reader, role_names[at][name]);
    }
    if (columns->of[SYMBOL] >= 0)
        reader->needs &= ~(uint32_t)FM_FILE_SYMBOL;
    if (fm_file_column(reader, "time_ms") == 0)
        reader->needs |= FM_FILE_DAY;
    return 0;
}

/* ---- when it began, and when it ended ---- */

typedef struct bar_time {
    int64_t named_ns, end_ns, interval_ns;
} bar_time;

static bool read_time(fm_draft *draft, fm_file_reader *reader, bar_time *out)
{
    const bar_layout *layout = reader->format->layout;
    const int *column = columns_of(reader);
    fm_file_time time, last;
    if (!fm_cell_row_time(draft, reader, &time))
        return false;
    bool new_york = layout->new_york && !time.unit_ns;
    int64_t begin_ns = new_york && !time.zoned ? fm_new_york_of_wall_ns(time.wall_ns) : time.utc_ns;
    if (column[END] >= 0) {
        fm_slice cell = reader->cell[column[END]];
        if (!fm_file_time_parse(cell, &last) || last.utc_ns + last.unit_ns <= begin_ns) {
            fm_draft_refuse(draft, FM_FIELD_TS, 0, cell.data, "is not a time behind the bar's begin");
            return false;
        }
        *out = (bar_time){begin_ns, last.utc_ns + last.unit_ns, last.utc_ns + last.unit_ns - begin_ns};
        return true;
    }
    int64_t interval_ns = fm_file_interval(reader);
    *out = (bar_time){begin_ns, begin_ns + interval_ns, interval_ns};
    if (new_york && interval_ns >= DAY_NS) {
        out->named_ns = time.wall_ns - time.wall_ns % DAY_NS;
        out->end_ns = fm_new_york_of_wall_ns(out->named_ns + interval_ns - DAY_NS + SESSION_NS);
    }
    if (interval_ns == 0)
        fm_draft_refuse(draft, FM_FIELD_INTERVAL, FM_interval_missing, NULL,
                        "is not told by the file's name (\"_1m_\") and not by its first rows");
    return interval_ns != 0;
}

/* ---- the row ---- */

static void take_price(fm_draft *draft, const fm_file_reader *reader, fm_field field, role at)
{
    const bar_layout *layout = reader->format->layout;
    const int *column = columns_of(reader);
    fm_cell_rounded(draft, field, reader->cell[column[at]], layout->shift, layout->kept, ROUNDED_TO);
}

static void take_volume(fm_draft *draft, const fm_file_reader *reader, fm_field field, role at)
{
    const bar_layout *layout = reader->format->layout;
    int column = columns_of(reader)[at];
    if (column >= 0 && !fm_cell_missing(reader->cell[column]))
        fm_cell_rounded(draft, field, reader->cell[column], 0, layout->kept, ROUNDED_TO);
}

static bool is_silent(const fm_file_reader *reader)
{
    const int *column = columns_of(reader);
    for (role at = OPEN; at <= CLOSE; at++)
        if (!fm_cell_missing(reader->cell[column[at]]))
            return false;
    return true;
}

/* A dividend or a split that is not 0. */
static bool tells(const fm_file_reader *reader, role at)
{
    const int *column = columns_of(reader);
    fm_number number;
    if (column[at] < 0)
        return false;
    fm_slice cell = reader->cell[column[at]];
    return fm_number_scan(cell.data, cell.data + cell.size, &number) && number.digits != 0;
}

static void bar_row(fm_draft *draft, fm_file_reader *reader)
{
    const int *column = columns_of(reader);
    bool both = column[ASK] >= 0;
    bar_time time;
    if (reader->part == 0) {
        reader->parts = is_silent(reader) ? 0 : both ? 2 : 1;
        reader->counts.actions += tells(reader, DIVIDEND) || tells(reader, SPLIT);
    }
    fm_cell_kind(draft, both && reader->part == 0 ? FM_QUOTE : FM_BAR);
    if (reader->parts == 0 || !read_time(draft, reader, &time))
        return;
    reader->named_ns = time.named_ns;
    fm_cell_ts(draft, time.end_ns, reader->cell[0]);
    if (column[SYMBOL] >= 0)
        fm_cell_symbol(draft, reader->cell[column[SYMBOL]]);
    if (draft->record->kind == FM_QUOTE) {
        take_price(draft, reader, FM_FIELD_BID, CLOSE);
        take_price(draft, reader, FM_FIELD_ASK, ASK);
        return;
    }
    for (role at = OPEN; at <= CLOSE; at++)
        take_price(draft, reader, (fm_field)(FM_FIELD_OPEN + at), at);
    take_volume(draft, reader, FM_FIELD_VOLUME, VOLUME);
    take_volume(draft, reader, FM_FIELD_BUY_VOLUME, BUY_VOLUME);
    if (column[TRADES] >= 0)
        fm_cell_decimal(draft, FM_FIELD_TRADES, reader->cell[column[TRADES]], 0);
    fm_cell_count(draft, FM_FIELD_INTERVAL, (uint64_t)time.interval_ns);
}

/* ---- the formats ---- */

static const bar_layout utc = {false, 0, OTHERS_KEEP}, yahoo = {true, 0, YAHOO_KEEPS},
                        dcents = {true, DCENTS_SCALE, OTHERS_KEEP};

#define BARS(id, called, first_line, fitting, of_layout)                                                               \
    const fm_file_format fm_format_##id = {.name = (called),                                                           \
                                           .header = (first_line),                                                     \
                                           .needs = FM_FILE_SYMBOL,                                                    \
                                           .symbol_part = FM_FILE_ANY_PART,                                            \
                                           .fits = (fitting),                                                          \
                                           .begin = find_columns,                                                      \
                                           .row = bar_row,                                                             \
                                           .layout = &(of_layout)};

BARS(binance_kline, "binance-kline", "open_time,*,close_time,*", has_prices, utc)
BARS(yahoo_intraday, "yahoo-1m", "Datetime,*", has_prices, yahoo)
BARS(kaggle_stocks, "kaggle-stocks", "?ate,*,Name", has_prices, yahoo)
BARS(yahoo_daily, "yahoo-daily", "Date,*", is_yahoo_daily, yahoo)
BARS(coinbase, "coinbase", "time_ms,open,high,low,close,volume", NULL, utc)
BARS(lean_bar, "lean-bar", "*,open_dcents,high_dcents,low_dcents,close_dcents,*", NULL, dcents)
BARS(oanda_bar, "oanda-bar", "*,bid_open,bid_high,bid_low,bid_close,*ask_close*", NULL, utc)
BARS(bars, "bars", "*", has_prices, utc)
