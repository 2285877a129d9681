#include "cli/replay_share.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/out.h"
#include "journal/schema_load.h"
#include "replay/guard.h"
#include "replay/ids_like.h"
#include "replay/packed.h"
#include "replay/scan.h"

enum { MAX_ASIDE = 0x7fffffff };

typedef struct work {
    pdr_share *share;
    pdr_tool *tool;
    pdr_refold *refold;
    const pdr_folder **folders;
    pdr_folder **against;
    pdr_buf out;
} work;

/* --- telling --- */

static void tell(const pdr_share *share, pdr_share_kind kind, int32_t partition, pdr_bytes bytes)
{
    pdr_share_message head = {kind, partition, bytes.size};
    const uint8_t *ranges[] = {(const uint8_t *)&head, bytes.data};
    size_t sizes[] = {sizeof head, bytes.size};
    for (int i = 0; i < 2; i++)
        while (sizes[i]) {
            ssize_t written = write(share->out, ranges[i], sizes[i]);
            if (written < 0 && errno == EINTR) continue;
            if (written <= 0) _exit(PDR_EXIT_FAILED); /* nobody listens any more */
            ranges[i] += written;
            sizes[i] -= (size_t)written;
        }
}

static pdr_code tell_deviations(work *w, pdr_share_kind kind, int32_t partition, pdr_error *err)
{
    pdr_buf_clear(&w->out);
    pdr_deviations *deviations = pdr_refold_deviations(w->refold, partition);
    if (!deviations) return PDR_OK;
    pdr_code code = pdr_deviations_write(deviations, &w->out);
    if (code != PDR_OK) return pdr_fail(err, code, "telling what was found");
    tell(w->share, kind, partition, pdr_buf_bytes(&w->out));
    return PDR_OK;
}

/* --- crashes --- */

/* Bytes of memory that the process may write. */
static size_t held(void)
{
    unsigned long long size, resident, shared, text, library, data = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file) return 0;
    if (fscanf(file, "%llu %llu %llu %llu %llu %llu", &size, &resident, &shared, &text, &library, &data) != 6)
        data = 0;
    (void)fclose(file);
    return (size_t)data * (size_t)sysconf(_SC_PAGESIZE);
}

static size_t ceiling(const pdr_share *share)
{
    return 2 * share->memory + ((size_t)2 << 30);
}

/* A crash that took much memory with it: go on in a fresh process. */
static void crashed(void *context, const char *why)
{
    const work *w = context;
    if (held() < ceiling(w->share) / 2) return;
    pdr_refold_mark *mark = &w->share->board->mark;
    (void)snprintf(mark->why, sizeof mark->why, "%s, after taking all memory", why);
    _exit(PDR_SHARE_LOST);
}

/* "; did you mean loan/1?" */
static void absent(void *context, pdr_bytes entity, char *text, size_t room)
{
    enum { MOST = 3 };
    const work *w = context;
    pdr_buf alike = PDR_BUF_INIT(4096);
    size_t count = 0;
    if (pdr_ids_like(w->tool, entity, MOST, &alike, &count, NULL) == PDR_OK && count)
        (void)snprintf(text, room, "; did you mean %.*s?", (int)alike.size, (const char *)alike.data);
    pdr_buf_release(&alike);
}

/* --- what was put aside --- */

static pdr_code put_schemas(work *w, pdr_error *err)
{
    const pdr_schema_book *book = pdr_tool_book(w->tool);
    pdr_code code = PDR_OK;
    pdr_buf_clear(&w->out);
    for (size_t i = 0; code == PDR_OK && i < pdr_schema_book_count(book); i++) {
        uint64_t fingerprint = pdr_schema_book_at(book, i);
        pdr_string json;
        if (!pdr_schema_book_find(book, fingerprint, &json)) continue;
        code = pdr_packed_put(&w->out, fingerprint);
        if (code == PDR_OK) code = pdr_packed_put_signed(&w->out, pdr_schema_book_id(book, fingerprint));
        if (code == PDR_OK) code = pdr_packed_put_bytes(&w->out, pdr_bytes_of(json.data, json.size));
    }
    if (code != PDR_OK) return pdr_fail(err, code, "putting schemas aside");
    tell(w->share, PDR_SHARE_SCHEMAS, 0, pdr_buf_bytes(&w->out));
    return PDR_OK;
}

