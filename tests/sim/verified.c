/* What `perdure verify` looks at, on the true log and the true store of a run, whatever faults there were: it
 * must find nothing. */
#include <inttypes.h>
#include <stdlib.h>

#include "replay/verify.h"
#include "tests/sim/run.h"

struct verified {
    const pdr_log_record **records[MAX_PARTITIONS];
    size_t count[MAX_PARTITIONS], capacity[MAX_PARTITIONS];
};

typedef struct looking {
    run *r;
    int32_t partition;
    pdr_verify *verify;
    pdr_folder *folder;
    uint64_t malformed; /* strangers' records: told, and meant */
} looking;

void verified_append(run *r, int32_t partition, const pdr_log_record *record)
{
    if (!r->verified) r->verified = calloc(1, sizeof *r->verified);
    verified *v = r->verified;
    if (!v) abort();
    if (v->count[partition] == v->capacity[partition]) {
        v->capacity[partition] = v->capacity[partition] ? 2 * v->capacity[partition] : 256;
        v->records[partition] =
            realloc(v->records[partition], v->capacity[partition] * sizeof *v->records[partition]);
        if (!v->records[partition]) abort();
    }
    v->records[partition][v->count[partition]++] = record;
}

void verified_close(run *r)
{
    for (int p = 0; r->verified && p < MAX_PARTITIONS; p++)
        free(r->verified->records[p]);
    free(r->verified);
}

/* Each partition is looked at as a journal of its own: the simulation places its entities by hand. */
static void on_finding(void *context, const pdr_finding *f)
{
    looking *l = context;
    if (f->rule == PDR_VERIFY_JOURNAL_ID) return;
    if (f->rule == PDR_VERIFY_FRAMING && f->entity.size == 0) {
        l->malformed++;
        return;
    }
    run_fail(l->r, "verify",
             "%s, partition %d, offset %" PRId64 ", %.*s seq %" PRIu64 ": must be: %s; is: %s",
             pdr_verify_name(f->rule), (int)l->partition, f->offset, (int)f->entity.size,
             f->entity.size ? (const char *)f->entity.data : "", f->seq, f->expected, f->found);
}

static const pdr_verify_sink sink = {on_finding};

static const pdr_folder *find_folder(void *context, pdr_bytes entity)
{
    (void)entity;
    return ((const looking *)context)->folder;
}

static void take_head(void *context, const pdr_head *head)
{
    if (pdr_verify_head(((looking *)context)->verify, 0, head, NULL) != PDR_OK) abort();
}

static void pass(looking *l)
{
    run *r = l->r;
    const verified *v = r->verified;
    const pdr_partition_row *row = pdr_sim_store_row(r->world, l->partition);
    if (pdr_verify_begin(l->verify, NULL) != PDR_OK) abort();
    if (pdr_verify_row(l->verify, 0, row, NULL) != PDR_OK) abort();
    pdr_sim_store_heads(r->world, l->partition, take_head, l);
    if (pdr_verify_row_after(l->verify, 0, row, NULL) != PDR_OK) abort();
    for (size_t i = 0; v && i < v->count[l->partition]; i++) {
        pdr_code code = pdr_verify_take(l->verify, 0, v->records[l->partition][i], NULL);
        if (code == PDR_CANCELLED) return;
        if (code != PDR_OK) abort();
    }
    pdr_verify_end(l->verify, 0, pdr_sim_log_end(r->world, l->partition));
}

static void look_at(run *r, int32_t partition, size_t memory)
{
    looking l = {.r = r, .partition = partition};
    pdr_schema_book *book;
    if (pdr_schema_book_open(&book, NULL) != PDR_OK ||
        pdr_folder_open(&l.folder, sim_app(1)->entities[0], book, NULL) != PDR_OK)
        abort();
    pdr_verify_spec spec = {.partitions = 1,
                            .has_store = true,
                            .folder = find_folder,
                            .folder_context = &l,
                            .book = book,
                            .memory = memory,
                            .sink = &sink,
                            .context = &l};
    if (pdr_verify_open(&l.verify, &spec, NULL) != PDR_OK) abort();
    do
        pass(&l);
    while (!r->failed && pdr_verify_unfinished(l.verify));
    pdr_verify_totals totals = pdr_verify_totals_of(l.verify);
    if (totals.malformed != l.malformed || totals.unlinked || totals.unread)
        run_fail(r, "verify", "%" PRIu64 " malformed records, %" PRIu64 " told", totals.malformed,
                 l.malformed);
    pdr_verify_close(l.verify);
    pdr_folder_close(l.folder);
    pdr_schema_book_close(book);
}

void verified_look(run *r)
{
    for (uint32_t p = 0; p < r->plan.partitions && !r->failed; p++)
        look_at(r, (int32_t)p, r->seed % 4 ? (size_t)1 << 30 : 4096);
}
