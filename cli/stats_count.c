#include "cli/stats_count.h"

#include "journal/framed.h"

#define HOUR INT64_C(3600000000)
#define DAY (24 * HOUR)

void pdr_stats_count_init(pdr_stats_count *count)
{
    memset(count, 0, sizeof *count);
    count->totals.first_us = INT64_MAX;
    count->totals.last_us = INT64_MIN;
    pdr_tally_init(&count->types, sizeof(pdr_stats_type));
    pdr_tally_init(&count->days, sizeof(uint64_t));
    pdr_tally_init(&count->entities, sizeof(pdr_stats_entity));
}

void pdr_stats_count_release(pdr_stats_count *count)
{
    pdr_tally_release(&count->types);
    pdr_tally_release(&count->days);
    pdr_tally_release(&count->entities);
}

static int64_t divide_down(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static pdr_bytes key_of(const void *number)
{
    return pdr_bytes_of(number, sizeof(uint64_t));
}

/* Who wrote it is asked once for each schema. */
static pdr_code count_type(pdr_stats_count *c, pdr_tool *tool, int32_t partition,
                           const pdr_commit_event *event, pdr_error *err)
{
    uint64_t fingerprint = 0;
    pdr_bytes datum, value = event->record->entry.value;
    pdr_code code = pdr_framed_read(&fingerprint, &datum, value, pdr_tool_book(tool), NULL);
    if (code != PDR_OK) fingerprint = 0;
    pdr_stats_type *type = pdr_tally_of(&c->types, key_of(&fingerprint));
    if (!type) return pdr_fail(err, PDR_NOMEM, "counting types");
    if (!type->events++ || !type->name) {
        pdr_writer writer;
        pdr_error why;
        type->fingerprint = fingerprint;
        code = pdr_tool_writer(tool, partition, event->record, event->header, &writer, &why);
        if (code == PDR_OK) {
            type->name = writer.name;
            type->version = writer.version;
        } else if (code == PDR_NOMEM || code == PDR_CANCELLED) {
            if (err) *err = why;
            return code;
        }
    }
    type->bytes += value.size;
    return PDR_OK;
}

static pdr_code count_entity(pdr_stats_count *c, const pdr_commit_event *event, pdr_error *err)
{
    pdr_stats_entity *e = pdr_tally_of(&c->entities, event->record->entry.key);
    if (!e) return pdr_fail(err, PDR_NOMEM, "counting entities");
    int64_t hour = divide_down(event->header->time_us, HOUR);
    e->events++;
    e->bytes += event->record->entry.value.size;
    if (e->events == 1 || e->hour != hour) e->hour_events = 0;
    e->hour = hour;
    if (++e->hour_events > e->best_events) {
        e->best_events = e->hour_events;
        e->best_hour = hour;
    }
    return PDR_OK;
}

pdr_code pdr_stats_count_event(pdr_stats_count *count, pdr_tool *tool, int32_t partition,
                               const pdr_commit_event *event, pdr_error *err)
{
    pdr_stats_totals *t = &count->totals;
    int64_t at = event->header->time_us, day = divide_down(at, DAY);
    t->events++;
    t->bytes += event->record->entry.value.size;
    if (at < t->first_us) t->first_us = at;
    if (at > t->last_us) t->last_us = at;
    uint64_t *of_day = pdr_tally_of(&count->days, key_of(&day));
    if (!of_day) return pdr_fail(err, PDR_NOMEM, "counting days");
    ++*of_day;
    pdr_code code = count_type(count, tool, partition, event, err);
    return code == PDR_OK ? count_entity(count, event, err) : code;
}

void pdr_stats_count_other(pdr_stats_count *count, pdr_verdict verdict)
{
    count->totals.voids += verdict == PDR_VERDICT_VOID;
    count->totals.foreigns += verdict == PDR_VERDICT_FOREIGN;
    count->totals.malformeds += verdict == PDR_VERDICT_MALFORMED;
    count->totals.fences += verdict == PDR_VERDICT_FENCE;
}

/* --- all threads --- */

static void add_totals(pdr_stats_totals *into, const pdr_stats_totals *more)
{
    into->commits += more->commits;
    into->events += more->events;
    into->bytes += more->bytes;
    into->voids += more->voids;
    into->foreigns += more->foreigns;
    into->malformeds += more->malformeds;
    into->fences += more->fences;
    if (more->first_us < into->first_us) into->first_us = more->first_us;
    if (more->last_us > into->last_us) into->last_us = more->last_us;
}

static bool add_types(pdr_tally *into, const pdr_tally *more)
{
    for (size_t i = 0; i < more->count; i++) {
        const pdr_stats_type *one = (const void *)more->entries[i]->value;
        pdr_stats_type *type = pdr_tally_of(into, key_of(&one->fingerprint));
        if (!type) return false;
        pdr_stats_type sum = type->name ? *type : *one;
        sum.events = type->events + one->events;
        sum.bytes = type->bytes + one->bytes;
        *type = sum;
    }
    return true;
}

static bool add_days(pdr_tally *into, const pdr_tally *more)
{
    for (size_t i = 0; i < more->count; i++) {
        uint64_t *events = pdr_tally_of(into, pdr_tally_key(more, more->entries[i]));
        if (!events) return false;
        *events += *(const uint64_t *)(const void *)more->entries[i]->value;
    }
    return true;
}

static void add_sizes(uint64_t *sizes, const pdr_tally *entities)
{
    for (size_t i = 0; i < entities->count; i++) {
        const pdr_stats_entity *e = (const void *)entities->entries[i]->value;
        sizes[63 - __builtin_clzll(e->events)]++;
    }
}

pdr_code pdr_stats_merge(pdr_stats_count *counts, unsigned threads, pdr_error *err)
{
    for (unsigned t = 0; t < threads; t++) {
        add_sizes(counts->sizes, &counts[t].entities);
        if (t == 0) continue;
        add_totals(&counts->totals, &counts[t].totals);
        if (!add_types(&counts->types, &counts[t].types) || !add_days(&counts->days, &counts[t].days))
            return pdr_fail(err, PDR_NOMEM, "counts of %u threads", threads);
    }
    return PDR_OK;
}