static pdr_code take_schemas(work *w, pdr_bytes in, pdr_error *err)
{
    pdr_code code = PDR_OK;
    while (code == PDR_OK && in.size) {
        uint64_t fingerprint;
        int64_t id;
        pdr_bytes json;
        if (!pdr_packed_get(&in, &fingerprint) || !pdr_packed_get_signed(&in, &id) ||
            !pdr_packed_get_bytes(&in, &json))
            return pdr_fail(err, PDR_BAD_DATA, "schemas that were put aside can't be read");
        code = pdr_schema_book_add(pdr_tool_book(w->tool), fingerprint,
                                   (pdr_string){(const char *)json.data, json.size}, (int32_t)id, err);
    }
    return code;
}

static bool is_mine(const pdr_share *share, int32_t partition)
{
    for (size_t i = 0; i < share->count; i++)
        if (share->partitions[i] == partition) return true;
    return false;
}

static pdr_code take_aside(work *w, pdr_error *err)
{
    const pdr_aside *aside = w->share->aside;
    pdr_code code = PDR_OK;
    for (size_t i = 0; aside && code == PDR_OK && i < aside->count; i++) {
        const pdr_aside_part *part = &aside->parts[i];
        if (part->kind == PDR_SHARE_SCHEMAS)
            code = take_schemas(w, part->bytes, err);
        else if (part->kind == PDR_SHARE_ASIDE && is_mine(w->share, part->partition))
            code = pdr_refold_load(w->refold, part->partition, part->bytes, err);
    }
    return code;
}

static pdr_code put_aside(work *w, pdr_error *err)
{
    const pdr_share *share = w->share;
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < share->count; i++) {
        int32_t partition = share->partitions[i];
        if (pdr_refold_has_ended(w->refold, partition)) continue;
        code = tell_deviations(w, PDR_SHARE_SO_FAR, partition, err);
        if (code != PDR_OK || !share->put_aside) continue;
        pdr_buf_clear(&w->out);
        code = pdr_refold_save(w->refold, partition, &w->out, err);
        if (code == PDR_OK) tell(share, PDR_SHARE_ASIDE, partition, pdr_buf_bytes(&w->out));
    }
    return code == PDR_OK && share->put_aside ? put_schemas(w, err) : code;
}

/* --- folding --- */

static pdr_code commit(void *context, unsigned thread, int32_t partition, const pdr_commit_event *events,
                       size_t count, pdr_position at, pdr_error *err)
{
    (void)thread;
    return pdr_refold_take(((work *)context)->refold, partition, events, count, at, err);
}

static pdr_code ended(void *context, unsigned thread, int32_t partition, pdr_position at, pdr_error *err)
{
    (void)thread;
    (void)at;
    work *w = context;
    pdr_code code = pdr_refold_end(w->refold, partition, err);
    return code == PDR_OK ? tell_deviations(w, PDR_SHARE_ENDED, partition, err) : code;
}

static void coming(void *context, unsigned thread, int32_t partition, pdr_bytes key)
{
    (void)thread;
    pdr_refold_coming(((work *)context)->refold, partition, key);
}

static const pdr_scan_sink sink = {.commit = commit, .ended = ended, .coming = coming};

static bool watch(void *context, const pdr_scan_progress *progress)
{
    pdr_share_board *board = ((work *)context)->share->board;
    atomic_store(&board->total, progress->total);
    atomic_store(&board->done, progress->done);
    return pdr_stopped() || atomic_load(&board->stop);
}

static pdr_code row(void *context, int32_t partition, const pdr_head *head, pdr_error *err)
{
    work *w = context;
    if (pdr_stopped()) return pdr_fail(err, PDR_CANCELLED, "stopped while the store was read");
    return is_mine(w->share, partition) ? pdr_refold_expect(w->refold, partition, head, err) : PDR_OK;
}

/* The store before the log, so that the log has all that the store's states rest on. */
static pdr_code read_snapshots(work *w, pdr_error *err)
{
    pdr_store *store = pdr_tool_store(w->tool);
    return w->share->replay->snapshots ? store->ops->dump(store, row, w, err) : PDR_OK;
}

