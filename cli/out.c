#include "cli/out.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/common.h"

enum { MAX_LINE = 64 * 1024 * 1024, FLUSH_US = 200000, WIDEST = 10000 };

struct pdr_out {
    pdr_buf line;
    int64_t flushed_at;
    unsigned width;
    bool json, terminal, coloured;
};

static bool is_set(const char *variable)
{
    const char *value = getenv(variable);
    return value && *value;
}

static bool has_colour(void)
{
    const char *term = getenv("TERM");
    return term && *term && strcmp(term, "dumb") != 0 && !is_set("NO_COLOR");
}

static unsigned width_of_terminal(void)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    long said = columns ? strtol(columns, NULL, 10) : 0;
    if (said > 0 && said <= WIDEST) return (unsigned)said;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

pdr_code pdr_out_open(pdr_out **out, bool json, pdr_error *err)
{
    pdr_out *o = pdr_alloc(sizeof *o);
    *out = o;
    if (!o) return pdr_fail(err, PDR_NOMEM, "standard output");
    *o = (pdr_out){.line = PDR_BUF_INIT(MAX_LINE), .flushed_at = pdr_mono_us(), .json = json};
    o->terminal = isatty(STDOUT_FILENO) == 1;
    if (!o->terminal || json) return PDR_OK;
    o->coloured = has_colour();
    o->width = width_of_terminal();
    return PDR_OK;
}

bool pdr_out_is_json(const pdr_out *out)
{
    return out->json;
}

bool pdr_out_is_coloured(const pdr_out *out)
{
    return out->coloured;
}

unsigned pdr_out_width(const pdr_out *out)
{
    return out->width;
}

pdr_buf *pdr_out_line(pdr_out *out)
{
    return &out->line;
}

/* --- the line under way --- */

static const char *const colours[] = {[PDR_COLOUR_DIM] = "\033[2m",
                                      [PDR_COLOUR_BOLD] = "\033[1m",
                                      [PDR_COLOUR_GOOD] = "\033[32m",
                                      [PDR_COLOUR_BAD] = "\033[31m",
                                      [PDR_COLOUR_CHANGED] = "\033[1;33m"};

static pdr_code put_formatted(pdr_buf *line, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (size < 0) return PDR_INVALID_ARGUMENT;
    pdr_code code = pdr_buf_reserve(line, (size_t)size + 1);
    if (code != PDR_OK) return code;
    (void)vsnprintf((char *)line->data + line->size, (size_t)size + 1, format, arguments);
    line->size += (size_t)size;
    return PDR_OK;
}

static void tame(uint8_t *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((text[i] < 0x20 && text[i] != '\n') || text[i] == 0x7f) text[i] = '?';
}

pdr_code pdr_out_put(pdr_out *out, pdr_colour colour, const char *format, ...)
{
    bool coloured = out->coloured && colour != PDR_COLOUR_PLAIN;
    pdr_code code = coloured ? pdr_buf_printf(&out->line, "%s", colours[colour]) : PDR_OK;
    size_t from = out->line.size;
    if (code == PDR_OK) {
        va_list arguments;
        va_start(arguments, format);
        code = put_formatted(&out->line, format, arguments);
        va_end(arguments);
    }
    if (code == PDR_OK && out->terminal) tame(out->line.data + from, out->line.size - from);
    return code == PDR_OK && coloured ? pdr_buf_printf(&out->line, "\033[0m") : code;
}

/* --- to standard output --- */

pdr_code pdr_out_flush(pdr_out *out, pdr_error *err)
{
    out->flushed_at = pdr_mono_us();
    return fflush(stdout) == 0 ? PDR_OK : pdr_cli_write_failed(err);
}

pdr_code pdr_out_end(pdr_out *out, pdr_error *err)
{
    if (pdr_cli_reader_gone()) return pdr_cli_write_failed(err);
    pdr_code code = pdr_buf_append(&out->line, "\n", 1);
    if (code != PDR_OK) return pdr_fail(err, code, "a line of the output");
    if (out->terminal) pdr_cli_progress_end();
    size_t size = out->line.size;
    bool whole = fwrite(out->line.data, 1, size, stdout) == size;
    pdr_buf_clear(&out->line);
    if (!whole) return pdr_cli_write_failed(err);
    return pdr_mono_us() - out->flushed_at >= FLUSH_US ? pdr_out_flush(out, err) : PDR_OK;
}

static pdr_code write_rest(pdr_out *out, pdr_error *err)
{
    pdr_code code = out->line.size ? pdr_out_end(out, err) : PDR_OK;
    if (code == PDR_OK) code = pdr_out_flush(out, err);
    return code == PDR_CANCELLED && pdr_cli_reader_gone() ? PDR_OK : code;
}

pdr_code pdr_out_close(pdr_out *out, pdr_code code, pdr_error *err)
{
    pdr_error ignored;
    if (!out) return code;
    pdr_code written = write_rest(out, code == PDR_OK ? err : &ignored);
    pdr_buf_release(&out->line);
    pdr_free(out);
    return code == PDR_OK ? written : code;
}
