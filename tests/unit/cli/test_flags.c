#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include "cli/flags.h"

static struct given {
    bool all;
    const char *entity, *at;
    pdr_texts apps;
    int64_t n;
} given;
static pdr_flags_outcome outcome;
static int ran;

static int run(int argc, char **argv);
static const pdr_cli_command command = {.name = "try", .summary = "try it", .about = "A try.\n", .run = run};

static int run(int argc, char **argv)
{
    const pdr_flag flags[] = {
        {PDR_FLAG_WORD, "ENTITY", NULL, "which", &given.entity, 1, 0},
        {PDR_FLAG_TEXTS, "--app", "FILE", "one or two", &given.apps, 0, 2},
        {PDR_FLAG_TEXT, "--at", "TIME", "when", &given.at, 0, 0},
        {PDR_FLAG_NUMBER, "--n", "N", "how many", &given.n, 1, 9},
        {PDR_FLAG_SWITCH, "--all", NULL, "all", &given.all, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    given = (struct given){.n = 1};
    outcome = pdr_flags_parse(&command, flags, argc, argv);
    if (outcome == PDR_FLAGS_RUN) ran++;
    return 0;
}

static pdr_flags_outcome parse(int argc, const char *const *words)
{
    char *argv[12] = {(char *)"try"};
    for (int i = 0; i < argc; i++)
        argv[i + 1] = (char *)words[i];
    (void)run(argc + 1, argv);
    return outcome;
}
#define PARSE(...)                                                                                           \
    parse((int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)),                                \
          (const char *const[]){__VA_ARGS__})

Test(flags, a_text_that_may_be_given_several_times_keeps_them_in_order, .init = cr_redirect_stderr)
{
    cr_assert_eq(PARSE("--app", "old.so", "loan/1", "--app=new.so"), PDR_FLAGS_RUN);
    cr_assert_eq(given.apps.count, 2);
    cr_assert_str_eq(given.apps.items[0], "old.so");
    cr_assert_str_eq(given.apps.items[1], "new.so");
    cr_assert_str_eq(given.entity, "loan/1");
    cr_assert_eq(PARSE("loan/1", "--app=a", "--app=b", "--app=c"), PDR_FLAGS_WRONG);
    cr_assert_eq(PARSE("loan/1", "--at=a", "--at=b"), PDR_FLAGS_WRONG);
}

Test(flags, a_word_that_must_be_there_is_missed, .init = cr_redirect_stderr)
{
    cr_assert_eq(PARSE("--all"), PDR_FLAGS_WRONG);
    cr_assert_eq(PARSE("--all", "loan/1"), PDR_FLAGS_RUN);
    cr_assert_eq(PARSE("loan/1", "loan/2"), PDR_FLAGS_WRONG);
    cr_assert_eq(PARSE("ENTITY=1", "--all"), PDR_FLAGS_RUN);
}

Test(flags, a_flag_is_no_words_name, .init = cr_redirect_stderr)
{
    cr_assert_eq(PARSE("loan/1", "ENTITY"), PDR_FLAGS_WRONG);
    cr_assert_eq(PARSE("loan/1", "-"), PDR_FLAGS_WRONG);
    cr_assert_eq(PARSE("loan/1", "--"), PDR_FLAGS_WRONG);
    cr_assert_eq(PARSE("loan/1", "--="), PDR_FLAGS_WRONG);
}

static void count(void *context, const pdr_cli_command *described, const pdr_flag *flags)
{
    int *flag_count = context;
    cr_assert_eq(described, &command);
    for (; flags->kind != PDR_FLAG_END; flags++)
        ++*flag_count;
}

Test(flags, a_command_that_is_described_does_not_run)
{
    int flag_count = 0;
    pdr_flags_describe(&command, count, &flag_count);
    cr_assert_eq(flag_count, 5);
    cr_assert_eq(ran, 0);
    cr_assert_eq(PARSE("loan/1"), PDR_FLAGS_RUN);
    cr_assert_eq(ran, 1);
}
