/* Claims that we agree with avro-c, an independent implementation, on random values. */
#include <avro.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "every.gen.h"
#include "random_value.h"
#include "schemas/schema.h"
#include "small.gen.h"

enum { VALUES = 200, ROOM = 1 << 20 };

/* avro-c's reading of `bytes`, written again by avro-c. */
static pdr_bytes through_avro_c(avro_value_iface_t *class_, pdr_bytes bytes, char *room, const char *name)
{
    avro_value_t value;
    cr_assert_eq(avro_generic_value_new(class_, &value), 0);
    avro_reader_t reader = avro_reader_memory((const char *)bytes.data, (int64_t)bytes.size);
    avro_writer_t writer = avro_writer_memory(room, ROOM);
    cr_assert_eq(avro_value_read(reader, &value), 0, "%s: %s", name, avro_strerror());
    cr_assert_eq(avro_value_write(writer, &value), 0, "%s: %s", name, avro_strerror());
    pdr_bytes written = pdr_bytes_of(room, (size_t)avro_writer_tell(writer));
    avro_reader_free(reader);
    avro_writer_free(writer);
    avro_value_decref(&value);
    return written;
}

static void expect_agreement(const pdr_type *type, avro_value_iface_t *class_, uint64_t seed, char *room)
{
    pdr_arena arena = PDR_ARENA_INIT(1 << 26);
    pdr_buf ours = PDR_BUF_INIT(ROOM), again = PDR_BUF_INIT(ROOM);
    pdr_error err = {.message = ""};
    void *value = calloc(1, type->size), *back = calloc(1, type->size);
    cr_assert(random_value(type, value, seed, &arena));
    cr_assert_eq(type->encode(value, &ours, &err), PDR_OK, "%s", err.message);
    pdr_bytes theirs = through_avro_c(class_, pdr_buf_bytes(&ours), room, type->name);
    cr_expect(pdr_bytes_equal(theirs, pdr_buf_bytes(&ours)), "%s, seed %d: avro-c writes other bytes",
              type->name, (int)seed);
    cr_assert_eq(type->decode(theirs, &arena, back, &err), PDR_OK, "%s", err.message);
    cr_assert_eq(type->encode(back, &again, &err), PDR_OK, "%s", err.message);
    cr_expect(pdr_bytes_equal(pdr_buf_bytes(&again), pdr_buf_bytes(&ours)), "%s, seed %d", type->name,
              (int)seed);
    free(value);
    free(back);
    pdr_buf_release(&ours);
    pdr_buf_release(&again);
    pdr_arena_release(&arena);
}

/* avro-c gets the canonical form: it can't read a default with U+0000. */
static void canonical_of(const pdr_type *type, pdr_buf *out)
{
    pdr_schema_set *set = NULL;
    cr_assert_eq(pdr_schema_read(&set, type->name, pdr_string_of(type->schema), NULL), PDR_OK);
    cr_assert_eq(pdr_schema_canonical(pdr_schema_set_root(set, 0), out, NULL), PDR_OK);
    pdr_schema_set_close(set);
}

static void expect_type_agrees(const pdr_type *type)
{
    char *room = malloc(ROOM);
    pdr_buf canonical = PDR_BUF_INIT(ROOM);
    avro_schema_t schema;
    canonical_of(type, &canonical);
    cr_assert_eq(avro_schema_from_json_length((const char *)canonical.data, canonical.size, &schema), 0,
                 "%s: %s", type->name, avro_strerror());
    pdr_buf_release(&canonical);
    avro_value_iface_t *class_ = avro_generic_class_from_schema(schema);
    cr_assert_not_null(class_, "%s: %s", type->name, avro_strerror());
    for (uint64_t seed = 0; seed < VALUES; seed++)
        expect_agreement(type, class_, seed, room);
    avro_value_iface_decref(class_);
    avro_schema_decref(schema);
    free(room);
}

Test(avro_c, reads_what_we_write_and_writes_what_we_read)
{
    for (int i = 0; i < EVERY_TYPE_COUNT; i++)
        expect_type_agrees(every_types[i]);
    for (int i = 0; i < SMALL_TYPE_COUNT; i++)
        if (i != SMALL_NO_FIXED) expect_type_agrees(small_types[i]); /* avro-c refuses a fixed of 0 bytes */
}
