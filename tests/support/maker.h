/* What the files that make pairs share. Writer and reader are written side by side: each part goes to one of
 * them, or to both, perhaps changed. The functions that write a part give the JSON of a default for the
 * reader's side of it, NULL if there is none. */
#ifndef PDR_TESTS_MAKER_H
#define PDR_TESTS_MAKER_H

#include "perdure/arena.h"
#include "tests/support/made_pair.h"

enum { W = 1, R = 2, BOTH = W | R };
enum { MAX_TYPES = 24, MAX_FIELDS = 6, DEEP = 4 };

/* A named type that stands on one side or both. */
typedef struct named {
    char name[2][32]; /* the full name in the writer's and in the reader's text */
    unsigned sides;
    unsigned inside[2]; /* arrays, maps and unions around it */
    bool open;          /* not yet written to its end */
    const char *value;  /* a default */
} named;

typedef struct maker {
    choices *c;
    made_pair *pair;
    pdr_arena arena;
    named types[MAX_TYPES];
    unsigned type_count;
    unsigned inside[2];
    unsigned names;  /* that were given */
    unsigned budget; /* of parts */
    bool failed;
} maker;

unsigned maker_draw(maker *m, unsigned count);
void maker_changed(maker *m, int change);
void maker_put(maker *m, unsigned sides, const char *text);
/* A text that lives as long as the maker; NULL if it is too long for a default. */
const char *maker_text(maker *m, const char *format, ...);
const char *maker_primitive_default(maker *m, pdr_kind kind);
void maker_one_primitive(maker *m, unsigned sides, pdr_kind kind, const char *logical);
const char *maker_primitive(maker *m, unsigned sides, pdr_kind kind);
const char *maker_promoted(maker *m, const unsigned avoid[2], unsigned made[2]);
named *maker_new_type(maker *m, unsigned sides, const char *kind, const char **aliases);
void maker_put_name(maker *m, const named *n, unsigned sides, const char *kind, const char *aliases);
const char *maker_enumeration(maker *m, unsigned sides);
const char *maker_fixed(maker *m, unsigned sides);
named *maker_find_reference(maker *m, unsigned sides, unsigned before);
const char *maker_reference(maker *m, unsigned sides, named *n);

#endif
