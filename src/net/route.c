/* net/route.c - from the raw request target to a handler. The raw target and not h2o's normalized path: an escaped '/'
 * in a symbol is part of the symbol, and "/v1/x/../alerts" is no route. */
#include "net/route.h"

#include "net/answer.h"
#include "net/connection.h"
#include "net/guard.h"
#include "net/linger.h"
#include "net/strict_front.h"

#include <stdio.h>

const fm_route fm_routes[FM_ROUTE_COUNT] = {
#define ROUTE(method, path, handler, access, summary)                                                                  \
    {#method, path, fm_route_##handler, FM_ACCESS_##access, summary, #handler},
#include "net/routes.def"
#undef ROUTE
};

const fm_parameter fm_parameters[FM_PARAMETER_COUNT] = {
#define PARAMETER(route, name, type, low, high, help) {FM_ROUTE_##route, #name, FM_PARAMETER_##type, low, high, help},
#include "net/parameters.def"
#undef PARAMETER
};

bool fm_path_matches(const char *pattern, fm_slice path, fm_slice *capture)
{
    const char *at = path.data, *end = path.data + path.size;

    for (; *pattern != '\0'; pattern++) {
        if (*pattern == '{') {
            const char *begin = at;
            while (at < end && *at != '/')
                at++;
            if (at == begin)
                return false;
            *capture = (fm_slice){begin, (size_t)(at - begin)};
            while (*pattern != '}')
                pattern++;
        } else if (at == end || *at++ != *pattern) {
            return false;
        }
    }
    return at == end;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int fm_percent_decode(fm_slice text, bool plus, char *out, size_t size_max)
{
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        int c = (unsigned char)text.data[i];
        if (c == '%') {
            if (i + 2 >= text.size || hex(text.data[i + 1]) < 0 || hex(text.data[i + 2]) < 0)
                return -1;
            c = hex(text.data[i + 1]) * 16 + hex(text.data[i + 2]);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        if (c < 0x20 || c == 0x7f || size == size_max)
            return -1;
        out[size++] = (char)c;
    }
    out[size] = '\0';
    return (int)size;
}

static bool method_is(const fm_route *route, h2o_iovec_t method)
{
    return strlen(route->method) == method.len && memcmp(route->method, method.base, method.len) == 0;
}

/* "GET, HEAD, POST": the methods of every route with this path, for Allow. Static texts, so that nothing is to be
 * freed. */
static void answer_method(h2o_req_t *h2o, fm_slice path, bool options)
{
    bool get = false, post = false;
    fm_slice capture;

    for (int i = 0; i < FM_ROUTE_COUNT; i++)
        if (fm_path_matches(fm_routes[i].path, path, &capture)) {
            get |= fm_routes[i].method[0] == 'G';
            post |= fm_routes[i].method[0] == 'P';
        }
    const char *allow = get && post ? "GET, HEAD, POST, OPTIONS" : get ? "GET, HEAD, OPTIONS" : "POST, OPTIONS";
    fm_answer_header(h2o, "allow", allow);
    if (options)
        fm_answer(h2o, 200, "text/plain", (fm_slice){NULL, 0});
    else
        fm_answer_problem(h2o, FM_method_not_allowed, "this route takes %s, not %.*s", allow,
                          (int)(h2o->method.len < 32 ? h2o->method.len : 32), h2o->method.base);
}

/* 1: a route, *out filled. 0: answered. */
static int find_route(fm_request *request, fm_slice path)
{
    h2o_req_t *h2o = request->h2o;
    bool head = h2o->method.len == 4 && memcmp(h2o->method.base, "HEAD", 4) == 0;
    h2o_iovec_t method = head ? h2o_iovec_init("GET", 3) : h2o->method;
    bool known = false;
    fm_slice raw = {NULL, 0};

    for (int i = 0; i < FM_ROUTE_COUNT; i++) {
        if (!fm_path_matches(fm_routes[i].path, path, &raw))
            continue;
        known = true;
        if (!method_is(&fm_routes[i], method))
            continue;
        int size = fm_percent_decode(raw, false, request->capture_data, FM_CAPTURE_MAX);
        if (size < 0) { /* no thing can have such a name */
            known = false;
            break;
        }
        request->capture = (fm_slice){request->capture_data, (size_t)size};
        request->route = &fm_routes[i];
        return 1;
    }
    bool options = h2o->method.len == 7 && memcmp(h2o->method.base, "OPTIONS", 7) == 0;
    if (options && path.size == 1 && path.data[0] == '*') {
        fm_answer_header(h2o, "allow", "GET, HEAD, POST, OPTIONS");
        fm_answer(h2o, 200, "text/plain", (fm_slice){NULL, 0});
    } else if (known) {
        answer_method(h2o, path, options);
    } else {
        fm_answer_problem(h2o, FM_route_unknown, "there is nothing at this path; GET /openapi.json lists every route");
    }
    return 0;
}

static int refuse_parameter(fm_request *request, const char *name, int size, const char *why)
{
    fm_answer_problem(request->h2o, FM_parameter_invalid, "query parameter \"%.*s\" %s", size < 64 ? size : 64, name,
                      why);
    return 0;
}

/* One "name=value". 1 taken, 0 answered. */
static int take_parameter(fm_request *request, fm_slice pair, size_t *text_used)
{
    const char *equals = memchr(pair.data, '=', pair.size);
    fm_slice name = {pair.data, equals != NULL ? (size_t)(equals - pair.data) : pair.size};
    fm_slice raw = {equals != NULL ? equals + 1 : NULL, equals != NULL ? pair.size - name.size - 1 : 0};
    const fm_parameter *row = NULL;

    for (int i = 0; i < FM_PARAMETER_COUNT; i++)
        if (&fm_routes[fm_parameters[i].route] == request->route &&
            fm_slice_equal(name, fm_slice_of(fm_parameters[i].name)))
            row = &fm_parameters[i];
    if (row == NULL)
        return refuse_parameter(request, name.data, (int)name.size, "is not one of this route");
    fm_parameter_id id = (fm_parameter_id)(row - fm_parameters);
    if (fm_request_has(request, id))
        return refuse_parameter(request, name.data, (int)name.size, "is given twice");

    int64_t number = 0;
    char *out = request->text + *text_used;
    int size = fm_percent_decode(raw, true, out, sizeof(request->text) - *text_used - 1);
    if (size < 0 || fm_parameter_parse(row, (fm_slice){out, (size_t)size}, &number) < 0)
        return refuse_parameter(request, name.data, (int)name.size, "is malformed or outside its range");
    request->given[request->given_count].id = id;
    request->given[request->given_count].text = (fm_slice){out, (size_t)size};
    request->given[request->given_count++].number = number;
    *text_used += (size_t)size + 1;
    return 1;
}

static int take_parameters(fm_request *request, fm_slice query)
{
    const char *at = query.data, *end = query.data + query.size;
    size_t text_used = 0;

    while (at < end) {
        const char *next = memchr(at, '&', (size_t)(end - at));
        fm_slice pair = {at, (size_t)((next != NULL ? next : end) - at)};
        if (pair.size > 0 && !take_parameter(request, pair, &text_used))
            return 0;
        at += pair.size + 1;
    }
    return 1;
}

/* Host for everyone, Origin for whoever changes something. 1: go on. */
static int admit(fm_request *request)
{
    h2o_req_t *h2o = request->h2o;
    fm_slice host = {h2o->input.authority.base, h2o->input.authority.len};

    if (!fm_host_is_loopback(host)) {
        fm_answer_problem(h2o, FM_host_refused, "Host \"%.*s\" is not a loopback name",
                          (int)(host.size < 128 ? host.size : 128), host.data != NULL ? host.data : "");
        return 0;
    }
    if (request->route == NULL || request->route->access == FM_ACCESS_READ)
        return 1;
    for (ssize_t at = -1; (at = h2o_find_header_by_str(&h2o->headers, H2O_STRLIT("origin"), at)) != -1;) {
        h2o_iovec_t origin = h2o->headers.entries[at].value;
        if (!fm_origin_is_loopback((fm_slice){origin.base, origin.len})) {
            fm_answer_problem(h2o, FM_origin_refused, "Origin \"%.*s\" may not write",
                              (int)(origin.len < 128 ? origin.len : 128), origin.base);
            return 0;
        }
    }
    return 1;
}

int fm_route_request(h2o_handler_t *self, h2o_req_t *h2o)
{
    fm_request request;
    fm_connection *connection = fm_connection_of(h2o);

    (void)self;
    request.h2o = h2o;
    request.loop = fm_loop_of(h2o);
    request.route = NULL;
    request.given_count = 0;
    if (connection != NULL) /* the self-check has none */
        connection->requests++;

    fm_slice target = {h2o->input.path.base, h2o->input.path.len};
    const char *mark = memchr(target.data, '?', target.size);
    fm_slice path = {target.data, mark != NULL ? (size_t)(mark - target.data) : target.size};
    fm_slice query = {mark != NULL ? mark + 1 : NULL, mark != NULL ? target.size - path.size - 1 : 0};

    size_t prefix = sizeof(FM_STRICT_REFUSED) - 1;
    if (path.size == prefix + 2 && memcmp(path.data, FM_STRICT_REFUSED, prefix) == 0) {
        int reason = (path.data[prefix] - '0') * 10 + path.data[prefix + 1] - '0';
        h2o->http1_is_persistent = 0;
        fm_linger_prepare(connection); /* a body may follow that nobody will read */
        fm_answer_problem(h2o, fm_strict_code(reason), "%s", fm_strict_text(reason));
        return 0;
    }
    if (!admit(&request)) /* Host, before anything is told about routes */
        return 0;
    if (find_route(&request, path) && admit(&request) && take_parameters(&request, query))
        request.route->handle(&request);
    return 0;
}
