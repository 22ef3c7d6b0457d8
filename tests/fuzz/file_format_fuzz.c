/* tests/fuzz/file_format_fuzz.c - any bytes as a market data file: reading ends, rows count from 1, and good rows keep
 * the rules. */
#include "decode_fuzz.h"

#include "ingest/file_format.h"

#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    fm_file_reader *reader;
    fm_error error;
    fm_record record;
    int result, file = memfd_create("fuzz", MFD_CLOEXEC);
    FM_ASSERT(file >= 0 && write(file, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    result = fm_file_reader_open(path, NULL, "A", "20140502", &reader, &error);
    if (result < 0) {
        FM_ASSERT(error.code == result && error.message[0]);
        close(file);
        return 0;
    }
    uint64_t row = 0;
    while ((result = fm_file_reader_next(reader, &record, &error)) != 0) {
        FM_ASSERT(result < 0 || record.row > row);
        FM_ASSERT(result > 0 || (error.code == result && error.message[0]));
        if (result > 0) {
            row = record.row;
            FM_ASSERT(record.source.size == 0);
            record.source = FM_SLICE("s");
            check_record(&record);
            check_written_again(&record);
        }
    }
    FM_ASSERT(fm_file_reader_next(reader, &record, &error) == 0);
    FM_ASSERT(fm_file_reader_bytes(reader) <= fm_file_reader_size(reader));
    fm_file_reader_close(reader);
    close(file);
    return 0;
}
