/* What the files of the plan share: its steps, and what compiles them. */
#ifndef PDR_SCHEMAS_PLAN_INSIDE_H
#define PDR_SCHEMAS_PLAN_INSIDE_H

#include "schemas/plan.h"
#include "schemas/resolve.h"

enum {
    PLAN_MAX_STEPS = 1 << 20,
    PLAN_MAX_MEMORY = 64 * 1024 * 1024,
    PLAN_MAX_INLINE = 64, /* steps of a record that are repeated where it is used, instead of called */
    PLAN_MAX_NEST = 2048, /* calls, arrays and maps one inside the other while a datum is read */
    PLAN_LOOP = INT32_MAX /* as a weight: it holds itself */
};

/* A plan is a program over the writer's bytes. `to` is where a value goes, counted from the record or item
 * that is being read. */
typedef enum plan_op {
    PLAN_END, /* of a record, an item, or the whole */
    /* The writer's type is the reader's. */
    PLAN_BOOLEAN,
    PLAN_INT,
    PLAN_LONG,
    PLAN_FLOAT,
    PLAN_DOUBLE,
    PLAN_BYTES,
    PLAN_STRING,
    PLAN_FIXED, /* count: bytes */
    PLAN_ENUM,  /* count: symbols */
    /* Promotions. */
    PLAN_INT_LONG,
    PLAN_INT_FLOAT,
    PLAN_INT_DOUBLE,
    PLAN_LONG_FLOAT,
    PLAN_LONG_DOUBLE,
    PLAN_FLOAT_DOUBLE,
    PLAN_STRING_BYTES,
    PLAN_BYTES_STRING,
    PLAN_ENUM_MAP, /* count: symbols of the writer's; data: plan_symbols */
    /* Unions. */
    PLAN_OPTIONAL,   /* of both: branch `small` is null; then go on at `jump`, with `count` bytes zeroed */
    PLAN_PRESENT,    /* an optional value comes */
    PLAN_TAG,        /* count: bytes of the union; jump: its tag */
    PLAN_BRANCH,     /* of the writer's union; count: branches; data: uint32_t where each goes on */
    PLAN_JUMP,       /* jump */
    PLAN_UNREADABLE, /* data: why */
    /* Values without bytes. */
    PLAN_ZERO,      /* count: bytes */
    PLAN_DEFAULT,   /* count: bytes; data: the values */
    PLAN_DEFAULT_4, /* the same for one size */
    PLAN_DEFAULT_8,
    PLAN_DEFAULT_16,
    PLAN_DEFAULT_24,
    /* Records and lists. */
    PLAN_CALL, /* the record at `jump`; small: it holds itself */
    PLAN_MAKE, /* the same, into count new bytes */
    PLAN_LIST, /* data: plan_list; its items' steps follow, up to `jump` */
    /* What only the writer has. */
    PLAN_SKIP_VARINT, /* count: how many, one after the other */
    PLAN_SKIP_BYTES,  /* count: how many strings or bytes */
    PLAN_SKIP_FIXED,  /* count: bytes */
    PLAN_SKIP_LIST,   /* count: bytes that an item takes at least; small: they take none; up to `jump` */
    PLAN_SKIP_CALL,
} plan_op;

typedef struct plan_step {
    uint16_t op;
    uint16_t small;
    uint32_t to;
    uint32_t count;
    uint32_t jump;
    const void *data;
} plan_step;

typedef struct plan_symbols {
    const int32_t *targets;   /* -1: the reader has none for it */
    const char *const *names; /* of the writer's */
} plan_symbols;

typedef struct plan_list {
    size_t least;  /* bytes that an item takes at least */
    size_t stride; /* of an item or entry in memory */
    bool map;
} plan_list;

