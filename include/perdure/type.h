/* What `perdure gen` makes of one Avro record: its C struct's size, its schema and its codec. */
#ifndef PERDURE_TYPE_H
#define PERDURE_TYPE_H

#include "perdure/arena.h"
#include "perdure/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pdr_layout; /* how the struct's members lie in memory; perdure/sys/layout.h */

/* One record type. Constant, made by the generator, shared by all threads. */
typedef struct pdr_type {
    size_t abi_size;      /* sizeof(pdr_type) when it was generated */
    int id;               /* the generated enum's value: `switch (event->type->id)`; -1: not top-level */
    const char *name;     /* Avro full name: "loans.ApplicationDeclined" */
    const char *schema;   /* the schema as JSON, whole and self-contained */
    uint64_t fingerprint; /* CRC-64-AVRO of the Parsing Canonical Form */
    size_t size;          /* sizeof the generated struct */
    const struct pdr_layout *layout;
    /* Every member to its default, or to zero, empty, first symbol, absent. What a default array, map or
     * recursive record points to is constant. */
    void (*init)(void *value);
    /* Append the Avro datum (no framing) to `out`. PDR_INVALID_ARGUMENT for a value that no schema allows (a
     * union's tag, an enum out of range, a string that isn't UTF-8), PDR_TOO_LARGE, PDR_NOMEM; on failure
     * `out` is as before. */
    pdr_code (*encode)(const void *value, pdr_buf *out, pdr_error *err);
    /* Read one whole datum; bytes left over are PDR_BAD_DATA, with the place in the message. Strings and
     * bytes borrow from `datum`; arrays, maps and recursive records take memory from `arena`, up to its
     * ceiling (PDR_TOO_LARGE; PDR_NOMEM). Never reads past `datum`, whatever it holds. After a failure
     * `value` means nothing. */
    pdr_code (*decode)(pdr_bytes datum, pdr_arena *arena, void *value, pdr_error *err);
    /* Append the value as one line of plain JSON (unions untagged, bytes as in Avro's JSON). */
    pdr_code (*print)(const void *value, pdr_buf *out);
    uint32_t version;       /* of an event or state whose versions are kept: 1, 2, 3, ...; 0: unversioned */
    bool readable_by_older; /* code that knows only older versions may read it, by Avro's resolution */
} pdr_type;

#ifdef __cplusplus
}
#endif
#endif
