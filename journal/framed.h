/* A value of the log in either framing: by the writer's fingerprint, or by a schema registry's id, which the
 * journal's own SCHEMA records explain. Without a registry nothing is done beyond framing.h. */
#ifndef PDR_JOURNAL_FRAMED_H
#define PDR_JOURNAL_FRAMED_H

#include "base/mem.h"
#include "journal/schema_book.h"
#include "schemas/framing.h"
#include "schemas/framing_id.h"

PDR_CHECKED pdr_code pdr_framed_read_id(uint64_t *fingerprint, pdr_bytes *datum, pdr_bytes value,
                                        const pdr_schema_book *book, pdr_error *err);
PDR_CHECKED pdr_code pdr_framed_write_id(pdr_buf *out, uint64_t fingerprint, const pdr_schema_book *ids);

/* Split a value into its writer's fingerprint and the datum (borrowed). PDR_BAD_DATA: neither framing.
 * PDR_UNKNOWN_SCHEMA: the book (may be NULL) doesn't know the id. Any thread. */
PDR_CHECKED static inline pdr_code pdr_framed_read(uint64_t *fingerprint, pdr_bytes *datum, pdr_bytes value,
                                                   const pdr_schema_book *book, pdr_error *err)
{
    if (PDR_LIKELY(!pdr_frame_has_id(value))) return pdr_frame_read(fingerprint, datum, value, err);
    return pdr_framed_read_id(fingerprint, datum, value, book, err);
}

/* Begin a value with the frame of a schema: by its id in `ids`, or by its fingerprint if that is NULL.
 * PDR_UNKNOWN_TYPE: there is no id for it; PDR_NOMEM, PDR_TOO_LARGE. */
PDR_CHECKED static inline pdr_code pdr_framed_write(pdr_buf *out, uint64_t fingerprint,
                                                    const pdr_schema_book *ids)
{
    return PDR_LIKELY(!ids) ? pdr_frame_write(out, fingerprint) : pdr_framed_write_id(out, fingerprint, ids);
}

#endif
