#include "base/config.h"

#include <inttypes.h>

#include "base/mem.h"

enum { LONGEST_NAME = 63, FARTHEST_NEAR = 4 };

static void store(const pdr_config_row *row, void *target, int64_t value)
{
    uint8_t *member = (uint8_t *)target + row->offset;
    uint64_t scaled = (uint64_t)value * (uint64_t)row->scale;
    uint32_t narrow = (uint32_t)scaled;
    size_t size = (size_t)scaled;
    bool truth = value != 0;
    switch (row->kind) {
    case PDR_CONFIG_U32: memcpy(member, &narrow, sizeof narrow); break;
    case PDR_CONFIG_U64:
    case PDR_CONFIG_I64: memcpy(member, &scaled, sizeof scaled); break;
    case PDR_CONFIG_SIZE: memcpy(member, &size, sizeof size); break;
    case PDR_CONFIG_BOOL: memcpy(member, &truth, sizeof truth); break;
    case PDR_CONFIG_TEXT: *member = '\0'; break;
    }
}

void pdr_config_defaults(const pdr_config *config, void *target)
{
    for (size_t i = 0; i < config->count; i++)
        store(&config->rows[i], target, config->rows[i].by);
}

/* Decimal digits only: no sign, no space, no unit; the ranges have no negative values. */
static bool parse_number(const char *text, int64_t *out)
{
    int64_t value = 0;
    if (!*text) return false;
    for (; *text; text++) {
        int digit = *text - '0';
        if (digit < 0 || digit > 9 || value > (INT64_MAX - digit) / 10) return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

static bool parse_value(const pdr_config_row *row, const char *text, int64_t *out)
{
    if (row->kind != PDR_CONFIG_BOOL) return parse_number(text, out);
    *out = strcmp(text, "true") == 0;
    return *out || strcmp(text, "false") == 0;
}

static pdr_code unknown_name(const pdr_config *config, const char *name, pdr_error *err)
{
    const char *nearest = pdr_config_nearest(config, name);
    if (!nearest) return pdr_fail(err, PDR_BAD_SETTING, "no setting is called %.100s", name);
    return pdr_fail(err, PDR_BAD_SETTING, "no setting is called %.100s; did you mean %s?", name, nearest);
}

static const pdr_config_row *find(const pdr_config *config, const char *name)
{
    for (size_t i = 0; i < config->count; i++)
        if (strcmp(config->rows[i].name, name) == 0) return &config->rows[i];
    return NULL;
}

/* Texts may be passwords: no message shows one. */
static pdr_code set_text(const pdr_config_row *row, void *target, const char *value, pdr_error *err)
{
    size_t size = strlen(value);
    if (size > (uint64_t)row->max)
        return pdr_fail(err, PDR_BAD_SETTING, "%s has %zu bytes; at most %" PRId64, row->name, size,
                        row->max);
    memcpy((char *)target + row->offset, value, size + 1);
    return PDR_OK;
}

pdr_code pdr_config_set(const pdr_config *config, void *target, const char *name, const char *value,
                        pdr_error *err)
{
    if (!name || !value)
        return pdr_fail(err, PDR_BAD_SETTING, "a setting without a %s", name ? "value" : "name");
    const pdr_config_row *row = find(config, name);
    if (!row) return unknown_name(config, name, err);
    if (row->kind == PDR_CONFIG_TEXT) return set_text(row, target, value, err);
    int64_t number;
    if (!parse_value(row, value, &number)) {
        const char *wanted = row->kind == PDR_CONFIG_BOOL ? "true or false" : "a whole number";
        return pdr_fail(err, PDR_BAD_SETTING, "%s wants %s, not \"%.100s\"", name, wanted, value);
    }
    if (number < row->min || number > row->max)
        return pdr_fail(err, PDR_BAD_SETTING,
                        "%s is %" PRId64 ", outside its range of %" PRId64 " to %" PRId64 " %s", name, number,
                        row->min, row->max, row->unit);
    store(row, target, number);
    return PDR_OK;
}

/* Levenshtein's distance, by one row of the matrix. */
static size_t distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t row[LONGEST_NAME + 1];
    for (size_t j = 0; j <= b_size; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[b_size];
}

const char *pdr_config_nearest(const pdr_config *config, const char *name)
{
    const char *nearest = NULL;
    size_t least = FARTHEST_NEAR + 1, size = strlen(name);
    if (size > LONGEST_NAME) return NULL;
    for (size_t i = 0; i < config->count; i++) {
        const char *candidate = config->rows[i].name;
        size_t candidate_size = strlen(candidate);
        if (candidate_size > LONGEST_NAME) continue;
        size_t d = distance(name, size, candidate, candidate_size);
        if (d < least && d < candidate_size) {
            least = d;
            nearest = candidate;
        }
    }
    return nearest;
}

static pdr_code print_row(const pdr_config_row *row, pdr_buf *out)
{
    if (row->kind == PDR_CONFIG_BOOL)
        return pdr_buf_printf(out, "| `%s` | true, false | %s | | %s |\n", row->name,
                              row->by ? "true" : "false", row->prose);
    if (row->kind == PDR_CONFIG_TEXT)
        return pdr_buf_printf(out, "| `%s` | a text, at most %" PRId64 " bytes | none | | %s |\n", row->name,
                              row->max, row->prose);
    return pdr_buf_printf(out, "| `%s` | %" PRId64 " – %" PRId64 " | %" PRId64 " | %s | %s |\n", row->name,
                          row->min, row->max, row->by, row->unit, row->prose);
}

pdr_code pdr_config_print(const pdr_config *config, pdr_buf *out)
{
    pdr_code code =
        pdr_buf_printf(out, "| name | range | default | unit | what it does |\n|---|---|---|---|---|\n");
    for (size_t i = 0; code == PDR_OK && i < config->count; i++)
        code = print_row(&config->rows[i], out);
    return code;
}
