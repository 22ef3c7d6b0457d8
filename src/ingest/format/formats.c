/* ingest/format/formats.c - the table of formats, and which of them a file is. */
#include "ingest/format/format.h"

#define FORMAT(id) extern const fm_file_format fm_format_##id;
#include "ingest/format/formats.def"
#undef FORMAT

const fm_file_format *const fm_file_formats[] = {
#define FORMAT(id) &fm_format_##id,
#include "ingest/format/formats.def"
#undef FORMAT
    NULL,
};

const char *fm_file_format_name(uint32_t index)
{
    return index < sizeof(fm_file_formats) / sizeof(fm_file_formats[0]) - 1 ? fm_file_formats[index]->name : NULL;
}

static bool fits(const fm_file_format *format, const fm_file_reader *reader, fm_slice name)
{
    return fm_glob(fm_slice_of(format->header), reader->line) && (!format->fits || format->fits(reader, name));
}

int fm_file_choose(fm_file_reader *reader, const char *path, const char *name, fm_error *error)
{
    int shown = (int)(reader->line.size < 120 ? reader->line.size : 120);
    bool known = !name;
    for (const fm_file_format *const *at = fm_file_formats; *at; at++) {
        if (name && strcmp(name, (*at)->name) != 0)
            continue;
        known = true;
        if (!fits(*at, reader, fm_file_base_name(path)))
            continue;
        reader->format = *at;
        reader->needs = (*at)->needs;
        return 0;
    }
    if (!known)
        fm_fail(error, FM_EINVAL, "could not read file \"%s\": no format is called \"%s\"", path, name);
    else if (name)
        fm_fail(error, FM_EINVAL, "could not read file \"%s\" as %s: its header is \"%.*s\"", path, name, shown,
                reader->line.data);
    else
        fm_fail(error, FM_EINVAL, "could not tell the format of file \"%s\": its header is \"%.*s\"", path, shown,
                reader->line.data);
    if (error)
        fm_slice_copy(FM_SLICE("the formats are told in docs/records.md"), error->hint, sizeof error->hint);
    return FM_EINVAL;
}

/* Our own columns: any header with a type or a symbol. */
static bool is_own(const fm_file_reader *reader, fm_slice name)
{
    (void)name;
    const char *at = reader->line.data, *end = at + reader->line.size;
    while (at < end) {
        size_t size = fm_scan_cell(at, end);
        fm_field field = fm_field_of(at, size);
        if (field == FM_FIELD_TYPE || field == FM_FIELD_SYMBOL)
            return true;
        at += size + 1;
    }
    return false;
}

const fm_file_format fm_format_fmads_csv = {.name = "fmads-csv", .header = "*", .fits = is_own};
