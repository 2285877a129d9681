/* A command inside the process: what was asked, by whom, and whom to tell. One allocation; made by the
 * shells, owned by the owner once submitted, freed after its completion ran. */
#ifndef PDR_JOURNAL_COMMAND_H
#define PDR_JOURNAL_COMMAND_H

#include "journal/record.h"
#include "perdure/reply.h"

typedef enum pdr_request {
    PDR_REQUEST_DECIDE, /* run the entity's decide on `payload`, an Avro datum of `type` */
    PDR_REQUEST_APPEND, /* append the events in `payload` (pdr_append_list) without an actor */
    PDR_REQUEST_READ,   /* give seq and state */
    PDR_REQUEST_IMPORT, /* append the commit of another journal in `payload` (journal/stored_commit.h) */
} pdr_request;

#define PDR_ANY_SEQ UINT64_MAX

enum { PDR_MAX_APPEND = 16 * 1024 * 1024 }; /* bytes of all events of one append without an actor */

/* What the owner notes of an answer that waits until record `number` is acknowledged. Private to the owner.
 */
typedef struct pdr_waiting_answer {
    uint64_t number;
    struct pdr_entity *entity; /* whose open commands it counts among; NULL: none */
    uint64_t seq;
    uint32_t events;
    uint8_t code; /* pdr_code */
    bool commit;  /* record `number` is the last of its own commit */
    bool repeated;
    bool is_state;    /* `data` is a read's packed state, else an answer or a refusal's text */
    pdr_bytes data;   /* owned; data NULL: none */
    pdr_error *error; /* owned; NULL: the code's own text */
    uint64_t saw;     /* number of the entity's newest record that the answer rests on; 0: `position` tells */
    pdr_position position; /* of the entity's newest event, if it was acknowledged already */
} pdr_waiting_answer;

/* A command inside the process: what was asked, by whom, and whom to tell. One allocation; made by the
 * shells, owned by the owner once submitted, freed after its completion ran. What its end needs comes first
 * and lies together. Thousands are open at once, so it is kept small: what was asked lies behind the struct,
 * without gaps, and only sizes tell where. */
typedef struct pdr_cmd {
    struct pdr_cmd *next; /* for whoever owns it */
    pdr_completion done;  /* called exactly once, inside the owner's turn or poll */
    void *context;
    pdr_waiting_answer answer;
    const pdr_type *type;
    uint64_t expected_seq; /* PDR_ANY_SEQ: any */
    uint64_t fingerprint;  /* of type and payload; meaningful with an id */
    uint64_t key_hash;     /* pdr_key_hash(key) */
    uint32_t payload_size;
    uint16_t key_size;
    uint8_t id_size, correlation_size, causation_size, trace_size;
    uint8_t request; /* pdr_request */
    bool stale_ok;   /* READ: don't wait for freshness */
    bool traced;     /* there is a traceparent, if only an empty one */
    uint8_t bytes[]; /* key, id, correlation, causation, traceparent, payload */
} pdr_cmd;

/* The entity id. */
static inline pdr_bytes pdr_cmd_key(const pdr_cmd *cmd)
{
    return pdr_bytes_of(cmd->bytes, cmd->key_size);
}

/* The command's own id; size 0: none. */
static inline pdr_bytes pdr_cmd_id(const pdr_cmd *cmd)
{
    return pdr_bytes_of(cmd->bytes + cmd->key_size, cmd->id_size);
}

static inline pdr_bytes pdr_cmd_correlation(const pdr_cmd *cmd)
{
    return pdr_bytes_of(cmd->bytes + cmd->key_size + cmd->id_size, cmd->correlation_size);
}

static inline pdr_bytes pdr_cmd_causation(const pdr_cmd *cmd)
{
    return pdr_bytes_of(pdr_cmd_correlation(cmd).data + cmd->correlation_size, cmd->causation_size);
}

/* The traceparent; data NULL: none. */
static inline pdr_bytes pdr_cmd_trace(const pdr_cmd *cmd)
{
    if (!cmd->traced) return pdr_bytes_of(NULL, 0);
    return pdr_bytes_of(pdr_cmd_causation(cmd).data + cmd->causation_size, cmd->trace_size);
}

/* What is asked: an Avro datum of `type`, or a list of events. */
static inline pdr_bytes pdr_cmd_payload(const pdr_cmd *cmd)
{
    return pdr_bytes_of(pdr_cmd_causation(cmd).data + cmd->causation_size + cmd->trace_size,
                        cmd->payload_size);
}

/* What a command is made from: borrowed. */
typedef struct pdr_cmd_spec {
    pdr_request request;
    bool stale_ok;
    const pdr_type *type;
    uint64_t expected_seq;
    pdr_string key;
    pdr_bytes payload;
    pdr_bytes id;
    pdr_bytes correlation, causation, trace;
    pdr_completion done;
    void *context;
} pdr_cmd_spec;

/* Checks sizes and UTF-8 of the entity id; computes hash and fingerprint. PDR_INVALID_ARGUMENT,
 * PDR_TOO_LARGE, PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_cmd_make(pdr_cmd **out, const pdr_cmd_spec *spec, pdr_error *err);
void pdr_cmd_free(pdr_cmd *cmd);          /* NULL is fine */
void pdr_cmd_forget_answer(pdr_cmd *cmd); /* it is to be decided again */

uint64_t pdr_key_hash(pdr_bytes key);

/* The payload of an append: varint count, then per event varint type index in the app's list or fingerprint,
 * time, framed datum. */
typedef struct pdr_append_event {
    const pdr_type *type;
    pdr_bytes datum; /* Avro datum, no framing */
    int64_t time_us;
} pdr_append_event;
PDR_CHECKED pdr_code pdr_append_encode(const pdr_append_event *events, size_t count, pdr_buf *out,
                                       pdr_error *err);
/* Gives the events one by one from *at (start with 0); false at the end. The bytes are our own. */
bool pdr_append_next(pdr_bytes payload, size_t *at, pdr_append_event *event);

#endif
