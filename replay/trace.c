#include "replay/trace.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/mem.h"
#include "replay/tally.h"

#define NOWHERE SIZE_MAX

/* A commit that was found. Its place in the tree is by indices. */
typedef struct found {
    pdr_trace_node node;
    size_t parent, first_child, next_sibling;
    bool placed;
} found;

/* One thread's. */
typedef struct finder {
    found *items;
    size_t count, capacity;
} finder;

struct pdr_trace {
    const pdr_trace_spec *spec;
    finder *finders;
    unsigned threads;
    unsigned pass;
    atomic_size_t events;
    pdr_tally correlations; /* ids; the value says nothing */
    pdr_tally commands;
    found *items; /* all that was found, by append */
    size_t count;
    const pdr_trace_node **order;
    size_t ordered;
};

/* --- finding --- */

static bool is_in(const pdr_tally *ids, pdr_bytes id)
{
    return id.size && pdr_tally_find(ids, id);
}

static void drop(finder *f)
{
    for (size_t i = 0; i < f->count; i++) {
        for (size_t k = 0; k < f->items[i].node.count; k++)
            pdr_free(f->items[i].node.held[k]);
        pdr_free(f->items[i].node.held);
    }
    f->count = 0;
}

static pdr_code keep(finder *f, int32_t partition, const pdr_commit_event *events, size_t count,
                     pdr_error *err)
{
    if (f->count == f->capacity) {
        size_t grown = f->capacity ? 2 * f->capacity : 64;
        found *items = pdr_realloc(f->items, grown * sizeof *items);
        if (!items) return pdr_fail(err, PDR_NOMEM, "what was found");
        f->items = items;
        f->capacity = grown;
    }
    pdr_held **held = pdr_calloc(count, sizeof *held);
    if (!held) return pdr_fail(err, PDR_NOMEM, "what was found");
    f->items[f->count++] = (found){.node = {.partition = partition, .held = held, .count = count},
                                   .parent = NOWHERE,
                                   .first_child = NOWHERE,
                                   .next_sibling = NOWHERE};
    for (size_t i = 0; i < count; i++)
        if (!(held[i] = pdr_held_copy(events[i].record))) return pdr_fail(err, PDR_NOMEM, "what was found");
    return PDR_OK;
}

/* Which ids are looked for doesn't change while the threads are at work. */
static pdr_code took_commit(void *context, unsigned thread, int32_t partition, const pdr_commit_event *events,
                            size_t count, pdr_position at, pdr_error *err)
{
    (void)at;
    pdr_trace *t = context;
    const pdr_header *h = events[0].header;
    if (PDR_LIKELY(!is_in(&t->correlations, h->correlation) && !is_in(&t->commands, h->id) &&
                   !is_in(&t->commands, h->causation)))
        return PDR_OK;
    if (atomic_fetch_add(&t->events, count) + count > PDR_TRACE_MAX_EVENTS)
        return pdr_fail(err, PDR_TOO_LARGE, "more than %d events belong to %.80s", PDR_TRACE_MAX_EVENTS,
                        t->spec->id);
    return keep(&t->finders[thread], partition, events, count, err);
}

static bool watch(void *context, const pdr_scan_progress *progress)
{
    const pdr_trace *t = context;
    return t->spec->watch && t->spec->watch(t->spec->context, t->pass, progress);
}

static const pdr_scan_sink sink = {.commit = took_commit};

static bool add_id(pdr_tally *ids, pdr_bytes id)
{
    return !id.size || pdr_tally_of(ids, id);
}

/* What the commands that were found have caused is looked for next. *more: there are new ones. */
static pdr_code learn(pdr_trace *t, bool *more, pdr_error *err)
{
    size_t before = t->commands.count;
    bool fits = true;
    for (unsigned i = 0; i < t->threads; i++)
        for (size_t k = 0; k < t->finders[i].count; k++)
            fits &= add_id(&t->commands, t->finders[i].items[k].node.held[0]->header.id);
    *more = t->commands.count > before;
    return fits ? PDR_OK : pdr_fail(err, PDR_NOMEM, "ids of commands");
}

