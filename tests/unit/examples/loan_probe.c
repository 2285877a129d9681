#include "loan_probe.h"

#include <stdio.h>
#include <stdlib.h>

static void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "loan_probe: %s\n", what);
    abort();
}

void loan_probe_open(loan_probe *probe)
{
    memset(probe, 0, sizeof *probe);
    must(pdr_folder_open(&probe->folder, &loans_entity, NULL, NULL) == PDR_OK, "no folder");
    pdr_decision_init(&probe->decision);
    probe->scratch = (pdr_arena)PDR_ARENA_INIT(1024 * 1024);
}

void loan_probe_close(loan_probe *probe)
{
    pdr_arena_release(&probe->scratch);
    pdr_decision_release(&probe->decision);
    pdr_folder_close(probe->folder);
}

const pdr_type *loan_probe_tell(loan_probe *probe, pdr_state *state, const pdr_type *type,
                                const void *command)
{
    pdr_decision *decision = &probe->decision;
    const pdr_error *error;
    if (!state->value) must(pdr_state_init(state, probe->folder, NULL) == PDR_OK, "no state");
    pdr_command given = {.type = type, .value = command, .entity = pdr_string_of("loan/1")};
    pdr_decision_begin(decision, probe->folder, 0);
    loans_entity.decide(state->value, &given, 0, decision);
    must(pdr_decision_check(decision, &error) == PDR_OK, "a decision that breaks the contract");
    if (decision->refused) return NULL;
    must(decision->count == 1, "not exactly one event");
    const pdr_decided_event *event = &decision->events[0];
    pdr_error err;
    pdr_code code = pdr_state_fold(state, probe->folder, pdr_decision_value(decision, 0), 1, event->time_us,
                                   true, &probe->scratch, &err);
    must(code == PDR_OK, err.message);
    return event->type;
}

const loans_application *loan_probe_state(const pdr_state *state)
{
    return state->value;
}
