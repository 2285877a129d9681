/* The application whose views claims and fuzzers define: orders and parcels, of
 * tests/unit/projections/views.avsc (viewed.gen.h, which each program generates). */
#ifndef PDR_TESTS_VIEWED_APP_H
#define PDR_TESTS_VIEWED_APP_H

#include "perdure/entity.h"

extern const pdr_app viewed_app;

#endif
