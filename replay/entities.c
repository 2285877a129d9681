#include "replay/entities.h"

#include <inttypes.h>

#include "base/mem.h"
#include "base/order.h"
#include "replay/guard.h"

enum { PAGE = 10000, SCRATCH = 64 * PDR_MAX_EVENT };

/* One thread's. No two have the same entity. */
typedef struct gatherer {
    pdr_tally rows; /* id -> pdr_entity_row */
    pdr_arena scratch;
    pdr_entities_bad bad;
    int32_t bad_partition;
    int64_t bad_offset;
} gatherer;

typedef struct listed {
    pdr_bytes id;
    const pdr_entity_row *row;
} listed;

struct pdr_entities {
    const pdr_entities_spec *spec;
    pdr_tool *tool;
    bool from_log;
    gatherer *gatherers;
    unsigned threads;
    listed *items;
    size_t count;
    pdr_entities_bad bad;
    /* Of the store's answers. */
    pdr_tool_answer answer;
    pdr_position position;
    pdr_buf after;
    size_t page;
};

static bool is_wanted(const pdr_entities *e, pdr_bytes id)
{
    return pdr_bytes_begin_with(id, e->spec->prefix);
}

/* --- from the log --- */

static void note_bad(gatherer *g, pdr_entity_row *row, int32_t partition, const pdr_commit_event *event,
                     const pdr_error *why)
{
    pdr_bytes id = event->record->entry.key;
    bool first = !g->bad.count || partition < g->bad_partition ||
                 (partition == g->bad_partition && event->record->offset < g->bad_offset);
    pdr_state_release(&row->state);
    row->bad = true;
    g->bad.count++;
    if (!first) return;
    g->bad_partition = partition;
    g->bad_offset = event->record->offset;
    g->bad.first = *why;
    (void)pdr_fail_context(&g->bad.first, why->code,
                           "%.*s, seq %" PRIu64 " (partition %d, offset %" PRId64 ")", (int)id.size,
                           (const char *)id.data, event->header->seq, (int)partition, event->record->offset);
}

static bool is_for_all(pdr_code code)
{
    return code == PDR_NOMEM || code == PDR_CANCELLED || pdr_code_class(code) == PDR_CLASS_TRANSIENT;
}

/* One event into a state; what it calls of the application may crash. */
typedef struct folding {
    pdr_entities *entities;
    gatherer *gatherer;
    pdr_entity_row *row;
    int32_t partition;
    const pdr_commit_event *event;
    pdr_code code;
    pdr_error why;
} folding;

static void fold_one(void *context)
{
    folding *f = context;
    pdr_event_list events;
    const pdr_log_record *record = f->event->record;
    pdr_tool *tool = f->entities->tool;
    pdr_arena *scratch = &f->gatherer->scratch;
    const pdr_folder *folder = pdr_tool_folder(tool, record->entry.key);
    f->code = PDR_OK;
    if (!f->row->state.value && folder) f->code = pdr_state_init(&f->row->state, folder, &f->why);
    if (f->code == PDR_OK)
        f->code = pdr_tool_read(tool, f->partition, record, f->event->header, scratch, &events, &f->why);
    for (size_t i = 0; f->code == PDR_OK && i < events.count; i++)
        f->code = pdr_state_apply(&f->row->state, folder, pdr_event_list_at(&events, i), &f->why);
}

static pdr_code fold(pdr_entities *e, gatherer *g, pdr_entity_row *row, int32_t partition,
                     const pdr_commit_event *event, pdr_error *err)
{
    folding f = {e, g, row, partition, event, PDR_OK, {.code = PDR_OK}};
    pdr_arena_clear(&g->scratch);
    int signal = pdr_guard_call(fold_one, &f);
    if (signal) {
        row->state = (pdr_state){.value = NULL}; /* its memory may be in any condition: it is left alone */
        f.code = pdr_fail(&f.why, PDR_BAD_HANDLER, "the application's code crashed: %s",
                          pdr_guard_signal_name(signal));
    }
    if (f.code == PDR_OK) return PDR_OK;
    if (!is_for_all(f.code)) {
        note_bad(g, row, partition, event, &f.why);
        return PDR_OK;
    }
    if (err) *err = f.why;
    return f.code;
}

