/* What folded states are compared with. */
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "journal/partitioner.h"
#include "replay/guard.h"
#include "replay/refold_inside.h"

/* --- which snapshots can be compared with --- */

enum { NEARBY = 64 }; /* declared revisions on either side of today's that are looked at */

static bool has_todays_schema(const pdr_entity_type *type, uint64_t revision)
{
    uint32_t from = type->revision > NEARBY ? type->revision - NEARBY : 0;
    for (uint32_t declared = from; declared <= type->revision + NEARBY; declared++)
        if (pdr_state_revision(type->state, declared) == revision) return true;
    return false;
}

/* How good a snapshot is to compare with: today's revision, one of the same schema, one that steps bring
 * forward. SIZE_MAX: none. */
static size_t rank_of(const pdr_refold_kind *kind, uint64_t revision)
{
    size_t count;
    if (revision == pdr_folder_revision(kind->folder)) return 0;
    if (has_todays_schema(kind->type, revision)) return 1;
    const uint64_t *revisions = pdr_state_chain_revisions(pdr_folder_states(kind->folder), &count);
    for (size_t i = 0; i < count; i++)
        if (revisions[i] == revision) return 2 + i;
    return SIZE_MAX;
}

pdr_code pdr_refold_expect(pdr_refold *r, int32_t partition, const pdr_head *head, pdr_error *err)
{
    pdr_refold_part *part;
    pdr_folded *e;
    if (!head->state.data || partition < 0 || partition >= r->spec.partitions) return PDR_OK;
    pdr_code code = pdr_refold_part_of(r, partition, &part, err);
    if (code == PDR_OK) code = pdr_refold_meet(r, part, head->key, &e, err);
    if (code != PDR_OK || !e || e->type == UINT32_MAX) return code;
    if (e->flags & (PDR_FOLDED_DONE | PDR_FOLDED_COMPARED)) return PDR_OK;
    const pdr_refold_kind *kind = &r->kinds[e->type];
    size_t rank = rank_of(kind, head->revision);
    if (rank == SIZE_MAX || head->state_seq <= e->seq) return PDR_OK;
    if (e->goal && rank_of(kind, e->goal->revision) <= rank) return PDR_OK;
    return pdr_folded_aim(&part->entities, e, head->revision, head->state_seq, head->state, err);
}

/* --- a snapshot of another schema --- */

typedef struct forward_step {
    const pdr_folder *folder;
    const pdr_folded_goal *goal;
    pdr_buf *out;
    pdr_code code;
    pdr_error err;
} forward_step;

static void bring_forward(void *context)
{
    forward_step *step = context;
    pdr_state state;
    pdr_bytes packed = pdr_bytes_of(step->goal->bytes, step->goal->size);
    step->code = pdr_state_load_as(&state, step->folder, step->goal->revision, packed, &step->err);
    if (step->code != PDR_OK) return;
    step->code = pdr_state_pack(&state, step->folder, step->out, &step->err);
    pdr_state_release(&state);
}

/* The snapshot as today's state; *usable false: a deviation says why it can't be. */
static pdr_code read_goal(pdr_refold *r, const pdr_refold_event *event, pdr_folded *e, pdr_bytes *out,
                          bool *usable, pdr_error *err)
{
    const pdr_refold_kind *kind = &r->kinds[e->type];
    *usable = true;
    *out = pdr_bytes_of(e->goal->bytes, e->goal->size);
    if (rank_of(kind, e->goal->revision) < 2) return PDR_OK;
    forward_step step = {.folder = kind->folder, .goal = e->goal, .out = &r->before};
    pdr_buf_clear(&r->before);
    int fault = pdr_refold_guarded(r, bring_forward, &step);
    *out = pdr_buf_bytes(&r->before);
    *usable = !fault && step.code == PDR_OK;
    if (*usable) return PDR_OK;
    if (!fault && step.code == PDR_NOMEM) return pdr_fail(err, PDR_NOMEM, "%s", step.err.message);
    pdr_code code =
        pdr_refold_note(r, event, e, fault ? PDR_FOUND_CRASHES : PDR_FOUND_FAILS,
                        fault ? pdr_guard_signal_name(fault) : step.err.message, false, NULL, err);
    pdr_refold_finish(event->part, e, fault != 0);
    return code;
}

/* --- comparing --- */

/* *packed false: a deviation says why it can't be. */
static pdr_code pack_now(pdr_refold *r, const pdr_refold_event *event, pdr_folded *e, bool *packed,
                         pdr_error *err)
{
    pdr_error why;
    pdr_buf_clear(&r->now);
    pdr_code code = pdr_folded_pack(&e->now, &r->now, &why);
    *packed = code == PDR_OK;
    if (code == PDR_OK) return PDR_OK;
    if (code == PDR_NOMEM) return pdr_fail(err, code, "%s", why.message);
    code = pdr_refold_note(r, event, e, PDR_FOUND_FAILS, why.message, false, NULL, err);
    pdr_refold_finish(event->part, e, false);
    return code;
}

