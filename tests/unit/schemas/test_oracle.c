/* Claims that we agree with Avro's own Java library, on what tools/oracle_avro.py froze in
 * tests/golden/avro/. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "every.gen.h"
#include "schemas/schema.h"
#include "small.gen.h"

static FILE *open_golden(const char *name)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", PDR_GOLDEN, name);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    return file;
}

static bool next_line(FILE *file, char **line)
{
    size_t room = 0;
    free(*line);
    *line = NULL;
    ssize_t size = getline(line, &room, file);
    if (size > 0 && (*line)[size - 1] == '\n') (*line)[size - 1] = '\0';
    return size > 0;
}

static void expect_canonical(const char *json, const char *expected)
{
    pdr_schema_set *set = NULL;
    pdr_buf text = PDR_BUF_INIT(1 << 20);
    pdr_error err = {.message = ""};
    uint64_t fingerprint = 0;
    pdr_code code = pdr_schema_read(&set, "f", pdr_string_of(json), &err);
    if (strcmp(expected, "refused") == 0) {
        cr_expect_eq(code, PDR_BAD_SCHEMA, "%s", json);
        return;
    }
    cr_assert_eq(code, PDR_OK, "%s: %s", json, err.message);
    const pdr_schema *root = pdr_schema_set_root(set, 0);
    cr_assert_eq(pdr_schema_fingerprint(&fingerprint, root, NULL), PDR_OK);
    cr_assert_eq(pdr_buf_printf(&text, "%016" PRIx64 " ", fingerprint), PDR_OK);
    cr_assert_eq(pdr_schema_canonical(root, &text, NULL), PDR_OK);
    cr_assert_eq(pdr_buf_append(&text, "", 1), PDR_OK);
    cr_expect_str_eq((const char *)text.data, expected);
    pdr_buf_release(&text);
    pdr_schema_set_close(set);
}

/* Also: the whole form of a schema has the fingerprint of the schema. */
static void expect_same_after_writing(const char *json)
{
    pdr_schema_set *set = NULL, *again = NULL;
    pdr_buf text = PDR_BUF_INIT(1 << 20);
    uint64_t before = 0, after = 1;
    if (pdr_schema_read(&set, "f", pdr_string_of(json), NULL) != PDR_OK) return;
    cr_assert_eq(pdr_schema_write(pdr_schema_set_root(set, 0), &text, NULL), PDR_OK);
    pdr_string whole = {(const char *)text.data, text.size};
    cr_assert_eq(pdr_schema_read(&again, "f", whole, NULL), PDR_OK);
    cr_assert_eq(pdr_schema_fingerprint(&before, pdr_schema_set_root(set, 0), NULL), PDR_OK);
    cr_assert_eq(pdr_schema_fingerprint(&after, pdr_schema_set_root(again, 0), NULL), PDR_OK);
    cr_expect_eq(before, after, "%s", json);
    pdr_buf_release(&text);
    pdr_schema_set_close(set);
    pdr_schema_set_close(again);
}

Test(oracle, canonical_forms_and_fingerprints_are_javas)
{
    FILE *schemas = open_golden("schemas.txt"), *canonical = open_golden("canonical.txt");
    char *json = NULL, *expected = NULL;
    int count = 0;
    for (; next_line(schemas, &json); count++) {
        cr_assert(next_line(canonical, &expected));
        expect_canonical(json, expected);
        expect_same_after_writing(json);
    }
    cr_expect_geq(count, 139);
    free(json);
    free(expected);
    fclose(schemas);
    fclose(canonical);
}

/* ---- data ---- */

static const pdr_type *find_type(const char *name)
{
    for (int i = 0; i < EVERY_TYPE_COUNT; i++)
        if (strcmp(every_types[i]->name, name) == 0) return every_types[i];
    for (int i = 0; i < SMALL_TYPE_COUNT; i++)
        if (strcmp(small_types[i]->name, name) == 0) return small_types[i];
    cr_assert_fail("no type %s", name);
    return NULL;
}

static pdr_bytes from_hex(const char *hex)
{
    size_t size = strlen(hex) / 2;
    uint8_t *bytes = malloc(size + 1);
    for (size_t i = 0; i < size; i++) {
        unsigned byte = 0;
        cr_assert_eq(sscanf(hex + 2 * i, "%2x", &byte), 1);
        bytes[i] = (uint8_t)byte;
    }
    return pdr_bytes_of(bytes, size);
}

static void expect_datum(const pdr_type *type, pdr_bytes datum, pdr_bytes bytes, const char *json)
{
    pdr_arena arena = PDR_ARENA_INIT(1 << 24);
    pdr_buf out = PDR_BUF_INIT(1 << 24);
    pdr_error err = {.message = ""};
    void *value = malloc(type->size);
    cr_assert_eq(type->decode(datum, &arena, value, &err), PDR_OK, "%s", err.message);
    cr_assert_eq(type->encode(value, &out, &err), PDR_OK, "%s", err.message);
    cr_expect(pdr_bytes_equal(pdr_buf_bytes(&out), bytes), "%s: other bytes than Java's", type->name);
    pdr_buf_clear(&out);
    cr_assert_eq(type->print(value, &out), PDR_OK);
    cr_assert_eq(pdr_buf_append(&out, "", 1), PDR_OK);
    cr_expect_str_eq((const char *)out.data, json);
    free(value);
    pdr_buf_release(&out);
    pdr_arena_release(&arena);
}

Test(oracle, data_decode_print_and_encode_as_javas)
{
    FILE *data = open_golden("data.txt");
    char *line = NULL, *rest = NULL;
    int count = 0;
    for (; next_line(data, &line); count++) {
        rest = line;
        const pdr_type *type = find_type(strsep(&rest, "\t"));
        pdr_bytes plain = from_hex(strsep(&rest, "\t")), blocks = from_hex(strsep(&rest, "\t"));
        expect_datum(type, plain, plain, rest);
        expect_datum(type, blocks, plain, rest);
        free((void *)plain.data);
        free((void *)blocks.data);
    }
    cr_expect_geq(count, 1000);
    free(line);
    fclose(data);
}
