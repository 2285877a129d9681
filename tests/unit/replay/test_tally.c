#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "replay/tally.h"

static pdr_bytes bytes_of(const char *text)
{
    return pdr_bytes_of(text, strlen(text));
}

static uint64_t *count_of(pdr_tally *tally, const char *key)
{
    uint64_t *count = pdr_tally_of(tally, bytes_of(key));
    cr_assert_not_null(count);
    return count;
}

Test(tally, gives_each_key_one_value_that_stays_where_it_is)
{
    enum { KEYS = 5000 };
    static uint64_t *places[KEYS];
    pdr_tally tally;
    char key[20];
    pdr_tally_init(&tally, sizeof(uint64_t));
    for (int turn = 1; turn <= 3; turn++) {
        for (int i = 0; i < KEYS; i++) {
            snprintf(key, sizeof key, "key%d", i);
            uint64_t *count = count_of(&tally, key);
            cr_assert_eq(*count, (uint64_t)turn - 1, "a new one is zero");
            if (turn == 1) places[i] = count;
            cr_assert_eq(count, places[i]);
            ++*count;
        }
        cr_expect_eq(tally.count, KEYS);
    }
    cr_expect_null(pdr_tally_find(&tally, bytes_of("key")));
    cr_expect_not_null(pdr_tally_find(&tally, bytes_of("key4999")));
    pdr_tally_release(&tally);
    cr_expect_null(pdr_tally_find(&tally, bytes_of("key4999")), "it is empty, and can be used again");
}

static int most_first(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

static void is_in_order(const pdr_tally *tally, const char *expected)
{
    char text[100] = "";
    for (size_t i = 0; i < tally->count; i++) {
        pdr_bytes key = pdr_tally_key(tally, tally->entries[i]);
        size_t at = strlen(text);
        snprintf(text + at, sizeof text - at, "%.*s ", (int)key.size, (const char *)key.data);
    }
    cr_expect_str_eq(text, expected);
}

Test(tally, is_sorted_by_value_then_key_and_can_be_added_to_after_that)
{
    pdr_tally tally;
    pdr_tally_init(&tally, sizeof(uint64_t));
    *count_of(&tally, "bb") = 2;
    *count_of(&tally, "a") = 1;
    *count_of(&tally, "c") = 7;
    *count_of(&tally, "b") = 2;
    *count_of(&tally, "") = 2;
    pdr_tally_sort(&tally, most_first);
    is_in_order(&tally, "c  b bb a ");
    pdr_tally_sort(&tally, NULL);
    is_in_order(&tally, " a b bb c ");
    *count_of(&tally, "d") = 9;
    cr_expect_eq(*count_of(&tally, "bb"), 2);
    is_in_order(&tally, " a b bb c d ");
    pdr_tally_release(&tally);
}

Test(tally, without_memory_says_so_and_stays_as_it_was)
{
    for (uint64_t nth = 1; nth <= 6; nth++) {
        pdr_tally tally;
        pdr_tally_init(&tally, 3);
        pdr_mem_fail_at(nth);
        char key[20];
        for (int i = 0; i < 300; i++) {
            snprintf(key, sizeof key, "%d", i);
            if (!pdr_tally_of(&tally, bytes_of(key))) cr_expect_not_null(pdr_tally_of(&tally, bytes_of(key)));
        }
        pdr_mem_fail_at(0);
        cr_expect_eq(tally.count, 300);
        pdr_tally_release(&tally);
    }
}
