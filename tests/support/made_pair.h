/* Pairs of schemas, a writer's and a reader's that was derived from it by changes, and data of the writer's:
 * what schema resolution is tried on. The same choices make the same pair. */
#ifndef PDR_TESTS_MADE_PAIR_H
#define PDR_TESTS_MADE_PAIR_H

#include "perdure/bytes.h"
#include "schemas/schema.h"
#include "tests/support/choices.h"

/* What was changed on the way from the writer's schema to the reader's. */
#define MADE_CHANGES(X)                                                                                      \
    X(PROMOTED, "promoted")                                                                                  \
    X(DEMOTED, "demoted")                                                                                    \
    X(OTHER_TYPE, "other-type")                                                                              \
    X(READER_UNION, "reader-union")                                                                          \
    X(WRITER_UNION, "writer-union")                                                                          \
    X(BOTH_UNIONS, "both-unions")                                                                            \
    X(ROOT_UNION, "root-union")                                                                              \
    X(FIELD_REMOVED, "field-removed")                                                                        \
    X(FIELD_ADDED, "field-added")                                                                            \
    X(FIELD_ADDED_BARE, "field-added-bare")                                                                  \
    X(FIELD_RENAMED, "field-renamed")                                                                        \
    X(FIELD_RENAMED_BARE, "field-renamed-bare")                                                              \
    X(FIELD_DEFAULT, "field-default")                                                                        \
    X(FIELD_IDLE_ALIAS, "field-idle-alias")                                                                  \
    X(FIELD_CLASHING_ALIAS, "field-clashing-alias")                                                          \
    X(FIELDS_REORDERED, "fields-reordered")                                                                  \
    X(TYPE_RENAMED, "type-renamed")                                                                          \
    X(TYPE_RENAMED_BARE, "type-renamed-bare")                                                                \
    X(TYPE_MOVED, "type-moved")                                                                              \
    X(TYPE_IDLE_ALIAS, "type-idle-alias")                                                                    \
    X(WRITER_ALIAS, "writer-alias")                                                                          \
    X(SYMBOLS, "symbols")                                                                                    \
    X(SYMBOLS_DEFAULT, "symbols-default")                                                                    \
    X(FIXED_SIZE, "fixed-size")                                                                              \
    X(LOGICAL, "logical")                                                                                    \
    X(DECIMAL, "decimal")                                                                                    \
    X(REFERENCE, "reference")                                                                                \
    X(RECURSION, "recursion")
enum {
#define X(name, text) MADE_##name,
    MADE_CHANGES(X)
#undef X
        MADE_CHANGE_COUNT
};
extern const char *const made_change_names[MADE_CHANGE_COUNT];

typedef struct made_pair {
    pdr_buf writer, reader; /* JSON */
    unsigned changes[MADE_CHANGE_COUNT];
} made_pair;

#define MADE_PAIR_INIT                                                                                       \
    {                                                                                                        \
        .writer = PDR_BUF_INIT(1 << 20), .reader = PDR_BUF_INIT(1 << 20)                                     \
    }

/* Fill `pair`, which may have held another. False when it became too large or memory ran out. */
bool made_pair_fill(made_pair *pair, choices *c);
void made_pair_release(made_pair *pair);

/* Append a datum of `writer`. False when it became too large. */
bool made_datum(const pdr_schema *writer, choices *c, pdr_buf *out);

#endif
