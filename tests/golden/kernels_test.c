/* tests/golden/kernels_test.c - every kernel against values computed from its definition by the scripts beside this. */
#include "assert_near.h"

#include "kernels/kernel.h"

#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 1000
#define COLUMNS  32 /* at most */

static char column[COLUMNS][32];
static int column_count;

static int64_t ts_ns[ROWS_MAX];
static double cell[ROWS_MAX][COLUMNS];
static int row_count;

static FILE *open_beside(const char *name)
{
    char path[1024];
    snprintf(path, sizeof(path), "%s/tests/golden/%s", FMADS_SOURCE_DIR, name);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("could not open %s", path);
    return file;
}

static int load_input(void **unused)
{
    (void)unused;
    char line[1024];
    FILE *file = open_beside("kernels_input.csv");
    assert_non_null(fgets(line, sizeof(line), file));
    for (char *name = strtok(line, ",\n"); name != NULL && column_count < COLUMNS; name = strtok(NULL, ",\n"))
        snprintf(column[column_count++], sizeof(column[0]), "%s", name);
    while (fgets(line, sizeof(line), file) != NULL && row_count < ROWS_MAX) {
        char *at = line;
        ts_ns[row_count] = strtoll(at, &at, 10);
        for (int i = 1; i < column_count; i++)
            cell[row_count][i] = strtod(at + 1, &at);
        row_count++;
    }
    fclose(file);
    return 0;
}

static double input(const char *name, int row)
{
    if (strcmp(name, "event") == 0)
        return 1.0;
    if (strcmp(name, "x") == 0)
        name = "price";
    for (int i = 1; i < column_count; i++)
        if (strcmp(column[i], name) == 0)
            return cell[row][i];
    fail_msg("no column for the input %s", name);
    return NAN;
}

static double outputs[ROWS_MAX][FM_KERNEL_OUTPUTS_MAX];

static void run(const fm_kernel *kernel, const double *params)
{
    void *state = calloc(1, kernel->state_size(params) + 8);
    assert_non_null(state);
    assert_int_equal(kernel->init(state, params), 0);
    for (int row = 0; row < row_count; row++) {
        double in[FM_KERNEL_INPUTS_MAX];
        for (int i = 0; kernel->inputs[i].name != NULL; i++)
            in[i] = input(kernel->inputs[i].name, row);
        kernel->score(state, ts_ns[row], in, outputs[row]);
        kernel->update(state, ts_ns[row], in);
    }
    free(state);
}

static const fm_kernel *start_case(char *text)
{
    double params[FM_KERNEL_PARAMS_MAX] = {0};
    char *name = strtok(text, ","), *number;
    const fm_kernel *kernel = fm_kernel_find(FM_KERNEL_FEATURE, name);
    if (kernel == NULL)
        kernel = fm_kernel_find(FM_KERNEL_DETECTOR, name);
    if (kernel == NULL)
        fail_msg("no kernel %s", name);
    int count = 0;
    while ((number = strtok(NULL, ",")) != NULL && count < FM_KERNEL_PARAMS_MAX)
        params[count++] = strtod(number, NULL);
    assert_int_equal(count, fm_kernel_field_count(kernel->params));
    run(kernel, params);
    return kernel;
}

static void check_row(const fm_kernel *kernel, char *text)
{
    int row = (int)strtol(text, &text, 10);
    for (int i = 0; kernel->outputs[i].name != NULL; i++) {
        double expected = strtod(text + 1, &text), actual = outputs[row][i];
        int alike = isnan(expected) ? isnan(actual) : fabs(actual - expected) <= 1e-10 * fabs(expected) + 1e-13;
        if (!alike)
            fail_msg("%s: %s in row %d is %.17g, expected %.17g", kernel->name, kernel->outputs[i].name, row, actual,
                     expected);
    }
}

/* Files of values: those of kernels.py, and of each further script beside it. */
static glob_t value_files;

static int find_values(void)
{
    char pattern[1024];
    snprintf(pattern, sizeof(pattern), "%s/tests/golden/*_values.csv", FMADS_SOURCE_DIR);
    return glob(pattern, 0, NULL, &value_files);
}

static int check_file(const char *path)
{
    char line[1024];
    const fm_kernel *kernel = NULL;
    int checked = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "case,", 5) == 0)
            kernel = start_case(line + 5);
        else if (line[0] != '#') {
            check_row(kernel, line);
            checked++;
        }
    }
    fclose(file);
    return checked;
}

static void every_kernel_agrees_with_its_definition(void **unused)
{
    (void)unused;
    int checked = 0;
    for (size_t i = 0; i < value_files.gl_pathc; i++)
        checked += check_file(value_files.gl_pathv[i]);
    assert_true(checked > 900);
}

static bool file_has(const char *path, const char *text)
{
    static char all[1 << 20];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(all, 1, sizeof(all) - 1, file);
    assert_true(size < sizeof(all) - 1);
    all[size] = '\0';
    fclose(file);
    return strstr(all, text) != NULL;
}

static void every_kernel_has_golden_values(void **unused)
{
    (void)unused;
    for (const fm_kernel *const *kernel = fm_kernels; *kernel != NULL; kernel++) {
        char name[128];
        bool found = false;
        snprintf(name, sizeof(name), "case,%s,", (*kernel)->params[0].name != NULL ? (*kernel)->name : "");
        if ((*kernel)->params[0].name == NULL)
            snprintf(name, sizeof(name), "case,%s\n", (*kernel)->name);
        for (size_t i = 0; i < value_files.gl_pathc && !found; i++)
            found = file_has(value_files.gl_pathv[i], name);
        if (!found)
            fail_msg("no golden values for %s", (*kernel)->name);
    }
}

static int load(void **unused)
{
    assert_int_equal(find_values(), 0);
    return load_input(unused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_agrees_with_its_definition),
        cmocka_unit_test(every_kernel_has_golden_values),
    };
    return cmocka_run_group_tests(tests, load, NULL);
}
