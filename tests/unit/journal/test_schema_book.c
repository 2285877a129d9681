/* The book of writer schemas: what was added is found, by any thread, and bad ones never get in. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>

#include "base/mem.h"
#include "journal/schema_book.h"
#include "schemas/schema.h"

enum { MANY = 500, READERS = 3 };

static pdr_string json_of(char *text, size_t size, int i)
{
    int n = snprintf(text, size, "{\"type\":\"record\",\"name\":\"bank.E%d\",\"fields\":[]}", i);
    return (pdr_string){text, (size_t)n};
}

static uint64_t fingerprint_of(pdr_string json)
{
    pdr_schema_set *set;
    uint64_t fingerprint;
    cr_assert_eq(pdr_schema_read(&set, "test", json, NULL), PDR_OK);
    cr_assert_eq(pdr_schema_fingerprint(&fingerprint, pdr_schema_set_root(set, 0), NULL), PDR_OK);
    pdr_schema_set_close(set);
    return fingerprint;
}

static pdr_schema_book *opened(void)
{
    pdr_schema_book *book;
    cr_assert_eq(pdr_schema_book_open(&book, NULL), PDR_OK);
    return book;
}

static bool is(pdr_string text, const char *expected)
{
    return pdr_string_equal(text, pdr_string_of(expected));
}

Test(schema_book, gives_what_was_added_with_its_name_and_order)
{
    pdr_schema_book *book = opened();
    static uint64_t fingerprints[MANY];
    char text[100], copy[100];
    for (int i = 0; i < MANY; i++) {
        pdr_string json = json_of(text, sizeof text, i);
        fingerprints[i] = fingerprint_of(json);
        cr_assert(!pdr_schema_book_find(book, fingerprints[i], NULL));
        cr_assert_eq(pdr_schema_book_add(book, fingerprints[i], json, PDR_BOOK_NO_ID, NULL), PDR_OK);
    }
    memset(text, 'x', sizeof text); /* it was copied */
    cr_assert_eq(pdr_schema_book_count(book), MANY);
    for (int i = 0; i < MANY; i++) {
        pdr_string json;
        char name[20];
        snprintf(name, sizeof name, "bank.E%d", i);
        cr_assert_eq(pdr_schema_book_at(book, (size_t)i), fingerprints[i]);
        cr_assert(pdr_schema_book_find(book, fingerprints[i], &json));
        cr_assert(pdr_string_equal(json, json_of(copy, sizeof copy, i)));
        cr_assert_eq(json.data[json.size], 0);
        cr_assert(is(pdr_schema_book_name(book, fingerprints[i]), name));
        cr_assert_eq(pdr_schema_book_id(book, fingerprints[i]), PDR_BOOK_NO_ID);
    }
    cr_assert_null(pdr_schema_book_name(book, 1).data);
    pdr_schema_book_close(book);
    pdr_schema_book_close(NULL);
}

Test(schema_book, keeps_the_first_of_two_texts_with_one_canonical_form)
{
    pdr_schema_book *book = opened();
    const char *first = "{\"type\":\"record\",\"name\":\"E\",\"doc\":\"first\",\"fields\":[]}";
    const char *second = "{\"type\":\"record\",\"name\":\"E\",\"doc\":\"second\",\"fields\":[]}";
    uint64_t fingerprint = fingerprint_of(pdr_string_of(first));
    cr_assert_eq(fingerprint_of(pdr_string_of(second)), fingerprint);
    cr_assert_eq(pdr_schema_book_add(book, fingerprint, pdr_string_of(first), -1, NULL), PDR_OK);
    cr_assert_eq(pdr_schema_book_add(book, fingerprint, pdr_string_of(second), -1, NULL), PDR_OK);
    pdr_string json;
    cr_assert(pdr_schema_book_find(book, fingerprint, &json));
    cr_assert(is(json, first));
    cr_assert_eq(pdr_schema_book_count(book), 1);
    pdr_schema_book_close(book);
}

Test(schema_book, knows_a_registry_s_ids_whenever_they_come)
{
    pdr_schema_book *book = opened();
    char a_text[100], b_text[100];
    pdr_string a = json_of(a_text, sizeof a_text, 1), b = json_of(b_text, sizeof b_text, 2);
    uint64_t fa = fingerprint_of(a), fb = fingerprint_of(b), found;
    cr_assert_eq(pdr_schema_book_add(book, fa, a, -1, NULL), PDR_OK);
    cr_assert(!pdr_schema_book_by_id(book, 7, &found));
    cr_assert_eq(pdr_schema_book_add(book, fa, a, 7, NULL), PDR_OK);
    cr_assert_eq(pdr_schema_book_add(book, fa, a, 8, NULL), PDR_OK); /* of another subject */
    cr_assert_eq(pdr_schema_book_add(book, fb, b, 0, NULL), PDR_OK);
    cr_assert(pdr_schema_book_by_id(book, 7, &found) && found == fa);
    cr_assert(pdr_schema_book_by_id(book, 8, &found) && found == fa);
    cr_assert(pdr_schema_book_by_id(book, 0, &found) && found == fb);
    cr_assert(!pdr_schema_book_by_id(book, -1, &found));
    cr_assert_eq(pdr_schema_book_id(book, fa), 7);
    pdr_schema_book_close(book);
}

