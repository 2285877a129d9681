/* One owner of one partition in a simulated world without faults, and what its commands were answered. */
#ifndef PDR_TESTS_OWNER_PROBE_H
#define PDR_TESTS_OWNER_PROBE_H

#include "backends/sim/sim_world.h"
#include "journal/owner.h"
#include "tests/sim/sim_entity.h"

typedef struct probe_answer {
    int count; /* times that it came */
    pdr_code code;
    uint64_t seq;
    uint32_t events;
    bool repeated;
    char text[PDR_MAX_REPLY + 1];
    bool has_state;
    pdr_position position;
} probe_answer;

typedef struct probe {
    pdr_sim_world *world;
    pdr_log *log;
    pdr_store *store;
    pdr_env *env;
    pdr_owner *owner;
    pdr_owner_settings settings;
    const pdr_app *app;
} probe;

void probe_init(probe *p); /* world and connections; settings for a quick test */
PDR_CHECKED pdr_code probe_open(probe *p);
void probe_serve(probe *p); /* opened, assigned, serving */
void probe_release(probe *p);

/* Turn, poll and step until the condition holds; false: it didn't within `virtual_us`. */
bool probe_until(probe *p, bool (*holds)(probe *p, void *context), void *context, int64_t virtual_us);
bool probe_until_state(probe *p, pdr_owner_state state);
bool probe_until_answered(probe *p, const probe_answer *answer);
bool probe_until_clean(probe *p);
void probe_run(probe *p, int64_t virtual_us);

void probe_note(void *context, const pdr_reply *reply); /* a completion: into a probe_answer */
pdr_cmd_spec probe_spec(const char *key, const char *id, probe_answer *answer);
/* Deposit: `parts` events of `amount`, with a note. Its payload lies in `payload`. */
pdr_cmd_spec probe_deposit(const char *key, const char *id, int64_t amount, int64_t parts, const char *note,
                           pdr_buf *payload, probe_answer *answer);
pdr_code probe_submit(probe *p, const pdr_cmd_spec *spec);
/* Submitted and answered. */
void probe_ask(probe *p, const pdr_cmd_spec *spec);
pdr_code probe_ask_deposit(probe *p, const char *key, const char *id, int64_t amount, probe_answer *answer);
pdr_owner_counters probe_counters(const probe *p);
pdr_owner_gauges probe_gauges(const probe *p);

#endif
