/* What the commands about one entity have in common: their flags, what they open, and what they say of an
 * entity that isn't there. */
#ifndef PDR_CLI_ENTITY_COMMAND_H
#define PDR_CLI_ENTITY_COMMAND_H

#include "cli/common.h"
#include "cli/out.h"
#include "replay/folding.h"
#include "replay/story.h"

/* A value, zeroed first; release it in any case. */
typedef struct pdr_entity_command {
    pdr_target target;
    const char *entity;
    bool json, by_append_time;
    bool follows; /* it will wait for what is appended later */
    bool newest;  /* only the newest state is wanted: store and end of the log have it */
    pdr_loaded_app app;
    pdr_tool *tool;
    pdr_out *out;
} pdr_entity_command;

#define PDR_ENTITY_FLAGS(c)                                                                                  \
    {PDR_FLAG_WORD, "ENTITY", NULL, "", &(c).entity, 1, 0}, PDR_JOURNAL_FLAG((c).target),                    \
        PDR_STORE_FLAG((c).target), PDR_APP_FLAG((c).target),                                                \
    {                                                                                                        \
        PDR_FLAG_SWITCH, "--json", NULL, "JSON, one object a line", &(c).json, 0, 0                          \
    }
#define PDR_APPEND_TIME_FLAG(c)                                                                              \
    {                                                                                                        \
        PDR_FLAG_SWITCH, "--by-append-time", NULL,                                                           \
            "times are when the log took the events, not the events' own", &(c).by_append_time, 0, 0         \
    }

/* Once the flags are parsed. `needs_app`: PDR_INVALID_ARGUMENT without an application, PDR_UNKNOWN_TYPE if
 * it doesn't declare the entity's type. ^C and SIGTERM stop what it blocks in from now on. */
PDR_CHECKED pdr_code pdr_entity_command_open(pdr_entity_command *command, bool needs_app, pdr_error *err);
/* Writes what is left of the output. Gives the exit code: `code` and `err` are how the work ended. */
int pdr_entity_command_end(pdr_entity_command *command, const pdr_cli_command *what, pdr_code code,
                           pdr_error *err);
pdr_bytes pdr_entity_command_id(const pdr_entity_command *command);

/* pdr_story_run; what looks like damage may be a store of another journal: PDR_WRONG_JOURNAL. */
PDR_CHECKED pdr_code pdr_entity_command_story(pdr_entity_command *command, const pdr_story_spec *spec,
                                              pdr_story_told *told, pdr_error *err);

/* A moment in the entity's story as people write it: a seq, or a time (replay/moment.h). */
typedef struct pdr_story_moment {
    bool is_time;
    uint64_t seq; /* UINT64_MAX: the newest event */
    int64_t us;
} pdr_story_moment;

/* Digits alone are a seq; "newest"; else a time. PDR_INVALID_ARGUMENT. */
PDR_CHECKED pdr_code pdr_entity_command_moment(const char *flag, const char *text, pdr_story_moment *out,
                                               pdr_error *err);
/* The time only. */
PDR_CHECKED pdr_code pdr_entity_command_time(const char *flag, const char *text, int64_t *us, pdr_error *err);
/* Does this record stand at or before the time? */
bool pdr_entity_command_is_by(const pdr_entity_command *command, const pdr_story_event *event, int64_t us);
/* Of one moment or two (`other` may be NULL): the seq of the last event, in the order of seqs, that happened
 * at or before its time: reads the whole story once. 0: all came later. A moment that is a seq already is
 * left alone. */
PDR_CHECKED pdr_code pdr_entity_command_resolve(pdr_entity_command *command, pdr_story_moment *one,
                                                pdr_story_moment *other, pdr_error *err);
/* PDR_NOT_FOUND: the entity has no events; which ids are like its. PDR_WRONG_JOURNAL. */
PDR_CHECKED pdr_code pdr_entity_command_unknown(pdr_entity_command *command, pdr_error *err);
/* PDR_NOT_FOUND unless the entity has events, and has this one. Seq 0 is before the first. */
PDR_CHECKED pdr_code pdr_entity_command_has(pdr_entity_command *command, uint64_t newest_seq, uint64_t seq,
                                            pdr_error *err);

#endif
