/* Has a view reached a token? One look, through the views seam. */
#ifndef PDR_PROJECTIONS_LOOK_H
#define PDR_PROJECTIONS_LOOK_H

#include "perdure/wait.h"
#include "projections/views.h"

/* Of the version that was live all through the look. PDR_BUSY: it changed meanwhile, look again. Errors of
 * the views. */
PDR_CHECKED pdr_code pdr_view_look(pdr_views *views, const char *projection, const pdr_view_token *token,
                                   pdr_readiness *out, pdr_error *err);

#endif
