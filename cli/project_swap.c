/* perdure project swap, perdure project rollback: which version readers see. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "cli/out.h"
#include "cli/project_tool.h"

enum { LOCK_MS = 1000, PAUSE_MS = 100, DEFAULT_TIMEOUT_MS = 30000, STANDS_STILL_US = 5000000 };

typedef struct swap {
    const pdr_cli_command *command;
    pdr_project_tool tool;
    const char *name;
    int64_t version; /* 0: not given */
    int64_t timeout_ms;
    bool force, json;
    uint32_t from, to; /* from 0: there was none */
    bool live_was_paused;
    bool held;        /* the live version stands still until the swap is done */
    int64_t offsets;  /* of the new version's positions, all together */
    int64_t moved_us; /* when they last moved */
} swap;

/* --- trying again --- */

/* Positions of the version that readers are to see, all together; and how many of its entities are parked. */
static pdr_code sum_up(swap *s, int64_t *offsets, uint64_t *parked, pdr_error *err)
{
    static pdr_position_row rows[PDR_LOG_MAX_PARTITIONS];
    size_t count;
    pdr_code code = pdr_tool_positions(&s->tool, s->name, s->to, rows, PDR_LOG_MAX_PARTITIONS, &count, err);
    *offsets = 0;
    *parked = 0;
    for (size_t i = 0; code == PDR_OK && i < count; i++) {
        *offsets += rows[i].position.offset;
        *parked += rows[i].parked;
    }
    return code;
}

/* While events come in, the new version is never seen level with the live one: so that stands still until the
 * swap is done. Readers see nothing of it but a moment's lag. */
static pdr_code hold_live(swap *s, pdr_error *err)
{
    if (s->held || s->live_was_paused || s->from == 0) return PDR_OK;
    pdr_hold_signals(); /* it must be let go again */
    s->held = true;
    return s->tool.views->ops->set_paused(s->tool.views, s->name, s->from, true, PDR_TOOL_TIMEOUT_MS, err);
}

static pdr_code let_go(swap *s, pdr_code code, pdr_error *err)
{
    pdr_error ignored;
    if (!s->held) return code;
    pdr_code freed = s->tool.views->ops->set_paused(s->tool.views, s->name, s->from, false,
                                                    PDR_TOOL_TIMEOUT_MS, code == PDR_OK ? err : &ignored);
    return code == PDR_OK ? freed : code;
}

/* Refused: is it only behind, and catching up? */
static bool is_worth_waiting(swap *s)
{
    int64_t offsets, now = pdr_mono_us();
    uint64_t parked;
    pdr_error ignored;
    if (sum_up(s, &offsets, &parked, &ignored) != PDR_OK || (parked > 0 && !s->force)) return false;
    if (offsets != s->offsets) s->moved_us = now;
    s->offsets = offsets;
    return now - s->moved_us < STANDS_STILL_US;
}

/* Batches hold the locks for milliseconds, but readers may hold a view for long. */
static pdr_code try_until(swap *s, pdr_error *err)
{
    const pdr_views_ops *ops = s->tool.views->ops;
    int64_t until = pdr_deadline_us((int)s->timeout_ms);
    s->moved_us = pdr_mono_us();
    for (;;) {
        int64_t left_ms = (until - pdr_mono_us()) / 1000;
        int lock_ms = left_ms < 1 ? 1 : left_ms < LOCK_MS ? (int)left_ms : LOCK_MS;
        pdr_code code = ops->swap(s->tool.views, s->name, s->to, s->force, lock_ms, err);
        bool again = code == PDR_LOCKED || code == PDR_BUSY;
        if (code == PDR_CONFLICT && left_ms > 0 && is_worth_waiting(s)) {
            pdr_code held = hold_live(s, err);
            if (held != PDR_OK) return held;
            again = true;
        }
        if (!again || left_ms <= 0) return code;
        pdr_cli_progress("waiting for locks, or for version %" PRIu32 " to be level: %" PRId64 " s left",
                         s->to, left_ms / 1000);
        struct timespec pause = {0, (long)PAUSE_MS * 1000000};
        (void)nanosleep(&pause, NULL);
    }
}

static pdr_code pick_former(const pdr_version_list *list, const char *name, const pdr_version_row **out,
                            pdr_error *err)
{
    int64_t newest = INT64_MIN;
    *out = NULL;
    for (size_t i = 0; i < list->count; i++) {
        if (list->rows[i].state != PDR_VERSION_FORMER || list->rows[i].changed_us < newest) continue;
        newest = list->rows[i].changed_us;
        *out = &list->rows[i];
    }
    if (*out) return PDR_OK;
    return pdr_fail(err, PDR_CONFLICT, "projection %.100s has no former version to go back to", name);
}

