/* The contract suite of the views seam (projections/views.h): claims written once against a subject. A
 * backend joins with one file, subject_<backend>_views.c, that defines pdr_views_subject_get and
 * pdr_contract_skip. */
#ifndef PDR_TESTS_VIEWS_CONTRACT_H
#define PDR_TESTS_VIEWS_CONTRACT_H

#include <criterion/criterion.h>

#include "perdure/arena.h"
#include "projections/cell.h"
#include "projections/views.h"
#include "tests/contract/contract.h"

/* What an outsider does to a place. Each runs on a connection of its own. */
typedef enum damage {
    DAMAGE_DROP_COLUMN, /* column `amount` of table `order` of version 1 */
    DAMAGE_DROP_TABLE,  /* table `order` of version 1 */
    DAMAGE_RETYPE,      /* column `amount` of table `order` of version 1 becomes text */
    DAMAGE_FOREIGN_VIEW /* something else is called `order` */
} damage;

/* A backend under test. Claims run in processes of their own, several at once: names must be unique. */
typedef struct pdr_views_subject {
    /* A fresh place, without tables. */
    pdr_code (*create)(void **place, pdr_error *err);
    void (*destroy)(void *place); /* its connections are closed before */
    /* Another connection, as another worker would have it. Of one that is opened while `lock` holds, the lock
     * ends an operation with PDR_LOCKED after at most some seconds. */
    pdr_code (*open)(void *place, pdr_views **out, pdr_error *err);
    /* No connection had work: wait until one may have (the simulation: go to the next event). NULL: sleep on
     * what wait_on says. */
    void (*idle)(void *place, pdr_views *const *views, size_t count);
    /* Make it say that a newer version made it. NULL: the backend has no versions. */
    pdr_code (*make_too_new)(void *place, pdr_error *err);
    /* How readers see a view: its rows and its columns ("id,n,total"). PDR_NOT_FOUND: there is none. */
    pdr_code (*read)(void *place, const char *view, size_t *rows, char *columns, size_t size, pdr_error *err);
    /* Another connection holds what a batch of projection `books` needs, until unlock. NULL: nothing can. */
    pdr_code (*lock)(void *place, pdr_error *err);
    void (*unlock)(void *place);
    /* NULL: nobody can. */
    pdr_code (*damage)(void *place, damage what, pdr_error *err);
    bool has_no_minus_zero; /* -0 comes back as 0 */
    bool has_no_sql;        /* statements are refused with PDR_UNSUPPORTED */
} pdr_views_subject;

const pdr_views_subject *pdr_views_subject_get(void);

/* --- The world: one place, its connections --- */

void views_world_open(void);  /* the place, without tables */
void views_world_ready(void); /* initialised */
void views_world_made(void);  /* and version 1 of projection `books` is live */
void views_world_close(void);
pdr_views *views_world_at(size_t index); /* opened on first use; index < 3 */
void *views_world_keep(size_t size);     /* zeroed; until the end of the claim */
bool views_world_pump(void);             /* false: gave up */
const pdr_views_subject *views_world_subject(void);
void *views_world_place(void);
void views_world_need_sql(void); /* skips the claim */
void views_world_need_pipeline(void);

/* --- The projection `books`: 3 partitions, three tables --- */

enum { KINDS, ORDER, SHARED, TABLES };

/* Columns after the key. */
enum {
    KIND_FLAG,
    KIND_SMALL,
    KIND_BIG,
    KIND_NUM,
    KIND_REAL,
    KIND_WORD,
    KIND_RAW,
    KIND_DAY,
    KIND_AT,
    KIND_WIDTH
};
enum {
    ORDER_USER,
    ORDER_TOTAL,
    ORDER_TOP,
    ORDER_LOW,
    ORDER_AMOUNT,
    ORDER_SUM,
    ORDER_FROM5,
    ORDER_STATUS,
    ORDER_WIDTH
};
enum { SHARED_COUNT, SHARED_MOST, SHARED_FIRST, SHARED_WIDTH };

