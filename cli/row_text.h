/* Cells and rows of views, for people and as JSON. */
#ifndef PDR_CLI_ROW_TEXT_H
#define PDR_CLI_ROW_TEXT_H

#include "perdure/view.h"

/* One value: as SQL shows it; as JSON a string, a number, true, false or null. PDR_NOMEM, PDR_TOO_LARGE. */
PDR_CHECKED pdr_code pdr_put_cell(pdr_buf *out, const pdr_column *column, const pdr_cell *cell, bool json);
/* "application 173688, day 2011-10-01", or "key":{...}. */
PDR_CHECKED pdr_code pdr_put_key(pdr_buf *out, const pdr_table *table, const pdr_cell *cells, bool json);
/* ": offers 3 -> 4", or ,"column":"offers","from":3,"to":4. */
PDR_CHECKED pdr_code pdr_put_change(pdr_buf *out, const pdr_column *column, const pdr_cell *from,
                                    const pdr_cell *to, bool json);
/* What comes after the key: ": status A, offers 3", or ,"row":{...}. */
PDR_CHECKED pdr_code pdr_put_rest(pdr_buf *out, const pdr_table *table, const pdr_cell *cells, bool json);

#endif
