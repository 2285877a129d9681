#include "journal/term.h"

#include "journal/rules.h"

void pdr_walk_init(pdr_walk *walk, pdr_position position)
{
    walk->at = position;
    walk->term = position.term;
    walk->count = position.number;
    walk->offset = position.offset;
    walk->open = walk->open_count = 0;
    walk->key_size = 0;
}

static pdr_verdict take_fence(pdr_walk *walk, int64_t offset, pdr_header *header, uint32_t *voided)
{
    *voided = walk->open;
    walk->open = walk->open_count = 0;
    header->term.offset = offset;
    walk->term = header->term;
    walk->count = 0;
    walk->at = (pdr_position){offset, walk->term, 0};
    return PDR_VERDICT_FENCE;
}

static bool in_sequence(const pdr_walk *walk, const pdr_header *header)
{
    bool term = !PDR_RULE(TERM) || pdr_term_equal(header->term, walk->term);
    bool number = PDR_RULE(NUMBER) ? header->number == walk->count + 1 : true;
    return term && number;
}

static pdr_verdict corrupt(const pdr_log_record *record, const char *why, pdr_error *err)
{
    (void)pdr_fail(err, PDR_CORRUPT, "the record at offset %lld is in sequence but %s",
                   (long long)record->offset, why);
    return PDR_VERDICT_CORRUPT;
}

static bool has_entity(const pdr_log_record *record, const pdr_header *header)
{
    size_t size = record->entry.key.size;
    return header->kind != PDR_RECORD_EVENT || (size > 0 && size <= PDR_LOG_MAX_KEY);
}

static const char *breaks_commit(const pdr_walk *walk, const pdr_header *header, pdr_bytes key)
{
    if (header->kind != PDR_RECORD_EVENT) return walk->open ? "stands inside an open commit" : NULL;
    if (!walk->open) return header->index ? "begins a commit in its middle" : NULL;
    if (header->index != walk->open || header->count != walk->open_count)
        return "isn't the next of its open commit";
    if (!pdr_bytes_equal(key, pdr_bytes_of(walk->key, walk->key_size)))
        return "belongs to another entity than its open commit";
    return NULL;
}

static pdr_verdict take_event(pdr_walk *walk, const pdr_log_record *record, const pdr_header *header)
{
    bool last = header->index + 1 == header->count;
    if (!last && header->index == 0) {
        walk->key_size = (uint16_t)record->entry.key.size;
        memcpy(walk->key, record->entry.key.data, record->entry.key.size);
        walk->open_count = header->count;
    }
    walk->open = last ? 0 : header->index + 1;
    if (!last && PDR_RULE(COMMIT)) return PDR_VERDICT_EVENT;
    walk->at = (pdr_position){record->offset, walk->term, walk->count};
    return PDR_VERDICT_COMMIT;
}

pdr_verdict pdr_walk_step(pdr_walk *walk, const pdr_log_record *record, pdr_header *header, uint32_t *voided,
                          pdr_error *err)
{
    *voided = 0;
    if (!record->entry.header.data) {
        walk->offset = record->offset;
        return PDR_VERDICT_FOREIGN;
    }
    pdr_parsed parsed = pdr_header_parse(record->entry.header, header);
    if (parsed == PDR_PARSED_TOO_NEW) {
        (void)pdr_fail(err, PDR_TOO_NEW,
                       "the record at offset %lld has format version %u; this program reads up to %d",
                       (long long)record->offset, record->entry.header.data[0], PDR_RECORD_VERSION);
        return PDR_VERDICT_TOO_NEW;
    }
    if (parsed == PDR_PARSED_MALFORMED) {
        walk->offset = record->offset;
        return PDR_VERDICT_MALFORMED;
    }
    if (header->kind == PDR_RECORD_FENCE) {
        walk->offset = record->offset;
        return take_fence(walk, record->offset, header, voided);
    }
    if (!in_sequence(walk, header)) {
        walk->offset = record->offset;
        return PDR_VERDICT_VOID;
    }
    if (!has_entity(record, header)) return corrupt(record, "has no entity id, or one that is too long", err);
    const char *why = breaks_commit(walk, header, record->entry.key);
    if (why && PDR_RULE(TERM) && PDR_RULE(NUMBER)) return corrupt(record, why, err);
    walk->offset = record->offset;
    walk->count = header->number;
    if (header->kind == PDR_RECORD_EVENT) return take_event(walk, record, header);
    walk->at = (pdr_position){record->offset, walk->term, walk->count};
    return header->kind == PDR_RECORD_SCHEMA ? PDR_VERDICT_SCHEMA : PDR_VERDICT_MARK;
}
