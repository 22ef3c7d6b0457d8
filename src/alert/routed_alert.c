/* alert/routed_alert.c - the alert as clients see it: the canonical body, and around it what is not promised byte for
 * byte. */
#include "alert/router.h"

#include "base/assert.h"

#include <inttypes.h>

void fm_routed_alert_json(const fm_routed_alert *alert, fm_text *out)
{
    fm_slice body = alert->body;
    FM_ASSERT(body.size >= 2 && body.data[0] == '{' && body.data[body.size - 1] == '}');

    fm_text_add(out, body.data, body.size - 1);
    fm_text_put(out, body.size == 2 ? "\"domain\":" : ",\"domain\":");
    fm_text_json(out, alert->domain);
    fm_text_printf(out,
                   ",\"seq\":%" PRIu64 ",\"detect_time\":%" PRId64 ",\"receive_time\":%" PRId64
                   ",\"publish_time\":%" PRId64 "}",
                   alert->router_sequence, alert->detect_ns, alert->receive_ns, alert->publish_ns);
}