static pdr_code took_commit(void *context, unsigned thread, int32_t partition, const pdr_commit_event *events,
                            size_t count, pdr_position at, pdr_error *err)
{
    (void)at;
    pdr_entities *e = context;
    gatherer *g = &e->gatherers[thread];
    pdr_bytes id = events[0].record->entry.key; /* a commit's events are one entity's */
    if (!is_wanted(e, id)) return PDR_OK;
    pdr_entity_row *row = pdr_tally_of(&g->rows, id);
    if (!row) return pdr_fail(err, PDR_NOMEM, "a list of entities");
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < count; i++) {
        const pdr_header *h = events[i].header;
        if (h->seq > row->seq) {
            row->seq = h->seq;
            row->offset = events[i].record->offset;
            row->last_us = h->time_us;
        }
        row->partition = partition;
        row->bytes += events[i].record->entry.value.size;
        if (e->spec->states && !row->bad) code = fold(e, g, row, partition, &events[i], err);
    }
    return code;
}

static bool watch(void *context, const pdr_scan_progress *progress)
{
    const pdr_entities *e = context;
    return e->spec->watch && e->spec->watch(e->spec->context, progress);
}

static const pdr_scan_sink sink = {.commit = took_commit};

static pdr_code scan(pdr_entities *e, const pdr_position *from, unsigned threads, pdr_error *err)
{
    pdr_scan_spec spec = {.from = from, .threads = threads, .sink = &sink, .context = e, .watch = watch};
    e->threads = pdr_scan_threads(e->tool, &spec);
    if (!e->gatherers) e->gatherers = pdr_calloc(e->threads, sizeof *e->gatherers);
    if (!e->gatherers) return pdr_fail(err, PDR_NOMEM, "%u threads", e->threads);
    for (unsigned i = 0; !from && i < e->threads; i++) {
        pdr_tally_init(&e->gatherers[i].rows, sizeof(pdr_entity_row));
        e->gatherers[i].scratch = (pdr_arena)PDR_ARENA_INIT(SCRATCH);
    }
    return pdr_scan_run(e->tool, &spec, err);
}

/* --- from the store --- */

static void took_row(void *context, uint64_t tag, const pdr_store_result *result)
{
    (void)tag;
    pdr_entities *e = context;
    pdr_tool_answered(&e->answer, result);
    e->position = result->row.checkpoint;
}

/* The next page begins behind it. false: out of memory. */
static bool add_head(pdr_entities *e, const pdr_head *head)
{
    pdr_buf_clear(&e->after);
    if (pdr_buf_append(&e->after, head->key.data, head->key.size) != PDR_OK) return false;
    if (!is_wanted(e, head->key)) return true;
    pdr_entity_row *row = pdr_tally_of(&e->gatherers->rows, head->key);
    if (!row) return false;
    *row = (pdr_entity_row){.seq = head->seq,
                            .partition = pdr_tool_partition_of(e->tool, head->key),
                            .offset = head->last.offset};
    return true;
}

static void took_page(void *context, uint64_t tag, const pdr_store_result *result)
{
    (void)tag;
    pdr_entities *e = context;
    pdr_error *err = &e->answer.error;
    pdr_tool_answered(&e->answer, result);
    e->page = result->head_count;
    for (size_t i = 0; i < result->head_count && err->code == PDR_OK; i++)
        if (!add_head(e, &result->heads[i])) (void)pdr_fail(err, PDR_NOMEM, "a list of entities");
}

static pdr_code load_positions(pdr_entities *e, pdr_position *from, pdr_error *err)
{
    pdr_store *store = pdr_tool_store(e->tool);
    pdr_code code = PDR_OK;
    for (int32_t p = 0; code == PDR_OK && p < pdr_tool_partitions(e->tool); p++) {
        pdr_code asked = store->ops->load(store, p, took_row, e, 0, err);
        code = pdr_tool_await(e->tool, asked, &e->answer, e, err);
        from[p] = e->position;
    }
    return code;
}

