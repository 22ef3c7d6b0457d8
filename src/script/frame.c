/* script/frame.c - the rows of a handler's call: views filled before it, effects kept or forgotten after it. */
#include "script/frame.h"

#include "script/host_internal.h"

#include <math.h>
#include <string.h>

static void fill_trade(fm_event_view *view, const fm_event *event, const int8_t *scale)
{
    view->side = event->side == FM_BUY ? 1.0 : event->side == FM_SELL ? -1.0 : NAN;
    if (!scale)
        return;
    view->price = fm_decimal(event->as.trade.price, scale[0]);
    view->size = fm_decimal(event->as.trade.size, scale[1]);
}

static void fill_quote(fm_event_view *view, const fm_event *event, const int8_t *scale)
{
    if (!scale)
        return;
    view->bid = fm_decimal(event->as.quote.bid, scale[0]);
    view->bid_size = fm_decimal(event->as.quote.bid_size, scale[1]);
    view->ask = fm_decimal(event->as.quote.ask, scale[0]);
    view->ask_size = fm_decimal(event->as.quote.ask_size, scale[1]);
}

static void fill_bar(fm_event_view *view, const fm_event *event, const int8_t *scale)
{
    const fm_bar_rest *rest = fm_event_bar_rest(event);
    view->interval = (double)rest->interval_ns / 1e9;
    view->trades = rest->trade_count != FM_SEQ_ABSENT ? (double)rest->trade_count : NAN;
    if (!scale)
        return;
    view->open = fm_decimal(event->as.bar.open, scale[0]);
    view->high = fm_decimal(event->as.bar.high, scale[0]);
    view->low = fm_decimal(event->as.bar.low, scale[0]);
    view->close = fm_decimal(event->as.bar.close, scale[0]);
    view->volume = fm_decimal(rest->volume, scale[1]);
    view->buy_volume = fm_decimal(rest->buy_volume, scale[1]);
}

static void fill_book(fm_event_view *view, const fm_event *event, const int8_t *scale)
{
    const fm_book *book = &event->as.book;
    const fm_order *order = &event->as.order;
    bool level = event->kind == FM_BOOK;
    view->side = event->side == FM_BUY ? 1.0 : event->side == FM_SELL ? -1.0 : NAN;
    view->snapshot = event->flags & FM_FLAG_SNAPSHOT ? 1.0 : 0.0;
    view->more = event->flags & FM_FLAG_MORE ? 1.0 : 0.0;
    view->action = level ? book->action : order->action;
    if (level)
        view->orders = book->order_count > 0 ? book->order_count : NAN;
    else
        view->order = (double)order->order_id;
    if (!level && order->account != 0)
        view->account = order->account;
    if (!scale)
        return;
    view->price = fm_decimal(level ? book->price : order->price, scale[0]);
    view->size = fm_decimal(level ? book->size : order->size, scale[1]);
}

static void fill_event(fm_event_view *view, const fm_event *event, const int8_t *scale)
{
    *view = (fm_event_view){.price = NAN,
                            .size = NAN,
                            .side = NAN,
                            .bid = NAN,
                            .bid_size = NAN,
                            .ask = NAN,
                            .ask_size = NAN,
                            .value = NAN,
                            .open = NAN,
                            .high = NAN,
                            .low = NAN,
                            .close = NAN,
                            .volume = NAN,
                            .buy_volume = NAN,
                            .trades = NAN,
                            .interval = NAN,
                            .order = NAN,
                            .orders = NAN,
                            .account = NAN,
                            .snapshot = NAN,
                            .more = NAN};
    view->ts = (double)event->ts_ns / 1e9;
    view->ts_us = (double)(event->ts_ns / FM_NS_PER_US);
    view->conditions = event->conditions;
    view->late = event->flags & FM_FLAG_LATE ? 1.0 : 0.0;
    view->kind = event->kind;
    if (event->kind == FM_TRADE)
        fill_trade(view, event, scale);
    else if (event->kind == FM_QUOTE)
        fill_quote(view, event, scale);
    else if (event->kind == FM_VALUE)
        view->value = event->as.value.value;
    else if (event->kind == FM_STATUS)
        view->phase = event->as.status.phase;
    else if (event->kind == FM_BAR)
        fill_bar(view, event, scale);
    else if (event->kind == FM_BOOK || event->kind == FM_ORDER)
        fill_book(view, event, scale);
}

void fm_frame_begin(fm_frame *frame, int32_t k)
{
    fm_rule_call *call = frame->call;
    fm_host_row *row = frame->host;
    frame->budget = frame->budget_preset;
    frame->done = k;
    frame->is_timer = call->timer && call->timer[k];
    row->emit_count = call->emit_count;
    row->timer_count = call->timer_count;
    frame->full = 0;
    const fm_event *event = call->event[k];
    frame->now = (double)event->ts_ns / 1e9;
    fill_event(frame->event, event, call->scale ? call->scale[k] : NULL);
    const double *matrix_row = call->matrix + (size_t)call->row[k] * call->stride;
    for (uint32_t i = 0; i < row->feature_count; i++)
        frame->features[i] = matrix_row[call->column[i]];
    if (row->slot_count)
        memcpy(frame->slots, call->slots[k], row->slot_count * sizeof(double));
}

void fm_frame_end(fm_frame *frame)
{
    fm_rule_call *call = frame->call;
    fm_host_row *row = frame->host;
    if (row->watch)
        atomic_store_explicit(&row->watch->hold, 1, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    if (row->slot_count)
        memcpy(call->slots[frame->done], frame->slots, row->slot_count * sizeof(double));
    frame->done++;
    row->emit_count = call->emit_count;
    row->timer_count = call->timer_count;
    atomic_signal_fence(memory_order_seq_cst);
    if (row->watch)
        atomic_store_explicit(&row->watch->hold, 0, memory_order_relaxed);
}