static pdr_code find(pdr_trace *t, pdr_tool *tool, pdr_error *err)
{
    pdr_scan_spec spec = {.sink = &sink, .context = t, .watch = watch};
    t->threads = pdr_scan_threads(tool, &spec);
    t->finders = pdr_calloc(t->threads, sizeof *t->finders);
    bool more = true;
    pdr_code code = t->finders ? PDR_OK : pdr_fail(err, PDR_NOMEM, "%u threads", t->threads);
    while (code == PDR_OK && more) {
        for (unsigned i = 0; i < t->threads; i++)
            drop(&t->finders[i]);
        t->pass++;
        atomic_store(&t->events, 0);
        code = pdr_scan_run(tool, &spec, err);
        if (code == PDR_OK) code = learn(t, &more, err);
    }
    return code;
}

/* --- the tree --- */

static int by_append(const void *a, const void *b)
{
    const pdr_trace_node *x = &((const found *)a)->node, *y = &((const found *)b)->node;
    const pdr_log_record *p = &x->held[0]->record, *q = &y->held[0]->record;
    if (p->append_ms != q->append_ms) return p->append_ms < q->append_ms ? -1 : 1;
    if (x->partition != y->partition) return x->partition < y->partition ? -1 : 1;
    return (p->offset > q->offset) - (p->offset < q->offset);
}

static pdr_code gather(pdr_trace *t, pdr_error *err)
{
    size_t count = 0;
    for (unsigned i = 0; i < t->threads; i++)
        count += t->finders[i].count;
    t->items = pdr_alloc((count + 1) * sizeof *t->items);
    t->order = pdr_alloc((count + 1) * sizeof *t->order);
    if (!t->items || !t->order) return pdr_fail(err, PDR_NOMEM, "%zu commits", count);
    for (unsigned i = 0; i < t->threads; i++) {
        finder *f = &t->finders[i];
        if (f->count) memcpy(t->items + t->count, f->items, f->count * sizeof *f->items);
        t->count += f->count;
        f->count = 0; /* they are the trace's now */
    }
    qsort(t->items, t->count, sizeof *t->items, by_append);
    return PDR_OK;
}

/* Of several commits of one id the first is taken for the cause. */
static pdr_code note_commands(const pdr_trace *t, pdr_tally *places, pdr_error *err)
{
    for (size_t i = 0; i < t->count; i++) {
        pdr_bytes id = t->items[i].node.held[0]->header.id;
        if (!id.size) continue;
        size_t *place = pdr_tally_of(places, id);
        if (!place) return pdr_fail(err, PDR_NOMEM, "%zu commits", t->count);
        if (!*place) *place = i + 1;
    }
    return PDR_OK;
}

/* From the last to the first, so that each list of children is in order. */
static pdr_code link_all(pdr_trace *t, pdr_error *err)
{
    pdr_tally places;
    pdr_tally_init(&places, sizeof(size_t));
    pdr_code code = note_commands(t, &places, err);
    for (size_t i = t->count; code == PDR_OK && i-- > 0;) {
        found *f = &t->items[i];
        pdr_bytes cause = f->node.held[0]->header.causation;
        const size_t *place = cause.size ? pdr_tally_find(&places, cause) : NULL;
        if (!place || *place - 1 == i) continue;
        f->parent = *place - 1;
        found *parent = &t->items[f->parent];
        f->node.last = parent->first_child == NOWHERE;
        f->next_sibling = parent->first_child;
        parent->first_child = i;
    }
    pdr_tally_release(&places);
    return code;
}

/* Depth first, without recursion: a chain of commands may be long. What was placed already (ids that cause
 * each other in a circle) isn't again. */
