/* An exact export: what `perdure export` writes and `perdure import` takes. An Avro container file of
 * replay/exported.h's records. Format: docs/formats/export.md. */
#ifndef PDR_REPLAY_EXPORT_FILE_H
#define PDR_REPLAY_EXPORT_FILE_H

#include "journal/schema_book.h"
#include "journal/store.h"
#include "replay/container.h"
#include "replay/exported.h"

enum { PDR_EXPORT_VERSION = 1 };

/* --- writing --- */

typedef struct pdr_export_writer pdr_export_writer; /* one thread */

typedef struct pdr_export_spec {
    pdr_container_codec codec;
    uint8_t journal[PDR_ID_SIZE]; /* that the events come from */
    const char *selection;        /* what was left out, as JSON; NULL: nothing */
} pdr_export_spec;

PDR_CHECKED pdr_code pdr_export_writer_open(pdr_export_writer **out, const pdr_byte_sink *sink,
                                            const pdr_export_spec *spec, pdr_error *err);
/* Add an event; the events of a commit follow each other. `json`: its writer schema, written before the first
 * event that has it. */
PDR_CHECKED pdr_code pdr_export_writer_event(pdr_export_writer *writer, const pdr_exported_event *event,
                                             pdr_string json, pdr_error *err);
/* Writes the end. Without it the file is refused. */
PDR_CHECKED pdr_code pdr_export_writer_finish(pdr_export_writer *writer, pdr_error *err);
void pdr_export_writer_close(pdr_export_writer *writer); /* NULL is fine */

/* --- reading --- */

typedef struct pdr_export_reader pdr_export_reader; /* one thread */

/* PDR_INVALID_ARGUMENT: another container, or none. PDR_TOO_NEW. PDR_BAD_DATA, PDR_NOMEM, what the source
 * gives. */
PDR_CHECKED pdr_code pdr_export_reader_open(pdr_export_reader **out, const pdr_byte_source *source,
                                            pdr_error *err);
void pdr_export_reader_close(pdr_export_reader *reader);                   /* NULL is fine */
const uint8_t *pdr_export_reader_journal(const pdr_export_reader *reader); /* PDR_ID_SIZE bytes */
pdr_string pdr_export_reader_selection(const pdr_export_reader *reader);   /* data NULL: all was exported */
uint64_t pdr_export_reader_offset(const pdr_export_reader *reader);        /* bytes read */
/* The schemas met so far. */
const pdr_schema_book *pdr_export_reader_book(const pdr_export_reader *reader);
/* A commit, whole. Borrowed until the next call; *count 0: the end, all was there and as it was written.
 * PDR_BAD_DATA: the file is damaged or cut short, or its events don't make commits. */
PDR_CHECKED pdr_code pdr_export_reader_next(pdr_export_reader *reader, const pdr_exported_event **events,
                                            size_t *count, pdr_error *err);

#endif
