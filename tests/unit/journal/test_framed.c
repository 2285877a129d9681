/* Claims about values in either framing, and about commits whose values carry a schema registry's ids. */
#include <criterion/criterion.h>

#include "journal/decision.h"
#include "journal/framed.h"
#include "schemas/schema.h"
#include "tests/sim/sim_entity.h"

static pdr_schema_book *book;
static pdr_type deposited; /* with a schema and fingerprint that belong together, as in a generated type */
static const pdr_type *const type = &deposited;

static void init(void)
{
    pdr_schema_set *set = NULL;
    deposited = sim_deposited_type;
    deposited.schema = "{\"type\":\"record\",\"name\":\"Deposited\",\"fields\":[]}";
    cr_assert_eq(pdr_schema_read(&set, "test", pdr_string_of(type->schema), NULL), PDR_OK);
    cr_assert_eq(pdr_schema_fingerprint(&deposited.fingerprint, pdr_schema_set_root(set, 0), NULL), PDR_OK);
    pdr_schema_set_close(set);
    cr_assert_eq(pdr_schema_book_open(&book, NULL), PDR_OK);
    cr_assert_eq(pdr_schema_book_add(book, type->fingerprint, pdr_string_of(type->schema), 70000, NULL),
                 PDR_OK);
}

static void release(void)
{
    pdr_schema_book_close(book);
}

TestSuite(framed, .init = init, .fini = release);

static void expect_split(const pdr_buf *value, const pdr_schema_book *with)
{
    uint64_t fingerprint = 0;
    pdr_bytes datum;
    pdr_error err;
    cr_assert_eq(pdr_framed_read(&fingerprint, &datum, pdr_buf_bytes(value), with, &err), PDR_OK, "%s",
                 err.message);
    cr_assert_eq(fingerprint, type->fingerprint);
    cr_assert_eq(datum.size, 3);
    cr_assert_eq(memcmp(datum.data, "abc", 3), 0);
}

Test(framed, both_framings_are_split_into_fingerprint_and_datum)
{
    pdr_buf plain = PDR_BUF_INIT(100), by_id = PDR_BUF_INIT(100);
    cr_assert_eq(pdr_framed_write(&plain, type->fingerprint, NULL), PDR_OK);
    cr_assert_eq(pdr_framed_write(&by_id, type->fingerprint, book), PDR_OK);
    cr_assert_eq(plain.size, PDR_FRAME_SIZE);
    cr_assert_eq(by_id.size, PDR_FRAME_ID_SIZE);
    cr_assert_eq(memcmp(by_id.data, "\x00\x00\x01\x11\x70", 5), 0);
    cr_assert_eq(pdr_buf_append(&plain, "abc", 3), PDR_OK);
    cr_assert_eq(pdr_buf_append(&by_id, "abc", 3), PDR_OK);
    expect_split(&plain, NULL);
    expect_split(&plain, book);
    expect_split(&by_id, book);
    pdr_buf_release(&plain);
    pdr_buf_release(&by_id);
}

Test(framed, an_id_that_no_schema_record_explained_is_an_unknown_schema)
{
    static const uint8_t value[] = {0, 0, 0, 0, 9, 1, 2, 3};
    uint64_t fingerprint;
    pdr_bytes datum;
    pdr_error err;
    cr_assert_eq(pdr_framed_read(&fingerprint, &datum, pdr_bytes_of(value, 8), book, &err),
                 PDR_UNKNOWN_SCHEMA);
    cr_assert(strstr(err.message, "id 9"), "%s", err.message);
    cr_assert_eq(pdr_framed_read(&fingerprint, &datum, pdr_bytes_of(value, 8), NULL, &err),
                 PDR_UNKNOWN_SCHEMA);
    for (size_t size = 0; size < 5; size++)
        cr_assert_eq(pdr_framed_read(&fingerprint, &datum, pdr_bytes_of(value, size), book, &err),
                     PDR_BAD_DATA);
}

Test(framed, a_commit_s_values_carry_ids_where_there_is_a_registry)
{
    static const sim_fact fact = {1, 2, 3, {"note", 4}};
    const pdr_error *error;
    pdr_decision decision;
    pdr_decision_init(&decision);
    decision.ids = book;
    pdr_decision_begin(&decision, NULL, 1);
    pdr_emit(&decision, type, &fact);
    cr_assert_eq(pdr_decision_check(&decision, &error), PDR_OK);
    cr_assert_eq(memcmp(pdr_decision_value(&decision, 0).data, "\x00\x00\x01\x11\x70", 5), 0);
    pdr_decision_begin(&decision, NULL, 1);
    pdr_emit(&decision, &sim_withdrew_type, &fact);
    cr_assert_eq(pdr_decision_check(&decision, &error), PDR_UNKNOWN_TYPE, "it has no id");
    cr_assert(strstr(error->message, "schema registry"), "%s", error->message);
    pdr_decision_release(&decision);
}
