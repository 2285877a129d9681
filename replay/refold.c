#include <stdio.h>

#include "base/mem.h"
#include "journal/app.h"
#include "journal/command.h"
#include "journal/framed.h"
#include "journal/partitioner.h"
#include "replay/guard.h"
#include "replay/refold_inside.h"

enum { SCRATCH = 64 * 1024 * 1024, MAX_TOLD = 1024 * 1024 };

/* --- open, close --- */

static pdr_code open_kind(pdr_refold *r, size_t i, pdr_error *err)
{
    const pdr_refold_spec *spec = &r->spec;
    pdr_refold_kind *kind = &r->kinds[i];
    kind->type = spec->app->entities[i];
    kind->folder = spec->folders[i];
    size_t j = spec->against ? pdr_app_entity_of(spec->against,
                                                 pdr_bytes_of(kind->type->name, strlen(kind->type->name)))
                             : SIZE_MAX;
    if (j != SIZE_MAX) kind->before = spec->against_folders[j];
    if (!kind->before && !spec->snapshots) return PDR_OK;
    const pdr_type *from = kind->before ? spec->against->entities[j]->state : kind->type->state;
    return pdr_comparison_open(&kind->comparison, from, kind->type->state, spec->ignored, spec->ignored_count,
                               err);
}

pdr_code pdr_refold_open(pdr_refold **out, const pdr_refold_spec *spec, pdr_error *err)
{
    pdr_refold *r = pdr_calloc(1, sizeof *r);
    if (!r) return pdr_fail(err, PDR_NOMEM, "folding history");
    r->spec = *spec;
    r->room.limit = spec->memory;
    r->scratch = (pdr_arena)PDR_ARENA_INIT(SCRATCH);
    r->now = r->before = (pdr_buf)PDR_BUF_INIT(PDR_MAX_STATE);
    r->told = (pdr_buf)PDR_BUF_INIT(MAX_TOLD);
    r->kinds = pdr_calloc(spec->app->entity_count + 1, sizeof *r->kinds);
    r->parts = pdr_calloc((size_t)spec->partitions + 1, sizeof *r->parts);
    pdr_code code = r->kinds && r->parts ? PDR_OK : pdr_fail(err, PDR_NOMEM, "folding history");
    for (size_t i = 0; code == PDR_OK && i < spec->app->entity_count; i++)
        code = open_kind(r, i, err);
    if (code == PDR_OK)
        *out = r;
    else
        pdr_refold_close(r);
    return code;
}

void pdr_refold_close(pdr_refold *r)
{
    if (!r) return;
    for (int32_t i = 0; r->parts && i < r->spec.partitions; i++) {
        if (r->parts[i].begun) pdr_folded_release(&r->parts[i].entities);
        pdr_deviations_close(r->parts[i].deviations);
    }
    for (size_t i = 0; r->kinds && i < r->spec.app->entity_count; i++)
        pdr_comparison_close(r->kinds[i].comparison);
    pdr_free(r->kinds);
    pdr_free(r->parts);
    pdr_buf_release(&r->now);
    pdr_buf_release(&r->before);
    pdr_buf_release(&r->told);
    pdr_arena_release(&r->scratch);
    pdr_free(r);
}

pdr_code pdr_refold_part_of(pdr_refold *r, int32_t partition, pdr_refold_part **out, pdr_error *err)
{
    pdr_refold_part *part = *out = &r->parts[partition];
    if (PDR_LIKELY(part->begun)) return PDR_OK;
    pdr_folded_init(&part->entities, &r->room);
    part->at = PDR_POSITION_START;
    part->begun = true;
    return pdr_deviations_open(&part->deviations, r->spec.samples, err);
}

pdr_deviations *pdr_refold_deviations(pdr_refold *r, int32_t partition)
{
    return r->parts[partition].deviations;
}

bool pdr_refold_has_ended(const pdr_refold *r, int32_t partition)
{
    return r->parts[partition].ended;
}

pdr_position pdr_refold_position(const pdr_refold *r, int32_t partition)
{
    return r->parts[partition].begun ? r->parts[partition].at : PDR_POSITION_START;
}

size_t pdr_refold_memory(const pdr_refold *r)
{
    return r->room.used;
}

/* --- entities --- */

