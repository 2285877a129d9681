/* Avro's schema resolution: what becomes of data written with one schema and read with another. The rules
 * stand here once; plans (schemas/plan.h) and compatibility checks both use them. Source: Apache Avro 1.11
 * specification, "Schema Resolution" and "Aliases"; docs/formats/avro.md has each decision with its sentence.
 */
#ifndef PDR_SCHEMAS_RESOLVE_H
#define PDR_SCHEMAS_RESOLVE_H

#include "schemas/schema.h"

enum {
    PDR_RESOLVE_MAX_PAIRS = 1 << 18,  /* of a writer's and a reader's type, reached from the two roots */
    PDR_RESOLVE_MAX_DEPTH = 1024,     /* types one inside the other, references included */
    PDR_RESOLVE_MAX_WORK = 100000000, /* comparisons of names */
};

typedef enum pdr_readable {
    PDR_READABLE_ALL,   /* every datum of the writer's */
    PDR_READABLE_SOME,  /* all but those with a union's branch or an enum's symbol that the reader can't take
                         */
    PDR_READABLE_NEVER, /* the two schemas don't match */
} pdr_readable;

/* Whether what was written with `writer` can be read with `reader`; both belong to finished sets. Each
 * problem is appended to `problems` (NULL: not wanted) as one line: the path inside the reader's schema, ":
 * ", what is wrong, "\n". PDR_TOO_LARGE (a ceiling above, or the buffer's), PDR_NOMEM. Any thread. */
PDR_CHECKED pdr_code pdr_schema_can_read(pdr_readable *out, const pdr_schema *writer,
                                         const pdr_schema *reader, pdr_buf *problems, pdr_error *err);

/* One pair of types. Which kind of step it is follows from the two kinds: the writer's union comes first,
 * then the reader's, then what both are, or a promotion. */
typedef struct pdr_match {
    const pdr_schema *writer;
    const pdr_schema *reader;
    size_t index;                    /* among all pairs, in the order in which they were reached */
    bool never;                      /* no datum of this pair can be read */
    const char *problem;             /* with its path; NULL: none of its own */
    const struct pdr_match *because; /* the part for which it is never readable; NULL: its own problem */
    size_t count;                    /* parts */
    /* Array, map, and a reader's union: one. Record: one per field of the writer's; NULL: only the writer has
     * it. Writer's union: one per branch. */
    struct pdr_match **parts;
    /* Record: per field of the writer's the reader's field, -1: none. Enum: per symbol of the writer's the
     * reader's, -1: it can't be read. Reader's union: the branch. */
    int32_t *targets;
    struct pdr_match *next;        /* all pairs, the one reached last first */
    struct pdr_match *next_writer; /* pairs with the same named type of the writer's */
} pdr_match;

typedef struct pdr_problem {
    const pdr_match *match;
    const char *text; /* "/fields/3/type: ..." */
    struct pdr_problem *next;
} pdr_problem;

typedef struct pdr_resolution {
    const pdr_match *root;
    pdr_match *last; /* reached last; `next` leads to the root */
    size_t count;    /* pairs */
    const pdr_problem *problems;
    pdr_arena arena; /* holds all of it */
} pdr_resolution;

/* Every pair that the two schemas have, each once: recursive types come back to the same pair. Schemas must
 * outlive it. With equal canonical forms aliases aren't looked at. Errors as above. */
PDR_CHECKED pdr_code pdr_resolution_open(pdr_resolution **out, const pdr_schema *writer,
                                         const pdr_schema *reader, pdr_error *err);
void pdr_resolution_close(pdr_resolution *resolution); /* NULL is fine */
/* Why `match` (never) can't be read; borrowed. */
const char *pdr_match_why(const pdr_match *match);

#endif
