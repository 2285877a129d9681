#include "tests/support/made_log.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

/* --- Random numbers: splitmix64 --- */

uint64_t made_random(made_log *made, uint64_t below)
{
    uint64_t z = made->random += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % below;
}

void made_init(made_log *made, uint64_t seed)
{
    memset(made, 0, sizeof *made);
    array_log_init(&made->log);
    made->random = seed;
    made->term = PDR_TERM_NONE;
    for (size_t i = 0; i < MADE_ENTITIES; i++) {
        made->entities[i].acked_offset = -1;
        snprintf(made->entities[i].key, sizeof made->entities[i].key, "loan/%zu", i);
    }
    made->entity_count = MADE_ENTITIES;
}

void made_release(made_log *made)
{
    array_log_release(&made->log);
    for (size_t i = 0; i < MADE_ENTITIES; i++)
        free(made->entities[i].events);
    free(made->starts);
}

static void *grown(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity) return items;
    *capacity = *capacity ? 2 * *capacity : 16;
    items = realloc(items, *capacity * size);
    PDR_INVARIANT("tests-have-memory", items != NULL);
    return items;
}

/* --- By hand --- */

void made_value(char out[40], const char *key, uint64_t seq, const pdr_header *header)
{
    snprintf(out, 40, "%.12s #%llu %llu", key, (unsigned long long)seq, (unsigned long long)header->number);
}

int64_t made_append_bytes(made_log *made, const char *key, pdr_bytes header)
{
    pdr_log_entry entry = {.header = header};
    pdr_header parsed;
    char value[40];
    if (key) {
        entry.key = pdr_bytes_of(key, strlen(key));
        if (pdr_header_parse(header, &parsed) == PDR_PARSED)
            made_value(value, key, parsed.seq, &parsed);
        else
            snprintf(value, sizeof value, "?");
        entry.value = pdr_bytes_of(value, strlen(value));
    }
    return array_log_append(&made->log, &entry);
}

int64_t made_append(made_log *made, const char *key, const pdr_header *header)
{
    pdr_buf buf = PDR_BUF_INIT(PDR_MAX_HEADER);
    pdr_code code = pdr_header_encode(header, &buf);
    PDR_INVARIANT("made-headers-are-sound", code == PDR_OK);
    int64_t offset = made_append_bytes(made, key, pdr_buf_bytes(&buf));
    pdr_buf_release(&buf);
    return offset;
}

static void add_start(made_log *made, int64_t offset, uint64_t number)
{
    made->starts = grown(made->starts, made->start_count, &made->start_capacity, sizeof *made->starts);
    made->starts[made->start_count++] = (pdr_position){offset, made->term, number};
}

int64_t made_fence(made_log *made)
{
    pdr_header header = {
        .kind = PDR_RECORD_FENCE, .term = {-1, made_random(made, UINT64_MAX)}, .partitions = 8};
    int64_t offset = made_append(made, NULL, &header);
    made->term = (pdr_term){offset, header.term.incarnation};
    made->number = 0;
    made->fences++;
    add_start(made, offset, 0);
    return offset;
}

int64_t made_mark(made_log *made)
{
    pdr_header header = {.kind = PDR_RECORD_MARK, .term = made->term, .number = ++made->number};
    int64_t offset = made_append(made, NULL, &header);
    add_start(made, offset, header.number);
    return offset;
}

/* --- As an owner --- */

static pdr_header *put_on_wire(made_log *made, size_t entity)
{
    PDR_INVARIANT("wire-has-room", made->wire_count < MADE_WIRE);
    made_sent *sent = &made->wire[made->wire_count++];
    *sent = (made_sent){.entity = entity};
    sent->header.term = made->term;
    sent->header.number = ++made->number;
    sent->header.back_offset = -1;
    return &sent->header;
}

void made_send(made_log *made, size_t entity, uint32_t events)
{
    made_entity *e = &made->entities[entity];
    for (uint32_t i = 0; i < events; i++) {
        pdr_header *h = put_on_wire(made, entity);
        h->kind = PDR_RECORD_EVENT;
        h->seq = ++e->seq;
        h->index = i;
        h->count = events;
        h->schema = 1;
        h->time_us = 1700000000000000 + (int64_t)h->number;
        h->back_offset = e->acked_offset;
        h->back_seq = e->acked_offset < 0 ? 0 : e->acked_seq;
    }
}

/* Their places are known when the last has landed. */
static void commit_counts(made_log *made, made_entity *e, const pdr_header *last)
{
    for (uint32_t i = 0; i < last->count; i++) {
        size_t at = made->landed_count - last->count + i;
        e->events = grown(e->events, e->count, &e->capacity, sizeof *e->events);
        e->events[e->count++] = (made_event){.offset = made->landed_at[at], .index = i, .count = last->count};
        e->events[e->count - 1].position =
            (pdr_position){made->landed_at[at], last->term, made->landed[at].header.number};
    }
}

void made_land(made_log *made)
{
    if (made->wire_count == 0) return;
    while (made->landed_count == MADE_WIRE)
        made_ack(made);
    made_sent sent = made->wire[0];
    memmove(made->wire, made->wire + 1, --made->wire_count * sizeof *made->wire);
    made_entity *e = &made->entities[sent.entity];
    bool event = sent.header.kind == PDR_RECORD_EVENT;
    int64_t offset = made_append(made, event ? e->key : NULL, &sent.header);
    made->landed[made->landed_count] = sent;
    made->landed_at[made->landed_count++] = offset;
    if (event && sent.header.index + 1 < sent.header.count) return;
    add_start(made, offset, sent.header.number);
    if (event) commit_counts(made, e, &sent.header);
}

