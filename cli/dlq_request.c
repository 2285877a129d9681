/* perdure dlq retry, skip, purge: wishes that the partition's worker carries out. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "cli/dlq_common.h"

enum { PAUSE_MS = 100 };

typedef struct asking {
    const pdr_cli_command *command;
    pdr_project_tool tool;
    pdr_request_kind kind;
    const char *name, *entity;
    int64_t version, wait_ms;
    bool all, purge, yes, json;
    const pdr_version_row *row;
    uint64_t entities, asked, left; /* left: parked events at the end */
} asking;

/* --- which entities --- */

/* A skip drops an entity's first parked event: to be rid of all, as many as there are. */
static pdr_code ask_for(asking *a, const pdr_letter *letter, pdr_error *err)
{
    size_t times = a->purge ? letter->later + 1 : 1;
    pdr_request_row request = {
        .kind = a->kind, .partition = letter->letter.partition, .entity = letter->letter.entity};
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < times; i++) {
        code = a->tool.views->ops->request(a->tool.views, a->name, a->row->version, &request,
                                           PDR_TOOL_TIMEOUT_MS, err);
        if (code == PDR_OK) a->asked++;
    }
    a->entities++;
    return code;
}

static pdr_code ask(asking *a, pdr_error *err)
{
    pdr_letter_list list = {NULL, 0, 0};
    pdr_code code = pdr_dlq_add(&a->tool, a->row, a->entity, &list, err);
    if (code == PDR_OK && list.count == 0 && a->entity)
        return pdr_fail(err, PDR_NOT_FOUND, "version %" PRIu32 " of %.100s has no parked event of %.200s",
                        a->row->version, a->name, a->entity);
    for (size_t i = 0; code == PDR_OK && i < list.count; i++)
        if (list.items[i].first) code = ask_for(a, &list.items[i], err);
    return code;
}

/* --- until they are carried out --- */

static pdr_code count_request(void *context, const pdr_request_row *row, pdr_error *err)
{
    (void)row;
    (void)err;
    ++*(uint64_t *)context;
    return PDR_OK;
}

static pdr_code await(asking *a, pdr_error *err)
{
    const pdr_views_ops *ops = a->tool.views->ops;
    int64_t until = pdr_deadline_us((int)a->wait_ms);
    for (;;) {
        uint64_t open = 0;
        pdr_code code = ops->requests(a->tool.views, a->name, a->row->version, -1, count_request, &open, err);
        if (code != PDR_OK || open == 0) return code;
        if (pdr_mono_us() >= until)
            return pdr_fail(err, PDR_TIMEOUT,
                            "%" PRIu64 " requests were not carried out within %" PRId64
                            " ms; they stay: is a worker of version %" PRIu32
                            " of %.100s at work, and not paused?",
                            open, a->wait_ms, a->row->version, a->name);
        struct timespec pause = {0, (long)PAUSE_MS * 1000000};
        (void)nanosleep(&pause, NULL);
    }
}

static pdr_code count_left(asking *a, pdr_error *err)
{
    pdr_letter_list list = {NULL, 0, 0};
    pdr_code code = pdr_dlq_add(&a->tool, a->row, a->entity, &list, err);
    a->left = list.count;
    return code;
}

/* --- the commands --- */

static pdr_code check(const asking *a, pdr_error *err)
{
    if (!a->name) return pdr_fail(err, PDR_INVALID_ARGUMENT, "give NAME and ENTITY");
    if (a->purge && !a->yes)
        return pdr_fail(err, PDR_INVALID_ARGUMENT,
                        "what is purged never reaches the view: say --yes if that is meant");
    if (a->entity && a->all)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "ENTITY and --all exclude each other");
    if (a->entity || a->all) return PDR_OK;
    return pdr_fail(err, PDR_INVALID_ARGUMENT, "give ENTITY, or --all");
}

