/* Inside the blocking operations: a session, the text of what it runs next, and the first failure. */
#ifndef PDR_BACKENDS_POSTGRES_VIEWS_ADMIN_H
#define PDR_BACKENDS_POSTGRES_VIEWS_ADMIN_H

#include "backends/postgres/views_inside.h"

typedef struct pdr_pgv_work {
    pdr_pg_views *v;
    pdr_pg_session session;
    pdr_buf sql;
    bool found;    /* our own tables are there */
    pdr_code code; /* once it isn't PDR_OK everything else does nothing */
    pdr_error *err;
} pdr_pgv_work;

/* Waits for what is under way, then connects. End it also after a failure. */
pdr_code pdr_pgv_begin(pdr_pgv_work *work, pdr_views *views, int timeout_ms, pdr_error *err);
pdr_code pdr_pgv_end(pdr_pgv_work *work); /* the code */
/* Append to the text: a part of at most 1023 bytes; a literal; "projection = '...' AND version = n". */
void pdr_pgv_add(pdr_pgv_work *work, const char *format, ...) PDR_PRINTF(2, 3);
void pdr_pgv_add_text(pdr_pgv_work *work, const char *text, size_t size);
void pdr_pgv_add_version(pdr_pgv_work *work, const char *projection, uint32_t version);
/* Begin a transaction that makes, changes or drops versions: one at a time in the whole database. */
void pdr_pgv_begin_change(pdr_pgv_work *work);
/* The same for what workers move: their batches end first, and then they wait. */
void pdr_pgv_lock_positions(pdr_pgv_work *work, const char *projection);
/* State of a version, -1 after a failure: PDR_NOT_FOUND. */
int pdr_pgv_find_state(pdr_pgv_work *work, const char *projection, uint32_t version);
/* Run the text and clear it; several statements, or one with its rows in binary (NULL after a failure). */
void pdr_pgv_run(pdr_pgv_work *work);
PGresult *pdr_pgv_query(pdr_pgv_work *work);

#endif
