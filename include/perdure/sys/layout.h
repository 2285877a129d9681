/* How a generated struct lies in memory, and what Avro type each part of it has. For generated code and for
 * those who walk values without knowing their type at compile time (printing, plans); application code uses
 * the structs themselves. */
#ifndef PERDURE_SYS_LAYOUT_H
#define PERDURE_SYS_LAYOUT_H

#include "perdure/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum pdr_kind {
    PDR_KIND_NULL,
    PDR_KIND_BOOLEAN,
    PDR_KIND_INT,
    PDR_KIND_LONG,
    PDR_KIND_FLOAT,
    PDR_KIND_DOUBLE,
    PDR_KIND_BYTES,
    PDR_KIND_STRING,
    PDR_KIND_RECORD,
    PDR_KIND_ENUM,
    PDR_KIND_ARRAY,
    PDR_KIND_MAP,
    PDR_KIND_UNION,
    PDR_KIND_FIXED,
    PDR_KIND_COUNT
} pdr_kind;

typedef enum pdr_logical {
    PDR_LOGICAL_NONE,
    PDR_LOGICAL_DECIMAL,
    PDR_LOGICAL_UUID,
    PDR_LOGICAL_DATE,
    PDR_LOGICAL_TIME_MILLIS,
    PDR_LOGICAL_TIME_MICROS,
    PDR_LOGICAL_TIMESTAMP_MILLIS,
    PDR_LOGICAL_TIMESTAMP_MICROS,
    PDR_LOGICAL_LOCAL_TIMESTAMP_MILLIS,
    PDR_LOGICAL_LOCAL_TIMESTAMP_MICROS,
    PDR_LOGICAL_DURATION,
    PDR_LOGICAL_COUNT
} pdr_logical;

/* The C value of Avro's null where it must be a member or an item. */
typedef struct pdr_null {
    uint8_t unused;
} pdr_null;

/* How each kind is stored: boolean as bool, int as int32_t, long as int64_t, float, double, bytes as
 * pdr_bytes, string as pdr_string, an enum as a C enum (an int's size), fixed as its bytes, null as pdr_null;
 * a record as a struct; an array or map begins with a pdr_layout_list; a union begins with its tag (an enum:
 * the branch's index), or, if `optional`, with a bool that says whether the branch that isn't null is there.
 */
typedef struct pdr_layout_list {
    size_t count;
    void *items; /* of a map: entries that begin with the key, a pdr_string */
} pdr_layout_list;

struct pdr_layout;

typedef struct pdr_layout_member {
    const char *name; /* of a record's field, or of a union's branch (a full name or a primitive's) */
    const struct pdr_layout *type;
    size_t offset; /* from the start of the struct, item or entry that holds it */
    bool pointer;  /* what lies there is a pointer to the value */
} pdr_layout_member;

/* Constant data, made by the generator. */
typedef struct pdr_layout {
    pdr_kind kind;
    pdr_logical logical;
    int precision; /* of a decimal */
    int scale;
    bool optional;    /* a union stored as {present, value} */
    const char *name; /* full name of a record, enum or fixed */
    size_t size;      /* sizeof the C value */
    size_t stride;    /* array, map: sizeof one item or entry */
    size_t count;     /* fields, symbols, branches, or bytes of a fixed */
    const char *const *symbols;
    const pdr_layout_member
        *members; /* record: fields; union: branches; array, map: one, the item or value */
} pdr_layout;

/* The primitives without a logical type. */
PDR_API extern const pdr_layout pdr_layout_null;
PDR_API extern const pdr_layout pdr_layout_boolean;
PDR_API extern const pdr_layout pdr_layout_int;
PDR_API extern const pdr_layout pdr_layout_long;
PDR_API extern const pdr_layout pdr_layout_float;
PDR_API extern const pdr_layout pdr_layout_double;
PDR_API extern const pdr_layout pdr_layout_bytes;
PDR_API extern const pdr_layout pdr_layout_string;

/* Append `value` as one line of JSON: unions untagged, bytes and fixed as Avro's JSON has them (one code
 * point per byte), NaN and the infinities as strings. PDR_INVALID_ARGUMENT for a value that no schema allows,
 * PDR_NOMEM, PDR_TOO_LARGE; on failure `out` is as before. Any thread. */
PDR_API PDR_CHECKED pdr_code pdr_layout_print(const pdr_layout *layout, const void *value, pdr_buf *out);

#ifdef __cplusplus
}
#endif
#endif
