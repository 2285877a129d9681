/* perdure snapshot drop: states go, heads and events stay. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/snapshot_tool.h"

enum { AT_ONCE = 20000, MAX_PREFIX = PDR_MAX_ENTITY_ID + 2 };

typedef struct dropping {
    pdr_snapshot_tool base;
    const char *which, *entity, *type;
    uint64_t revision;
    bool yes, all, old;
    uint64_t states, bytes; /* that are asked for, as they were counted before */
    uint64_t dropped;
} dropping;

/* --- which --- */

static pdr_code read_flags(dropping *d, pdr_error *err)
{
    if (!d->which)
        return pdr_fail(
            err, PDR_INVALID_ARGUMENT,
            "give --revision: old (all but today's of --app), all, or one as `perdure snapshot list` "
            "shows it");
    if (d->entity && d->type)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "--entity and --type exclude each other");
    if (d->entity && strlen(d->entity) > PDR_MAX_ENTITY_ID)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "an entity id has at most %d bytes", PDR_MAX_ENTITY_ID);
    if (d->type && (strlen(d->type) > PDR_MAX_ENTITY_ID || strchr(d->type, '/')))
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "--type %.100s: what an id has before its '/'", d->type);
    d->all = strcmp(d->which, "all") == 0;
    d->old = strcmp(d->which, "old") == 0;
    return d->all || d->old ? PDR_OK : pdr_snapshot_revision("--revision", d->which, &d->revision, err);
}

/* Of types that the application doesn't declare nothing is old: another one may be theirs. */
static bool is_meant(const dropping *d, const pdr_head *head)
{
    pdr_bytes type = pdr_snapshot_type(head->key);
    if (d->type && !pdr_bytes_equal(type, pdr_bytes_of(d->type, strlen(d->type)))) return false;
    if (d->all) return true;
    if (!d->old) return head->revision == d->revision;
    const pdr_folder *folder = pdr_snapshot_folder(&d->base, type);
    return folder && head->revision != pdr_folder_revision(folder);
}

static pdr_code count(void *context, int32_t partition, const pdr_head *head, pdr_error *err)
{
    (void)partition;
    dropping *d = context;
    if (pdr_stopped()) return pdr_fail(err, PDR_CANCELLED, "stopped");
    if (!head->state.data || !is_meant(d, head)) return PDR_OK;
    d->states++;
    d->bytes += head->state.size;
    return PDR_OK;
}

static pdr_code count_all(dropping *d, pdr_error *err)
{
    pdr_store_meta meta;
    pdr_store *store = d->base.store;
    pdr_code code = store->ops->meta(store, &meta, PDR_SNAPSHOT_TIMEOUT_MS, err);
    if (code != PDR_OK) return code;
    if (!d->entity) return store->ops->dump(store, count, d, err);
    pdr_bytes key = pdr_bytes_of(d->entity, strlen(d->entity));
    return store->ops->dump_one(store, key, count, d, PDR_SNAPSHOT_TIMEOUT_MS, err);
}

/* --- dropping --- */

static pdr_code drop_some(dropping *d, const pdr_state_filter *which, pdr_error *err)
{
    for (uint64_t gone = 1; gone;) {
        if (pdr_stopped()) return pdr_fail(err, PDR_CANCELLED, "stopped");
        pdr_code code = d->base.store->ops->drop_states(d->base.store, which, AT_ONCE, &gone,
                                                        PDR_SNAPSHOT_TIMEOUT_MS, err);
        if (code != PDR_OK) return code;
        d->dropped += gone;
        pdr_cli_progress("%" PRIu64 " of %" PRIu64 " states dropped", d->dropped, d->states);
    }
    return PDR_OK;
}

static pdr_code drop_type(dropping *d, const char *type, const uint64_t *revision, bool others,
                          pdr_error *err)
{
    char prefix[MAX_PREFIX] = "";
    if (type && !d->entity) (void)snprintf(prefix, sizeof prefix, "%s/", type);
    pdr_state_filter which = {.prefix = pdr_bytes_of(prefix, strlen(prefix)),
                              .revisions = revision,
                              .revision_count = revision != NULL,
                              .others = others};
    if (d->entity) which.key = pdr_bytes_of(d->entity, strlen(d->entity));
    return drop_some(d, &which, err);
}

