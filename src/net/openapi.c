/* net/openapi.c - GET /openapi.json: the API from routes.def and parameters.def, so that it cannot say anything else
 * than the router does. */
#include "net/answer.h"
#include "net/route.h"
#include "net/server_internal.h"

static const char schemas[] =
    "\"components\":{\"schemas\":{"
    "\"Problem\":{\"type\":\"object\",\"description\":\"RFC "
    "9457\",\"required\":[\"type\",\"title\",\"status\",\"detail\",\"code\"],"
    "\"properties\":{\"type\":{\"type\":\"string\"},\"title\":{\"type\":\"string\"},\"status\":{\"type\":\"integer\"},"
    "\"detail\":{\"type\":\"string\"},\"code\":{\"type\":\"string\"}}},"
    "\"List\":{\"type\":\"object\",\"required\":[\"items\",\"next\"],\"properties\":{\"items\":{\"type\":\"array\","
    "\"items\":"
    "{\"type\":\"object\"}},\"next\":{}}},"
    "\"Verdict\":{\"type\":\"object\",\"required\":[\"accepted\",\"rejected\",\"duplicate\",\"errors\",\"durable\","
    "\"position\"],"
    "\"properties\":{\"accepted\":{\"type\":\"integer\"},\"rejected\":{\"type\":\"integer\"},\"duplicate\":{\"type\":"
    "\"integer\"},"
    "\"errors\":{\"type\":\"array\",\"maxItems\":100,\"items\":{\"type\":\"object\",\"required\":[\"index\",\"code\","
    "\"message\"],"
    "\"properties\":{\"index\":{\"type\":\"integer\"},\"code\":{\"type\":\"string\"},\"message\":{\"type\":\"string\"}}"
    "}},"
    "\"durable\":{\"type\":\"boolean\",\"description\":\"synced to the disk; else written\"},"
    "\"position\":{\"type\":\"object\",\"description\":\"last sequence of each partition that was touched\","
    "\"additionalProperties\":{\"type\":\"integer\"}}}}}}";

static void parameter(fm_text *out, const char *name, const char *in, const char *schema, const char *help, bool first)
{
    fm_text_printf(out,
                   "%s{\"name\":\"%s\",\"in\":\"%s\",\"required\":%s,\"schema\":%s,\"description\":", first ? "" : ",",
                   name, in, in[0] == 'p' ? "true" : "false", schema);
    fm_text_json(out, fm_slice_of(help));
    fm_text_add(out, "}", 1);
}

static void parameters(fm_text *out, fm_route_id route)
{
    const char *brace = strchr(fm_routes[route].path, '{');
    bool first = true;
    char text[160];

    fm_text_put(out, ",\"parameters\":[");
    if (brace != NULL) {
        snprintf(text, sizeof(text), "%.*s", (int)(strchr(brace, '}') - brace - 1), brace + 1);
        parameter(out, text, "path", "{\"type\":\"string\"}", "One segment, percent-encoded.", true);
        first = false;
    }
    for (int i = 0; i < FM_PARAMETER_COUNT; i++) {
        const fm_parameter *row = &fm_parameters[i];
        if (row->route != route)
            continue;
        if (row->type == FM_PARAMETER_INTEGER)
            snprintf(text, sizeof(text), "{\"type\":\"integer\",\"minimum\":%lld,\"maximum\":%lld}",
                     (long long)row->low, (long long)row->high);
        else if (row->type == FM_PARAMETER_SEVERITY)
            snprintf(text, sizeof(text),
                     "{\"type\":\"string\",\"enum\":[\"info\",\"warning\",\"error\",\"critical\"]}");
        else if (row->type == FM_PARAMETER_TIME)
            snprintf(text, sizeof(text), "{\"type\":\"string\",\"pattern\":\"^([0-9]{1,19}|[0-9]{4}-.*)$\"}");
        else
            snprintf(text, sizeof(text),
                     "{\"type\":\"string\",\"minLength\":%lld,\"maxLength\":%lld,\"pattern\":\"^[!-~]+$\"}",
                     (long long)row->low, (long long)row->high);
        parameter(out, row->name, "query", text, row->help, first);
        first = false;
    }
    fm_text_add(out, "]", 1);
}

static void body(fm_text *out)
{
    static const char *const types[] = {"application/json", "application/x-ndjson", "application/msgpack", "text/csv"};

    fm_text_put(out, ",\"requestBody\":{\"required\":true,\"content\":{");
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        fm_text_printf(out, "%s\"%s\":{}", i > 0 ? "," : "", types[i]);
    fm_text_put(out, "}}");
}

static const char *answer_type(const fm_route *route)
{
    if (strcmp(route->path, "/") == 0)
        return "\"text/html\":{}";
    if (strcmp(route->path, "/metrics") == 0)
        return "\"text/plain\":{}";
    if (route->access == FM_ACCESS_INGEST)
        return "\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/Verdict\"}}";
    return "\"application/json\":{\"schema\":{\"type\":\"object\"}}";
}

static void operation(fm_text *out, fm_route_id id)
{
    const fm_route *route = &fm_routes[id];

    fm_text_printf(out, "\"%s\":{\"operationId\":\"%s\",\"summary\":", route->method[0] == 'G' ? "get" : "post",
                   route->name);
    fm_text_json(out, fm_slice_of(route->summary));
    parameters(out, id);
    if (route->access == FM_ACCESS_INGEST)
        body(out);
    fm_text_put(out, ",\"responses\":{");
    if (route->access == FM_ACCESS_STREAM)
        fm_text_put(out, "\"101\":{\"description\":\"WebSocket\"},");
    else
        fm_text_printf(out, "\"200\":{\"description\":\"OK\",\"content\":{%s}},", answer_type(route));
    fm_text_put(out, "\"default\":{\"description\":\"Problem\",\"content\":{\"application/problem+json\":{\"schema\":"
                     "{\"$ref\":\"#/components/schemas/Problem\"}}}}}}");
}

void fm_openapi_json(fm_text *out, const char *version)
{
    fm_text_put(out, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"FM-ADS\",\"description\":\"Real-time anomaly "
                     "detection for market data.\","
                     "\"version\":");
    fm_text_json(out, fm_slice_of(version != NULL ? version : ""));
    fm_text_put(out, "},\"paths\":{");
    for (int i = 0, listed = 0; i < FM_ROUTE_COUNT; i++) {
        bool before = false;
        for (int j = 0; j < i; j++)
            before |= strcmp(fm_routes[i].path, fm_routes[j].path) == 0;
        if (before)
            continue;
        fm_text_printf(out, "%s\n\"%s\":{", listed++ > 0 ? "," : "", fm_routes[i].path);
        for (int j = i, methods = 0; j < FM_ROUTE_COUNT; j++)
            if (strcmp(fm_routes[i].path, fm_routes[j].path) == 0) {
                if (methods++ > 0)
                    fm_text_add(out, ",", 1);
                operation(out, (fm_route_id)j);
            }
        fm_text_add(out, "}", 1);
    }
    fm_text_put(out, "},\n");
    fm_text_put(out, schemas);
    fm_text_put(out, "}\n");
}

void fm_route_openapi(fm_request *request)
{
    fm_text *out = &request->loop->scratch;

    fm_text_clear(out);
    fm_openapi_json(out, request->loop->server->config.version);
    fm_answer_json(request->h2o, 200, (fm_slice){out->data, out->size});
}
