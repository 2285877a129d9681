#include "replay/moment.h"

#include <inttypes.h>
#include <time.h>

#include "projections/expr.h"

#define SECOND INT64_C(1000000)
#define DAY (INT64_C(86400) * SECOND)
enum { MAX_DIGITS = 12, DATE_SIZE = 10 };

/* What is left of the text. Each taker moves on only if it found what it looks for. */
typedef struct cursor {
    const char *at;
} cursor;

static bool take_char(cursor *c, const char *one_of)
{
    if (!*c->at || !strchr(one_of, *c->at)) return false;
    c->at++;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* All digits that follow: min to max of them. */
static bool take_number(cursor *c, int min, int max, int64_t *value)
{
    int size = 0;
    *value = 0;
    for (; is_digit(c->at[size]) && size <= max; size++)
        *value = *value * 10 + (c->at[size] - '0');
    if (size < min || size > max) return false;
    c->at += size;
    return true;
}

/* ".5" and up to six digits, if there is a point. */
static bool take_fraction(cursor *c, int64_t *us)
{
    *us = 0;
    if (!take_char(c, ".,")) return true;
    int64_t unit = SECOND / 10;
    const char *from = c->at;
    for (; is_digit(*c->at) && unit; c->at++, unit /= 10)
        *us += unit * (*c->at - '0');
    return c->at > from && !is_digit(*c->at);
}

/* "12:30", "12:30:00", "12:30:00.5" */
static bool take_clock(cursor *c, int64_t *us)
{
    int64_t hour, minute, second = 0, fraction = 0;
    if (!take_number(c, 2, 2, &hour) || hour > 23 || !take_char(c, ":")) return false;
    if (!take_number(c, 2, 2, &minute) || minute > 59) return false;
    if (take_char(c, ":") && (!take_number(c, 2, 2, &second) || second > 59 || !take_fraction(c, &fraction)))
        return false;
    *us = ((hour * 60 + minute) * 60 + second) * SECOND + fraction;
    return true;
}

/* "Z", "+02:00", "+0200", "+02" or nothing: how far its clock is ahead of UTC. */
static bool take_zone(cursor *c, int64_t *ahead_us)
{
    int64_t hours, minutes = 0;
    *ahead_us = 0;
    if (take_char(c, "Z")) return true;
    bool west = *c->at == '-';
    if (!take_char(c, "+-")) return true;
    bool short_form = is_digit(c->at[0]) && is_digit(c->at[1]) && is_digit(c->at[2]);
    if (short_form) {
        int64_t both;
        if (!take_number(c, 4, 4, &both)) return false;
        hours = both / 100;
        minutes = both % 100;
    } else {
        if (!take_number(c, 2, 2, &hours)) return false;
        if (take_char(c, ":") && !take_number(c, 2, 2, &minutes)) return false;
    }
    if (hours > 14 || minutes > 59) return false;
    *ahead_us = (hours * 60 + minutes) * 60 * SECOND * (west ? -1 : 1);
    return true;
}

static bool read_date(const char *text, int64_t *us)
{
    cursor c = {text};
    int64_t days, clock = 0, ahead = 0;
    if (strlen(text) < DATE_SIZE || !pdr_date_read((pdr_string){text, DATE_SIZE}, &days)) return false;
    c.at += DATE_SIZE;
    if (take_char(&c, "T ") && (!take_clock(&c, &clock) || !take_zone(&c, &ahead))) return false;
    *us = days * DAY + clock - ahead;
    return *c.at == '\0';
}

static bool read_seconds(const char *text, int64_t *us)
{
    cursor c = {text};
    int64_t seconds, fraction;
    if (!take_char(&c, "@") || !take_number(&c, 1, MAX_DIGITS, &seconds) || !take_fraction(&c, &fraction))
        return false;
    *us = seconds * SECOND + fraction;
    return *c.at == '\0';
}

/* "now", "15m", "3d ago" */
static bool read_ago(const char *text, int64_t now_us, int64_t *us)
{
    static const struct {
        const char *name;
        int64_t us;
    } units[] = {{"s", SECOND}, {"m", 60 * SECOND}, {"h", 3600 * SECOND}, {"d", DAY}, {"w", 7 * DAY}};
    cursor c = {text};
    int64_t count;
    *us = now_us;
    if (strcmp(text, "now") == 0) return true;
    if (!take_number(&c, 1, 6, &count)) return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (!take_char(&c, units[i].name)) continue;
        *us = now_us - count * units[i].us;
        return *c.at == '\0' || strcmp(c.at, " ago") == 0;
    }
    return false;
}

pdr_code pdr_moment_parse(const char *text, int64_t now_us, bool allow_future, int64_t *us, pdr_error *err)
{
    if (!read_date(text, us) && !read_seconds(text, us) && !read_ago(text, now_us, us))
        return pdr_fail(
            err, PDR_INVALID_ARGUMENT,
            "\"%.60s\" is no time: write 2011-10-01, 2011-10-01T12:30 or 2011-10-01T12:30:00+02:00 "
            "(UTC without a zone), @SECONDS since 1970, now, or how long ago: 30s, 15m (minutes), "
            "2h, 3d, 1w",
            text);
    if (*us <= now_us || allow_future) return PDR_OK;
    return pdr_fail(err, PDR_INVALID_ARGUMENT, "\"%.60s\" is in the future", text);
}

pdr_code pdr_moment_print(int64_t us, pdr_buf *out)
{
    struct tm parts;
    int64_t fraction = us % SECOND;
    if (fraction < 0) fraction += SECOND;
    time_t seconds = (time_t)((us - fraction) / SECOND);
    if (!gmtime_r(&seconds, &parts)) return PDR_INVALID_ARGUMENT;
    pdr_code code =
        pdr_buf_printf(out, "%04" PRId64 "-%02d-%02dT%02d:%02d:%02d", (int64_t)parts.tm_year + 1900,
                       parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
    int digits = 6;
    for (; digits && fraction % 10 == 0; digits--)
        fraction /= 10;
    if (code == PDR_OK && digits) code = pdr_buf_printf(out, ".%0*" PRId64, digits, fraction);
    return code == PDR_OK ? pdr_buf_printf(out, "Z") : code;
}