extern const pdr_version_spec books; /* version 1 */
pdr_version_spec books_of(uint32_t version);

/* --- Batches; everything lies in the world's arena --- */

typedef struct made_batch {
    pdr_view_batch batch;
    pdr_position_move moves[4];
    pdr_view_step steps[16];
    pdr_dead_letter park[8], unpark[8];
    uint64_t requests[8];
} made_batch;

pdr_position at(int64_t offset); /* a position; -1: the start */
made_batch *batch_new(void);
made_batch *batch_of(int32_t partition, int64_t from, int64_t to); /* with this move */
made_batch *next_batch(void); /* of partition 0, behind the last one that this gave */
void batch_move(made_batch *b, int32_t partition, int64_t from, int64_t to);
/* A row that changes nothing yet, of a step of its table: the last step if that is of this table, else a new
 * one. */
pdr_row_change *kinds_row(made_batch *b, const char *id);
pdr_row_change *order_row(made_batch *b, const char *id, int64_t n);
pdr_row_change *shared_row(made_batch *b, int64_t day, const char *kind);
void put(pdr_row_change *row, size_t column, pdr_cell_mode mode, pdr_cell cell);
void put_int(pdr_row_change *row, size_t column, pdr_cell_mode mode, int64_t value);
void put_text(pdr_row_change *row, size_t column, const char *value);
pdr_row_change *removed(pdr_row_change *row);
pdr_view_step *statement(made_batch *b, const char *sql);
void statement_text(pdr_view_step *step, const char *value);
void statement_int(pdr_view_step *step, int64_t value);
void park(made_batch *b, int32_t partition, int64_t offset, const char *entity, const char *reason);
void unpark(made_batch *b, int32_t partition, int64_t offset);

pdr_cell text_cell(const char *text);
pdr_cell real_cell(double value);

/* --- Outcomes --- */

typedef struct outcome {
    size_t times, order;
    uint64_t tag;
    pdr_code code;
    pdr_error error;
    size_t step;
    int32_t partition;
    pdr_position position;
    char *rows; /* of a fetch, as table_text has them, sorted */
    size_t count;
    void (*then)(struct outcome *outcome); /* in the completion; NULL: nothing */
    struct outcome *other;
    struct outcome *top; /* of the batch submitted on top of this one */
} outcome;

/* A worker of this version loads its positions, and with them their generations; without it the first batch
 * of a version does so. */
void positions_loaded(const pdr_version_spec *spec);
void submit(outcome *o, pdr_views *views, const pdr_version_spec *spec, const made_batch *b);
/* On top of the batch of `first`, or of what lies on top of that. */
pdr_code submit_on_top(outcome *o, outcome *first, pdr_views *views, const made_batch *b, pdr_error *err);
void submit_fetch(outcome *o, pdr_views *views, size_t table, const pdr_cell *const *keys, size_t count);
void outcome_wait(const outcome *o);                      /* until it is there; exactly once */
outcome commit_of(pdr_views *views, const made_batch *b); /* of `books`; submit and wait */
void committed(const made_batch *b);                      /* on connection 0; must go through */
outcome fetch_of(pdr_views *views, size_t table, const pdr_cell *const *keys, size_t count);

/* --- What is there, as text --- */

/* A line for each row: its cells with a blank between them; NULL, true, 'text', x00ff, 5 (numeric:
 * unscaled), 1.5. */
char *table_text(size_t table);
char *table_text_of(pdr_views *views, const pdr_version_spec *spec, size_t table);
/* "partition offset events parked worker" a line. */
char *positions_text(uint32_t version);
/* "partition offset entity seq behind attempts reason" a line. */
char *letters_text(uint32_t version, int32_t partition);
/* "kind partition entity" a line; ids go to `ids`, which may be NULL. */
char *requests_text(uint32_t version, int32_t partition, uint64_t *ids);
/* "projection version state paused throttle fault" a line. */
char *versions_text(const char *projection);
/* "rows: columns", or "none". */
char *view_text(const char *view);

#endif
