/* Reads one history to its end and checks each event against what the log was made from. */
#ifndef PDR_TESTS_HISTORY_PROBE_H
#define PDR_TESTS_HISTORY_PROBE_H

#include "journal/history.h"
#include "tests/support/made_log.h"

typedef struct history_probe {
    made_log *made; /* the truth */
    pdr_log *log;   /* where it is read from; NULL: made's own log */
    size_t entity;
    pdr_history *history;
    uint64_t next_seq; /* of the event that must come now */
    uint64_t events;   /* that came */
    size_t dones;
    pdr_code code;
    pdr_error error;
    uint64_t close_at; /* close the history in the callback of this event; 0: never */
    uint64_t fail_at;  /* fail there with PDR_BAD_HANDLER */
    bool close_in_done;
} history_probe;

/* Open the history of (after, to] and poll until it is over or `polls` polls have run nothing new. */
void history_probe_open(history_probe *probe, made_log *made, size_t entity, uint64_t after, uint64_t to,
                        size_t max_bytes);
pdr_code history_probe_open_spec(history_probe *probe, const pdr_history_spec *spec, pdr_history **out);
void history_probe_poll(history_probe *probe);
/* Open, poll, close; gives the code that `done` said. */
pdr_code history_probe_read(history_probe *probe, made_log *made, size_t entity, uint64_t after, uint64_t to,
                            size_t max_bytes);

#endif
