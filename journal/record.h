/* The header "pdr" of every record of ours, as bytes and as a struct. Format: docs/formats/record.md. */
#ifndef PDR_JOURNAL_RECORD_H
#define PDR_JOURNAL_RECORD_H

#include "perdure/entity.h"
#include "perdure/position.h"

enum {
    PDR_RECORD_VERSION = 1,
    PDR_MAX_ADDRESS = 255,
    PDR_MAX_CORRELATION = 64, /* bytes of a correlation or causation id */
    PDR_MAX_HEADER = 1024     /* bytes of a whole header; more is malformed */
};

typedef enum pdr_record_kind {
    PDR_RECORD_FENCE = 1,
    PDR_RECORD_SCHEMA = 2,
    PDR_RECORD_MARK = 3,
    PDR_RECORD_EVENT = 4
} pdr_record_kind;

/* Ranges borrow from the bytes that were parsed, or from the caller when encoding. */
typedef struct pdr_header {
    pdr_record_kind kind;
    pdr_term term;   /* FENCE: offset -1 and its own incarnation; its term is known when the log gives it an
                        offset */
    uint64_t number; /* 1, 2, 3, ... in the term; FENCE: 0 */

    /* EVENT */
    uint64_t seq;          /* in its entity: 1, 2, 3, ... */
    uint32_t index, count; /* place in its commit: 0 .. count - 1 */
    uint64_t schema;       /* number of its SCHEMA record in the term */
    int64_t time_us;       /* event time */
    int64_t back_offset;   /* backlink: entity's newest acknowledged event when this was encoded; -1: none */
    uint64_t back_seq;
    pdr_bytes id;         /* command id; size 0: none */
    uint64_t fingerprint; /* of the command, when there is an id */
    bool has_reply;       /* only in a commit's last event */
    pdr_bytes reply;
    pdr_bytes correlation, causation; /* size 0: none */
    bool has_consumed;
    int32_t consumed_partition; /* of the consumed command */
    int64_t consumed_offset;

    /* FENCE */
    uint8_t journal_id[16];
    pdr_bytes address; /* of the node */
    int32_t partitions;
    int64_t generation; /* of the consumer group's assignment; 0: static */

    /* SCHEMA: the JSON is in the header "pdr-schema" */
    uint64_t schema_fingerprint;
    int32_t registry_id; /* the schema registry's id for it, above 0; 0: none */
} pdr_header;

/* Append the header's bytes. PDR_INVALID_ARGUMENT (pair of pdr_header_parse: what it would call malformed),
 * PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_header_encode(const pdr_header *header, pdr_buf *out);

typedef enum pdr_parsed { PDR_PARSED, PDR_PARSED_MALFORMED, PDR_PARSED_TOO_NEW } pdr_parsed;

/* Never reads past `bytes`, whatever they hold. Fields that the kind doesn't have are zero. */
pdr_parsed pdr_header_parse(pdr_bytes bytes, pdr_header *out);

#endif
