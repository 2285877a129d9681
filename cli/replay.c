/* perdure replay: what an application's code makes of all history. What one runs before deploying a changed
 * apply. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/help.h"
#include "cli/project_common.h"
#include "cli/replay_break.h"
#include "cli/replay_codes.h"
#include "cli/replay_report.h"
#include "journal/command.h"
#include "replay/moment.h"

enum { DEFAULT_SAMPLES = 10, DEFAULT_CHECK = 64, DEFAULT_MEMORY_MB = 2048, DEFAULT_PATIENCE_S = 60 };

typedef struct input {
    pdr_replay replay;
    const char *against, *partitions, *since, *entities, *stop_at;
    pdr_texts ignored;
    pdr_string ignored_paths[PDR_MAX_TEXTS];
    int64_t samples, check;
    bool json;
    pdr_loaded_app app, old;
    int32_t *partition_list;
    pdr_choice *choice;
} input;

static int by_number(const void *a, const void *b)
{
    return *(const int32_t *)a - *(const int32_t *)b;
}

static pdr_code choose_partitions(input *in, pdr_error *err)
{
    pdr_replay *r = &in->replay;
    if (!in->partitions) return PDR_OK;
    pdr_code code = pdr_partition_list(in->partitions, &in->partition_list, &r->partition_count, err);
    if (code != PDR_OK) return code;
    size_t kept = 0;
    qsort(in->partition_list, r->partition_count, sizeof *in->partition_list, by_number);
    for (size_t i = 0; i < r->partition_count; i++)
        if (!kept || in->partition_list[kept - 1] != in->partition_list[i])
            in->partition_list[kept++] = in->partition_list[i];
    r->partitions = in->partition_list;
    r->partition_count = kept;
    return PDR_OK;
}

static pdr_code load_codes(input *in, pdr_error *err)
{
    pdr_replay *r = &in->replay;
    pdr_code code = pdr_loaded_app_open_tolerant(&in->app, r->target.app, err);
    if (code == PDR_OK) code = pdr_loaded_app_needed(&in->app, err);
    if (code != PDR_OK) return code;
    r->app = in->app.app;
    r->snapshots = in->against && strcmp(in->against, "snapshots") == 0;
    if (!in->against || r->snapshots) return PDR_OK;
    code = pdr_loaded_app_open_tolerant(&in->old, in->against, err);
    if (code == PDR_OK) code = pdr_codes_are_apart(&in->app, &in->old, err);
    r->against = in->old.app;
    return code;
}

static pdr_code put_mark(pdr_buf *out, const char *what, const char *file, pdr_error *err)
{
    uint64_t mark = 0;
    pdr_code code = file ? pdr_code_mark(file, &mark, err) : PDR_OK;
    if (code != PDR_OK) return code;
    code = pdr_buf_printf(out, "%s %016" PRIx64 "\n", what, mark);
    return code == PDR_OK ? PDR_OK : pdr_fail(err, code, "what is replayed");
}

static const char *or_none(const char *text)
{
    return text ? text : "not given";
}

/* What must be the same for what was put aside to make sense. URLs may hold passwords: their marks do. */
static pdr_code identify(input *in, pdr_error *err)
{
    pdr_replay *r = &in->replay;
    pdr_buf *out = &r->identity;
    const char *journal = r->target.journal ? r->target.journal : getenv("PERDURE_JOURNAL");
    const char *app = r->target.app ? r->target.app : getenv("PERDURE_APP");
    if (!in->app.handle) app = "/proc/self/exe"; /* it is built in */
    *out = (pdr_buf)PDR_BUF_INIT(1024 * 1024);
    pdr_code code = put_mark(out, "--app", app, err);
    if (code == PDR_OK) code = put_mark(out, "--against", r->snapshots ? NULL : in->against, err);
    if (code != PDR_OK) return code;
    uint64_t url = journal ? pdr_key_hash(pdr_bytes_of(journal, strlen(journal))) : 0;
    code =
        pdr_buf_printf(out,
                       "--journal %016" PRIx64 "\n--against %s\n--partition %s\n--since %s\n--entities %s\n"
                       "--samples %" PRId64 "\n--check %" PRId64 "\n",
                       url, r->snapshots ? "snapshots" : "", or_none(in->partitions), or_none(in->since),
                       or_none(in->entities), in->samples, in->check);
    for (int i = 0; code == PDR_OK && i < in->ignored.count; i++)
        code = pdr_buf_printf(out, "--ignore %s\n", in->ignored.items[i]);
    return code == PDR_OK ? PDR_OK : pdr_fail(err, code, "what is replayed");
}

static pdr_code prepare(input *in, pdr_error *err)
{
    pdr_replay *r = &in->replay;
    pdr_code code = choose_partitions(in, err);
    if (code == PDR_OK && in->since) {
        r->has_since = true;
        code = pdr_moment_parse(in->since, pdr_wall_us(), true, &r->since_us, err);
    }
    if (code == PDR_OK && in->entities) code = pdr_choice_open(&in->choice, in->entities, err);
    for (int i = 0; i < in->ignored.count; i++)
        in->ignored_paths[i] = pdr_string_of(in->ignored.items[i]);
    r->choice = in->choice;
    r->ignored = in->ignored_paths;
    r->ignored_count = (size_t)in->ignored.count;
    r->samples = (size_t)in->samples;
    r->check_every = (uint32_t)in->check;
    if (code == PDR_OK) code = load_codes(in, err);
    return code == PDR_OK && r->aside ? identify(in, err) : code;
}

