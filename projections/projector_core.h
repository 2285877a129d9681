/* Inside the projector. Only projector*.c include this.
 *
 *   projector.c         open, close, assign, turns, numbers, failures: stop, or wait and load again
 *   projector_read.c    log readers, whole commits into the queue, position against log
 *   projector_fold.c    from the queue into rows; what fails is parked
 *   projector_commit.c  batches, and what came of them; the bad event of a refused batch
 *   projector_parked.c  which entities are parked
 *   projector_retry.c   requests: parked events once more */
#ifndef PDR_PROJECTIONS_PROJECTOR_CORE_H
#define PDR_PROJECTIONS_PROJECTOR_CORE_H

#include "journal/commit_reader.h"
#include "journal/fold.h"
#include "journal/schema_seek.h"
#include "projections/projector.h"
#include "projections/rules.h"

typedef struct pdr_part pdr_part;

/* One stored event of a commit. Its bytes lie behind the commit. */
typedef struct pdr_kept_event {
    int64_t offset, time_us;
    uint64_t seq;
    int64_t schema; /* offset at which its SCHEMA record lies, if it lies where it should */
    pdr_bytes value, id, correlation, causation;
} pdr_kept_event;

/* A whole commit that waits to be folded; or, of a retry, one parked event. */
typedef struct pdr_kept_commit {
    struct pdr_kept_commit *next;
    pdr_part *part;
    pdr_position before, at;
    size_t bytes;
    pdr_string entity;
    bool parked; /* one event of a retry */
    uint32_t count;
    pdr_kept_event events[];
} pdr_kept_commit;

typedef struct pdr_parked_entity {
    struct pdr_parked_entity *next;
    uint64_t hash;
    uint32_t key_size;
    char key[];
} pdr_parked_entity;

enum { PDR_PARKED_SLOTS = 256 };

/* A commit that was refused by the database when it stood alone: only so many of its events are tried. */
typedef struct pdr_suspect {
    int64_t at; /* offset of its last event; -1: none */
    uint32_t keep;
    pdr_error why;
} pdr_suspect;

struct pdr_part {
    struct pdr_projector *owner;
    int32_t partition;
    bool beaten;            /* another worker moved its position, and no batch went through since */
    uint64_t generation;    /* of the version's row for this partition */
    pdr_position committed; /* in the database */
    pdr_position sent;      /* where the newest batch under way leaves it, or as committed */
    pdr_position folded;    /* by the batch that is being made, or as sent */
    uint64_t folding_events, events;
    int64_t folding_time, committed_time; /* of the newest event; INT64_MIN: none */
    int64_t suspect_to; /* a batch up to this offset was refused: look for the event; -1: none */
    pdr_suspect suspect, retried_suspect; /* of the queue; of a retry's events */

    pdr_log_reader *reader;
    pdr_commit_reader commits;
    bool checked; /* the record at `committed` is what the position says */
    bool paused;
    int64_t log_end;   /* -1: not known */
    pdr_position read; /* where the walk stands, outside of open commits */
    bool at_end;
    size_t queued, queued_bytes;

    pdr_parked_entity *parked[PDR_PARKED_SLOTS];
    uint64_t parked_count; /* dead letters */
};

/* Where a batch leaves a partition. */
typedef struct pdr_taken {
    pdr_position position;
    int64_t time;
    uint64_t events;
} pdr_taken;

/* What goes with a batch besides its rows. */
typedef struct pdr_outgoing {
    pdr_arena arena; /* of the dead letters' bytes */
    pdr_dead_letter *park, *unpark;
    size_t park_count, park_room, unpark_count, unpark_room;
    uint64_t request; /* that it carries out; 0: none */
    uint64_t events;
    size_t commits;
    pdr_part *part; /* of the last commit, and where it lies */
    int64_t at;
    pdr_taken *taken; /* of each partition, once it is under way; and what it writes */
    uint64_t rows, statements;
} pdr_outgoing;

/* One that is being made, and those under way. */
enum { PDR_UNDER_WAY_MAX = 2, PDR_OUTGOING = PDR_UNDER_WAY_MAX + 1 };

typedef struct pdr_retry {
    bool active;
    pdr_request_row request; /* its entity lies in `arena` */
    pdr_part *part;
    pdr_arena arena;
    pdr_dead_letter *letters;               /* of the entity, in order */
    size_t letter_count, letter_room, next; /* the first that isn't read yet */
    pdr_log_reader *reader;
    pdr_commit_reader commits;
    bool ready;  /* what is to be folded was read */
    bool failed; /* one could not be projected: it and those behind it stay */
    pdr_kept_commit *first, *last;
    size_t bytes;
} pdr_retry;

