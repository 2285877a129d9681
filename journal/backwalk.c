#include "journal/backwalk.h"

#include "base/mem.h"

enum { LEAD_MIN = 128, LEAD_MAX = 16384 };

static void drop(pdr_backwalk *walk, pdr_held *held)
{
    walk->bytes -= held->size;
    pdr_free(held);
}

static void list_clear(pdr_backwalk *walk, pdr_held_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        drop(walk, list->items[i]);
    list->count = 0;
}

static void list_release(pdr_backwalk *walk, pdr_held_list *list)
{
    list_clear(walk, list);
    pdr_free(list->items);
    *list = (pdr_held_list){0};
}

void pdr_backwalk_init(pdr_backwalk *walk, pdr_bytes key, uint64_t after_seq, uint64_t to_seq,
                       pdr_position last, size_t max_bytes)
{
    memset(walk, 0, sizeof *walk);
    walk->key = key;
    walk->after_seq = after_seq;
    walk->to_seq = to_seq;
    walk->last = last;
    walk->max_bytes = max_bytes;
    walk->may_scan = true;
    walk->seeking = true;
    walk->target = last.offset;
    walk->target_seq = to_seq;
    walk->near_to = walk->to = -1;
    walk->too_new = -1;
    walk->lead = LEAD_MIN;
}

void pdr_backwalk_release(pdr_backwalk *walk)
{
    list_release(walk, &walk->chain);
    list_release(walk, &walk->near);
    list_release(walk, &walk->incoming);
}

/* --- Taking a range's records --- */

static bool wanted(const pdr_backwalk *walk, const pdr_log_record *record, const pdr_header *header)
{
    if (header->kind != PDR_RECORD_EVENT) return false;
    if (walk->seeking && record->offset == walk->target) return true;
    uint64_t below = walk->to_seq - walk->chain.count; /* the greatest seq still to be found */
    return header->seq > walk->after_seq && header->seq <= below;
}

pdr_code pdr_backwalk_take(pdr_backwalk *walk, const pdr_log_record *record, pdr_error *err)
{
    if (record->offset < walk->from || record->offset > walk->to || walk->bytes > walk->max_bytes)
        return PDR_OK;
    if (!record->entry.header.data || !pdr_bytes_equal(record->entry.key, walk->key)) return PDR_OK;
    pdr_header header;
    pdr_parsed parsed = pdr_header_parse(record->entry.header, &header);
    if (parsed == PDR_PARSED_TOO_NEW && record->offset > walk->too_new) walk->too_new = record->offset;
    if (parsed != PDR_PARSED || !wanted(walk, record, &header)) return PDR_OK;
    pdr_held *held = pdr_held_list_reserve(&walk->incoming, 1) ? pdr_held_copy(record) : NULL;
    if (!held) return pdr_fail(err, PDR_NOMEM, "reading an entity's history");
    walk->incoming.items[walk->incoming.count++] = held;
    walk->bytes += held->size;
    return PDR_OK;
}

/* The range that was read goes before what is near. */
static bool merge_incoming(pdr_backwalk *walk)
{
    pdr_held_list *in = &walk->incoming, *near = &walk->near;
    if (!pdr_held_list_reserve(in, near->count)) return false;
    if (near->count) memcpy(in->items + in->count, near->items, near->count * sizeof(pdr_held *));
    in->count += near->count;
    near->count = 0;
    pdr_held_list empty = *near;
    *near = *in;
    *in = empty;
    if (walk->near_from > walk->near_to) walk->near_to = walk->to;
    walk->near_from = walk->from;
    walk->from = 0;
    walk->to = -1;
    return true;
}

bool pdr_backwalk_shrink(pdr_backwalk *walk)
{
    if (walk->from >= walk->to) return false;
    list_clear(walk, &walk->incoming);
    walk->from += (walk->to - walk->from + 1) / 2;
    walk->lead = LEAD_MIN;
    return true;
}

/* --- What to read next --- */

/* Will the rest cost more than to read all, if the events go on standing as far apart as they did so far?
 * (They can't stand so far apart that walking costs much more than reading all: the log has its length.) */
static bool scan_is_cheaper(const pdr_backwalk *walk)
{
    if (!walk->may_scan || walk->target_seq <= walk->after_seq || walk->target_seq == walk->to_seq)
        return false;
    double scan = (double)walk->last.offset + 1;
    double apart = (double)(walk->last.offset - walk->target) / (double)(walk->to_seq - walk->target_seq);
    double in_crowds = apart + apart * PDR_BACKWALK_JUMP / LEAD_MAX,
           one_by_one = PDR_BACKWALK_JUMP + LEAD_MIN;
    double left = (double)(walk->target_seq - walk->after_seq);
    return left * (in_crowds < one_by_one ? in_crowds : one_by_one) > scan;
}