/* How to go on, as the command was given. */
static void say_how_to_go_on(const input *in, int argc, char **argv)
{
    if (!in->replay.put_aside) {
        fprintf(stderr, "%s replay: stopped; with --resume FILE what is done would have been kept\n",
                pdr_cli_program());
        return;
    }
    fprintf(stderr, "%s replay: stopped; what is done is in %s. To go on:\n  %s replay", pdr_cli_program(),
            in->replay.aside, pdr_cli_program());
    for (int i = 1; i < argc; i++)
        fprintf(stderr, strpbrk(argv[i], " \t'\"*$") ? " '%s'" : " %s", argv[i]);
    fputc('\n', stderr);
}

static pdr_code report(const input *in, bool stopped, pdr_error *err)
{
    pdr_out *out;
    pdr_code code = pdr_out_open(&out, in->json, err);
    if (code != PDR_OK) return code;
    code = pdr_replay_report(&in->replay, stopped, out, err);
    if (code != PDR_OK && err->code != code) (void)pdr_fail(err, code, "the report");
    return pdr_out_close(out, code, err);
}

static int work(input *in, int argc, char **argv)
{
    pdr_error err = {.code = PDR_OK};
    pdr_code code = prepare(in, &err);
    if (code == PDR_OK && in->stop_at)
        return pdr_replay_break(in->replay.command, &in->replay.target, in->replay.app, in->stop_at);
    if (code == PDR_OK) code = pdr_replay_run(&in->replay, &err);
    bool stopped = code == PDR_CANCELLED;
    if (code != PDR_OK && !stopped) {
        int exit_code = pdr_cli_fail(in->replay.command, &err);
        if (in->replay.put_aside) say_how_to_go_on(in, argc, argv);
        return exit_code;
    }
    code = report(in, stopped, &err);
    if (code != PDR_OK) return pdr_cli_fail(in->replay.command, &err);
    if (stopped) {
        say_how_to_go_on(in, argc, argv);
        return PDR_EXIT_STOPPED;
    }
    return pdr_deviations_is_clean(in->replay.deviations) ? PDR_EXIT_DONE : PDR_EXIT_FAILED;
}

static int run(int argc, char **argv)
{
    static input in = {.samples = DEFAULT_SAMPLES,
                       .check = DEFAULT_CHECK,
                       .replay = {.command = &pdr_cli_replay,
                                  .doing = "replaying",
                                  .memory_mb = DEFAULT_MEMORY_MB,
                                  .patience_s = DEFAULT_PATIENCE_S}};
    const pdr_flag flags[] = {
        PDR_JOURNAL_FLAG(in.replay.target),
        PDR_STORE_FLAG(in.replay.target),
        PDR_APP_FLAG(in.replay.target),
        {PDR_FLAG_TEXT, "--against", "FILE",
         "compare with what this older shared object makes of it; or with `snapshots`, the store's states",
         &in.against, 0, 0},
        {PDR_FLAG_TEXT, "--partition", "LIST", "these only, like 0,3,5-7; default all", &in.partitions, 0, 0},
        {PDR_FLAG_TEXT, "--since", "TIME", "only entities with an event at or after this event time",
         &in.since, 0, 0},
        {PDR_FLAG_TEXT, "--entities", "LIST",
         "these only: ids with commas between, loan/17* for all that begin so, @FILE with one a line",
         &in.entities, 0, 0},
        {PDR_FLAG_TEXTS, "--ignore", "PATH", "differences there don't count, like .changed_at", &in.ignored,
         0, PDR_MAX_TEXTS},
        {PDR_FLAG_NUMBER, "--samples", "N", "findings of each kind that are told in full, the earliest; 10",
         &in.samples, 1, 1000000},
        {PDR_FLAG_NUMBER, "--check", "N",
         "fold one entity in N twice, to see that its code is deterministic; 64 if not given, 0: none",
         &in.check, 0, 1000000},
        {PDR_FLAG_NUMBER, "--memory", "MB",
         "for entities and their states; beyond it states are packed, which takes longer; 2048",
         &in.replay.memory_mb, 1, 1024 * 1024},
        {PDR_FLAG_NUMBER, "--processes", "N", "to work in; as many as there are processors",
         &in.replay.processes, 1, 64},
        {PDR_FLAG_NUMBER, "--patience", "SECONDS",
         "an event whose handlers take longer counts as a crash; 60, 0: for ever", &in.replay.patience_s, 0,
         86400},
        {PDR_FLAG_TEXT, "--resume", "FILE", "^C puts the work aside in it, and it is gone on with from there",
         &in.replay.aside, 0, 0},
        {PDR_FLAG_TEXT, "--break", "ENTITY:SEQ", "under gdb: stop right before apply of this event",
         &in.stop_at, 0, 0},
        {PDR_FLAG_SWITCH, "--json", NULL, "findings as JSON lines, then a summary", &in.json, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_replay, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    int code = work(&in, argc, argv);
    pdr_replay_release(&in.replay);
    pdr_choice_close(in.choice);
    pdr_free(in.partition_list);
    pdr_loaded_app_close(&in.old);
    pdr_loaded_app_close(&in.app);
    return code;
}

const pdr_cli_command pdr_cli_replay = {
    .name = "replay",
    .summary = "fold all history through new code, and see what it would change",
    .about =
        "Folds every event with the application that is to be deployed and tells which events it can't read, "
        "which handlers fail, crash or aren't deterministic, and, with --against, which states come out "
        "otherwise: how many, at which event first, and what differs. Nothing is changed; owners may be at "
        "work.\n\n"
        "  perdure replay --app new.so --against snapshots\n"
        "  perdure replay --app new.so --against old.so --entities 'loan/1736*'\n\n"
        "Against an older shared object states are compared after every event, against snapshots at the seq "
        "that the store has. Members that only one of two state schemas has don't count. The code runs in "
        "processes of its own: one that crashes, or doesn't end, costs the entity that it was at. Exit code "
        "1 "
        "if anything differs or fails.\n",
    .run = run};
