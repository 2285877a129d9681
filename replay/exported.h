/* The records of an exact export: writer schemas, events as they are stored, and an end that tells whether
 * all is there. Format: docs/formats/export.md. */
#ifndef PDR_REPLAY_EXPORTED_H
#define PDR_REPLAY_EXPORTED_H

#include "journal/record.h"

typedef enum pdr_exported_kind {
    PDR_EXPORTED_SCHEMA, /* stands before the first event that was written with it */
    PDR_EXPORTED_EVENT,
    PDR_EXPORTED_END /* the last record */
} pdr_exported_kind;

/* Borrowed, from the caller or from the bytes that were read. */
typedef struct pdr_exported_event {
    pdr_string entity;
    uint64_t seq;
    uint32_t index, count; /* in its commit */
    int64_t time_us;       /* event time */
    int64_t append_ms;     /* where it came from: the log's time, partition and offset */
    int32_t partition;
    int64_t offset;
    pdr_string type;  /* Avro full name of its writer schema */
    uint32_t version; /* of its writer schema; 0: none is told */
    uint64_t fingerprint;
    pdr_bytes id; /* command id; size 0: none */
    uint64_t command_fingerprint;
    bool has_reply;
    pdr_bytes reply;
    pdr_bytes correlation, causation; /* size 0: none */
    pdr_bytes trace;                  /* traceparent; data NULL: none */
    bool has_consumed;
    int32_t consumed_partition;
    int64_t consumed_offset;
    pdr_bytes datum; /* as its writer schema says, without framing */
} pdr_exported_event;

typedef struct pdr_exported_schema {
    uint64_t fingerprint;
    pdr_string json;
} pdr_exported_schema;

typedef struct pdr_exported_end {
    uint64_t events, commits;
    uint32_t check; /* CRC-32 of the bytes of all records before this one */
} pdr_exported_end;

typedef struct pdr_exported {
    pdr_exported_kind kind;
    union {
        pdr_exported_schema schema;
        pdr_exported_event event;
        pdr_exported_end end;
    };
} pdr_exported;

/* The Avro schema of the records: a union of three. */
extern const char pdr_exported_avro[];

/* Append one record as an Avro datum. PDR_NOMEM, PDR_TOO_LARGE; PDR_INVALID_ARGUMENT: text that isn't UTF-8.
 */
PDR_CHECKED pdr_code pdr_exported_encode(const pdr_exported *record, pdr_buf *out, pdr_error *err);
/* Read the record at *p, before `end`, and move *p behind it. Never reads past `end`. PDR_BAD_DATA: it isn't
 * one, or breaks a rule that one record alone can break: sizes and ranges of docs/formats/record.md. */
PDR_CHECKED pdr_code pdr_exported_decode(pdr_exported *record, const uint8_t **p, const uint8_t *end,
                                         pdr_error *err);

#endif