struct pdr_projector {
    pdr_projector_spec spec;
    pdr_version_spec version;
    pdr_projector_state state;
    pdr_part **parts;
    size_t part_count;
    pdr_folder **folders; /* by the application's entity types */
    pdr_rows *rows;
    pdr_arena scratch;             /* of the event that is being folded */
    pdr_kept_commit *first, *last; /* the queue: in each partition's order */
    uint32_t first_done;           /* events of the first that are folded already */
    pdr_outgoing outgoing[PDR_OUTGOING];
    pdr_outgoing *folding; /* before it in the ring: those under way */
    size_t under_way;
    pdr_position_move *moves; /* room for one per partition */
    int64_t first_waits;      /* mono time at which the batch's first event was folded; INT64_MAX: none */
    int64_t last_commit;      /* mono time */
    bool rows_wanted;         /* nothing can be folded before they are fetched */
    size_t fetches;           /* that are under way */
    bool must_commit;         /* nothing more can be folded before */
    bool request_waits;       /* for what was folded to be committed */
    bool draining;
    bool paused;            /* by an operator */
    bool found;             /* the version, when the switches were looked at */
    bool fault_known;       /* the database said why it stands still */
    bool fault_untold;      /* the database isn't told yet why it stopped */
    size_t isolate;         /* commits per batch while a bad event is looked for; 0: no limit */
    bool isolate_grows;     /* it was found */
    pdr_part *searched;     /* meanwhile only this one is read; NULL: all are */
    pdr_schema_seek *seek;  /* of the schema that the next event was written with */
    const pdr_part *sought; /* whose schema was looked for last: if it still lacks, there is none */
    int64_t sought_at;
    int64_t look_again_at; /* STOPPED: has an operator acted? */
    int64_t retry_at, backoff;
    int64_t control_at;   /* when to look at requests and switches again */
    uint32_t throttle;    /* events per second; 0: none */
    int64_t allowance_at; /* throttle: when the next event may be folded */
    pdr_error parked_why; /* of the last event parked for its own sake; code PDR_OK: none yet */
    int odd_positions;    /* times that the log didn't hold the record at a position */
    pdr_retry retry;
    pdr_projector_numbers numbers;
};

static inline int64_t pdr_prj_now(const pdr_projector *p)
{
    return p->spec.env->ops->mono_us(p->spec.env);
}
static inline int64_t pdr_prj_wall(const pdr_projector *p)
{
    return p->spec.env->ops->wall_us(p->spec.env);
}

/* projector.c: something failed. By its class: drop what isn't committed and load again after a back-off, or
 * stop. */
void pdr_prj_fail(pdr_projector *p, pdr_code code, const pdr_error *err);
void pdr_prj_stop(pdr_projector *p, const pdr_error *err);
/* Forget what isn't committed; load positions anew at once. */
void pdr_prj_restart(pdr_projector *p);
void pdr_prj_trace(pdr_projector *p, pdr_level level, const char *format, ...) PDR_PRINTF(3, 4);

static inline pdr_suspect *pdr_prj_suspect_of(pdr_part *part, bool retried)
{
    return retried ? &part->retried_suspect : &part->suspect;
}
/* It is time to look at requests and switches. */
static inline bool pdr_prj_controls_due(const pdr_projector *p)
{
    return !p->retry.active && pdr_prj_now(p) >= p->control_at;
}

/* The batch that ends next; only while one is under way. */
static inline pdr_outgoing *pdr_prj_oldest(pdr_projector *p)
{
    size_t folding = (size_t)(p->folding - p->outgoing);
    return &p->outgoing[(folding + PDR_OUTGOING - p->under_way) % PDR_OUTGOING];
}

static inline bool pdr_prj_is_full(const pdr_projector *p)
{
    const pdr_projector_settings *s = &p->spec.settings;
    return p->folding->events >= s->batch_events || pdr_rows_bytes(p->rows) >= s->batch_bytes;
}

/* Does the batch end here, for a bad event is looked for? */
static inline bool pdr_prj_ends_search_step(const pdr_projector *p)
{
    const pdr_part *part = p->searched;
    return p->isolate &&
           (p->folding->commits >= p->isolate || (part && part->folded.offset >= part->suspect_to));
}

/* projector_read.c */
PDR_CHECKED pdr_code pdr_prj_read_from(pdr_part *part, pdr_error *err); /* part->committed */
void pdr_prj_stop_reading(pdr_part *part);
void pdr_prj_pause_if_full(pdr_projector *p);
void pdr_prj_drop_queue(pdr_projector *p);
/* A copy of one commit's events, or of one of them. NULL: no memory. */
pdr_kept_commit *pdr_prj_keep(pdr_part *part, const pdr_commit_event *events, size_t count,
                              pdr_position before, pdr_position at);

/* projector_fold.c */
size_t pdr_prj_fold(pdr_projector *p); /* as much as may be folded now */

/* projector_commit.c */
size_t pdr_prj_commit_if_due(pdr_projector *p, int64_t *due_us);
void pdr_prj_clear_outgoing(pdr_outgoing *outgoing);
/* While a bad event is looked for: the first partition where it may be. Else NULL. */
pdr_part *pdr_prj_next_suspect(const pdr_projector *p);
PDR_CHECKED pdr_code pdr_prj_add_letter(pdr_outgoing *outgoing, bool park, const pdr_dead_letter *letter,
                                        pdr_error *err); /* copied */

/* projector_parked.c */
bool pdr_prj_is_parked(const pdr_part *part, pdr_string entity);
PDR_CHECKED pdr_code pdr_prj_note_parked(pdr_part *part, pdr_string entity, pdr_error *err);
void pdr_prj_forget_parked(pdr_part *part);
PDR_CHECKED pdr_code pdr_prj_load_parked(pdr_part *part, pdr_error *err);

/* projector_retry.c */
void pdr_prj_look_for_requests(pdr_projector *p);
size_t pdr_prj_retry(pdr_projector *p); /* a step of the one that is active */
void pdr_prj_end_retry(pdr_projector *p);

#endif
