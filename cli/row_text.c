#include "cli/row_text.h"

#include <inttypes.h>
#include <math.h>
#include <time.h>

#include "cli/json.h"

enum { DAY_S = 86400 };

static pdr_code put_numeric(pdr_buf *out, int64_t value, int scale)
{
    uint64_t unit = 1, size = value < 0 ? (uint64_t)0 - (uint64_t)value : (uint64_t)value;
    for (int i = 0; i < scale; i++)
        unit *= 10;
    if (scale == 0) return pdr_buf_printf(out, "%" PRId64, value);
    return pdr_buf_printf(out, "%s%" PRIu64 ".%0*" PRIu64, value < 0 ? "-" : "", size / unit, scale,
                          size % unit);
}

static pdr_code put_moment(pdr_buf *out, int64_t us, bool whole_day)
{
    int64_t second = us / 1000000 - (us % 1000000 < 0), rest = us - second * 1000000;
    time_t at = (time_t)second;
    struct tm parts;
    if (!gmtime_r(&at, &parts)) return pdr_buf_printf(out, "%" PRId64, us);
    pdr_code code =
        pdr_buf_printf(out, "%04d-%02d-%02d", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
    if (code != PDR_OK || whole_day) return code;
    return pdr_buf_printf(out, " %02d:%02d:%02d.%06d+00", parts.tm_hour, parts.tm_min, parts.tm_sec,
                          (int)rest);
}

static pdr_code put_day(pdr_buf *out, int64_t days)
{
    if (days > INT32_MAX || days < INT32_MIN) return pdr_buf_printf(out, "%" PRId64, days);
    return put_moment(out, days * DAY_S * 1000000, true);
}

static pdr_code put_bytes(pdr_buf *out, const pdr_column *column, pdr_bytes bytes, bool json)
{
    if (column->type == PDR_COLUMN_BYTEA) return pdr_json_hex(out, bytes);
    return json ? pdr_json_text(out, bytes) : pdr_buf_append(out, bytes.data, bytes.size);
}

pdr_code pdr_put_cell(pdr_buf *out, const pdr_column *column, const pdr_cell *cell, bool json)
{
    if (cell->null) return pdr_buf_printf(out, json ? "null" : "NULL");
    bool quoted = column->type == PDR_COLUMN_DATE || column->type == PDR_COLUMN_TIMESTAMPTZ ||
                  (column->type == PDR_COLUMN_DOUBLE && !isfinite(cell->as.real));
    pdr_code code = json && quoted ? pdr_buf_printf(out, "\"") : PDR_OK;
    if (code != PDR_OK) return code;
    switch (column->type) {
    case PDR_COLUMN_BOOLEAN: code = pdr_buf_printf(out, cell->as.boolean ? "true" : "false"); break;
    case PDR_COLUMN_NUMERIC: code = put_numeric(out, cell->as.integer, column->scale); break;
    case PDR_COLUMN_DOUBLE: code = pdr_buf_printf(out, "%.17g", cell->as.real); break;
    case PDR_COLUMN_TEXT:
    case PDR_COLUMN_BYTEA: code = put_bytes(out, column, cell->as.bytes, json); break;
    case PDR_COLUMN_DATE: code = put_day(out, cell->as.integer); break;
    case PDR_COLUMN_TIMESTAMPTZ: code = put_moment(out, cell->as.integer, false); break;
    default: code = pdr_buf_printf(out, "%" PRId64, cell->as.integer);
    }
    return code == PDR_OK && json && quoted ? pdr_buf_printf(out, "\"") : code;
}

static pdr_code put_columns(pdr_buf *out, const pdr_table *table, const pdr_cell *cells, size_t from,
                            size_t to, bool json)
{
    pdr_code code = PDR_OK;
    for (size_t i = from; code == PDR_OK && i < to; i++) {
        const pdr_column *column = &table->columns[i];
        const char *between = i == from ? "" : json ? "," : ", ";
        code = json ? pdr_buf_printf(out, "%s\"%s\":", between, column->name)
                    : pdr_buf_printf(out, "%s%s ", between, column->name);
        if (code == PDR_OK) code = pdr_put_cell(out, column, &cells[i], json);
    }
    return code;
}

pdr_code pdr_put_key(pdr_buf *out, const pdr_table *table, const pdr_cell *cells, bool json)
{
    pdr_code code = json ? pdr_buf_printf(out, "\"key\":{") : PDR_OK;
    if (code == PDR_OK) code = put_columns(out, table, cells, 0, table->key_count, json);
    return code == PDR_OK && json ? pdr_buf_printf(out, "}") : code;
}

pdr_code pdr_put_change(pdr_buf *out, const pdr_column *column, const pdr_cell *from, const pdr_cell *to,
                        bool json)
{
    pdr_code code = json ? pdr_buf_printf(out, ",\"column\":\"%s\",\"from\":", column->name)
                         : pdr_buf_printf(out, ": %s ", column->name);
    if (code == PDR_OK) code = pdr_put_cell(out, column, from, json);
    if (code == PDR_OK) code = pdr_buf_printf(out, json ? ",\"to\":" : " -> ");
    return code == PDR_OK ? pdr_put_cell(out, column, to, json) : code;
}

pdr_code pdr_put_rest(pdr_buf *out, const pdr_table *table, const pdr_cell *cells, bool json)
{
    pdr_code code = pdr_buf_printf(out, json ? ",\"row\":{" : ": ");
    if (code == PDR_OK) code = put_columns(out, table, cells, table->key_count, table->column_count, json);
    return code == PDR_OK && json ? pdr_buf_printf(out, "}") : code;
}
