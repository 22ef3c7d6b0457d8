/* tests/unit/ingest/forms_test.c - one record, however it is written, is decoded to the same bytes of meaning; nothing
 * is allocated, nothing beyond the body is read, and whatever the bytes are decoding ends. */
#include "forms.h"

#include <sys/mman.h>
#include <unistd.h>

#define BATCH 8

/* Allocations of this process, however it was built. */
static volatile size_t malloc_count; /* the compiler takes malloc for a function that changes no variable */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
int __sanitizer_install_malloc_and_free_hooks(void (*allocated)(const volatile void *, size_t),
                                              void (*freed)(const volatile void *));
static void count_malloc(const volatile void *memory, size_t size)
{
    (void)memory;
    (void)size;
    malloc_count++;
}
static void count_free(const volatile void *memory)
{
    (void)memory;
}
static void count_mallocs(void)
{
    assert_true(__sanitizer_install_malloc_and_free_hooks(count_malloc, count_free) > 0);
}
#else
void *__libc_malloc(size_t size);
void *malloc(size_t size)
{
    malloc_count++;
    return __libc_malloc(size);
}
static void count_mallocs(void)
{
}
#endif

static uint64_t seed_of_run(void)
{
    const char *given = getenv("FMADS_SEED");
    return given ? strtoull(given, NULL, 0) : 20140502;
}

static void assert_same(fm_format format, const char *body, size_t size, const char *expected, uint64_t seed)
{
    static line out;
    line_body(&out, format, body, size, &fm_decode_limits_preset);
    if (strcmp(out.text, expected) != 0)
        fail_msg("seed %" PRIu64 ":\n%.*s\ngives\n%s\nexpected\n%s", seed, format == FM_FORMAT_MSGPACK ? 0 : (int)size,
                 body, out.text, expected);
}

static void every_way_of_writing_gives_the_same_records(void **unused)
{
    (void)unused;
    static form forms[BATCH];
    static bytes json, lines, csv;
    static line expected;
    uint64_t seed = seed_of_run();
    fm_random random;
    fm_random_seed(&random, seed);
    for (int round = 0; round < 1500; round++) {
        msgpack_sbuffer buffer;
        msgpack_packer packer;
        msgpack_sbuffer_init(&buffer);
        msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
        int count = 1 + (int)fm_random_below(&random, 3), first = (int)fm_random_below(&random, (uint64_t)CSV_COLUMNS);
        expected.used = json.size = lines.size = csv.size = 0;
        for (int index = 0; index < CSV_COLUMNS; index++)
            put(&csv, "%s%s", csv_columns[(first + index) % CSV_COLUMNS], index + 1 < CSV_COLUMNS ? "," : "\n");
        put(&json, "[");
        if (chance(&random, 50))
            msgpack_pack_array(&packer, (size_t)count);
        for (int index = 0; index < count; index++) {
            form *one = &forms[index];
            make_form(one, &random);
            line_record(&expected, &one->record);
            line_add(&expected, "\n");
            shuffle(one, &random);
            json_space(&json, &random, false);
            write_json(&json, &random, one, false);
            put(&json, index + 1 < count ? "," : "]");
            write_json(&lines, &random, one, true);
            put(&lines, "\n");
            write_msgpack(&packer, &random, one);
            write_csv(&csv, &random, one, first);
        }
        assert_same(FM_FORMAT_JSON, json.data, json.size, expected.text, seed);
        assert_same(FM_FORMAT_NDJSON, lines.data, lines.size, expected.text, seed);
        assert_same(FM_FORMAT_MSGPACK, buffer.data, buffer.size, expected.text, seed);
        assert_same(FM_FORMAT_CSV, csv.data, csv.size, expected.text, seed);
        msgpack_sbuffer_destroy(&buffer);
    }
}

/* Memory whose end is the end of what may be read. */
typedef struct guarded {
    char *begin;
    size_t size; /* whole pages */
} guarded;