static pdr_code add(pdr_refold *r, pdr_refold_part *part, pdr_bytes key, uint64_t hash, pdr_folded **out,
                    pdr_error *err)
{
    size_t type = pdr_app_entity_of(r->spec.app, key);
    const pdr_refold_kind *kind = type == SIZE_MAX ? NULL : &r->kinds[type];
    bool with_before = kind && kind->before;
    pdr_code code = pdr_folded_add(&part->entities, key, hash, with_before, out, err);
    if (code != PDR_OK) return code;
    pdr_folded *e = *out;
    e->type = kind ? (uint32_t)type : UINT32_MAX;
    if (kind) e->now.folder = kind->folder;
    if (with_before) e->before->folder = kind->before;
    if (r->spec.check_every && hash % r->spec.check_every == 0) e->flags |= PDR_FOLDED_CHECKED;
    return PDR_OK;
}

pdr_code pdr_refold_meet(pdr_refold *r, pdr_refold_part *part, pdr_bytes key, pdr_folded **out,
                         pdr_error *err)
{
    uint64_t hash = pdr_key_hash(key);
    *out = pdr_folded_find(&part->entities, key, hash);
    if (PDR_LIKELY(*out)) return PDR_OK;
    if (r->spec.choice && !pdr_choice_has(r->spec.choice, key)) return PDR_OK;
    return add(r, part, key, hash, out, err);
}

void pdr_refold_finish(pdr_refold_part *part, pdr_folded *e, bool leaked)
{
    e->flags |= PDR_FOLDED_DONE;
    pdr_folded_forget(&part->entities, e, leaked);
}

/* --- deviations --- */

static pdr_bytes type_of(const pdr_refold *r, const pdr_folded *e, pdr_bytes value)
{
    uint64_t fingerprint;
    pdr_bytes datum;
    const pdr_type *type = e->now.folder ? pdr_folder_event_type(e->now.folder, value) : NULL;
    if (!type && e->before) type = pdr_folder_event_type(e->before->folder, value);
    if (type) return pdr_bytes_of(type->name, strlen(type->name));
    if (!r->spec.book || pdr_framed_read(&fingerprint, &datum, value, r->spec.book, NULL) != PDR_OK)
        return pdr_bytes_of(NULL, 0);
    pdr_string name = pdr_schema_book_name(r->spec.book, fingerprint);
    return pdr_bytes_of(name.data, name.size);
}

static pdr_code keep_waiting(pdr_folded *e, const pdr_deviation *deviation, pdr_error *err)
{
    pdr_buf bytes = PDR_BUF_INIT(2 * MAX_TOLD);
    pdr_code code = pdr_deviation_put(&bytes, deviation);
    size_t size = bytes.size;
    uint8_t *waiting = code == PDR_OK ? pdr_alloc(sizeof size + size) : NULL;
    if (waiting) {
        memcpy(waiting, &size, sizeof size);
        memcpy(waiting + sizeof size, bytes.data, size);
        pdr_free(e->waiting);
        e->waiting = waiting;
    }
    pdr_buf_release(&bytes);
    return waiting ? PDR_OK : pdr_fail(err, PDR_NOMEM, "keeping a deviation");
}

pdr_code pdr_refold_tell_waiting(pdr_refold *r, pdr_refold_part *part, pdr_folded *e, pdr_error *err)
{
    size_t size;
    pdr_deviation deviation;
    if (!e->waiting) return PDR_OK;
    memcpy(&size, e->waiting, sizeof size);
    pdr_bytes in = pdr_bytes_of(e->waiting + sizeof size, size);
    pdr_code code = pdr_deviation_get(&in, &deviation)
                        ? pdr_deviations_note(part->deviations, &deviation, err)
                        : pdr_fail(err, PDR_BAD_DATA, "a deviation");
    pdr_free(e->waiting);
    e->waiting = NULL;
    if (r->spec.mark) atomic_fetch_add_explicit(&r->spec.mark->found, 1, memory_order_relaxed);
    return code;
}

