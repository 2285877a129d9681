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
    pdr_code code;
    bool commit; /* record `number` is the last of its own commit */
    bool repeated;
    bool is_state;    /* `data` is a read's packed state, else an answer or a refusal's text */
    pdr_bytes data;   /* owned; data NULL: none */
    pdr_error *error; /* owned; NULL: the code's own text */
    uint64_t saw;     /* number of the entity's newest record that the answer rests on; 0: `position` tells */
    pdr_position position; /* of the entity's newest event, if it was acknowledged already */
} pdr_waiting_answer;

/* A command inside the process: what was asked, by whom, and whom to tell. One allocation; made by the
 * shells, owned by the owner once submitted, freed after its completion ran. What its end needs comes first
 * and lies together. */
typedef struct pdr_cmd {
    struct pdr_cmd *next; /* for whoever owns it */
    pdr_completion done;  /* called exactly once, inside the owner's turn or poll */
    void *context;
    size_t bytes; /* of the whole allocation */
    pdr_waiting_answer answer;
    pdr_request request;
    bool stale_ok; /* READ: don't wait for freshness */
    const pdr_type *type;
    uint64_t expected_seq; /* PDR_ANY_SEQ: any */
    uint64_t fingerprint;  /* of type and payload; meaningful with an id */
    uint64_t key_hash;     /* pdr_key_hash(key) */
    pdr_bytes key;         /* entity id; this and the next five lie behind the struct */
    pdr_bytes payload;
    pdr_bytes id; /* size 0: none */
    pdr_bytes correlation, causation;
    pdr_bytes trace; /* traceparent; data NULL: none */
} pdr_cmd;

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
