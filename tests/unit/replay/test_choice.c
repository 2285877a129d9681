/* Which entities are wanted. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "perdure/entity.h"
#include "replay/choice.h"

static pdr_choice *open(const char *text)
{
    pdr_choice *choice;
    pdr_error err;
    cr_assert_eq(pdr_choice_open(&choice, text, &err), PDR_OK, "%s", err.message);
    return choice;
}

static bool has(const pdr_choice *choice, const char *id)
{
    return pdr_choice_has(choice, pdr_bytes_of(id, strlen(id)));
}

static pdr_code refused(const char *text)
{
    pdr_choice *choice = NULL;
    pdr_error err;
    return pdr_choice_open(&choice, text, &err);
}

Test(choice, ids_and_beginnings)
{
    pdr_choice *choice = open("loan/3, loan/1 ,loan/3,acct/*,");
    cr_expect(has(choice, "loan/1") && has(choice, "loan/3") && has(choice, "acct/") &&
              has(choice, "acct/17"));
    cr_expect(!has(choice, "loan/2") && !has(choice, "loan/11") && !has(choice, "acct") && !has(choice, ""));
    cr_assert_eq(pdr_choice_count(choice), 2, "each id once");
    cr_expect(pdr_bytes_equal(pdr_choice_at(choice, 0), pdr_bytes_of("loan/1", 6)));
    pdr_choice_close(choice);
}

Test(choice, a_star_alone_is_everything)
{
    pdr_choice *choice = open("*");
    cr_expect(has(choice, "anything") && has(choice, ""));
    cr_expect_eq(pdr_choice_count(choice), 0);
    pdr_choice_close(choice);
}

Test(choice, a_file_has_one_a_line)
{
    char path[] = "/tmp/perdure-choice-XXXXXX", text[64];
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    fputs("# a comment\nloan/1\r\n\n  loan/2,with a comma\nx/*", file);
    fclose(file);
    (void)snprintf(text, sizeof text, "loan/9,@%s", path);
    pdr_choice *choice = open(text);
    cr_expect(has(choice, "loan/1") && has(choice, "loan/2,with a comma") && has(choice, "x/1") &&
              has(choice, "loan/9"));
    cr_expect(!has(choice, "# a comment"));
    pdr_choice_close(choice);
    unlink(path);
}

Test(choice, what_names_nothing_is_refused)
{
    char longer[PDR_MAX_ENTITY_ID + 2];
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    cr_expect_eq(refused(""), PDR_INVALID_ARGUMENT);
    cr_expect_eq(refused(" , ,"), PDR_INVALID_ARGUMENT);
    cr_expect_eq(refused(longer), PDR_INVALID_ARGUMENT);
    cr_expect_eq(refused("@"), PDR_INVALID_ARGUMENT);
    cr_expect_eq(refused("@/no/such/file"), PDR_NOT_FOUND);
    cr_expect_eq(refused("@/tmp"), PDR_IO);
}

Test(choice, each_allocation_that_fails_is_said)
{
    for (uint64_t nth = 1;; nth++) {
        pdr_choice *choice = NULL;
        pdr_mem_fail_at(nth);
        pdr_code code = pdr_choice_open(&choice, "a,b,c,d*,e", NULL);
        pdr_mem_fail_at(0);
        if (code == PDR_OK) {
            pdr_choice_close(choice);
            break;
        }
        cr_assert_eq(code, PDR_NOMEM);
    }
}
