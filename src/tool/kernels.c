/* tool/kernels.c - `fmads kernels`: the descriptors as a table, so that a rule's author need not read C. */
#include "kernels/kernel.h"

#include "base/text.h"
#include "tool/tool.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static const char *kind_name(const fm_kernel *kernel)
{
    return kernel->kind == FM_KERNEL_FEATURE ? "feature" : "detector";
}

static void json_member(fm_text *out, const char *name, const char *text)
{
    fm_text_printf(out, ",\"%s\":", name);
    if (text)
        fm_text_json(out, fm_slice_of(text));
    else
        fm_text_put(out, "null");
}

static void json_fields(fm_text *out, const char *name, const fm_field *fields, bool with_range)
{
    fm_text_printf(out, ",\"%s\":[", name);
    for (const fm_field *field = fields; field && field->name; field++) {
        fm_text_put(out, field == fields ? "{\"name\":" : ",{\"name\":");
        fm_text_json(out, fm_slice_of(field->name));
        json_member(out, "unit", field->unit);
        if (with_range) {
            fm_text_put(out, ",\"low\":");
            fm_text_real(out, field->low);
            fm_text_put(out, ",\"high\":");
            fm_text_real(out, field->high);
            fm_text_put(out, ",\"preset\":");
            fm_text_real(out, field->preset);
        }
        json_member(out, "help", field->help);
        fm_text_put(out, "}");
    }
    fm_text_put(out, "]");
}

static void json_kernel(fm_text *out, const fm_kernel *kernel)
{
    fm_text_put(out, "{\"name\":");
    fm_text_json(out, fm_slice_of(kernel->name));
    json_member(out, "kind", kind_name(kernel));
    json_member(out, "summary", kernel->summary);
    json_member(out, "source", kernel->source);
    json_member(out, "warm_up", kernel->warm_up);
    json_member(out, "cost", kernel->cost);
    json_fields(out, "params", kernel->params, true);
    json_fields(out, "inputs", kernel->inputs, false);
    json_fields(out, "outputs", kernel->outputs, false);
    fm_text_put(out, "}");
}

static void print_fields(const char *title, const fm_field *fields, bool with_range)
{
    for (const fm_field *field = fields; field && field->name; field++) {
        printf("  %-9s %-14s %-7s ", field == fields ? title : "", field->name, field->unit ? field->unit : "");
        if (with_range && isnan(field->preset))
            printf("%g..%g, must be given  ", field->low, field->high);
        else if (with_range)
            printf("%g..%g, preset %g  ", field->low, field->high, field->preset);
        puts(field->help ? field->help : "");
    }
}

static void print_kernel(const fm_kernel *kernel)
{
    printf("%s.%s - %s\n", kind_name(kernel), kernel->name, kernel->summary);
    print_fields("params", kernel->params, true);
    print_fields("inputs", kernel->inputs, false);
    print_fields("outputs", kernel->outputs, false);
    printf("  warm-up   %s\n  cost      %s\n  source    %s\n", kernel->warm_up ? kernel->warm_up : "at once",
           kernel->cost ? kernel->cost : "not stated", kernel->source ? kernel->source : "");
}

static void print_table(void)
{
    for (const fm_kernel *const *kernel = fm_kernels; *kernel; kernel++)
        printf("%-9s %-20s %s\n", kind_name(*kernel), (*kernel)->name, (*kernel)->summary);
    puts("\n`fmads kernels NAME` shows parameters, inputs and outputs.");
}

static void page_fields(const char *title, const fm_field *fields, bool with_range)
{
    if (!fields || !fields->name)
        return;
    printf(with_range ? "\n| %s | unit | range | preset | |\n|---|---|---|---|---|\n" : "\n| %s | unit | |\n|---|---|---|\n", title);
    for (const fm_field *field = fields; field->name; field++) {
        printf("| `%s` | %s | ", field->name, field->unit ? field->unit : "");
        if (with_range && isnan(field->preset))
            printf("%.9g … %.9g | must be given | ", field->low, field->high);
        else if (with_range)
            printf("%.9g … %.9g | %.9g | ", field->low, field->high, field->preset);
        printf("%s |\n", field->help ? field->help : "");
    }
}

/* docs/reference/kernels.md is what this prints; lint.reference compares them. */
static void print_page(void)
{
    puts("# Features and detectors\n");
    puts("What `fmads kernels --markdown` prints: not to be edited by hand. `needs = { z = feature.ewma { half_life = \"60s\", output = \"z\" } }`");
    puts("in a rule names the kernel, its parameters and one of its outputs, the first when none is named; see [rules.md](../rules.md).");
    for (const fm_kernel *const *at = fm_kernels; *at; at++) {
        const fm_kernel *kernel = *at;
        printf("\n## %s.%s\n\n%s\n", kind_name(kernel), kernel->name, kernel->summary);
        page_fields("parameter", kernel->params, true);
        page_fields("input", kernel->inputs, false);
        page_fields("output", kernel->outputs, false);
        printf("\nWarm-up: %s. Cost: %s. Source: %s.\n", kernel->warm_up ? kernel->warm_up : "at once",
               kernel->cost ? kernel->cost : "not stated", kernel->source ? kernel->source : "none");
    }
}

int fm_tool_kernels(int argc, char **argv)
{
    const char *name = NULL;
    bool json = false, page = false, found = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            json = true;
        else if (strcmp(argv[i], "--markdown") == 0)
            page = true;
        else if (argv[i][0] == '-' || name)
            return fm_tool_usage_error("kernels", "\"%s\" is not expected", argv[i]);
        else
            name = argv[i];
    }
    if (page) {
        if (name || json)
            return fm_tool_usage_error("kernels", "--markdown is the whole page, and goes with nothing else");
        print_page();
        return FM_EXIT_OK;
    }
    if (!name && !json) {
        print_table();
        return FM_EXIT_OK;
    }
    fm_text out = {0};
    fm_text_put(&out, "[");
    for (const fm_kernel *const *kernel = fm_kernels; *kernel; kernel++) {
        if (name && strcmp((*kernel)->name, name) != 0)
            continue;
        if (found)
            fm_text_put(&out, ",\n");
        found = true;
        if (json)
            json_kernel(&out, *kernel);
        else
            print_kernel(*kernel);
    }
    if (json)
        printf("%s]\n", out.data);
    fm_text_fini(&out);
    if (name && !found)
        return fm_tool_usage_error("kernels", "there is no kernel \"%s\"", name);
    return FM_EXIT_OK;
}
