/* alert/router_frame.c - encoding and checking of the router log's heads and frames. */
#include "alert/router_frame.h"

#include "base/assert.h"

#include <string.h>

enum { VERSION = 1, CRC_FROM = 8 };

static const char MAGIC[8] = {'F', 'M', 'R', 'O', 'U', 'T', 'E', '1'};

void fm_router_head_seal(fm_router_head *head)
{
    memcpy(head->magic, MAGIC, sizeof MAGIC);
    head->version = VERSION;
    head->crc32c = 0;
    head->crc32c = fm_crc32c(0, head, sizeof *head);
}

int fm_router_head_check(const void *data, size_t size)
{
    fm_router_head head;
    if (size < sizeof head)
        return FM_ECORRUPT;
    memcpy(&head, data, sizeof head);
    if (memcmp(head.magic, MAGIC, sizeof MAGIC) != 0)
        return FM_ECORRUPT;
    if (head.version != VERSION)
        return FM_EVERSION;
    uint32_t crc = head.crc32c;
    head.crc32c = 0;
    if (crc != fm_crc32c(0, &head, sizeof head) || head.first_sequence <= head.previous_sequence)
        return FM_ECORRUPT;
    return 0;
}

static size_t padded(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

size_t fm_router_frame_size(const fm_routed_alert *alert)
{
    return padded(sizeof(fm_router_frame) + alert->symbol.size + alert->rule.size + alert->domain.size +
                  alert->body.size);
}

static char *append(char *at, fm_slice slice)
{
    if (slice.size > 0)
        memcpy(at, slice.data, slice.size);
    return at + slice.size;
}

void fm_router_frame_put(void *out, const fm_routed_alert *alert)
{
    fm_router_frame *frame = out;
    size_t size = fm_router_frame_size(alert);
    *frame = (fm_router_frame){
        .size = (uint32_t)size,
        .kind = FM_ROUTER_ALERT,
        .symbol_size = (uint16_t)alert->symbol.size,
        .rule_size = (uint16_t)alert->rule.size,
        .domain_size = (uint32_t)alert->domain.size,
        .body_size = (uint32_t)alert->body.size,
        .severity = alert->severity,
        .partition = alert->partition,
        .ordinal = alert->ordinal,
        .id = alert->id,
        .sequence = alert->sequence,
        .event_ns = alert->event_ns,
        .receive_ns = alert->receive_ns,
        .detect_ns = alert->detect_ns,
    };
    char *at = (char *)(frame + 1);
    at = append(at, alert->symbol);
    at = append(at, alert->rule);
    at = append(at, alert->domain);
    at = append(at, alert->body);
    memset(at, 0, (size_t)((char *)out + size - at));
}

static uint32_t crc_of(const fm_router_frame *frame)
{
    uint32_t crc = fm_crc32c(0, &frame->size, sizeof frame->size);
    return fm_crc32c(crc, (const char *)frame + CRC_FROM, frame->size - CRC_FROM);
}

void fm_router_frame_seal(fm_router_frame *frame, uint64_t router_sequence, uint64_t synced_size, int64_t publish_ns)
{
    frame->router_sequence = router_sequence;
    frame->synced_size = synced_size;
    frame->publish_ns = publish_ns;
    frame->crc32c = crc_of(frame);
}

void fm_router_frame_clean_stop(fm_router_frame *frame, uint64_t last_sequence, uint64_t synced_size)
{
    *frame = (fm_router_frame){.size = sizeof *frame, .kind = FM_ROUTER_CLEAN_STOP};
    fm_router_frame_seal(frame, last_sequence, synced_size, 0);
}

int fm_router_frame_check(const void *data, size_t size)
{
    const fm_router_frame *frame = data;
    if (size < sizeof *frame || frame->size < sizeof *frame || frame->size > size ||
        frame->size > FM_ROUTER_FRAME_MAX || frame->size % 8 != 0)
        return FM_ECORRUPT;
    if (frame->crc32c != crc_of(frame))
        return FM_ECORRUPT;
    size_t texts = (size_t)frame->symbol_size + frame->rule_size + frame->domain_size + frame->body_size;
    if (padded(sizeof *frame + texts) != frame->size || frame->partition >= FM_PARTITION_COUNT)
        return FM_ECORRUPT;
    return 0;
}

static fm_slice take(const char **at, size_t size)
{
    fm_slice slice = {*at, size};
    *at += size;
    return slice;
}

void fm_router_frame_get(const fm_router_frame *frame, fm_routed_alert *out)
{
    const char *at = (const char *)(frame + 1);
    *out = (fm_routed_alert){
        .router_sequence = frame->router_sequence,
        .id = frame->id,
        .partition = frame->partition,
        .ordinal = frame->ordinal,
        .sequence = frame->sequence,
        .event_ns = frame->event_ns,
        .receive_ns = frame->receive_ns,
        .detect_ns = frame->detect_ns,
        .publish_ns = frame->publish_ns,
        .severity = frame->severity,
    };
    out->symbol = take(&at, frame->symbol_size);
    out->rule = take(&at, frame->rule_size);
    out->domain = take(&at, frame->domain_size);
    out->body = take(&at, frame->body_size);
}
