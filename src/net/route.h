/* net/route.h - the router: exact paths, methods, query parameters by table, and who may call.
 *
 * h2o's own matching is by prefix and knows no methods; it is given one handler for everything, fm_route_request. */
#ifndef FM_NET_ROUTE_H
#define FM_NET_ROUTE_H

#include "net/loop.h"

#define FM_CAPTURE_MAX    192 /* bytes of a {segment}, decoded */
#define FM_PARAMETERS_MAX 8   /* of one route */

typedef enum fm_access { FM_ACCESS_READ, FM_ACCESS_WRITE, FM_ACCESS_INGEST, FM_ACCESS_STREAM } fm_access;
typedef enum fm_parameter_type {
    FM_PARAMETER_NAME,
    FM_PARAMETER_INTEGER,
    FM_PARAMETER_TIME,
    FM_PARAMETER_SEVERITY
} fm_parameter_type;

typedef enum fm_route_id {
#define ROUTE(method, path, handler, access, summary) FM_ROUTE_##handler,
#include "net/routes.def"
#undef ROUTE
    FM_ROUTE_COUNT
} fm_route_id;

typedef enum fm_parameter_id {
#define PARAMETER(route, name, type, low, high, help) FM_PARAMETER_##route##_##name,
#include "net/parameters.def"
#undef PARAMETER
    FM_PARAMETER_COUNT
} fm_parameter_id;

typedef struct fm_request fm_request;

typedef struct fm_route {
    const char *method, *path;
    void (*handle)(fm_request *request);
    fm_access access;
    const char *summary, *name;
} fm_route;

typedef struct fm_parameter {
    fm_route_id route;
    const char *name;
    fm_parameter_type type;
    int64_t low, high;
    const char *help;
} fm_parameter;

extern const fm_route fm_routes[FM_ROUTE_COUNT];
extern const fm_parameter fm_parameters[FM_PARAMETER_COUNT];

/* A request as its handler sees it: on the stack, gone when the handler returns. */
struct fm_request {
    h2o_req_t *h2o; /* until the answer has been sent */
    fm_loop *loop;
    const fm_route *route;
    char capture_data[FM_CAPTURE_MAX + 1];
    fm_slice capture;
    uint32_t given_count;
    struct {
        fm_parameter_id id;
        fm_slice text;
        int64_t number;
    } given[FM_PARAMETERS_MAX];
    char text[FM_PARAMETERS_MAX * 72]; /* decoded parameters */
};

#define ROUTE(method, path, handler, access, summary) void fm_route_##handler(fm_request *request);
#include "net/routes.def"
#undef ROUTE

int fm_route_request(h2o_handler_t *self, h2o_req_t *h2o); /* h2o's on_req */

bool fm_request_has(const fm_request *request, fm_parameter_id id);
fm_slice fm_request_text(const fm_request *request, fm_parameter_id id, fm_slice otherwise);
int64_t fm_request_number(const fm_request *request, fm_parameter_id id, int64_t otherwise);

/* Parts, for tests. `path` against a route's pattern; the {segment} as it stands goes to *capture. */
bool fm_path_matches(const char *pattern, fm_slice path, fm_slice *capture);
/* Percent-decodes into out; the size, or -1: bad escape, a control character or NUL, or longer than size_max. `plus` =
 * '+' is a space. */
int fm_percent_decode(fm_slice text, bool plus, char *out, size_t size_max);
/* One parameter by its row: number for INTEGER, TIME and SEVERITY. */
int fm_parameter_parse(const fm_parameter *row, fm_slice text, int64_t *number) FM_CHECKED;
/* "2014-05-02T12:30:00.5Z", offsets, or integer nanoseconds. */
int fm_parameter_time(fm_slice text, int64_t *ts_ns) FM_CHECKED;
int fm_severity_parse(fm_slice text); /* 0..3, or -1 */

#endif
