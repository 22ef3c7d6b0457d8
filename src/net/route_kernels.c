/* net/route_kernels.c - GET /v1/kernels: the descriptors as JSON. */
#include "net/answer.h"
#include "net/route.h"

#include "kernels/kernel.h"

static void fields(fm_text *out, const char *name, const fm_field *field, bool parameter)
{
    fm_text_printf(out, ",\"%s\":[", name);
    for (bool first = true; field != NULL && field->name != NULL; field++, first = false) {
        fm_text_put(out, first ? "{\"name\":" : ",{\"name\":");
        fm_text_json(out, fm_slice_of(field->name));
        fm_text_put(out, ",\"unit\":");
        fm_text_json(out, fm_slice_of(field->unit != NULL ? field->unit : ""));
        if (parameter) {
            fm_text_put(out, ",\"low\":");
            fm_text_real(out, field->low);
            fm_text_put(out, ",\"high\":");
            fm_text_real(out, field->high);
            fm_text_put(out, ",\"preset\":");
            fm_text_real(out, field->preset);
        }
        fm_text_put(out, ",\"help\":");
        fm_text_json(out, fm_slice_of(field->help != NULL ? field->help : ""));
        fm_text_add(out, "}", 1);
    }
    fm_text_add(out, "]", 1);
}

static void text(fm_text *out, const char *name, const char *value)
{
    fm_text_printf(out, ",\"%s\":", name);
    fm_text_json(out, fm_slice_of(value != NULL ? value : ""));
}

void fm_route_kernels(fm_request *request)
{
    fm_text *out = &request->loop->scratch;

    fm_text_clear(out);
    fm_text_put(out, "{\"items\":[");
    for (uint32_t i = 0; fm_kernels[i] != NULL; i++) {
        const fm_kernel *kernel = fm_kernels[i];
        fm_text_put(out, i > 0 ? ",\n{\"name\":" : "{\"name\":");
        fm_text_json(out, fm_slice_of(kernel->name));
        text(out, "kind", kernel->kind == FM_KERNEL_FEATURE ? "feature" : "detector");
        text(out, "summary", kernel->summary);
        text(out, "source", kernel->source);
        text(out, "warm_up", kernel->warm_up);
        text(out, "cost", kernel->cost);
        fm_text_printf(out, ",\"layout\":%u", kernel->layout);
        fields(out, "params", kernel->params, true);
        fields(out, "inputs", kernel->inputs, false);
        fields(out, "outputs", kernel->outputs, false);
        fm_text_add(out, "}", 1);
    }
    fm_text_put(out, "],\"next\":null}\n");
    fm_answer_json(request->h2o, 200, (fm_slice){out->data, out->size});
}
