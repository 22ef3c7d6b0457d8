/* tests/golden/fmath_test.c - the error bounds of base/fmath.h, over exact values from mpmath (fmath.txt, made by
 * fmath.py) and over seeded points against long double; and that the bits do not depend on what the CPU offers.
 *
 * links: base */
#include "assert_near.h"

#include "base/fmath.h"
#include "base/hash.h"
#include "base/random.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The bound of each function in units of the last place; erfc promises a relative error of 1e-13, which is 450 of the
 * largest units. */
static const struct {
    const char *name;
    double ulps;
} bounds[] = {{"exp", 1.0}, {"exp2", 1.0}, {"log", 1.0}, {"log2", 1.0}, {"pow", 2.0}, {"erfc", 450.0}};

enum { FUNCTIONS = 6 };

static int function_of(const char *name)
{
    for (int i = 0; i < FUNCTIONS; i++) {
        if (strcmp(bounds[i].name, name) == 0)
            return i;
    }
    fail_msg("no function \"%s\"", name);
    return -1;
}

static double call(int function, double x, double y)
{
    switch (function) {
    case 0:
        return fm_exp(x);
    case 1:
        return fm_exp2(x);
    case 2:
        return fm_log(x);
    case 3:
        return fm_log2(x);
    case 4:
        return fm_pow(x, y);
    default:
        return fm_erfc(x);
    }
}

static long double reference(int function, double x, double y)
{
    switch (function) {
    case 0:
        return expl(x);
    case 1:
        return exp2l(x);
    case 2:
        return logl(x);
    case 3:
        return log2l(x);
    case 4:
        return powl(x, y);
    default:
        return erfcl(x);
    }
}

/* |got - (high + low)| in units of the last place of high. */
static double ulps_between(double got, double high, double low)
{
    if (got == high && (low == 0.0 || isinf(high)))
        return 0.0;
    int exponent;
    frexp(high, &exponent);
    double unit = ldexp(1.0, (exponent < -1021 ? -1021 : exponent) - 53);
    return fabs((got - high) - low) / unit;
}

static void exact_values_are_met_within_the_bounds(void **unused)
{
    (void)unused;
    FILE *file = fopen(FMADS_SOURCE_DIR "/tests/golden/fmath.txt", "r");
    assert_non_null(file);
    char line[256], name[8], text[4][40];
    int count[FUNCTIONS] = {0};
    double worst[FUNCTIONS] = {0};
    while (fgets(line, sizeof(line), file) != NULL) {
        if (line[0] == '#')
            continue;
        int fields = sscanf(line, "%7s %39s %39s %39s %39s", name, text[0], text[1], text[2], text[3]);
        int function = function_of(name), arguments = fields - 3;
        assert_in_range(arguments, 1, 2);
        double x = strtod(text[0], NULL), y = arguments == 2 ? strtod(text[1], NULL) : 0.0;
        double high = strtod(text[arguments], NULL), low = strtod(text[arguments + 1], NULL);
        double ulps = ulps_between(call(function, x, y), high, low);
        if (!(ulps <= bounds[function].ulps))
            fail_msg("%s(%a, %a) is %a, exactly %a + %a: %g ulp", name, x, y, call(function, x, y), high, low, ulps);
        worst[function] = fmax(worst[function], ulps);
        count[function]++;
    }
    fclose(file);
    for (int i = 0; i < FUNCTIONS; i++) {
        assert_true(count[i] >= 600);
        print_message("%-5s %.4f ulp at most over %d exact values\n", bounds[i].name, worst[i], count[i]);
    }
}

static double within(fm_random *random, double low, double high)
{
    return low + (high - low) * fm_random_unit(random);
}

static double any_positive(fm_random *random)
{
    uint64_t bits = 1 + fm_random_below(random, 0x7fefffffffffffffu);
    double x;
    memcpy(&x, &bits, sizeof(x));
    return x;
}

