/* Lines out of a file, whatever it holds. What a line holds: csv_row.c. */
#include "csv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { PIECE = 64 * 1024 };

static const char header[] = "at,application,activity,transition,resource,amount_requested";

struct loans_csv {
    gzFile file;
    char *path;
    uint64_t line; /* of the file, from 1 */
    size_t at, size;
    char piece[PIECE];
};

/* The file's next piece; *end: there is none. */
static pdr_code fill(loans_csv *csv, bool *end, pdr_error *err)
{
    int number = Z_OK;
    int got = gzread(csv->file, csv->piece, PIECE);
    const char *what = gzerror(csv->file, &number);
    csv->at = 0;
    csv->size = got > 0 ? (size_t)got : 0;
    *end = got == 0 && number == Z_OK;
    if (got > 0 || *end) return PDR_OK;
    if (number == Z_ERRNO)
        return pdr_fail_backend(err, PDR_IO, errno, "%.200s: %s", csv->path, strerror(errno));
    return pdr_fail_backend(err, PDR_CORRUPT, number,
                            "%.200s after line %llu: damaged or cut off (%.100s); fetch the file again",
                            csv->path, (unsigned long long)csv->line, what);
}

/* One line into `line`, which has room for LOANS_MAX_LINE + 2 bytes; *size may say more than fits: the line
 * is too long. */
static pdr_code read_line(loans_csv *csv, char *line, size_t *size, bool *end, pdr_error *err)
{
    bool begun = false;
    *size = 0;
    *end = false;
    for (;;) {
        if (csv->at == csv->size) {
            bool last = false;
            pdr_code code = fill(csv, &last, err);
            if (code != PDR_OK) return code;
            if (last) {
                *end = !begun;
                csv->line += begun;
                return PDR_OK;
            }
        }
        begun = true;
        const char *from = csv->piece + csv->at;
        const char *stop = memchr(from, '\n', csv->size - csv->at);
        size_t length = stop ? (size_t)(stop - from) : csv->size - csv->at;
        if (*size <= LOANS_MAX_LINE + 1) {
            size_t room = LOANS_MAX_LINE + 2 - *size;
            memcpy(line + *size, from, length < room ? length : room);
        }
        *size += length;
        csv->at += length + (stop ? 1 : 0);
        if (stop) {
            csv->line++;
            return PDR_OK;
        }
    }
}

/* The same without a carriage return at its end. */
static pdr_code read_text(loans_csv *csv, char *line, size_t *size, bool *end, pdr_error *err)
{
    pdr_code code = read_line(csv, line, size, end, err);
    if (code == PDR_OK && *size && *size <= LOANS_MAX_LINE + 1 && line[*size - 1] == '\r') --*size;
    return code;
}

static pdr_code read_header(loans_csv *csv, pdr_error *err)
{
    char line[LOANS_MAX_LINE + 2];
    size_t size;
    bool end;
    pdr_code code = read_text(csv, line, &size, &end, err);
    if (code != PDR_OK) return code;
    if (size == sizeof header - 1 && memcmp(line, header, size) == 0) return PDR_OK;
    return pdr_fail(err, PDR_BAD_DATA, "%.200s: the first line must be \"%s\"", csv->path, header);
}

pdr_code loans_csv_open(loans_csv **out, const char *path, pdr_error *err)
{
    loans_csv *csv = calloc(1, sizeof *csv);
    if (!csv) return pdr_fail(err, PDR_NOMEM, "%.200s", path);
    csv->path = strdup(path);
    errno = 0;
    csv->file = csv->path ? gzopen(path, "rb") : NULL;
    pdr_code code = PDR_OK;
    if (!csv->file)
        code = errno == ENOENT ? pdr_fail(err, PDR_NOT_FOUND, "%.200s: there is no such file", path)
               : errno         ? pdr_fail_backend(err, PDR_IO, errno, "%.200s: %s", path, strerror(errno))
                               : pdr_fail(err, PDR_NOMEM, "%.200s", path);
    if (code == PDR_OK) code = read_header(csv, err);
    if (code == PDR_OK)
        *out = csv;
    else
        loans_csv_close(csv);
    return code;
}

pdr_code loans_csv_next(loans_csv *csv, loans_row *row, bool *end, pdr_error *err)
{
    char line[LOANS_MAX_LINE + 2];
    size_t size;
    pdr_code code = read_text(csv, line, &size, end, err);
    if (code != PDR_OK || *end) return code;
    code = size <= LOANS_MAX_LINE
               ? loans_csv_parse(line, size, row, err)
               : pdr_fail(err, PDR_BAD_DATA, "a line of more than %d bytes", LOANS_MAX_LINE);
    row->number = csv->line - 1;
    return code == PDR_OK
               ? code
               : pdr_fail_context(err, code, "%.200s:%llu", csv->path, (unsigned long long)csv->line);
}

pdr_code loans_csv_rewind(loans_csv *csv, pdr_error *err)
{
    csv->at = csv->size = 0;
    csv->line = 0;
    if (gzrewind(csv->file) != 0) return pdr_fail(err, PDR_IO, "%.200s: can't be read again", csv->path);
    return read_header(csv, err);
}

void loans_csv_close(loans_csv *csv)
{
    if (!csv) return;
    if (csv->file) (void)gzclose(csv->file);
    free(csv->path);
    free(csv);
}