static pdr_code work(asking *a, pdr_error *err)
{
    pdr_version_list versions;
    pdr_code code = check(a, err);
    if (code == PDR_OK) code = pdr_tool_open_views(&a->tool, err);
    if (code == PDR_OK) code = pdr_tool_versions(&a->tool, a->name, &versions, err);
    if (code == PDR_OK) code = pdr_version_pick(&versions, a->name, a->version, &a->row, err);
    if (code == PDR_OK) code = ask(a, err);
    if (code == PDR_OK && a->wait_ms) code = await(a, err);
    return code == PDR_OK ? count_left(a, err) : code;
}

static void report(const asking *a)
{
    if (a->json) {
        printf("{\"projection\":\"%s\",\"version\":%" PRIu32 ",\"entities\":%" PRIu64 ",\"requests\":%" PRIu64
               ",\"carried_out\":%s,\"parked\":%" PRIu64 "}\n",
               a->name, a->row->version, a->entities, a->asked, a->wait_ms ? "true" : "false", a->left);
        return;
    }
    if (a->wait_ms)
        printf("%" PRIu64 " entities; %" PRIu64 " parked events are left\n", a->entities, a->left);
    else
        printf("%" PRIu64 " entities: the workers of version %" PRIu32 " carry it out within seconds\n",
               a->entities, a->row->version);
}

static int run(asking *a, int argc, char **argv)
{
    const pdr_flag flags[] = {
        {PDR_FLAG_WORD, "NAME", NULL, "the projection", &a->name, 0, 0},
        {PDR_FLAG_WORD, "[ENTITY]", NULL, "loan/173688", &a->entity, 0, 0},
        {PDR_FLAG_SWITCH, "--all", NULL, "every parked entity of the version", &a->all, 0, 0},
        {PDR_FLAG_NUMBER, "--version", "N", "default the live one", &a->version, 1, UINT32_MAX},
        {PDR_FLAG_NUMBER, "--wait", "MS", "wait until a worker has carried it out, at most so long",
         &a->wait_ms, 0, 86400000},
        PDR_TOOL_FLAGS(a->tool),
        {PDR_FLAG_SWITCH, "--json", NULL, "one JSON object instead of text", &a->json, 0, 0},
        {a->purge ? PDR_FLAG_SWITCH : PDR_FLAG_END, "--yes", NULL, "needed: the events never reach the view",
         &a->yes, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(a->command, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_code code = work(a, &err);
    if (code == PDR_OK) report(a);
    pdr_tool_release(&a->tool);
    return code == PDR_OK ? PDR_EXIT_DONE : pdr_cli_fail(a->command, &err);
}

static int run_retry(int argc, char **argv)
{
    asking a = {.command = &pdr_cli_dlq_retry, .kind = PDR_REQUEST_RETRY};
    return run(&a, argc, argv);
}

static int run_skip(int argc, char **argv)
{
    asking a = {.command = &pdr_cli_dlq_skip, .kind = PDR_REQUEST_SKIP};
    return run(&a, argc, argv);
}

static int run_purge(int argc, char **argv)
{
    asking a = {.command = &pdr_cli_dlq_purge, .kind = PDR_REQUEST_SKIP, .purge = true};
    return run(&a, argc, argv);
}

const pdr_cli_command pdr_cli_dlq_retry = {
    .name = "dlq retry",
    .summary = "project an entity's parked events again",
    .about = "Asks the worker of the entity's partition to read all its parked events from the log again, in "
             "their "
             "order, and to\n"
             "project them with today's code. The first that fails stays parked, with those behind it.\n"
             "\n"
             "  perdure dlq retry applications loan/173688\n",
    .run = run_retry};

const pdr_cli_command pdr_cli_dlq_skip = {
    .name = "dlq skip",
    .summary = "give up an entity's first parked event, project the rest",
    .about = "As `perdure dlq retry`, but the entity's first parked event never reaches the view.\n"
             "\n"
             "  perdure dlq skip applications loan/173688\n",
    .run = run_skip};

const pdr_cli_command pdr_cli_dlq_purge = {
    .name = "dlq purge",
    .summary = "give up all parked events of an entity, or of a version",
    .about =
        "They never reach the view; the log keeps them. `perdure project rebuild` with code that can project "
        "them is the way\n"
        "back.\n"
        "\n"
        "  perdure dlq purge applications loan/173688 --yes\n",
    .run = run_purge};
