/* One line of the log: six columns, each with its own form. */
#include "csv.h"

#include <string.h>

enum { COLUMNS = 6 };

static const char *const names[COLUMNS] = {"at",         "application", "activity",
                                           "transition", "resource",    "amount_requested"};

typedef struct column {
    const char *text;
    size_t size;
} column;

static pdr_code split(const char *line, size_t size, column *columns, pdr_error *err)
{
    size_t count = 0;
    const char *from = line;
    for (const char *c = line; c <= line + size; c++) {
        if (c < line + size && *c != ',') {
            if ((unsigned char)*c < 0x20 || *c == 0x7f || *c == '"')
                return pdr_fail(err, PDR_BAD_DATA, "byte 0x%02x at column %zu", (unsigned char)*c,
                                (size_t)(c - line) + 1);
            continue;
        }
        if (count == COLUMNS) return pdr_fail(err, PDR_BAD_DATA, "more than %d columns", COLUMNS);
        columns[count++] = (column){from, (size_t)(c - from)};
        from = c + 1;
    }
    if (count == COLUMNS) return PDR_OK;
    return pdr_fail(err, PDR_BAD_DATA, "%zu columns, not %d", count, COLUMNS);
}

/* Digits only. */
static bool number(const char *text, size_t size, int64_t max, int64_t *out)
{
    int64_t value = 0;
    if (size == 0 || size > LOANS_MAX_APPLICATION) return false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        value = value * 10 + (text[i] - '0');
    }
    *out = value;
    return value <= max;
}

/* --- times --- */

static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    /* Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": days_from_civil, for years after 0. */
    year -= month <= 2;
    int64_t era = year / 400, of_era = year % 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t days_in(int64_t year, int64_t month)
{
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* Two or four digits of the form at `at`. */
static bool part(const char *text, size_t at, size_t size, int64_t min, int64_t max, int64_t *out)
{
    return number(text + at, size, max, out) && *out >= min;
}

/* "2011-09-30T22:38:44.546000Z": as RFC 3339 has it, in UTC, with exactly six digits of a second. */
static bool time_of(const char *text, size_t size, int64_t *out)
{
    static const char form[] = "0000-00-00T00:00:00.000000Z";
    int64_t year, month, day, hour, minute, second, micros;
    if (size != sizeof form - 1) return false;
    for (size_t i = 0; i < size; i++)
        if (form[i] != '0' && text[i] != form[i]) return false;
    if (!part(text, 0, 4, 1970, 9999, &year) || !part(text, 5, 2, 1, 12, &month) ||
        !part(text, 8, 2, 1, days_in(year, month), &day) || !part(text, 11, 2, 0, 23, &hour) ||
        !part(text, 14, 2, 0, 59, &minute) || !part(text, 17, 2, 0, 59, &second) ||
        !part(text, 20, 6, 0, 999999, &micros))
        return false;
    *out = (((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1000000 + micros;
    return true;
}

/* --- columns into the row --- */

static bool word(column from, char *to)
{
    if (from.size == 0 || from.size > LOANS_MAX_WORD) return false;
    memcpy(to, from.text, from.size);
    to[from.size] = '\0';
    return true;
}

static bool application(column from, char *to)
{
    int64_t value;
    if (!number(from.text, from.size, INT64_MAX, &value)) return false;
    if (from.text[0] == '0' && from.size > 1) return false; /* one name each */
    memcpy(to, from.text, from.size);
    to[from.size] = '\0';
    return true;
}

static bool employee(column from, loans_row *row)
{
    int64_t value = 0;
    row->has_employee = from.size > 0;
    if (row->has_employee && !number(from.text, from.size, INT32_MAX, &value)) return false;
    row->employee = (int32_t)value;
    return true;
}

static bool take(int index, column from, loans_row *row)
{
    switch (index) {
    case 0: return time_of(from.text, from.size, &row->at_us);
    case 1: return application(from, row->application);
    case 2: return word(from, row->activity);
    case 3: return word(from, row->transition);
    case 4: return employee(from, row);
    default: return number(from.text, from.size, INT64_MAX, &row->amount_requested);
    }
}

pdr_code loans_csv_parse(const char *line, size_t size, loans_row *row, pdr_error *err)
{
    column columns[COLUMNS];
    pdr_code code = split(line, size, columns, err);
    if (code != PDR_OK) return code;
    for (int i = 0; i < COLUMNS; i++)
        if (!take(i, columns[i], row))
            return pdr_fail(err, PDR_BAD_DATA, "bad %s: \"%.*s\"", names[i],
                            (int)(columns[i].size < 40 ? columns[i].size : 40), columns[i].text);
    return PDR_OK;
}