/* An argument of each of the regions where another part of the algorithm answers. */
static void draw(fm_random *random, int function, int i, double *x, double *y)
{
    double tiny = ldexp(within(random, -1.0, 1.0), -(int)fm_random_below(random, 50));
    *y = 0.0;
    switch (function) {
    case 0:
        *x = i % 3 == 0 ? within(random, -745.2, 709.8) : i % 3 == 1 ? within(random, -746, -700) : tiny;
        return;
    case 1:
        *x = i % 3 == 0 ? within(random, -1075, 1024) : i % 3 == 1 ? within(random, -1075, -1000) : tiny;
        return;
    case 2:
    case 3:
        *x = i % 3 == 0 ? any_positive(random) : i % 3 == 1 ? 1.0 + tiny / 32 : within(random, 0.4, 3.0);
        return;
    case 4:
        *x = i % 3 == 0 ? any_positive(random) : i % 3 == 1 ? 1.0 + tiny / 32 : within(random, 0.0, 1000.0);
        *y = i % 2 == 0 ? within(random, -3.0, 3.0) : within(random, -744.0, 709.0) / log(*x);
        return;
    default:
        *x = i % 3 == 0 ? within(random, -7.0, 26.0) : i % 3 == 1 ? within(random, -1.0, 3.0) : tiny;
    }
}

static void seeded_values_are_met_within_the_bounds(void **unused)
{
    (void)unused;
    enum { COUNT = 60000 };
    for (int function = 0; function < FUNCTIONS; function++) {
        fm_random random;
        fm_random_seed(&random, 100 + (uint64_t)function);
        double worst = 0.0;
        for (int i = 0; i < COUNT; i++) {
            double x, y;
            draw(&random, function, i, &x, &y);
            long double exact = reference(function, x, y);
            double high = (double)exact, low = isinf(high) ? 0.0 : (double)(exact - high);
            double ulps = ulps_between(call(function, x, y), high, low);
            if (!(ulps <= bounds[function].ulps))
                fail_msg("%s(%a, %a) is %a, exactly %a: %g ulp", bounds[function].name, x, y, call(function, x, y),
                         high, ulps);
            worst = fmax(worst, ulps);
        }
        print_message("%-5s %.4f ulp at most over %d seeded values\n", bounds[function].name, worst, COUNT);
    }
}

static void same(double got, double expected)
{
    if (isnan(expected) ? !isnan(got) : got != expected || signbit(got) != signbit(expected))
        fail_msg("got %a, expected %a", got, expected);
}

static void edges_are_as_the_header_says(void **unused)
{
    (void)unused;
    const double inf = HUGE_VAL;
    same(fm_exp(NAN), NAN), same(fm_exp(inf), inf), same(fm_exp(-inf), 0.0), same(fm_exp(710), inf),
        same(fm_exp(-746), 0.0);
    same(fm_exp(1e308), inf), same(fm_exp(-1e308), 0.0), same(fm_exp(0.0), 1.0), same(fm_exp(-0.0), 1.0),
        same(fm_exp(5e-324), 1.0);
    same(fm_exp2(NAN), NAN), same(fm_exp2(inf), inf), same(fm_exp2(-inf), 0.0), same(fm_exp2(1024), inf),
        same(fm_exp2(-1075), 0.0);
    for (int i = -1074; i < 1024; i++) {
        same(fm_exp2(i), ldexp(1.0, i));
        same(fm_log2(ldexp(1.0, i)), i);
    }
    same(fm_log(NAN), NAN), same(fm_log(0.0), -inf), same(fm_log(-0.0), -inf), same(fm_log(-1.0), NAN),
        same(fm_log(inf), inf);
    same(fm_log(-inf), NAN), same(fm_log(1.0), 0.0), same(fm_log2(0.0), -inf), same(fm_log2(-5e-324), NAN),
        same(fm_log2(inf), inf);
    same(fm_erfc(NAN), NAN), same(fm_erfc(inf), 0.0), same(fm_erfc(-inf), 2.0), same(fm_erfc(0.0), 1.0),
        same(fm_erfc(-28.0), 2.0);
    same(fm_erfc(27.9), 0.0);
}