static pdr_backwalk_step want(pdr_backwalk *walk, int64_t from, int64_t to)
{
    if (scan_is_cheaper(walk)) return PDR_BACKWALK_COSTLY;
    walk->from = from;
    walk->to = to;
    return PDR_BACKWALK_READ;
}

/* A fresh range that ends at the target. */
static pdr_backwalk_step want_target(pdr_backwalk *walk)
{
    list_clear(walk, &walk->near);
    walk->near_from = 0;
    walk->near_to = -1;
    walk->too_new = -1;
    int64_t from = walk->target > walk->lead ? walk->target - walk->lead : 0;
    return want(walk, from, walk->target);
}

/* Further down from what is near, at most to `floor`: twice as wide as so far. */
static pdr_backwalk_step want_more(pdr_backwalk *walk, int64_t floor)
{
    int64_t width = walk->near_to - walk->near_from + 1;
    if (width < LEAD_MIN) width = LEAD_MIN;
    int64_t from = walk->near_from - floor > width ? walk->near_from - width : floor;
    return want(walk, from, walk->near_from - 1);
}

/* --- The chain --- */

/* Events that come in crowds are read in crowds: what lies before the next target is likely wanted, too. */
static void choose_lead(pdr_backwalk *walk, const pdr_header *header, int64_t offset)
{
    if (header->back_offset < 0) return;
    uint64_t left = walk->to_seq - walk->after_seq - walk->chain.count;
    uint64_t apart = (uint64_t)(offset - header->back_offset) / (header->seq - header->back_seq);
    if (apart >= PDR_BACKWALK_JUMP) {
        walk->lead = LEAD_MIN;
        return;
    }
    int64_t lead = walk->lead * 4 < LEAD_MAX ? walk->lead * 4 : LEAD_MAX;
    int64_t useful = left < LEAD_MAX ? (int64_t)(left * (apart + 1)) : LEAD_MAX;
    walk->lead = useful < lead ? useful : lead;
    if (walk->lead < LEAD_MIN) walk->lead = LEAD_MIN;
}

static size_t find_offset(const pdr_held_list *near, int64_t offset)
{
    size_t low = 0, high = near->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (near->items[mid]->record.offset < offset)
            low = mid + 1;
        else
            high = mid;
    }
    return low < near->count && near->items[low]->record.offset == offset ? low : SIZE_MAX;
}

static pdr_code check_target(const pdr_backwalk *walk, const pdr_held *held, pdr_error *err)
{
    const pdr_header *h = &held->header;
    long long offset = held->record.offset;
    if (h->seq != walk->target_seq)
        return pdr_fail(err, PDR_CORRUPT, "the event at offset %lld has seq %llu, it must have seq %llu",
                        offset, (unsigned long long)h->seq, (unsigned long long)walk->target_seq);
    if (walk->chain.count == 0 &&
        (!pdr_term_equal(h->term, walk->last.term) || h->number != walk->last.number))
        return pdr_fail(err, PDR_CORRUPT, "the event at offset %lld is of another term or number", offset);
    if (h->term.offset >= held->record.offset || h->back_offset >= held->record.offset)
        return pdr_fail(err, PDR_CORRUPT, "the event at offset %lld names an offset that is not before it",
                        offset);
    return PDR_OK;
}

static pdr_code no_event_at_target(const pdr_backwalk *walk, pdr_error *err)
{
    if (walk->too_new == walk->target)
        return pdr_fail(err, PDR_TOO_NEW, "the event at offset %lld has a newer format than this program",
                        (long long)walk->target);
    return pdr_fail(err, PDR_CORRUPT, "at offset %lld there is no event of %.*s; its event %llu must be",
                    (long long)walk->target, (int)walk->key.size, (const char *)walk->key.data,
                    (unsigned long long)walk->target_seq);
}

/* The target becomes the chain's lowest, and its backlink the next target, once the gap between is filled. */
static pdr_code take_target(pdr_backwalk *walk, pdr_error *err)
{
    size_t at = find_offset(&walk->near, walk->target);
    if (at == SIZE_MAX) return no_event_at_target(walk, err);
    pdr_held *held = walk->near.items[at];
    pdr_code code = check_target(walk, held, err);
    if (code != PDR_OK) return code;
    if (!pdr_held_list_reserve(&walk->chain, 1))
        return pdr_fail(err, PDR_NOMEM, "reading an entity's history");
    walk->chain.items[walk->chain.count++] = held;
    for (size_t i = at + 1; i < walk->near.count; i++)
        drop(walk, walk->near.items[i]);
    walk->near.count = at;
    walk->near_to = walk->target - 1;
    choose_lead(walk, &held->header, walk->target);
    walk->target = held->header.back_offset;
    walk->target_seq = held->header.back_offset < 0 ? 0 : held->header.back_seq;
    walk->seeking = false;
    return PDR_OK;
}

