/* Records: the void rule and what explains those that don't count, FENCEs, SCHEMAs, and the places that
 * others rest on. */
#include <inttypes.h>
#include <stdio.h>
#include <xxhash.h>

#include "base/mem.h"
#include "replay/verify_core.h"
#include "schemas/schema.h"

static verify_where at_record(const pdr_log_record *record)
{
    return (verify_where){record->offset, {NULL, 0}, 0};
}

/* --- terms --- */

static pdr_code note_term(verify_part *part, pdr_term term, pdr_error *err)
{
    pdr_term *t = verify_list_add(&part->terms, sizeof *t);
    if (!t) return pdr_fail(err, PDR_NOMEM, "%zu terms", part->terms.count);
    *t = term;
    part->schemas.count = 0;
    return PDR_OK;
}

static bool has_begun(const verify_part *part, pdr_term term)
{
    const pdr_term *terms = part->terms.items;
    size_t low = 0, high = part->terms.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (terms[middle].offset < term.offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < part->terms.count && pdr_term_equal(terms[low], term);
}

static void check_fence(verify_part *part, const pdr_log_record *record, const pdr_header *header)
{
    if (!part->has_id) {
        memcpy(part->journal_id, header->journal_id, sizeof part->journal_id);
        part->has_id = true;
    }
    if (memcmp(part->journal_id, header->journal_id, sizeof part->journal_id) != 0)
        verify_tell(part, PDR_VERIFY_JOURNAL_ID, at_record(record), "a FENCE is of this journal",
                    "it is another journal's, appended by %.*s", (int)header->address.size,
                    (const char *)header->address.data);
    if (header->partitions != part->verify->spec.partitions)
        verify_tell(part, PDR_VERIFY_JOURNAL_ID, at_record(record),
                    "a FENCE says how many partitions the log has", "it says %d; the log has %d",
                    (int)header->partitions, (int)part->verify->spec.partitions);
}

/* --- copies: all that have one number in a term are the same, byte for byte --- */

static uint64_t hash_of(const pdr_log_record *record)
{
    const pdr_log_entry *e = &record->entry;
    XXH64_hash_t hash = XXH3_64bits(e->header.data, e->header.size);
    hash = XXH3_64bits_withSeed(e->key.data ? e->key.data : (const uint8_t *)"", e->key.size, hash);
    hash = XXH3_64bits_withSeed(e->value.data ? e->value.data : (const uint8_t *)"", e->value.size, hash);
    return XXH3_64bits_withSeed(e->schema.data ? e->schema.data : (const uint8_t *)"", e->schema.size, hash);
}

static void remember_copy(verify_part *part, const pdr_log_record *record)
{
    const pdr_walk *walk = &part->commits.walk;
    part->copies[walk->count % VERIFY_COPIES] =
        (verify_copy){walk->count, hash_of(record), walk->term.offset};
}

static void check_copy(verify_part *part, const pdr_log_record *record, const pdr_header *header)
{
    const verify_copy *copy = &part->copies[header->number % VERIFY_COPIES];
    bool same_place = copy->number == header->number && copy->term == header->term.offset;
    if (!same_place || copy->hash == hash_of(record)) return;
    verify_tell(part, PDR_VERIFY_ONE_TERM, at_record(record),
                "all records with one number in a term are the same byte for byte",
                "it has number %" PRIu64 " of the term at %" PRId64 ", as an earlier one, and differs",
                header->number, header->term.offset);
}

/* --- records that don't count --- */

static void explain_void(verify_part *part, const pdr_log_record *record, const pdr_header *header)
{
    const pdr_walk *walk = &part->commits.walk;
    if (!has_begun(part, header->term)) {
        verify_tell(part, PDR_VERIFY_ONE_TERM, at_record(record),
                    "a record is of a term that a FENCE before it began",
                    "its term is that of a FENCE at %" PRId64 " (%016" PRIx64 "), which isn't there",
                    header->term.offset, header->term.incarnation);
    } else if (!pdr_term_equal(header->term, walk->term)) {
        part->totals.late++;
    } else if (header->number <= walk->count) {
        part->totals.repeats++;
        check_copy(part, record, header);
    } else {
        part->totals.holes++;
    }
}

static void tell_malformed(verify_part *part, const pdr_log_record *record)
{
    part->totals.malformed++;
    verify_tell(part, PDR_VERIFY_FRAMING, at_record(record), "a header \"pdr\" can be read",
                "%zu bytes that can't; the record is void", record->entry.header.size);
}

/* FENCE, SCHEMA and MARK are headers alone. */
static void check_bare(verify_part *part, const pdr_log_record *record, const char *kind)
{
    if (!record->entry.key.data && !record->entry.value.data) return;
    verify_tell(part, PDR_VERIFY_FRAMING, at_record(record),
                "FENCE, SCHEMA and MARK have no key and no value",
                "a %s with a key of %zu and a value of %zu bytes", kind, record->entry.key.size,
                record->entry.value.size);
}

/* --- SCHEMA records --- */

const verify_schema *verify_schema_of(const verify_part *part, uint64_t number)
{
    const verify_schema *schemas = part->schemas.items;
    for (size_t i = part->schemas.count; i-- > 0 && schemas[i].number >= number;)
        if (schemas[i].number == number) return &schemas[i];
    return NULL;
}

/* Read anew, whether or not the book knows it. */
static pdr_code read_schema(const pdr_log_record *record, uint64_t *fingerprint, pdr_error *err)
{
    pdr_schema_set *set;
    pdr_string json = {(const char *)record->entry.schema.data, record->entry.schema.size};
    if (!json.data) return pdr_fail(err, PDR_BAD_SCHEMA, "there is no header \"pdr-schema\"");
    pdr_code code = pdr_schema_read(&set, "SCHEMA", json, err);
    if (code != PDR_OK) return code;
    code = pdr_schema_fingerprint(fingerprint, pdr_schema_set_root(set, 0), err);
    pdr_schema_set_close(set);
    return code;
}

static pdr_code take_schema(verify_part *part, const pdr_log_record *record, const pdr_header *header,
                            pdr_error *err)
{
    pdr_error why;
    uint64_t fingerprint = 0;
    verify_schema *s = verify_list_add(&part->schemas, sizeof *s);
    if (!s) return pdr_fail(err, PDR_NOMEM, "%zu schemas", part->schemas.count);
    *s = (verify_schema){header->number, header->schema_fingerprint, header->registry_id};
    pdr_code code = read_schema(record, &fingerprint, &why);
    if (code == PDR_NOMEM) return pdr_fail(err, code, "a schema");
    if (part->first && code != PDR_OK)
        verify_tell(part, PDR_VERIFY_SCHEMAS, at_record(record), "a SCHEMA record holds a schema", "%.300s",
                    why.message);
    if (code != PDR_OK) return PDR_OK;
    if (part->first && fingerprint != header->schema_fingerprint)
        verify_tell(part, PDR_VERIFY_SCHEMAS, at_record(record),
                    "a SCHEMA record's schema has the fingerprint that its header says",
                    "the header says %016" PRIx64 ", the schema has %016" PRIx64, header->schema_fingerprint,
                    fingerprint);
    pdr_string json = {(const char *)record->entry.schema.data, record->entry.schema.size};
    int32_t id = header->registry_id > 0 ? header->registry_id : PDR_BOOK_NO_ID;
    code = pdr_schema_book_add(part->verify->spec.book, fingerprint, json, id, &why);
    if (part->first && code == PDR_CONFLICT)
        verify_tell(part, PDR_VERIFY_SCHEMAS, at_record(record), "a registry's id stands for one schema",
                    "%.300s", why.message);
    return code == PDR_NOMEM ? pdr_fail(err, code, "a schema") : PDR_OK;
}

/* --- the void rule's verdicts --- */

static void take_first(verify_part *part, pdr_verdict verdict, const pdr_log_record *record,
                       const pdr_header *header)
{
    switch (verdict) {
    case PDR_VERDICT_FENCE:
        part->totals.fences++;
        check_bare(part, record, "FENCE");
        check_fence(part, record, header);
        break;
    case PDR_VERDICT_SCHEMA:
        part->totals.schemas++;
        check_bare(part, record, "SCHEMA");
        break;
    case PDR_VERDICT_MARK:
        part->totals.marks++;
        check_bare(part, record, "MARK");
        break;
    case PDR_VERDICT_FOREIGN: part->totals.foreign++; break;
    case PDR_VERDICT_MALFORMED: tell_malformed(part, record); break;
    case PDR_VERDICT_VOID: explain_void(part, record, header); break;
    default: break;
    }
}

static pdr_code on_other(void *context, pdr_verdict verdict, const pdr_log_record *record,
                         const pdr_header *header, pdr_error *err)
{
    verify_part *part = context;
    if (part->first) take_first(part, verdict, record, header);
    if (verdict == PDR_VERDICT_FENCE) return note_term(part, header->term, err);
    return verdict == PDR_VERDICT_SCHEMA ? take_schema(part, record, header, err) : PDR_OK;
}

/* --- places --- */

static const char *place_text(const verify_place *place, char *out, size_t size)
{
    switch (place->kind) {
    case PLACE_CHECKPOINT: return "the store's checkpoint is a record in sequence, outside an open commit";
    case PLACE_SEEN: return "the store's newest head (seen) is a record in sequence, outside an open commit";
    case PLACE_VIEW:
        (void)snprintf(out, size, "%.200s stands on a record in sequence, outside an open commit",
                       place->whose);
        return out;
    default:
        (void)snprintf(out, size, "a dead letter of %.200s is read from a record in sequence", place->whose);
        return out;
    }
}

static void tell_place(verify_part *part, const verify_place *place, const char *found)
{
    char expected[VERIFY_TEXT], wanted[VERIFY_POSITION_TEXT];
    verify_tell(part, PDR_VERIFY_POSITIONS, (verify_where){place->position.offset, {NULL, 0}, 0},
                place_text(place, expected, sizeof expected), "it is %s; %s",
                verify_position_text(wanted, place->position), found);
}

/* The places up to this record, which was taken. */
static void pass_places(verify_part *part, int64_t offset)
{
    char text[VERIFY_POSITION_TEXT + 32], at[VERIFY_POSITION_TEXT];
    verify_place *places = part->places.items;
    const pdr_walk *walk = &part->commits.walk;
    for (; part->place_at < part->places.count; part->place_at++) {
        const verify_place *place = &places[part->place_at];
        if (place->position.offset > offset) return;
        part->totals.positions++;
        if (place->position.offset < offset) {
            tell_place(part, place, "the log has no record there");
        } else if (walk->at.offset != offset) {
            tell_place(part, place, "the record there is void, or inside a commit");
        } else if (!pdr_position_equal(walk->at, place->position)) {
            (void)snprintf(text, sizeof text, "there is %s", verify_position_text(at, walk->at));
            tell_place(part, place, text);
        }
    }
}

static void end_places(verify_part *part, int64_t end)
{
    char text[64];
    verify_place *places = part->places.items;
    (void)snprintf(text, sizeof text, "the log ends at offset %" PRId64, end);
    for (; part->place_at < part->places.count; part->place_at++) {
        part->totals.positions++;
        tell_place(part, &places[part->place_at], text);
    }
    if (!part->has_row || part->row.stamp.term.offset < 0 || has_begun(part, part->row.stamp.term)) return;
    verify_tell(part, PDR_VERIFY_POSITIONS, (verify_where){part->row.stamp.term.offset, {NULL, 0}, 0},
                "the store's row has the term of a FENCE of the log",
                "its term is that of a FENCE at %" PRId64 " (%016" PRIx64 "), which isn't there",
                part->row.stamp.term.offset, part->row.stamp.term.incarnation);
}

/* --- dead letters --- */

static verify_letter *letter_at(const verify_part *part, int64_t offset)
{
    verify_letter *letters = part->letters.items;
    size_t low = 0, high = part->letters.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (letters[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < part->letters.count && letters[low].offset == offset ? &letters[low] : NULL;
}

static void tell_letter(verify_part *part, const verify_letter *l, const char *found)
{
    char expected[VERIFY_TEXT];
    (void)snprintf(expected, sizeof expected, "a dead letter of %.200s names an event that counts", l->whose);
    verify_tell(part, PDR_VERIFY_DEAD_LETTERS,
                (verify_where){l->offset, pdr_bytes_of(l->key, l->key_size), l->seq}, expected, "%s", found);
}

static void meet_letters(verify_part *part, const pdr_commit_event *event)
{
    const verify_letter *last = (verify_letter *)part->letters.items + part->letters.count;
    for (verify_letter *l = letter_at(part, event->record->offset);
         l && l < last && l->offset == event->record->offset; l++) {
        l->met = true;
        part->totals.letters++;
        if (l->seq == event->header->seq &&
            pdr_bytes_equal(event->record->entry.key, pdr_bytes_of(l->key, l->key_size)))
            continue;
        tell_letter(part, l, "the event there is of another entity, or has another seq");
    }
}

static void end_letters(verify_part *part)
{
    verify_letter *letters = part->letters.items;
    for (size_t i = 0; i < part->letters.count; i++) {
        if (letters[i].met) continue;
        part->totals.letters++;
        tell_letter(part, &letters[i], "no event that counts is there");
    }
}

/* --- records --- */

static pdr_code on_commit(void *context, const pdr_commit_event *events, size_t count, pdr_position before,
                          pdr_error *err)
{
    verify_part *part = context;
    (void)before;
    if (part->first) {
        part->totals.commits++;
        part->totals.events += count;
        for (size_t i = 0; part->letters.count && i < count; i++)
            meet_letters(part, &events[i]);
    }
    return verify_commit(part, events, count, err);
}

static const pdr_commit_sink sink = {on_commit, on_other};

const pdr_commit_sink *verify_commit_sink(void)
{
    return &sink;
}

static void stop(verify_part *part, pdr_verify_rule rule, int64_t offset, const pdr_error *why)
{
    part->wanted = false;
    if (!part->first) return;
    verify_tell(part, rule, (verify_where){offset, {NULL, 0}, 0},
                rule == PDR_VERIFY_FORMAT        ? "records are of a format that this program reads"
                : rule == PDR_VERIFY_ALL_OR_NONE ? "a record in sequence keeps the rules of commits"
                                                 : "the partition's records can be read to its end",
                "%.480s; what comes after it isn't looked at", why->message);
}

static pdr_code failed(verify_part *part, int64_t offset, const pdr_error *why, pdr_error *err)
{
    bool damage = why->code == PDR_CORRUPT || why->code == PDR_TOO_NEW || why->code == PDR_TOO_LARGE;
    if (!damage) {
        if (err) *err = *why;
        return why->code;
    }
    stop(part, why->code == PDR_TOO_NEW ? PDR_VERIFY_FORMAT : PDR_VERIFY_ALL_OR_NONE, offset, why);
    return pdr_fail(err, PDR_CANCELLED, "partition %d can't be read on", (int)part->number);
}

pdr_code pdr_verify_take(pdr_verify *verify, int32_t partition, const pdr_log_record *record, pdr_error *err)
{
    pdr_error why;
    verify_part *part = &verify->parts[partition];
    if (!part->wanted)
        return pdr_fail(err, PDR_CANCELLED, "nothing of partition %d is wanted", (int)partition);
    if (part->first) {
        verify_sort_places(part);
        part->totals.records++;
    }
    part->now = record->offset;
    uint64_t count = part->commits.walk.count, voids = part->commits.voids;
    pdr_term term = part->commits.walk.term;
    pdr_code code = pdr_commit_reader_take(&part->commits, record, &why);
    if (code != PDR_OK) return failed(part, record->offset, &why, err);
    if (!part->first) return PDR_OK;
    bool fence = !pdr_term_equal(term, part->commits.walk.term);
    if (fence) part->totals.torn += part->commits.voids - voids;
    if (!fence && part->commits.walk.count != count) remember_copy(part, record);
    pass_places(part, record->offset);
    return PDR_OK;
}

void pdr_verify_end(pdr_verify *verify, int32_t partition, int64_t end)
{
    verify_part *part = &verify->parts[partition];
    if (!part->wanted) return;
    part->wanted = false;
    part->now = end;
    verify_unmet_heads(part);
    if (!part->first) return;
    verify_sort_places(part);
    end_places(part, end);
    end_letters(part);
}

void pdr_verify_lost(pdr_verify *verify, int32_t partition, const pdr_error *why)
{
    verify_part *part = &verify->parts[partition];
    if (part->wanted) stop(part, PDR_VERIFY_LOG_WHOLE, part->now < 0 ? -1 : part->now + 1, why);
}