static pdr_code drop_old(dropping *d, pdr_error *err)
{
    pdr_code code = PDR_OK;
    pdr_bytes wanted = d->entity ? pdr_snapshot_type(pdr_bytes_of(d->entity, strlen(d->entity)))
                                 : pdr_bytes_of(d->type, d->type ? strlen(d->type) : 0);
    for (size_t i = 0; code == PDR_OK && d->base.folders[i]; i++) {
        const char *name = pdr_folder_type(d->base.folders[i])->name;
        uint64_t today = pdr_folder_revision(d->base.folders[i]);
        if (wanted.data && !pdr_bytes_equal(wanted, pdr_bytes_of(name, strlen(name)))) continue;
        code = drop_type(d, name, &today, true, err);
    }
    return code;
}

static pdr_code drop(dropping *d, pdr_error *err)
{
    pdr_code code = d->old   ? drop_old(d, err)
                    : d->all ? drop_type(d, d->type, NULL, true, err)
                             : drop_type(d, d->type, &d->revision, false, err);
    pdr_cli_progress_end();
    return code;
}

/* --- the command --- */

static bool asked_and_told_yes(const dropping *d)
{
    char answer[16] = "";
    if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1) return false;
    fprintf(stderr, "drop %" PRIu64 " states, %" PRIu64 " bytes? [y/N] ", d->states, d->bytes);
    return fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

static pdr_code report(dropping *d, pdr_error *err)
{
    pdr_code code =
        d->base.json ? pdr_out_put(d->base.out, PDR_COLOUR_PLAIN, "{\"dropped\":%" PRIu64 "}", d->dropped)
                     : pdr_out_put(d->base.out, PDR_COLOUR_PLAIN, "%" PRIu64 " states dropped", d->dropped);
    return code == PDR_OK ? pdr_out_end(d->base.out, err) : pdr_fail(err, code, "the report");
}

static pdr_code work(dropping *d, bool *refused, pdr_error *err)
{
    pdr_code code = read_flags(d, err);
    if (code == PDR_OK) code = pdr_snapshot_open(&d->base, err);
    if (code == PDR_OK && d->old && !d->base.app.app)
        code = pdr_fail(err, PDR_INVALID_ARGUMENT,
                        "which revision is today's says the application: give --app, or set PERDURE_APP");
    if (code == PDR_OK) pdr_stop_on_signals();
    if (code == PDR_OK) code = count_all(d, err);
    if (code != PDR_OK) return code;
    *refused = d->states > 0 && !d->yes && !asked_and_told_yes(d);
    if (*refused) return PDR_OK;
    if (d->states) code = drop(d, err);
    return code == PDR_OK ? report(d, err) : code;
}

static int run(int argc, char **argv)
{
    dropping d = {.which = NULL};
    bool refused = false;
    const pdr_flag flags[] = {
        {PDR_FLAG_TEXT, "--revision", "old|all|N",
         "old: all but today's of --app; all; or this one, as `snapshot list` shows it", &d.which, 0, 0},
        {PDR_FLAG_TEXT, "--type", "TYPE", "of entities of this type only", &d.type, 0, 0},
        {PDR_FLAG_TEXT, "--entity", "ENTITY", "of this one only", &d.entity, 0, 0},
        {PDR_FLAG_SWITCH, "--yes", NULL, "don't ask", &d.yes, 0, 0},
        PDR_SNAPSHOT_FLAGS(d.base),
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_snapshot_drop, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    char why[128];
    pdr_code code = work(&d, &refused, &err);
    int exit_code = pdr_snapshot_end(&d.base, &pdr_cli_snapshot_drop, code, &err);
    if (!refused) return exit_code;
    (void)snprintf(why, sizeof why, "%" PRIu64 " states, %" PRIu64 " bytes, would go; nothing was done",
                   d.states, d.bytes);
    return pdr_cli_refuse(&pdr_cli_snapshot_drop, why, "run it again with --yes");
}

const pdr_cli_command pdr_cli_snapshot_drop = {
    .name = "snapshot drop",
    .summary = "drop states of old revisions, of all, or of one entity",
    .about = "States are a cache of the log: what is dropped costs reading the entity's history when it is "
             "used next, no "
             "more, also beside owners at work. Old revisions are room that nobody uses once every program "
             "runs today's "
             "code; a program of before that is started again makes its own anew. Heads and events are never "
             "touched.\n"
             "\n"
             "  perdure snapshot drop --revision old --app loans_app.so\n",
    .run = run};
