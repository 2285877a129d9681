/* A table's rows, one after the other: a thread scans, another takes. */
#ifndef PDR_PROJECTIONS_ROW_STREAM_H
#define PDR_PROJECTIONS_ROW_STREAM_H

#include "projections/views.h"

typedef struct pdr_row_stream pdr_row_stream;

/* Begin to scan table `table` of a version. `views` is the stream's alone until close; `spec` outlives it.
 * The snapshot is taken at once; rows come after pdr_row_stream_go. PDR_NOMEM, PDR_UNAVAILABLE (no thread).
 */
PDR_CHECKED pdr_code pdr_row_stream_open(pdr_row_stream **out, pdr_views *views, const pdr_version_spec *spec,
                                         size_t table, pdr_error *err);
/* The positions in the stream's snapshot, by partition; blocking. `parked`: of all partitions. */
PDR_CHECKED pdr_code pdr_row_stream_positions(pdr_row_stream *stream, const pdr_position **positions,
                                              uint64_t *parked, pdr_error *err);
void pdr_row_stream_go(pdr_row_stream *stream);
/* The next row, in order of key; valid until the next call. *cells NULL: there are no more. Blocking. */
PDR_CHECKED pdr_code pdr_row_stream_next(pdr_row_stream *stream, const pdr_cell **cells, pdr_error *err);
void pdr_row_stream_close(pdr_row_stream *stream); /* at any time; NULL is fine */

#endif