static pdr_code scan(work *w, pdr_error *err)
{
    const pdr_share *share = w->share;
    pdr_position *from = pdr_calloc((size_t)pdr_tool_partitions(w->tool), sizeof *from);
    if (!from) return pdr_fail(err, PDR_NOMEM, "%zu partitions", share->count);
    for (size_t i = 0; i < share->count; i++)
        from[share->partitions[i]] = pdr_refold_position(w->refold, share->partitions[i]);
    pdr_scan_spec spec = {.partitions = share->partitions,
                          .partition_count = share->count,
                          .from = from,
                          .threads = 1,
                          .sink = &sink,
                          .context = w,
                          .watch = watch};
    pdr_code code = share->count ? pdr_scan_run(w->tool, &spec, err) : PDR_OK;
    pdr_free(from);
    return code;
}

/* --- the process --- */

static pdr_code open_folders(work *w, pdr_error *err)
{
    const pdr_replay *replay = w->share->replay;
    const pdr_app *app = replay->app, *against = replay->against;
    w->folders = pdr_calloc(app->entity_count + 1, sizeof *w->folders);
    w->against = pdr_calloc((against ? against->entity_count : 0) + 1, sizeof *w->against);
    if (!w->folders || !w->against) return pdr_fail(err, PDR_NOMEM, "the entity types");
    for (size_t i = 0; i < app->entity_count; i++) {
        const char *name = app->entities[i]->name;
        w->folders[i] = pdr_tool_folder(w->tool, pdr_bytes_of(name, strlen(name)));
    }
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && against && i < against->entity_count; i++)
        code = pdr_folder_open_tolerant(&w->against[i], against->entities[i], pdr_tool_book(w->tool), err);
    return code;
}

static pdr_code open_refold(work *w, pdr_error *err)
{
    const pdr_share *share = w->share;
    const pdr_replay *replay = share->replay;
    pdr_refold_spec spec = {.app = replay->app,
                            .folders = w->folders,
                            .against = replay->against,
                            .against_folders = (const pdr_folder *const *)w->against,
                            .snapshots = replay->snapshots,
                            .book = pdr_tool_book(w->tool),
                            .partitions = pdr_tool_partitions(w->tool),
                            .check_every = replay->check_every,
                            .has_since = replay->has_since,
                            .since_us = replay->since_us,
                            .choice = replay->choice,
                            .ignored = replay->ignored,
                            .ignored_count = replay->ignored_count,
                            .samples = replay->samples,
                            .memory = share->memory,
                            .mark = &share->board->mark,
                            .fatals = share->fatals,
                            .fatal_count = share->fatal_count,
                            .crashed = crashed,
                            .absent = absent,
                            .context = w};
    return pdr_refold_open(&w->refold, &spec, err);
}

static pdr_code work_on(work *w, pdr_error *err)
{
    const pdr_replay *replay = w->share->replay;
    pdr_tool_spec spec = {.journal = replay->target.journal,
                          .store = replay->target.store,
                          .app = replay->app,
                          .needs_store = replay->snapshots,
                          .reads_all = true,
                          .stopped = pdr_stopped};
    pdr_code code = pdr_tool_open(&w->tool, &spec, err);
    if (code == PDR_OK) code = open_folders(w, err);
    if (code == PDR_OK) code = open_refold(w, err);
    if (code == PDR_OK) code = take_aside(w, err);
    if (code == PDR_OK) code = pdr_guard_install(err);
    if (code != PDR_OK) return code;
    code = read_snapshots(w, err);
    if (code == PDR_OK) code = scan(w, err);
    if (code == PDR_OK) return PDR_OK;
    pdr_error why;
    pdr_code saved = put_aside(w, &why);
    return saved == PDR_OK ? code : pdr_fail(err, saved, "%s", why.message);
}

static void limit_memory(const pdr_share *share)
{
    struct rlimit limit = {ceiling(share), ceiling(share)}, core = {0, 0};
    (void)setrlimit(RLIMIT_DATA, &limit); /* without one an endless apply has all of the machine's */
    (void)setrlimit(RLIMIT_CORE, &core);
}

void pdr_share_work(pdr_share *share)
{
    work w = {.share = share, .out = PDR_BUF_INIT(MAX_ASIDE)};
    pdr_error err;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    limit_memory(share);
    pdr_code code = work_on(&w, &err);
    /* Nothing is given back: the process ends, and what crashed may have left it unfit to. */
    if (code != PDR_OK) tell(share, PDR_SHARE_FAILED, 0, pdr_bytes_of(&err, sizeof err));
    _exit(PDR_EXIT_DONE);
}
