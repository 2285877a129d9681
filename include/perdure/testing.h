/* For an application's own tests. */
#ifndef PERDURE_TESTING_H
#define PERDURE_TESTING_H

#include "perdure/entity.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Does today's code read what any version ever wrote? `golden_folder` holds one frozen payload or more of
 * every version of every event, and what each was read as when it was frozen (`perdure schema golden` makes
 * them; docs/formats/golden.md). Each is upcast, twice, and compared. PDR_OK, or the first fault:
 *   PDR_NOT_FOUND: a version without a payload, a payload without its frozen result, or the reverse;
 *   PDR_UNKNOWN_SCHEMA: a payload of a version that the application doesn't declare;
 *   PDR_BAD_HANDLER: a payload is read as something else than before, an upcaster fails or isn't
 * deterministic; PDR_BAD_DATA: a payload is damaged; what pdr_app_validate refuses; PDR_IO, PDR_NOMEM.
 * Blocking; any thread. */
PDR_API PDR_CHECKED pdr_code pdr_test_upcasters(const pdr_app *app, const char *golden_folder,
                                                pdr_error *err);

#ifdef __cplusplus
}
#endif
#endif
