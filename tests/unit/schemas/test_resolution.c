/* Claims that plans read what Avro's Java library reads, on what tools/oracle_avro.py froze in
 * tests/golden/avro/resolution.txt. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/made_pair.h"
#include "tests/support/triple.h"

enum { TRIPLES = 2000, PER_CHANGE = 50 };

Test(resolution, plans_a_model_and_avros_java_library_agree_or_differ_where_it_is_listed)
{
    triple_counts counts = {0};
    char *line = NULL;
    size_t room = 0, number = 0;
    FILE *file = fopen(PDR_GOLDEN "/resolution.txt", "r");
    cr_assert_not_null(file);
    while (getline(&line, &room, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        const char *wrong = triple_check(&counts, line);
        cr_expect_null(wrong, "line %zu: %s", ++number, wrong);
    }
    free(line);
    fclose(file);
    cr_expect_geq(counts.all, TRIPLES);
    cr_expect_gt(counts.values, counts.all / 4);
    cr_expect_gt(counts.refused, counts.all / 4);
    for (size_t i = 0; i < MADE_CHANGE_COUNT; i++)
        cr_expect_geq(counts.changes[i], PER_CHANGE, "%s: %zu", made_change_names[i], counts.changes[i]);
}

static void expect_agreed(const char *line)
{
    char copy[2000];
    triple_counts counts = {0};
    (void)snprintf(copy, sizeof copy, "%s", line);
    const char *wrong = triple_check(&counts, copy);
    cr_expect_null(wrong, "%s", wrong);
    cr_expect_eq(counts.same, counts.all, "%s", line);
}

Test(resolution, a_writers_union_where_the_readers_struct_has_a_pointer)
{
    expect_agreed(
        "-\t{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"x\",\"type\":[\"null\",{\"type\":"
        "\"record\",\"name\":\"X\",\"fields\":[{\"name\":\"r\",\"type\":[\"null\",\"R\"]}]}]}]}\t"
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"x\",\"type\":{\"type\":\"record\","
        "\"name\":\"X\",\"fields\":[{\"name\":\"r\",\"type\":[\"null\",\"R\"]}]}}]}\t"
        "0200 00 02020200\t(x=(r=<0:null>)) refused (x=(r=<1:(x=(r=<0:null>))>))");
}

/* The comparison itself must be able to fail. */
Test(resolution, a_wrong_answer_is_noticed)
{
    char line[] =
        "-\t{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"x\",\"type\":\"int\"}]}\t"
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"x\",\"type\":\"long\"}]}\t02\t(x=2L)";
    triple_counts counts = {0};
    const char *wrong = triple_check(&counts, line);
    cr_assert_not_null(wrong);
    cr_expect(strstr(wrong, "(x=1L)"), "%s", wrong);
}
