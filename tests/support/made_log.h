/* Logs for tests, with what must be read from them: by hand, record by record, or at random as an owner, its
 * producer and the world around them would write. What counts is known from how the log is made, not from
 * reading it with the void rule. */
#ifndef PDR_TESTS_MADE_LOG_H
#define PDR_TESTS_MADE_LOG_H

#include "journal/record.h"
#include "tests/support/array_log.h"

enum { MADE_ENTITIES = 16, MADE_WIRE = 256 };

typedef struct made_event {
    int64_t offset;
    uint32_t index, count;
    pdr_position position;
} made_event;

typedef struct made_entity {
    char key[16];
    made_event *events; /* those that count: event seq s is events[s - 1] */
    size_t count, capacity;
    uint64_t seq;         /* newest one decided */
    uint64_t acked_seq;   /* newest one acknowledged */
    int64_t acked_offset; /* -1: none */
} made_entity;

typedef struct made_sent {
    pdr_header header;
    size_t entity;
} made_sent;

typedef struct made_log {
    array_log log;
    uint64_t random;
    pdr_term term;
    uint64_t number;
    made_entity entities[MADE_ENTITIES];
    size_t entity_count;
    made_sent wire[MADE_WIRE]; /* sent, not yet in the log */
    size_t wire_count;
    made_sent landed[MADE_WIRE]; /* in the log, not yet acknowledged */
    int64_t landed_at[MADE_WIRE];
    size_t landed_count;
    uint64_t voids;       /* records of ours that don't count, by construction */
    uint64_t fences;      /* FENCE records */
    pdr_position *starts; /* every position from which reading can start, ascending */
    size_t start_count, start_capacity;
} made_log;

typedef struct made_weights {
    unsigned send, land, ack, noise, fence; /* how likely each step is */
    unsigned max_commit;                    /* events */
    size_t entities;
} made_weights;

void made_init(made_log *made, uint64_t seed);
void made_release(made_log *made);

uint64_t made_random(made_log *made, uint64_t below);

/* --- By hand --- */
/* Append a record with this header (its bytes as given, whatever they are) and key; NULL: null key. */
int64_t made_append_bytes(made_log *made, const char *key, pdr_bytes header);
int64_t made_append(made_log *made, const char *key, const pdr_header *header);
/* A FENCE: the term in force from now on. */
int64_t made_fence(made_log *made);
int64_t made_mark(made_log *made);
/* The value of an event in these logs: entity and seq, so that a reader can check it. */
void made_value(char out[40], const char *key, uint64_t seq, const pdr_header *header);

/* --- As an owner --- */
/* Decide a commit and put it on the wire. */
void made_send(made_log *made, size_t entity, uint32_t events);
void made_land(made_log *made);   /* the eldest record on the wire reaches the log */
void made_ack(made_log *made);    /* the eldest record that landed is acknowledged */
void made_settle(made_log *made); /* land and acknowledge all */
/* Lose the wire, or let part of it land later as void, and fence anew. */
void made_refence(made_log *made);
void made_noise(made_log *made); /* a record that doesn't count */
/* `steps` random steps, then settle. */
void made_run(made_log *made, const made_weights *weights, size_t steps);

#endif
