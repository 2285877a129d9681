/* Dates and timestamps as they are written in a file. */
#include "projections/expr.h"

/* `size` digits at *at; -1: they aren't there. */
static int digits(pdr_string text, size_t *at, size_t size)
{
    int value = 0;
    if (text.size - *at < size) return -1;
    for (size_t i = 0; i < size; i++) {
        char c = text.data[*at + i];
        if (c < '0' || c > '9') return -1;
        value = value * 10 + (c - '0');
    }
    *at += size;
    return value;
}

static bool sign(pdr_string text, size_t *at, const char *one_of)
{
    if (*at >= text.size || !text.data[*at] || !strchr(one_of, text.data[*at])) return false;
    (*at)++;
    return true;
}

static int days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* Days since 1970 of a date of the Gregorian calendar, which years are counted from March in. */
static int64_t days_since_1970(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;
    return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

static bool read_date(pdr_string text, size_t *at, int64_t *days)
{
    int year = digits(text, at, 4);
    if (year < 1 || !sign(text, at, "-")) return false;
    int month = digits(text, at, 2);
    if (month < 1 || month > 12 || !sign(text, at, "-")) return false;
    int day = digits(text, at, 2);
    if (day < 1 || day > days_of_month(year, month)) return false;
    *days = days_since_1970(year, month, day);
    return true;
}

bool pdr_date_read(pdr_string text, int64_t *days)
{
    size_t at = 0;
    return read_date(text, &at, days) && at == text.size;
}

static bool read_fraction(pdr_string text, size_t *at, int64_t *micros)
{
    int64_t unit = 100000;
    if (!sign(text, at, ".")) return true;
    size_t from = *at;
    for (; *at < text.size && text.data[*at] >= '0' && text.data[*at] <= '9'; (*at)++, unit /= 10)
        *micros += unit * (text.data[*at] - '0');
    return *at > from && *at - from <= 6;
}

bool pdr_timestamp_read(pdr_string text, int64_t *micros)
{
    size_t at = 0;
    int64_t days, fraction = 0;
    if (!read_date(text, &at, &days) || !sign(text, &at, " T")) return false;
    int hour = digits(text, &at, 2);
    if (hour < 0 || hour > 23 || !sign(text, &at, ":")) return false;
    int minute = digits(text, &at, 2);
    if (minute < 0 || minute > 59 || !sign(text, &at, ":")) return false;
    int second = digits(text, &at, 2);
    if (second < 0 || second > 59 || !read_fraction(text, &at, &fraction)) return false;
    (void)sign(text, &at, "Z");
    *micros = ((days * 24 + hour) * 60 + minute) * INT64_C(60000000) + second * INT64_C(1000000) + fraction;
    return at == text.size;
}
