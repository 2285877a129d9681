/* An entity type: what one kind of persistent actor is made of. Two pure functions over generated structs;
 * the library does the rest. */
#ifndef PERDURE_ENTITY_H
#define PERDURE_ENTITY_H

#include "perdure/arena.h"
#include "perdure/event.h"
#include "perdure/position.h"
#include "perdure/type.h"
#include "perdure/upcast.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Ceilings, checked where the bytes come in. */
enum {
    PDR_MAX_ENTITY_ID = 512, /* bytes; UTF-8, no NUL */
    PDR_MAX_COMMAND_ID = 64, /* bytes, any */
    PDR_MAX_REPLY = 240, /* bytes of a reply that rides in a commit's last event, or of a refusal's text */
    PDR_MAX_EVENTS_PER_COMMIT = 1024,
    PDR_MAX_ID_WINDOW = 65536,       /* command ids remembered per entity */
    PDR_MAX_EVENT = 1024 * 1024,     /* bytes of one encoded event or command */
    PDR_MAX_STATE = 16 * 1024 * 1024 /* bytes of one packed state */
};

/* A command on its way into decide. Borrowed for the call. */
typedef struct pdr_command {
    const pdr_type *type;
    const void *value; /* the generated struct of `type` */
    pdr_string entity; /* "loan/173688" */
    pdr_bytes id;      /* command id; size 0: none */
    uint64_t seq;      /* the entity's seq: how many events the state has seen */
} pdr_command;

/* What decide says goes in here. */
typedef struct pdr_decision pdr_decision;

/* Decide one event more of this command's commit. The struct is encoded at once and may live on the stack. A
 * failure (a type that the entity doesn't declare, a value that its schema forbids, a ceiling) is remembered:
 * the command fails with it. */
PDR_API void pdr_emit(pdr_decision *out, const pdr_type *type, const void *event);
/* The same with an event time of its own instead of `now`. */
PDR_API void pdr_emit_at(pdr_decision *out, const pdr_type *type, const void *event, int64_t time_us);
/* A short reply that a retry with the same command id gets again: at most PDR_MAX_REPLY bytes, copied.
 * Without events it isn't remembered. */
PDR_API void pdr_answer(pdr_decision *out, const void *data, size_t size);
/* Refuse the command: no events, the caller gets PDR_REFUSED and this text (cut to PDR_MAX_REPLY bytes). */
PDR_API void pdr_refuse(pdr_decision *out, const char *format, ...) PDR_PRINTF(2, 3);

typedef struct pdr_entity_type {
    size_t abi_size;  /* sizeof(pdr_entity_type) */
    const char *name; /* the part of an entity id before the first '/' */
    const pdr_type *state;
    const pdr_type *const *events;
    size_t event_count;
    const pdr_type *const *commands;
    size_t command_count;
    uint32_t
        revision; /* raise it when apply gives other states than before: older snapshots are then rebuilt */
    uint32_t id_window; /* newest command ids remembered per entity, at most PDR_MAX_ID_WINDOW; 0: 64 */
    /* Look at the state, say what happens. Pure: no clock, no I/O, no memory of its own; the same inputs give
     * the same events. May run again for the same command after a failure. now_us: wall time, microseconds
     * since 1970 UTC. */
    void (*decide)(const void *state, const pdr_command *command, int64_t now_us, pdr_decision *out);
    /* Fold one event into the state. Pure. Memory that the state keeps comes from `arena` only. PDR_NOMEM
     * when the arena gives NULL; any other failure makes the entity unavailable (PDR_BAD_HANDLER). The state
     * starts as state->init leaves it. */
    pdr_code (*apply)(void *state, const pdr_event *event, pdr_arena *arena);
    /* Optional: when this state next wants to be woken (microseconds since 1970 UTC, or INT64_MIN: never).
     * Kept with the head in the store. */
    int64_t (*next_timer)(const void *state);
    const pdr_upcaster *upcasters; /* how events of older versions are read; any order */
    size_t upcaster_count;
    const pdr_state_upcaster *state_upcasters; /* how snapshots of older revisions are; any order */
    size_t state_upcaster_count;
} pdr_entity_type;

/* The application as one value: what a program passes to pdr_journal_open and a shared object exports as
 * `pdr_application`. */
typedef struct pdr_app {
    size_t abi_size;      /* sizeof(pdr_app) */
    uint32_t abi_version; /* PDR_ABI_VERSION */
    const char *name;
    const pdr_entity_type *const *entities;
    size_t entity_count;
} pdr_app;

#define PDR_ABI_VERSION 1u
#define PDR_APP_SYMBOL "pdr_application" /* const pdr_app pdr_application */

/* PDR_INVALID_ARGUMENT naming what is wrong: sizes, names, missing functions, two types of one name, two
 * versions of one fingerprint, upcasters with a gap, a cycle, or two ways to go. PDR_UNKNOWN_SCHEMA,
 * PDR_BAD_SCHEMA: schemas that an upcaster without a function doesn't resolve. PDR_NOMEM. */
PDR_API PDR_CHECKED pdr_code pdr_app_validate(const pdr_app *app, pdr_error *err);

#ifdef __cplusplus
}
#endif
#endif