/* --- The gap between a backlink and its event --- */

/* Put copies of the events above `low` and below `event`, elders first, into `found`. False: some aren't
 * near. */
static bool find_gap(const pdr_backwalk *walk, const pdr_held *event, uint64_t low, pdr_held_list *found)
{
    uint64_t next = low + 1, number = 0;
    found->count = 0;
    for (size_t i = 0; i < walk->near.count && next < event->header.seq; i++) {
        const pdr_header *h = &walk->near.items[i]->header;
        if (h->seq != next || !pdr_term_equal(h->term, event->header.term)) continue;
        if (h->number >= event->header.number || h->number <= number) continue;
        found->items[found->count++] = walk->near.items[i];
        number = h->number;
        next++;
    }
    return next == event->header.seq;
}

/* Move what was found to the chain. */
static void take_gap(pdr_backwalk *walk, pdr_held_list *found)
{
    size_t kept = 0, taken = 0;
    for (size_t i = 0; i < walk->near.count; i++) {
        if (taken < found->count && walk->near.items[i] == found->items[taken])
            taken++;
        else
            walk->near.items[kept++] = walk->near.items[i];
    }
    walk->near.count = kept;
    while (found->count)
        walk->chain.items[walk->chain.count++] = found->items[--found->count];
}

static pdr_backwalk_step gap_missing(const pdr_backwalk *walk, const pdr_held *event, pdr_code *code,
                                     pdr_error *err)
{
    const pdr_header *h = &event->header;
    long long offset = event->record.offset;
    if (walk->too_new > walk->target) {
        *code = pdr_fail(err, PDR_TOO_NEW, "the event at offset %lld has a newer format than this program",
                         (long long)walk->too_new);
        return PDR_BACKWALK_FAILED;
    }
    /* A backlink from before the term's FENCE says less than it should: the void rule's scan decides. */
    if (walk->target < h->term.offset) return PDR_BACKWALK_SCAN;
    *code = pdr_fail(
        err, PDR_CORRUPT,
        "the events between seq %llu at offset %lld and seq %llu at offset %lld aren't all there",
        (unsigned long long)walk->target_seq, (long long)walk->target, (unsigned long long)h->seq, offset);
    return PDR_BACKWALK_FAILED;
}

/* DONE: the gap is filled. */
static pdr_backwalk_step fill_gap(pdr_backwalk *walk, pdr_code *code, pdr_error *err)
{
    const pdr_held *event = walk->chain.items[walk->chain.count - 1];
    const pdr_header *h = &event->header;
    uint64_t low = walk->target_seq > walk->after_seq ? walk->target_seq : walk->after_seq;
    uint64_t need = h->seq - 1 - low;
    if (need == 0) return PDR_BACKWALK_DONE;
    int64_t floor = walk->target > h->term.offset ? walk->target : h->term.offset;
    if (walk->near.count >= need) {
        if (!pdr_held_list_reserve(&walk->incoming, (size_t)need) ||
            !pdr_held_list_reserve(&walk->chain, (size_t)need)) {
            *code = pdr_fail(err, PDR_NOMEM, "reading an entity's history");
            return PDR_BACKWALK_FAILED;
        }
        if (find_gap(walk, event, low, &walk->incoming)) {
            take_gap(walk, &walk->incoming);
            return PDR_BACKWALK_DONE;
        }
        walk->incoming.count = 0;
    }
    uint64_t room = (uint64_t)(event->record.offset - floor);
    if (walk->near_from <= floor || need >= room) return gap_missing(walk, event, code, err);
    return want_more(walk, floor);
}

pdr_backwalk_step pdr_backwalk_next(pdr_backwalk *walk, pdr_code *code, pdr_error *err)
{
    *code = PDR_OK;
    if (walk->from <= walk->to && !merge_incoming(walk)) {
        *code = pdr_fail(err, PDR_NOMEM, "reading an entity's history");
        return PDR_BACKWALK_FAILED;
    }
    while (walk->bytes <= walk->max_bytes) {
        if (walk->seeking) {
            if (walk->target < walk->near_from || walk->target > walk->near_to) return want_target(walk);
            *code = take_target(walk, err);
            if (*code != PDR_OK) return PDR_BACKWALK_FAILED;
        }
        pdr_backwalk_step step = fill_gap(walk, code, err);
        if (step != PDR_BACKWALK_DONE) return step;
        if (walk->chain.count == walk->to_seq - walk->after_seq) return PDR_BACKWALK_DONE;
        walk->seeking = true;
    }
    return PDR_BACKWALK_SCAN;
}
