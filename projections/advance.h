/* Bringing a version to exactly given positions, on the calling thread: what a comparison needs. */
#ifndef PDR_PROJECTIONS_ADVANCE_H
#define PDR_PROJECTIONS_ADVANCE_H

#include "projections/projector.h"

/* `spec`: as for a projector; its log is used by nobody else meanwhile, its env must be the system's. `to`:
 * by partition; each one a position of another version of the same log, none of them before the version's
 * own. An operator's pause doesn't hold it. Blocking. PDR_STALE: somebody moved a position past its aim;
 * PDR_TIMEOUT; what stopped the projector. */
PDR_CHECKED pdr_code pdr_projector_advance(const pdr_projector_spec *spec, const pdr_position *to,
                                           int timeout_ms, pdr_error *err);

#endif