Test(schema_book, an_id_never_stands_for_two_schemas)
{
    pdr_schema_book *book = opened();
    char a_text[100], b_text[100];
    pdr_string a = json_of(a_text, sizeof a_text, 1), b = json_of(b_text, sizeof b_text, 2);
    uint64_t fa = fingerprint_of(a), fb = fingerprint_of(b), found;
    pdr_error err;
    cr_assert_eq(pdr_schema_book_add(book, fa, a, 7, NULL), PDR_OK);
    cr_assert_eq(pdr_schema_book_add(book, fb, b, 7, &err), PDR_CONFLICT);
    cr_assert_not_null(strstr(err.message, "id 7"));
    cr_assert_not(pdr_schema_book_by_id(book, 7, &found), "neither of both is guessed");
    cr_assert_eq(pdr_schema_book_id(book, fa), PDR_BOOK_NO_ID);
    cr_assert(pdr_schema_book_find(book, fa, NULL) && pdr_schema_book_find(book, fb, NULL), "both are known");
    pdr_schema_book_close(book);
}

Test(schema_book, refuses_what_is_no_schema_or_another_one)
{
    pdr_schema_book *book = opened();
    char text[100];
    pdr_string json = json_of(text, sizeof text, 1), name;
    uint64_t fingerprint = fingerprint_of(json);
    pdr_error err;
    const char *bad[] = {"",        "{", "nonsense", "{\"type\":\"record\",\"name\":\"E\"}", "\"no.such\"",
                         "\xff\xfe"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_eq(pdr_schema_book_add(book, fingerprint, pdr_string_of(bad[i]), 3, &err), PDR_BAD_SCHEMA,
                     "%zu", i);
    cr_assert_eq(pdr_schema_book_add(book, fingerprint + 1, json, 3, &err), PDR_BAD_SCHEMA);
    cr_assert_not_null(strstr(err.message, "bank.E1"));
    uint64_t found;
    cr_assert(!pdr_schema_book_find(book, fingerprint + 1, &name));
    cr_assert(!pdr_schema_book_by_id(book, 3, &found));
    cr_assert_eq(pdr_schema_book_add(book, fingerprint, json, 3, &err), PDR_OK, "a bad one bars no good one");
    pdr_schema_book_close(book);
}

Test(schema_book, every_allocation_may_fail)
{
    char text[100];
    pdr_string json = json_of(text, sizeof text, 1);
    uint64_t fingerprint = fingerprint_of(json);
    for (uint64_t nth = 1;; nth++) {
        pdr_schema_book *book;
        pdr_mem_fail_at(nth);
        pdr_code code = pdr_schema_book_open(&book, NULL);
        bool open = code == PDR_OK;
        if (open) code = pdr_schema_book_add(book, fingerprint, json, 5, NULL);
        pdr_mem_fail_at(0);
        if (open && code != PDR_OK) {
            cr_assert_eq(pdr_schema_book_add(book, fingerprint, json, 5, NULL), PDR_OK, "%d", (int)nth);
            cr_assert_eq(pdr_schema_book_count(book), 1);
        }
        if (open) pdr_schema_book_close(book);
        if (code == PDR_OK) break;
        cr_assert_eq(code, PDR_NOMEM);
    }
}

static uint64_t shared[MANY];

static void *read_all(void *context)
{
    pdr_schema_book *book = context;
    uint64_t id_s;
    while (!pdr_schema_book_by_id(book, MANY - 1, &id_s)) {
        size_t count = pdr_schema_book_count(book);
        for (size_t i = 0; i < count; i++) {
            pdr_string json = {NULL, 0};
            cr_assert_eq(pdr_schema_book_at(book, i), shared[i]);
            cr_assert(pdr_schema_book_find(book, shared[i], &json));
            cr_assert_eq(json.data[json.size - 1], '}');
        }
    }
    cr_assert_eq(id_s, shared[MANY - 1]);
    return NULL;
}

Test(schema_book, is_read_while_it_grows)
{
    pdr_schema_book *book = opened();
    pthread_t readers[READERS];
    char text[100];
    for (int i = 0; i < MANY; i++)
        shared[i] = fingerprint_of(json_of(text, sizeof text, i));
    for (int i = 0; i < READERS; i++)
        cr_assert_eq(pthread_create(&readers[i], NULL, read_all, book), 0);
    for (int i = 0; i < MANY; i++)
        cr_assert_eq(pdr_schema_book_add(book, shared[i], json_of(text, sizeof text, i), i, NULL), PDR_OK);
    for (int i = 0; i < READERS; i++)
        cr_assert_eq(pthread_join(readers[i], NULL), 0);
    pdr_schema_book_close(book);
}