pdr_code pdr_refold_note(pdr_refold *r, const pdr_refold_event *event, pdr_folded *e, pdr_deviation_kind kind,
                         const char *why, bool with_changes, const pdr_comparison *comparison, pdr_error *err)
{
    enum { MOST_CHANGES = 1000 };
    const pdr_log_record *record = event->record;
    pdr_deviation deviation = {.kind = kind,
                               .partition = event->partition,
                               .offset = record ? record->offset : -1,
                               .time_us = record ? event->header->time_us : 0,
                               .append_ms = record ? record->append_ms : INT64_MAX,
                               .seq = record ? event->header->seq : e->seq,
                               .entity = pdr_folded_key(e),
                               .why = pdr_bytes_of(why, strlen(why))};
    bool waits = r->spec.has_since && !(e->flags & PDR_FOLDED_RECENT);
    pdr_code code = PDR_OK;
    if (record) deviation.type = type_of(r, e, record->entry.value);
    if (with_changes && (waits || pdr_deviations_wants(event->part->deviations, &deviation))) {
        pdr_buf_clear(&r->told);
        code = pdr_comparison_tell(comparison, MOST_CHANGES, &r->told, err);
        deviation.changes = pdr_buf_bytes(&r->told);
        if (code == PDR_TOO_LARGE) { /* that it differs is enough */
            deviation.changes = pdr_bytes_of("[]", 2);
            code = PDR_OK;
        }
    }
    if (code != PDR_OK) return code;
    e->flags |= PDR_FOLDED_FOUND;
    if (waits) return keep_waiting(e, &deviation, err);
    if (r->spec.mark) atomic_fetch_add_explicit(&r->spec.mark->found, 1, memory_order_relaxed);
    return pdr_deviations_note(event->part->deviations, &deviation, err);
}

/* --- one event --- */

typedef struct fold_step {
    pdr_refold *r;
    pdr_folded_state *s;
    const pdr_refold_event *event;
    bool check;
    bool reading; /* not come to apply yet */
    pdr_code code;
    pdr_error err;
} fold_step;

static void fold(void *context)
{
    fold_step *step = context;
    const pdr_folder *folder = step->s->folder;
    const pdr_header *header = step->event->header;
    pdr_bytes value = step->event->record->entry.value;
    pdr_arena *scratch = &step->r->scratch;
    if (step->check) {
        step->code = pdr_state_fold(&step->s->state, folder, value, header->seq, header->time_us, true,
                                    scratch, &step->err);
        return;
    }
    pdr_event_list events;
    pdr_arena_clear(scratch);
    step->code = pdr_folder_read(folder, value, header->seq, header->time_us, scratch, &events, &step->err);
    step->reading = step->code != PDR_OK;
    for (size_t i = 0; step->code == PDR_OK && i < events.count; i++)
        step->code = pdr_state_apply(&step->s->state, folder, pdr_event_list_at(&events, i), &step->err);
}

static pdr_deviation_kind kind_of(const fold_step *step)
{
    switch (step->code) {
    case PDR_UNKNOWN_SCHEMA:
    case PDR_UNKNOWN_TYPE:
    case PDR_BAD_DATA: return PDR_FOUND_UNREADABLE;
    default: return step->reading && step->code == PDR_TOO_LARGE ? PDR_FOUND_UNREADABLE : PDR_FOUND_FAILS;
    }
}

static void mark_event(pdr_refold_mark *mark, const pdr_refold_event *event, const pdr_folded *e)
{
    mark->partition = event->partition;
    mark->offset = event->record->offset;
    mark->seq = event->header->seq;
    mark->key_size = e->key_size;
    memcpy(mark->key, e->key, e->key_size);
}

int pdr_refold_guarded(pdr_refold *r, void (*work)(void *context), void *context)
{
    pdr_refold_mark *mark = r->spec.mark;
    if (!mark) return pdr_guard_call(work, context);
    atomic_store_explicit(&mark->busy, true, memory_order_release);
    int fault = pdr_guard_call(work, context);
    atomic_store_explicit(&mark->busy, false, memory_order_release);
    return fault;
}

static pdr_code crashed(pdr_refold *r, const pdr_refold_event *event, pdr_folded *e, int fault, bool before,
                        pdr_error *err)
{
    char why[160];
    (void)snprintf(why, sizeof why, "%s in apply or an upcaster%s", pdr_guard_signal_name(fault),
                   before ? " of the code that it is compared with" : "");
    pdr_code code =
        pdr_refold_note(r, event, e, before ? PDR_FOUND_OLD_FAILS : PDR_FOUND_CRASHES, why, false, NULL, err);
    pdr_refold_finish(event->part, e, true);
    /* What the crash left in the middle isn't used again. */
    r->scratch = (pdr_arena)PDR_ARENA_INIT(SCRATCH);
    if (code == PDR_OK && r->spec.crashed) r->spec.crashed(r->spec.context, why);
    return code;
}

