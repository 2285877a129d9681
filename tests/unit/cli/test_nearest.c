#include <criterion/criterion.h>

#include "cli/nearest.h"

Test(nearest, letters_put_in_taken_out_changed_or_swapped_are_counted)
{
    cr_assert_eq(pdr_letters_between("", ""), 0);
    cr_assert_eq(pdr_letters_between("history", "history"), 0);
    cr_assert_eq(pdr_letters_between("", "abc"), 3);
    cr_assert_eq(pdr_letters_between("histry", "history"), 1);
    cr_assert_eq(pdr_letters_between("hisstory", "history"), 1);
    cr_assert_eq(pdr_letters_between("hixtory", "history"), 1);
    cr_assert_eq(pdr_letters_between("hsitory", "history"), 1);
    cr_assert_eq(pdr_letters_between("kitten", "sitting"), 3);
}

Test(nearest, long_texts_are_compared_by_their_beginning)
{
    static char a[5000], b[5000];
    for (int i = 0; i < 4999; i++)
        a[i] = b[i] = 'x';
    b[4000] = 'y';
    cr_assert_eq(pdr_letters_between(a, b), 0);
}

Test(nearest, the_first_of_the_nearest_is_found_and_what_is_far_is_not)
{
    pdr_nearest n = {.wanted = "stat"};
    pdr_nearest_offer(&n, "grep");
    cr_assert_null(n.found);
    pdr_nearest_offer(&n, "state");
    pdr_nearest_offer(&n, "stats");
    cr_assert_str_eq(n.found, "state");
    pdr_nearest nothing = {.wanted = ""};
    pdr_nearest_offer(&nothing, "a");
    cr_assert_null(nothing.found);
}

Test(nearest, what_only_begins_so_is_near)
{
    pdr_nearest n = {.wanted = "--journ"};
    pdr_nearest_offer(&n, "--journal");
    cr_assert_str_eq(n.found, "--journal");
}