static guarded guard(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    guarded out = {.size = (size + page - 1) / page * page};
    out.begin = mmap(NULL, out.size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(out.begin != MAP_FAILED);
    assert_int_equal(mprotect(out.begin + out.size, page, PROT_NONE), 0);
    return out;
}

/* Decodes to the end; results are bounded by bytes, the position only grows. Returns how many were good. */
static int exhaust(fm_format format, const char *body, size_t size)
{
    fm_decoder decoder;
    fm_record record;
    const char *at = body;
    int result, good = 0;
    uint32_t count = 0;
    fm_decoder_init(&decoder, format, body, size, &fm_decode_limits_preset);
    while ((result = fm_decoder_next(&decoder, &record)) != 0) {
        assert_int_equal(decoder.index, count++);
        assert_true(decoder.at >= at && decoder.at <= body + size);
        assert_true(count <= size + 1);
        at = decoder.at;
        good += result > 0;
        if (result < 0)
            assert_true(decoder.error.code == result && decoder.error.message[0]);
    }
    return good;
}

static size_t write_body(fm_format format, fm_random *random, char *out, size_t room)
{
    static form one;
    static bytes text;
    msgpack_sbuffer buffer;
    msgpack_packer packer;
    msgpack_sbuffer_init(&buffer);
    msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
    text.size = 0;
    if (format == FM_FORMAT_CSV)
        for (int index = 0; index < CSV_COLUMNS; index++)
            put(&text, "%s%s", csv_columns[index], index + 1 < CSV_COLUMNS ? "," : "\n");
    if (format == FM_FORMAT_JSON)
        put(&text, "[");
    for (int index = 0; index < 2; index++) {
        make_form(&one, random);
        if (format == FM_FORMAT_CSV)
            write_csv(&text, random, &one, 0);
        else if (format == FM_FORMAT_MSGPACK)
            write_msgpack(&packer, random, &one);
        else {
            write_json(&text, random, &one, format == FM_FORMAT_NDJSON);
            put(&text, "%s", format == FM_FORMAT_NDJSON ? "\n" : index == 0 ? "," : "]");
        }
    }
    const char *data = format == FM_FORMAT_MSGPACK ? buffer.data : text.data;
    size_t size = format == FM_FORMAT_MSGPACK ? buffer.size : text.size;
    assert_true(size <= room);
    memcpy(out, data, size);
    msgpack_sbuffer_destroy(&buffer);
    return size;
}

static void no_prefix_is_read_beyond_its_end(void **unused)
{
    (void)unused;
    static char body[65536];
    guarded memory = guard(sizeof body);
    fm_random random;
    fm_random_seed(&random, seed_of_run());
    for (int round = 0; round < 60; round++) {
        for (fm_format format = FM_FORMAT_JSON; format <= FM_FORMAT_CSV; format++) {
            size_t size = write_body(format, &random, body, sizeof body);
            for (size_t length = 0; length <= size; length++) {
                char *begin = memory.begin + memory.size - length;
                memcpy(begin, body, length);
                int good = exhaust(format, begin, length);
                assert_true(length < size ? good <= 2 : good == 2);
            }
        }
    }
    munmap(memory.begin, memory.size);
}

static void damaged_bytes_end_decoding_within_bounds(void **unused)
{
    (void)unused;
    static char body[65536];
    static const char pieces[] = "{}[],:\"\\0123456789.eE+-tfn \n\r\xff\x80\xc3\x00\xdf\xdd\xdb\xc1|";
    guarded memory = guard(sizeof body);
    fm_random random;
    fm_random_seed(&random, seed_of_run() + 1);
    for (int round = 0; round < 15000; round++) {
        fm_format format = (fm_format)(1 + round % 4);
        size_t size = write_body(format, &random, body, sizeof body);
        char *begin = memory.begin + memory.size - size;
        memcpy(begin, body, size);
        for (uint64_t count = 1 + fm_random_below(&random, 4); count > 0; count--)
            begin[fm_random_below(&random, size)] = chance(&random, 70)
                                                        ? pieces[fm_random_below(&random, sizeof pieces - 1)]
                                                        : (char)fm_random_next(&random);
        (void)exhaust(format, begin, size);
    }
    munmap(memory.begin, memory.size);
}

static void decoding_allocates_nothing(void **unused)
{
    (void)unused;
    static char body[65536];
    fm_random random;
    fm_random_seed(&random, seed_of_run() + 2);
    count_mallocs();
    for (fm_format format = FM_FORMAT_JSON; format <= FM_FORMAT_CSV; format++) {
        size_t size = write_body(format, &random, body, sizeof body);
        size_t before = malloc_count;
        for (int round = 0; round < 1000; round++) {
            (void)exhaust(format, body, size);
            (void)exhaust(format, body, size / 2);
        }
        assert_int_equal(malloc_count, before);
    }
    size_t before = malloc_count;
    void *volatile memory = malloc(1);
    free(memory);
    assert_int_equal(malloc_count, before + 1); /* they are counted */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_of_writing_gives_the_same_records),
        cmocka_unit_test(no_prefix_is_read_beyond_its_end),
        cmocka_unit_test(damaged_bytes_end_decoding_within_bounds),
        cmocka_unit_test(decoding_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
