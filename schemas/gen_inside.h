/* Inside of the generator: shared by the gen*.c files, nobody else. */
#ifndef PDR_SCHEMAS_GEN_INSIDE_H
#define PDR_SCHEMAS_GEN_INSIDE_H

#include "perdure/arena.h"
#include "schemas/gen.h"

/* A named type. */
typedef struct gen_type {
    const pdr_schema *schema;
    const pdr_versioned *version; /* whose file defines it; NULL: an unversioned one */
    size_t index;                 /* in gen.types */
    const char *c_name;           /* "loans_application_declined" */
    const char **members;         /* C names of a record's fields, constants of an enum's symbols */
    bool finite;                  /* has a value that ends */
    bool recursive;               /* can reach itself */
    bool dynamic;                 /* the size of its datum has no bound known here */
    uint64_t bound;               /* that bound */
    uint64_t least;               /* bytes that a datum takes at least */
    bool placed;                  /* stands in `order` */
    bool top;
    bool old; /* a top-level record that nobody writes any more */
    int id;   /* of a top-level record; else -1 */
} gen_type;

/* A schema set, and the types that its named types are: those of unversioned files are the same in every set.
 */
typedef struct gen_set {
    const pdr_schema_set *set;
    gen_type **types; /* by number in the set */
} gen_set;

typedef struct gen_name {
    const char *name;
    const char *what; /* what has it */
    struct gen_name *next;
} gen_name;

typedef struct gen {
    const pdr_schema_files *files;
    gen_set *sets; /* sorted by address */
    size_t set_count;
    const pdr_gen_options *options;
    pdr_arena arena;
    pdr_buf *out; /* where lines go now */
    pdr_error *err;
    pdr_code code; /* the first failure; nothing is written after it */
    int indent;
    unsigned unique; /* for names of local variables and static data */
    gen_type *types;
    size_t count;
    gen_type **order; /* records, each after those that it holds by value */
    size_t order_count;
    gen_type **tops; /* by id: today's, then old versions */
    size_t top_count;
    size_t today_count;
    bool *holds;   /* count x count: [a * count + b]: a holds b by value, directly or through others */
    bool *reaches; /* the same through arrays and maps as well */
    gen_name *names;
    const gen_type *record; /* whose code is being written */
} gen;

/* A datum's size: `fixed` bytes at most, and more if `dynamic`. */
typedef struct gen_extent {
    uint64_t fixed;
    bool dynamic;
} gen_extent;

/* ---- gen_text.c: output, sticky on failure ---- */
void gen_fail(gen *g, const pdr_schema *at, const char *format, ...) PDR_PRINTF(3, 4); /* PDR_BAD_SCHEMA */
void gen_no_memory(gen *g);
const char *gen_text(gen *g, const char *format, ...) PDR_PRINTF(2, 3); /* in the arena; "" on failure */
void gen_line(gen *g, const char *format, ...) PDR_PRINTF(2, 3); /* indented, with a newline; "" is empty */
void gen_open(gen *g, const char *format, ...) PDR_PRINTF(2, 3); /* the same, then one level deeper */
void gen_close(gen *g, const char *text);                        /* one level back, then the line */
void gen_literal(gen *g, pdr_string text, const char *after);    /* C string literals over several lines */
const char *gen_quote(gen *g, pdr_string text);                  /* one C string literal */
const char *gen_comment(gen *g, const char *text);               /* text made fit for a comment */

/* ---- gen_names.c ---- */
const char *gen_snake(gen *g, const char *name); /* "ApplicationDeclined" to "application_declined" */
const char *gen_upper(gen *g, const char *name);
const char *gen_member(gen *g, const char *name);                                 /* snake, and no keyword */
void gen_claim(gen *g, const pdr_schema *at, const char *name, const char *what); /* a file-scope C name */
void gen_name_types(gen *g);
const char *gen_branch(gen *g, const pdr_schema *branch); /* member of a tagged union: "string", "money" */
const char *gen_constant(gen *g, const char *path, const pdr_schema *branch); /* its tag's constant */

/* ---- gen_shape.c: what holds what ---- */
void gen_shape(gen *g);
bool gen_is_optional(const pdr_schema *schema);           /* a union of null and one other */
const pdr_schema *gen_optional(const pdr_schema *schema); /* that other */
size_t gen_null_index(const pdr_schema *schema);          /* of an optional's null */
/* Is `schema` stored as a pointer where the record at hand holds it by value? */
bool gen_is_pointer(const gen *g, const pdr_schema *schema);
bool gen_is_direct(const pdr_schema *schema); /* an array of records: its items are never pointers */
gen_extent gen_extent_of(gen *g, const pdr_schema *schema);
uint64_t gen_least(const gen *g, const pdr_schema *schema);

/* ---- gen_types.c: the types of all files ---- */
void gen_collect(gen *g);
gen_type *gen_type_of(const gen *g, const pdr_schema *schema);
bool gen_is_root(const gen_type *type); /* a version's record */

/* ---- the parts of the output ---- */
void gen_header(gen *g);
void gen_source(gen *g);
void gen_measure_record(gen *g, const gen_type *type);
void gen_put_record(gen *g, const gen_type *type);
void gen_get_record(gen *g, const gen_type *type);
void gen_layout_record(gen *g, const gen_type *type);
void gen_default_record(gen *g, const gen_type *type);

#endif