static void place_under(pdr_trace *t, size_t root)
{
    size_t at = root;
    uint32_t depth = 0;
    for (;;) {
        found *f = &t->items[at];
        f->placed = true;
        f->node.depth = depth;
        t->order[t->ordered++] = &f->node;
        size_t next = f->first_child;
        while (next != NOWHERE && t->items[next].placed)
            next = t->items[next].next_sibling;
        if (next != NOWHERE) {
            at = next;
            depth++;
            continue;
        }
        for (next = NOWHERE; next == NOWHERE && at != root; at = t->items[at].parent, depth--) {
            next = t->items[at].next_sibling;
            while (next != NOWHERE && t->items[next].placed)
                next = t->items[next].next_sibling;
            if (next != NOWHERE) break;
        }
        if (next == NOWHERE) return;
        at = next;
    }
}

static void place_all(pdr_trace *t)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->items[i].parent == NOWHERE) place_under(t, i);
    for (size_t i = 0; i < t->count; i++)
        if (!t->items[i].placed) place_under(t, i);
}

/* --- all of it --- */

static int digit_of(char c)
{
    const char *digits = "0123456789abcdef0123456789ABCDEF", *at = c ? strchr(digits, c) : NULL;
    return at ? (int)((at - digits) % 16) : -1;
}

/* The bytes that hexadecimal digits stand for; size 0: it is no such text. */
static pdr_bytes read_hex(const char *text, uint8_t *room, size_t size)
{
    size_t length = strlen(text);
    if (length % 2 || length / 2 > size) return pdr_bytes_of(room, 0);
    for (size_t i = 0; i < length; i += 2) {
        int high = digit_of(text[i]), low = digit_of(text[i + 1]);
        if (high < 0 || low < 0) return pdr_bytes_of(room, 0);
        room[i / 2] = (uint8_t)(16 * high + low);
    }
    return pdr_bytes_of(room, length / 2);
}

static pdr_code run(pdr_trace *t, pdr_tool *tool, pdr_error *err)
{
    uint8_t room[256];
    pdr_bytes text = pdr_bytes_of(t->spec->id, strlen(t->spec->id)),
              hex = read_hex(t->spec->id, room, sizeof room);
    if (!add_id(&t->correlations, text) || !add_id(&t->correlations, hex) || !add_id(&t->commands, text) ||
        !add_id(&t->commands, hex))
        return pdr_fail(err, PDR_NOMEM, "an id");
    pdr_code code = find(t, tool, err);
    if (code == PDR_OK) code = gather(t, err);
    if (code == PDR_OK) code = link_all(t, err);
    if (code == PDR_OK) place_all(t);
    return code;
}

pdr_code pdr_trace_open(pdr_trace **out, pdr_tool *tool, const pdr_trace_spec *spec, pdr_error *err)
{
    *out = NULL;
    pdr_trace *t = pdr_calloc(1, sizeof *t);
    if (!t) return pdr_fail(err, PDR_NOMEM, "a trace");
    t->spec = spec;
    pdr_tally_init(&t->correlations, sizeof(uint64_t));
    pdr_tally_init(&t->commands, sizeof(uint64_t));
    pdr_code code = run(t, tool, err);
    if (code == PDR_OK)
        *out = t;
    else
        pdr_trace_close(t);
    return code;
}

void pdr_trace_close(pdr_trace *trace)
{
    if (!trace) return;
    finder all = {trace->items, trace->count, trace->count};
    drop(&all);
    for (unsigned i = 0; trace->finders && i < trace->threads; i++) {
        drop(&trace->finders[i]);
        pdr_free(trace->finders[i].items);
    }
    pdr_free(trace->finders);
    pdr_free(trace->items);
    pdr_free(trace->order);
    pdr_tally_release(&trace->correlations);
    pdr_tally_release(&trace->commands);
    pdr_free(trace);
}

size_t pdr_trace_count(const pdr_trace *trace)
{
    return trace->ordered;
}

const pdr_trace_node *pdr_trace_at(const pdr_trace *trace, size_t i)
{
    return trace->order[i];
}