struct pdr_plan {
    const pdr_type *reader;
    uint64_t writer;
    bool straight;       /* no steps: the generated decode */
    bool loop;           /* the root record holds itself */
    plan_step *steps;    /* owned */
    const char **places; /* one per step: "full.Name.field"; owned, the texts are the arena's */
    uint32_t start;      /* the root's first step */
    pdr_arena arena;     /* what steps point to */
};

/* As pdr_plan_open, of schemas that were read already; `schema` is the reader's. They needn't outlive it. */
PDR_CHECKED pdr_code plan_open(pdr_plan **out, const pdr_schema *writer, const pdr_schema *schema,
                               const pdr_type *reader, pdr_error *err);

/* The whole datum by the plan's steps. */
PDR_CHECKED pdr_code plan_run(const pdr_plan *plan, pdr_bytes datum, pdr_arena *arena, void *value,
                              pdr_error *err);

/* ---- compiling ---- */

typedef struct plan_call { /* a step whose `jump` must be filled in */
    struct plan_call *next;
    uint32_t step;
    const pdr_match *match;   /* what it calls; NULL: */
    const pdr_schema *schema; /* a record to skip */
    const pdr_layout *layout;
} plan_call;

/* Failure is remembered, so that steps can be written one after the other; the first one counts. */
typedef struct plan_maker {
    pdr_plan *plan;
    const pdr_resolution *all;
    uint32_t count;         /* steps */
    uint32_t room;          /* for steps */
    uint32_t barrier;       /* a step before it can't be joined with one after it: something jumps here */
    const char *place;      /* what is being read */
    uint32_t *weights;      /* per pair: steps; 0: not known yet */
    uint32_t *starts;       /* per pair: its first step; 0: none yet */
    uint32_t *skip_weights; /* per named type of the writer's */
    uint32_t *skip_starts;
    unsigned depth;  /* of records that are being weighed */
    uint32_t *least; /* bytes that it takes at least */
    plan_call *calls;
    plan_call **last_call;
    plan_step spare; /* written to after a failure */
    pdr_code code;
    pdr_error *err;
    pdr_arena scratch;
} plan_maker;

PDR_CHECKED pdr_code plan_compile(pdr_plan *plan, const pdr_resolution *all, pdr_error *err);

plan_step *plan_emit(plan_maker *m, plan_op op, uint32_t to); /* valid until the next */
plan_step *plan_at(plan_maker *m, uint32_t index);
uint32_t plan_here(plan_maker *m); /* the next step's index, that something jumps to */
void plan_emit_call(plan_maker *m, plan_op op, uint32_t to, const plan_call *call);
void *plan_keep(plan_maker *m, size_t size); /* zeroed memory of the plan; never NULL before a failure */
void plan_no_memory(plan_maker *m);
void plan_place(plan_maker *m, const pdr_schema *record, const pdr_schema_field *field);
/* Branches of the writer's union: `emit` writes each one's steps. */
typedef void (*plan_branch)(plan_maker *m, const void *what, size_t branch, const pdr_layout *layout,
                            uint32_t to);
void plan_emit_branches(plan_maker *m, size_t count, plan_branch emit, const void *what,
                        const pdr_layout *layout, uint32_t to);

/* A value that only the writer has. */
void plan_skip(plan_maker *m, const pdr_schema *schema);
void plan_skip_record(plan_maker *m, const pdr_schema *schema);
uint32_t plan_skip_weight(plan_maker *m, const pdr_schema *schema); /* steps that skipping takes */
uint32_t plan_least(const plan_maker *m, const pdr_schema *schema);
void plan_find_least(plan_maker *m, const pdr_schema_set *writers);

/* Defaults of the fields that only the reader has; `taken`: the others. */
void plan_defaults(plan_maker *m, const pdr_schema *record, const pdr_layout *layout, uint32_t to,
                   const bool *taken);

static inline uint32_t plan_add(uint32_t a, uint32_t b) /* weights, up to the ceiling */
{
    return a > (uint32_t)PLAN_LOOP - b ? (uint32_t)PLAN_LOOP : a + b;
}

#endif