/* *on: the state is there, go on. */
static pdr_code fold_now(pdr_refold *r, const pdr_refold_event *event, pdr_folded *e, bool *on,
                         pdr_error *err)
{
    fold_step step = {.r = r, .s = &e->now, .event = event, .check = e->flags & PDR_FOLDED_CHECKED};
    *on = false;
    pdr_code code = pdr_folded_wake(&e->now, err);
    if (code != PDR_OK) return code;
    int fault = pdr_refold_guarded(r, fold, &step);
    if (PDR_UNLIKELY(fault)) return crashed(r, event, e, fault, false, err);
    *on = step.code == PDR_OK;
    if (PDR_LIKELY(*on)) return PDR_OK;
    code = pdr_refold_note(r, event, e, kind_of(&step), step.err.message, false, NULL, err);
    pdr_refold_finish(event->part, e, false);
    return code;
}

/* From a failure of the other code on the entity is folded alone. */
static pdr_code fold_before(pdr_refold *r, const pdr_refold_event *event, pdr_folded *e, pdr_error *err)
{
    fold_step step = {.r = r, .s = e->before, .event = event};
    if (!e->before || (e->flags & PDR_FOLDED_ALONE)) return PDR_OK;
    pdr_code code = pdr_folded_wake(e->before, err);
    if (code != PDR_OK) return code;
    int fault = pdr_refold_guarded(r, fold, &step);
    if (PDR_UNLIKELY(fault)) return crashed(r, event, e, fault, true, err);
    if (PDR_LIKELY(step.code == PDR_OK)) return PDR_OK;
    e->flags |= PDR_FOLDED_ALONE;
    if (e->before->state.value) pdr_state_release(&e->before->state);
    return pdr_refold_note(r, event, e, PDR_FOUND_OLD_FAILS, step.err.message, false, NULL, err);
}

static const pdr_refold_fatal *fatal_of(const pdr_refold *r, const pdr_folded *e, uint64_t seq)
{
    for (size_t i = 0; i < r->spec.fatal_count; i++) {
        const pdr_refold_fatal *fatal = &r->spec.fatals[i];
        if (fatal->seq == seq &&
            pdr_bytes_equal(pdr_bytes_of(fatal->key, fatal->key_size), pdr_folded_key(e)))
            return fatal;
    }
    return NULL;
}

/* What keeps the event from being folded at all. */
static pdr_code look_before(pdr_refold *r, const pdr_refold_event *event, pdr_folded *e, pdr_error *err)
{
    char why[160];
    uint64_t seq = event->header->seq;
    if (seq != e->seq + 1) {
        (void)snprintf(why, sizeof why, "after seq %llu comes %llu", (unsigned long long)e->seq,
                       (unsigned long long)seq);
        pdr_refold_finish(event->part, e, false);
        return pdr_refold_note(r, event, e, PDR_FOUND_DAMAGED, why, false, NULL, err);
    }
    if (!e->now.folder) {
        pdr_refold_finish(event->part, e, false);
        return pdr_refold_note(r, event, e, PDR_FOUND_UNREADABLE,
                               "the application doesn't declare this entity type", false, NULL, err);
    }
    const pdr_refold_fatal *fatal = r->spec.fatal_count ? fatal_of(r, e, seq) : NULL;
    if (!fatal) return PDR_OK;
    pdr_refold_finish(event->part, e, false);
    return pdr_refold_note(r, event, e, PDR_FOUND_CRASHES, fatal->why, false, NULL, err);
}