static pdr_code load_heads(pdr_entities *e, pdr_error *err)
{
    pdr_store *store = pdr_tool_store(e->tool);
    pdr_code code = PDR_OK;
    for (e->page = PAGE; code == PDR_OK && e->page == PAGE;) {
        pdr_code asked = store->ops->heads(store, pdr_buf_bytes(&e->after), PAGE, 0, took_page, e, 0, err);
        code = pdr_tool_await(e->tool, asked, &e->answer, e, err);
    }
    return code;
}

/* The rows first: what is saved after that lies behind their checkpoints, where the log is read. */
static pdr_code from_store(pdr_entities *e, pdr_error *err)
{
    pdr_position *from = pdr_calloc((size_t)pdr_tool_partitions(e->tool), sizeof *from);
    e->gatherers = pdr_calloc(1, sizeof *e->gatherers);
    e->threads = 1;
    if (!from || !e->gatherers) {
        pdr_free(from);
        return pdr_fail(err, PDR_NOMEM, "a list of entities");
    }
    pdr_tally_init(&e->gatherers->rows, sizeof(pdr_entity_row));
    pdr_code code = load_positions(e, from, err);
    if (code == PDR_OK) code = load_heads(e, err);
    if (code == PDR_OK) code = scan(e, from, 1, err);
    pdr_free(from);
    return code;
}

/* --- all of it --- */

static pdr_code list(pdr_entities *e, pdr_error *err)
{
    size_t count = 0;
    for (unsigned i = 0; i < e->threads; i++)
        count += e->gatherers[i].rows.count;
    e->items = pdr_alloc((count + 1) * sizeof *e->items);
    if (!e->items) return pdr_fail(err, PDR_NOMEM, "%zu entities", count);
    int32_t partition = INT32_MAX;
    for (unsigned i = 0; i < e->threads; i++) {
        const gatherer *g = &e->gatherers[i];
        for (size_t k = 0; k < g->rows.count; k++)
            e->items[e->count++] = (listed){pdr_tally_key(&g->rows, g->rows.entries[k]),
                                            (const void *)g->rows.entries[k]->value};
        e->bad.count += g->bad.count;
        if (!g->bad.count || g->bad_partition > partition) continue;
        e->bad.first = g->bad.first;
        partition = g->bad_partition;
    }
    return PDR_OK;
}

pdr_code pdr_entities_open(pdr_entities **out, pdr_tool *tool, const pdr_entities_spec *spec, pdr_error *err)
{
    *out = NULL;
    pdr_entities *e = pdr_calloc(1, sizeof *e);
    if (!e) return pdr_fail(err, PDR_NOMEM, "a list of entities");
    e->spec = spec;
    e->tool = tool;
    e->after = (pdr_buf)PDR_BUF_INIT(2 * PDR_LOG_MAX_KEY);
    e->from_log = spec->from_log || spec->states || !pdr_tool_store(tool);
    pdr_code code = e->from_log ? scan(e, NULL, 0, err) : from_store(e, err);
    if (code == PDR_OK) code = list(e, err);
    if (code == PDR_OK)
        *out = e;
    else
        pdr_entities_close(e);
    return code;
}

static void release(gatherer *g)
{
    for (size_t i = 0; i < g->rows.count; i++)
        pdr_state_release(&((pdr_entity_row *)(void *)g->rows.entries[i]->value)->state);
    pdr_tally_release(&g->rows);
    pdr_arena_release(&g->scratch);
}

void pdr_entities_close(pdr_entities *entities)
{
    if (!entities) return;
    for (unsigned i = 0; entities->gatherers && i < entities->threads; i++)
        release(&entities->gatherers[i]);
    pdr_free(entities->gatherers);
    pdr_free(entities->items);
    pdr_buf_release(&entities->after);
    pdr_free(entities);
}

bool pdr_entities_from_log(const pdr_entities *entities)
{
    return entities->from_log;
}

size_t pdr_entities_count(const pdr_entities *entities)
{
    return entities->count;
}

const pdr_entity_row *pdr_entities_at(const pdr_entities *entities, size_t i, pdr_bytes *id)
{
    *id = entities->items[i].id;
    return entities->items[i].row;
}

pdr_entities_bad pdr_entities_bad_of(const pdr_entities *entities)
{
    return entities->bad;
}
