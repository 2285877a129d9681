/* The golden corpus of an application's events; docs/formats/golden.md. */
#ifndef PDR_ACTORS_GOLDEN_H
#define PDR_ACTORS_GOLDEN_H

#include "journal/fold.h"

enum {
    PDR_GOLDEN_PATH = 4096,
    PDR_GOLDEN_MAX_FILE = 64 * 1024 * 1024 /* a result; a payload is an event and much smaller */
};

/* The path of an event type's payload `number` (from 1), without the ending ".bin" or ".json":
 * FOLDER/ENTITY/OfferMade.v2, FOLDER/ENTITY/OfferMade.v2.3. PDR_TOO_LARGE. */
PDR_CHECKED pdr_code pdr_golden_path(char path[PDR_GOLDEN_PATH], const char *folder, const char *entity,
                                     const pdr_type *type, unsigned number, pdr_error *err);
/* Append what a framed payload is read as: a line of JSON for each event. It is read twice and compared.
 * `scratch` is cleared. PDR_BAD_HANDLER, PDR_BAD_DATA, PDR_UNKNOWN_SCHEMA, PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_golden_result(const pdr_folder *folder, pdr_bytes payload, pdr_arena *scratch,
                                       pdr_buf *out, pdr_error *err);
/* Append a whole file. PDR_NOT_FOUND, PDR_TOO_LARGE, PDR_IO, PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_golden_read(const char *path, pdr_buf *out, pdr_error *err);
/* pdr_test_upcasters; *payloads: how many were compared. */
PDR_CHECKED pdr_code pdr_golden_check(const pdr_app *app, const char *folder, size_t *payloads,
                                      pdr_error *err);

#endif
