/* net/route_index.c - GET /: where everything is. */
#include "net/answer.h"
#include "net/route.h"

void fm_route_index(fm_request *request)
{
    fm_text *page = &request->loop->scratch;

    fm_text_clear(page);
    fm_text_put(page, "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>FM-ADS</title><h1>FM-ADS</h1>"
                      "<p>Anomaly detection for market data.</p><ul>\n");
    for (int i = 0; i < FM_ROUTE_COUNT; i++) {
        const fm_route *route = &fm_routes[i];
        bool link = route->method[0] == 'G' && strchr(route->path, '{') == NULL && route->access != FM_ACCESS_STREAM;
        if (link)
            fm_text_printf(page, "<li><a href=\"%s\">%s %s</a> %s</li>\n", route->path, route->method, route->path,
                           route->summary);
        else
            fm_text_printf(page, "<li>%s %s %s</li>\n", route->method, route->path, route->summary);
    }
    fm_text_put(page, "</ul></html>\n");
    fm_answer_header(request->h2o, "content-security-policy", "default-src 'none'; frame-ancestors 'none'");
    fm_answer_header(request->h2o, "x-content-type-options", "nosniff");
    fm_answer(request->h2o, 200, "text/html; charset=utf-8", (fm_slice){page->data, page->size});
}