static pdr_code settle(pdr_refold *r, const pdr_refold_event *event, pdr_folded *e, pdr_bytes from,
                       const char *what, pdr_error *err)
{
    bool same;
    pdr_error why;
    pdr_comparison *comparison = r->kinds[e->type].comparison;
    pdr_code code = pdr_comparison_run(comparison, from, pdr_buf_bytes(&r->now), &same, &why);
    if (code == PDR_NOMEM) return pdr_fail(err, code, "%s", why.message);
    e->flags |= PDR_FOLDED_COMPARED;
    if (code == PDR_OK && same) return PDR_OK;
    code = code == PDR_OK ? pdr_refold_note(r, event, e, PDR_FOUND_DIFFERS, what, true, comparison, err)
                          : pdr_refold_note(r, event, e, PDR_FOUND_DAMAGED, why.message, false, NULL, err);
    pdr_refold_finish(event->part, e, false);
    return code;
}

static pdr_code compare_codes(pdr_refold *r, const pdr_refold_event *event, pdr_folded *e, pdr_error *err)
{
    pdr_error why;
    pdr_buf_clear(&r->before);
    pdr_code code = pdr_folded_pack(e->before, &r->before, &why);
    if (code == PDR_NOMEM) return pdr_fail(err, code, "%s", why.message);
    if (code == PDR_OK) return settle(r, event, e, pdr_buf_bytes(&r->before), "", err);
    e->flags |= PDR_FOLDED_ALONE;
    return pdr_refold_note(r, event, e, PDR_FOUND_OLD_FAILS, why.message, false, NULL, err);
}

static pdr_code compare_goal(pdr_refold *r, const pdr_refold_event *event, pdr_folded *e, pdr_error *err)
{
    bool usable;
    pdr_bytes from;
    pdr_code code = read_goal(r, event, e, &from, &usable, err);
    if (code == PDR_OK && usable) code = settle(r, event, e, from, "from the store's snapshot", err);
    pdr_folded_drop_goal(&event->part->entities, e);
    return code;
}

pdr_code pdr_refold_compare(pdr_refold *r, const pdr_refold_event *event, pdr_folded *e, pdr_error *err)
{
    bool packed, due = e->goal && e->goal->seq <= e->seq;
    bool codes = e->before && !(e->flags & PDR_FOLDED_ALONE);
    if (!codes && !due) return PDR_OK;
    pdr_code code = pack_now(r, event, e, &packed, err);
    if (code != PDR_OK || !packed) return code;
    if (codes) return compare_codes(r, event, e, err);
    return compare_goal(r, event, e, err);
}

/* --- a partition's end --- */

static pdr_code look_at_end(pdr_refold *r, const pdr_refold_event *whole, pdr_folded *e, pdr_error *err)
{
    char why[160];
    bool packed;
    if (e->flags & PDR_FOLDED_DONE) return PDR_OK;
    if (e->goal) {
        (void)snprintf(why, sizeof why,
                       "the store has its state at seq %" PRIu64 ", the log ends with its event %" PRIu64,
                       e->goal->seq, e->seq);
        return pdr_refold_note(r, whole, e, PDR_FOUND_DAMAGED, why, false, NULL, err);
    }
    return pack_now(r, whole, e, &packed, err); /* a state that its schema forbids is told here at last */
}

static void count_entity(const pdr_refold *r, pdr_deviations_counts *counts, const pdr_folded *e)
{
    bool found = e->flags & PDR_FOLDED_FOUND;
    if (!e->seq && !found) return;
    counts->entities++;
    if (e->flags & PDR_FOLDED_CHECKED) counts->checked++;
    if (e->flags & PDR_FOLDED_COMPARED)
        counts->compared++;
    else if ((r->spec.snapshots || r->spec.against) && !found)
        counts->uncompared++;
}

/* Those that were asked for by id, and never met. */
static pdr_code tell_absent(pdr_refold *r, pdr_refold_event *whole, pdr_error *err)
{
    pdr_folded *e;
    char why[300];
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && r->spec.choice && i < pdr_choice_count(r->spec.choice); i++) {
        pdr_bytes id = pdr_choice_at(r->spec.choice, i);
        if (pdr_partition_of(id, r->spec.partitions) != whole->partition) continue;
        code = pdr_refold_meet(r, whole->part, id, &e, err);
        if (code != PDR_OK || e->seq || (e->flags & PDR_FOLDED_FOUND)) continue;
        e->flags |= PDR_FOLDED_RECENT | PDR_FOLDED_DONE;
        size_t size = (size_t)snprintf(why, sizeof why, "it has no events");
        if (r->spec.absent) r->spec.absent(r->spec.context, id, why + size, sizeof why - size);
        code = pdr_refold_note(r, whole, e, PDR_FOUND_ABSENT, why, false, NULL, err);
        e->flags &= (uint16_t)~PDR_FOLDED_FOUND; /* it isn't one that was folded */
    }
    return code;
}

pdr_code pdr_refold_end(pdr_refold *r, int32_t partition, pdr_error *err)
{
    pdr_refold_event whole = {.partition = partition};
    pdr_code code = pdr_refold_part_of(r, partition, &whole.part, err);
    if (code != PDR_OK || whole.part->ended) return code;
    code = tell_absent(r, &whole, err);
    for (pdr_folded *e = whole.part->entities.all; code == PDR_OK && e; e = e->next) {
        if (r->spec.has_since && !(e->flags & PDR_FOLDED_RECENT)) continue;
        code = look_at_end(r, &whole, e, err);
        count_entity(r, pdr_deviations_counts_of(whole.part->deviations), e);
    }
    if (code != PDR_OK) return code;
    pdr_folded_release(&whole.part->entities);
    whole.part->ended = true;
    return PDR_OK;
}
