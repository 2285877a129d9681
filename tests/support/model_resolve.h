/* Schema resolution a second time, as plainly as the rules say it: a datum is walked with both schemas in
 * hand, and what the reader sees is written down. Slow, and without a struct; plans are compared with it.
 * Source: Apache Avro 1.11 specification, "Schema Resolution" and "Aliases"; docs/formats/avro.md,
 * "Resolution". */
#ifndef PDR_TESTS_MODEL_RESOLVE_H
#define PDR_TESTS_MODEL_RESOLVE_H

#include "schemas/schema.h"

/* Where Avro's Java library is known to differ: each is a row of the table in docs/formats/avro.md. */
#define MODEL_DIFFERENCES(X)                                                                                 \
    X(NOT_UTF8, "not-utf8")                                                                                  \
    X(LOGICAL, "logical")                                                                                    \
    X(ALIAS, "alias")                                                                                        \
    X(RECORD_NAME, "record-name")                                                                            \
    X(BY_STRUCTURE, "by-structure")                                                                          \
    X(UNQUALIFIED, "unqualified")                                                                            \
    X(AT_OPEN, "at-open")
enum {
#define X(name, text) MODEL_##name,
    MODEL_DIFFERENCES(X)
#undef X
        MODEL_DIFFERENCE_COUNT
};
extern const char *const model_difference_names[MODEL_DIFFERENCE_COUNT];

typedef enum model_verdict {
    MODEL_VALUE,        /* the reader sees what was appended */
    MODEL_REFUSES_PAIR, /* whatever the datum is */
    MODEL_REFUSES,      /* this datum: a branch or a symbol that the reader has no place for */
    MODEL_BAD_DATA,     /* it isn't the writer's */
    MODEL_TOO_DEEP,     /* for the model */
} model_verdict;

typedef struct model {
    const pdr_schema *writer, *reader;
    bool aliases; /* the two are so different that aliases are looked at */
    bool loose;   /* something bad was only skipped, or only read as bytes: a reader may see it or not */
    unsigned differences; /* bits of what was met */
    const uint8_t *at, *end;
    pdr_buf *out;
    unsigned depth;
    unsigned work; /* pairs looked at; beyond a ceiling it is MODEL_TOO_DEEP */
} model;

/* Both belong to finished sets that outlive the model. */
void model_init(model *m, const pdr_schema *writer, const pdr_schema *reader);
/* Can this pair be read at all? MODEL_VALUE, MODEL_REFUSES_PAIR or MODEL_TOO_DEEP. */
model_verdict model_pair(model *m);
/* What the reader sees of `datum`, appended to `out` in the notation of made_text.h. Only of a pair that can
 * be read. */
model_verdict model_datum(model *m, pdr_bytes datum, pdr_buf *out);

#endif