/* Packing tells of states that their schema forbids: that is found where it is met. */
static pdr_code make_room(pdr_refold *r, pdr_error *err)
{
    for (int32_t i = 0; i < r->spec.partitions; i++) {
        pdr_refold_part *part = &r->parts[i];
        if (!part->begun || part->ended) continue;
        for (pdr_code code = PDR_BAD_HANDLER; code != PDR_OK;) {
            pdr_folded *culprit = NULL;
            pdr_error why;
            code = pdr_folded_sweep(&part->entities, &r->now, &culprit, &why);
            if (code == PDR_NOMEM) return pdr_fail(err, code, "%s", why.message);
            if (code == PDR_OK) continue;
            pdr_refold_event whole = {.partition = i, .part = part};
            pdr_code noted =
                pdr_refold_note(r, &whole, culprit, PDR_FOUND_FAILS, why.message, false, NULL, err);
            if (noted != PDR_OK) return noted;
            pdr_refold_finish(part, culprit, false);
        }
        if (!pdr_folded_is_full(&r->room)) return PDR_OK;
    }
    if (!pdr_folded_is_full(&r->room)) return PDR_OK;
    return pdr_fail(err, PDR_NOMEM,
                    "entities and their packed states need more than %zu MiB: give more --memory, or take "
                    "some partitions or entities at a time",
                    r->room.limit >> 20);
}

static pdr_code fold_event(pdr_refold *r, const pdr_refold_event *event, pdr_folded *e, pdr_error *err)
{
    bool on;
    pdr_code code = look_before(r, event, e, err);
    if (code != PDR_OK || (e->flags & PDR_FOLDED_DONE)) return code;
    if (r->spec.mark) mark_event(r->spec.mark, event, e);
    code = fold_now(r, event, e, &on, err);
    if (code != PDR_OK || !on) return code;
    code = fold_before(r, event, e, err);
    if (code != PDR_OK || (e->flags & PDR_FOLDED_DONE)) return code;
    e->seq = event->header->seq;
    e->flags |= PDR_FOLDED_USED;
    pdr_folded_account(&event->part->entities, e);
    if (e->before || e->goal) code = pdr_refold_compare(r, event, e, err);
    if (PDR_UNLIKELY(code == PDR_OK && pdr_folded_is_full(&r->room))) code = make_room(r, err);
    return code;
}

static pdr_code take_event(pdr_refold *r, const pdr_refold_event *event, pdr_error *err)
{
    pdr_folded *e;
    pdr_code code = pdr_refold_meet(r, event->part, event->record->entry.key, &e, err);
    if (code != PDR_OK || !e) return code;
    pdr_deviations_counts_of(event->part->deviations)->events++;
    if (r->spec.mark) {
        atomic_ullong *events = &r->spec.mark->events; /* nobody else writes it */
        atomic_store_explicit(events, atomic_load_explicit(events, memory_order_relaxed) + 1,
                              memory_order_relaxed);
    }
    if (r->spec.has_since && event->header->time_us >= r->spec.since_us && !(e->flags & PDR_FOLDED_RECENT)) {
        e->flags |= PDR_FOLDED_RECENT;
        code = pdr_refold_tell_waiting(r, event->part, e, err);
    }
    if (code != PDR_OK || (e->flags & PDR_FOLDED_DONE)) return code;
    return fold_event(r, event, e, err);
}

static void expect(const pdr_refold *r, unsigned back, pdr_folded_step step)
{
    const pdr_refold_coming_one *one = &r->coming[(r->coming_count - back) % PDR_REFOLD_AHEAD];
    if (one->part) pdr_folded_expect(&one->part->entities, one->hash, step);
}

void pdr_refold_coming(pdr_refold *r, int32_t partition, pdr_bytes key)
{
    enum { ENTITY_AFTER = 5, STATE_AFTER = 10 }; /* records */
    const pdr_refold_part *part = &r->parts[partition];
    if (!key.data || !part->begun) return;
    r->coming[r->coming_count % PDR_REFOLD_AHEAD] = (pdr_refold_coming_one){part, pdr_key_hash(key)};
    expect(r, 0, PDR_FOLDED_SLOT);
    expect(r, ENTITY_AFTER, PDR_FOLDED_ENTITY);
    expect(r, STATE_AFTER, PDR_FOLDED_STATE);
    r->coming_count++;
}

pdr_code pdr_refold_take(pdr_refold *r, int32_t partition, const pdr_commit_event *events, size_t count,
                         pdr_position at, pdr_error *err)
{
    pdr_refold_event event = {.partition = partition};
    pdr_code code = pdr_refold_part_of(r, partition, &event.part, err);
    for (size_t i = 0; code == PDR_OK && i < count; i++) {
        event.record = events[i].record;
        event.header = events[i].header;
        code = take_event(r, &event, err);
    }
    if (code == PDR_OK) event.part->at = at;
    return code;
}