/* C17 F.10.4.4: the C library's pow answers the same at every pair of special arguments. */
static void pow_has_c17s_special_cases(void **unused)
{
    (void)unused;
    static const double special[] = {0.0,    -0.0,       1.0,         -1.0,   2.0,     -2.0,     3.0,       -3.0,
                                     0.5,    -0.5,       1.5,         -1.5,   1e300,   -1e300,   5e-324,    -5e-324,
                                     0x1p53, 0x1p53 + 2, -0x1p52 - 1, 0x1p70, -0x1p70, HUGE_VAL, -HUGE_VAL, NAN};
    int count = (int)(sizeof(special) / sizeof(special[0]));
    for (int i = 0; i < count; i++) {
        for (int k = 0; k < count; k++) {
            double expected = pow(special[i], special[k]), got = fm_pow(special[i], special[k]);
            bool exact = isnan(expected) || isinf(expected) || expected == 0.0 || fabs(expected) == 1.0;
            if (exact ? !(isnan(expected) ? isnan(got) : got == expected && signbit(got) == signbit(expected))
                      : fabs(got - expected) > 4e-16 * fabs(expected))
                fail_msg("pow(%a, %a) is %a, expected %a", special[i], special[k], got, expected);
        }
    }
}

/* ---- the same bits everywhere ---- */

static fm_hash128 hash_of_results(int results, double (*of)(int function, double x, double y))
{
    static double batch[1000];
    fm_hash128 chain[2] = {{0, 0}, {0, 0}};
    fm_random random;
    fm_random_seed(&random, 77);
    for (int done = 0; done < results; done += 1000) {
        for (int i = 0; i < 1000; i++) {
            int function = i % FUNCTIONS;
            double x, y = 0.0;
            /* no libm in the arguments: draw() uses its log */
            if (function == 2 || function == 3)
                x = any_positive(&random);
            else if (function == 4)
                x = within(&random, 0.0, 100.0), y = within(&random, -100.0, 100.0);
            else
                x = function == 5 ? within(&random, -6.0, 26.0) : within(&random, -740.0, 709.0);
            batch[i] = of(function, x, y);
        }
        chain[1] = fm_hash128_of(batch, sizeof(batch));
        chain[0] = fm_hash128_of(chain, sizeof(chain));
    }
    return chain[0];
}

static double call_libm(int function, double x, double y)
{
    return function == 0   ? exp(x)
           : function == 1 ? exp2(x)
           : function == 2 ? log(x)
           : function == 3 ? log2(x)
           : function == 4 ? pow(x, y)
                           : 0.0;
}

/* This program, run again with FMA and AVX2 hidden from the C library, prints its two hashes. */
static void hashes_with_features_hidden(char own[33], char libm[33])
{
    char path[4096], line[128] = "";
    ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 1);
    assert_true(size > 0);
    path[size] = '\0';
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        setenv("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX2_Usable,-FMA_Usable,-AVX2,-FMA", 1);
        execl(path, path, "--hashes", (char *)NULL);
        _exit(1);
    }
    close(ends[1]);
    FILE *from = fdopen(ends[0], "r");
    assert_non_null(fgets(line, sizeof(line), from));
    fclose(from);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(sscanf(line, "%32s %32s", own, libm), 2);
}

enum { RESULTS = 1000000, LIBM_RESULTS = 100000 };

static void a_million_results_have_the_stored_bits_also_without_fma_and_avx2(void **unused)
{
    (void)unused;
    char own[33], libm[33], hidden_own[33], hidden_libm[33];
    fm_hash128_hex(hash_of_results(RESULTS, call), own);
    fm_hash128_hex(hash_of_results(LIBM_RESULTS, call_libm), libm);
    hashes_with_features_hidden(hidden_own, hidden_libm);
    assert_string_equal(hidden_own, own);
    print_message("the C library's bits %s when FMA and AVX2 are hidden\n",
                  strcmp(libm, hidden_libm) == 0 ? "stay" : "change");
    /* Any compiler, any optimization, any sanitizer: the same. A deliberate change of fmath changes this line. */
    assert_string_equal(own, "82c886569f03a46af249224a5b1a199c");
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--hashes") == 0) {
        char own[33], libm[33];
        fm_hash128_hex(hash_of_results(RESULTS, call), own);
        fm_hash128_hex(hash_of_results(LIBM_RESULTS, call_libm), libm);
        return printf("%s %s\n", own, libm) < 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_values_are_met_within_the_bounds),
        cmocka_unit_test(seeded_values_are_met_within_the_bounds),
        cmocka_unit_test(edges_are_as_the_header_says),
        cmocka_unit_test(pow_has_c17s_special_cases),
        cmocka_unit_test(a_million_results_have_the_stored_bits_also_without_fma_and_avx2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
