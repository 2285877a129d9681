/* A declarative projection in a file. */
#ifndef PDR_PROJECTIONS_PROJECTION_FILE_H
#define PDR_PROJECTIONS_PROJECTION_FILE_H

#include "projections/projection.h"

enum { PDR_MAX_PROJECTION_FILE = 1024 * 1024 };

/* As pdr_projection_read; PDR_NOT_FOUND, PDR_IO, PDR_TOO_LARGE besides. */
PDR_CHECKED pdr_code pdr_projection_read_file(pdr_projection **out, const char *path, const pdr_app *app,
                                              pdr_error *err);

#endif