static pdr_code work(swap *s, bool back, pdr_error *err)
{
    pdr_version_list list;
    const pdr_version_row *row;
    pdr_code code = pdr_tool_open_views(&s->tool, err);
    if (code == PDR_OK) code = pdr_tool_versions(&s->tool, s->name, &list, err);
    if (code == PDR_OK)
        code = back ? pick_former(&list, s->name, &row, err)
                    : pdr_version_pick(&list, s->name, s->version, &row, err);
    if (code != PDR_OK) return code;
    const pdr_version_row *live = pdr_version_in(&list, PDR_VERSION_LIVE);
    if (row == live)
        return pdr_fail(err, PDR_CONFLICT, "version %" PRIu32 " is the live one already", row->version);
    s->from = live ? live->version : 0;
    s->to = row->version;
    s->live_was_paused = live && live->paused;
    return let_go(s, try_until(s, err), err);
}

static void report(const swap *s)
{
    pdr_cli_progress_end();
    if (s->json) {
        printf("{\"projection\":\"%s\",\"live\":%" PRIu32 ",\"former\":", s->name, s->to);
        printf(s->from ? "%" PRIu32 "}\n" : "null}\n", s->from);
        return;
    }
    printf("readers of %s see version %" PRIu32, s->name, s->to);
    if (s->from) printf(" instead of %" PRIu32, s->from);
    printf("\n");
}

static int end(swap *s, pdr_code code, const pdr_error *err)
{
    if (code == PDR_OK) report(s);
    pdr_tool_release(&s->tool);
    return code == PDR_OK ? PDR_EXIT_DONE : pdr_cli_fail(s->command, err);
}

#define COMMON_FLAGS(s)                                                                                      \
    {PDR_FLAG_WORD, "NAME", NULL, "the projection", &(s).name, 0, 0}, PDR_TOOL_FLAGS((s).tool),              \
        {PDR_FLAG_SWITCH, "--force", NULL, "although that version has parked entities", &(s).force, 0, 0},   \
        {PDR_FLAG_NUMBER,                                                                                    \
         "--timeout",                                                                                        \
         "MS",                                                                                               \
         "how long to try while readers or workers hold locks; default 30000",                               \
         &(s).timeout_ms,                                                                                    \
         0,                                                                                                  \
         86400000},                                                                                          \
        {PDR_FLAG_SWITCH, "--json", NULL, "one JSON object instead of text", &(s).json, 0, 0},               \
    {                                                                                                        \
        PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0                                                           \
    }

static int run_swap(int argc, char **argv)
{
    swap s = {.command = &pdr_cli_project_swap, .timeout_ms = DEFAULT_TIMEOUT_MS};
    const pdr_flag flags[] = {
        {PDR_FLAG_NUMBER, "--version", "N", "the version that readers are to see", &s.version, 1, UINT32_MAX},
        COMMON_FLAGS(s)};
    pdr_flags_outcome parsed = pdr_flags_parse(s.command, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_code code = s.name && s.version ? work(&s, false, &err)
                                        : pdr_fail(&err, PDR_INVALID_ARGUMENT, "give NAME and --version N");
    return end(&s, code, &err);
}

static int run_rollback(int argc, char **argv)
{
    swap s = {.command = &pdr_cli_project_rollback, .timeout_ms = DEFAULT_TIMEOUT_MS};
    const pdr_flag flags[] = {COMMON_FLAGS(s)};
    pdr_flags_outcome parsed = pdr_flags_parse(s.command, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_code code = s.name ? work(&s, true, &err) : pdr_fail(&err, PDR_INVALID_ARGUMENT, "give NAME");
    return end(&s, code, &err);
}

const pdr_cli_command pdr_cli_project_swap = {
    .name = "project swap",
    .summary = "show readers another version of a projection",
    .about =
        "One transaction replaces the views that readers see. It is refused while the version is behind the "
        "live one in any\n"
        "partition, or has parked entities (--force: all the same). The version that was live becomes the "
        "former one; its\n"
        "workers go on feeding it until `perdure project delete`.\n"
        "\n"
        "  perdure project swap applications --version 2\n",
    .run = run_swap};

const pdr_cli_command pdr_cli_project_rollback = {
    .name = "project rollback",
    .summary = "show readers the former version again",
    .about = "As `perdure project swap`, with the version that was live last.\n"
             "\n"
             "  perdure project rollback applications\n",
    .run = run_rollback};