/* Only what can't be needed any more to count a commit leaves the list: an owner acknowledges a commit's
 * events one by one, also while later ones are under way. */
void made_ack(made_log *made)
{
    for (size_t i = 0; i < made->landed_count; i++) {
        made_sent *sent = &made->landed[i];
        made_entity *e = &made->entities[sent->entity];
        if (sent->header.kind != PDR_RECORD_EVENT || e->acked_offset >= made->landed_at[i]) continue;
        e->acked_seq = sent->header.seq;
        e->acked_offset = made->landed_at[i];
        break;
    }
    const pdr_header *first = &made->landed[0].header;
    size_t whole = first->kind == PDR_RECORD_EVENT ? first->count : 1;
    if (made->landed_count < whole) return;
    const made_sent *last = &made->landed[whole - 1];
    if (first->kind == PDR_RECORD_EVENT &&
        made->entities[last->entity].acked_offset < made->landed_at[whole - 1])
        return;
    made->landed_count -= whole;
    memmove(made->landed, made->landed + whole, made->landed_count * sizeof *made->landed);
    memmove(made->landed_at, made->landed_at + whole, made->landed_count * sizeof *made->landed_at);
}

void made_settle(made_log *made)
{
    while (made->wire_count)
        made_land(made);
    while (made->landed_count)
        made_ack(made);
}

static void append_void(made_log *made, const made_sent *sent)
{
    bool event = sent->header.kind == PDR_RECORD_EVENT;
    made_append(made, event ? made->entities[sent->entity].key : NULL, &sent->header);
    made->voids++;
}

/* A recovery reads the truth: everything that counts is acknowledged, the rest forgotten. */
static void recover(made_log *made)
{
    for (size_t i = 0; i < MADE_ENTITIES; i++) {
        made_entity *e = &made->entities[i];
        e->seq = e->acked_seq = e->count;
        e->acked_offset = e->count ? e->events[e->count - 1].offset : -1;
    }
    made->landed_count = made->wire_count = 0;
}

void made_refence(made_log *made)
{
    size_t zombies = made->wire_count, torn = 0;
    while (torn < made->landed_count) { /* events of an open commit in the log are void now */
        const pdr_header *h = &made->landed[torn].header;
        size_t whole = h->kind == PDR_RECORD_EVENT ? h->count : 1;
        if (made->landed_count - torn < whole) break;
        torn += whole;
    }
    made->voids += made->landed_count - torn;
    made_fence(made);
    for (size_t i = 0; i < zombies; i++)
        if (made_random(made, 3)) append_void(made, &made->wire[i]);
    recover(made);
}

static void repeat(made_log *made)
{
    size_t at = (size_t)made_random(made, made->log.count);
    const pdr_log_record *record = &made->log.records[at];
    pdr_header header;
    if (pdr_header_parse(record->entry.header, &header) != PDR_PARSED || header.kind == PDR_RECORD_FENCE)
        return;
    /* What has only overtaken its elders is still to come: its copy might count. */
    uint64_t landed = made->wire_count ? made->wire[0].header.number - 1 : made->number;
    if (pdr_term_equal(header.term, made->term) && header.number > landed) return;
    pdr_log_entry copy = record->entry;
    array_log_append(&made->log, &copy);
    made->voids++;
}

void made_noise(made_log *made)
{
    static const uint8_t junk[] = {1, 4, 0xff};
    switch (made_random(made, 6)) {
    case 0: made_append_bytes(made, "loan/1", pdr_bytes_of(NULL, 0)); break;
    case 1: made_append_bytes(made, "loan/1", pdr_bytes_of(junk, sizeof junk)); break;
    case 2: array_log_skip(&made->log, 1 + (int64_t)made_random(made, 3)); break;
    case 3: /* one that overtakes its elder */
        if (made->wire_count > 1) append_void(made, &made->wire[1 + made_random(made, made->wire_count - 1)]);
        break;
    default:
        if (made->log.count) repeat(made);
    }
}

void made_run(made_log *made, const made_weights *w, size_t steps)
{
    made->entity_count = w->entities;
    if (made->fences == 0) made_fence(made);
    unsigned all = w->send + w->land + w->ack + w->noise + w->fence;
    for (size_t i = 0; i < steps; i++) {
        uint64_t dice = made_random(made, all);
        if (dice < w->send) {
            uint32_t events = 1 + (uint32_t)made_random(made, w->max_commit);
            if (made->wire_count + events >= MADE_WIRE) continue;
            if (made_random(made, 16) == 0)
                put_on_wire(made, 0)->kind = PDR_RECORD_MARK;
            else
                made_send(made, (size_t)made_random(made, w->entities), events);
        } else if ((dice -= w->send) < w->land)
            made_land(made);
        else if ((dice -= w->land) < w->ack)
            made_ack(made);
        else if (dice - w->ack < w->noise)
            made_noise(made);
        else
            made_refence(made);
    }
    made_settle(made);
}
