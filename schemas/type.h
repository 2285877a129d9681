/* Types as applications hand them over: is one whole, and what is it called in messages. */
#ifndef PDR_SCHEMAS_TYPE_H
#define PDR_SCHEMAS_TYPE_H

#include "perdure/type.h"

/* PDR_INVALID_ARGUMENT: it is NULL, was generated for another version of the library, or lacks a member. */
PDR_CHECKED pdr_code pdr_type_check(const pdr_type *type, pdr_error *err);

/* "loans.OfferMade version 2", or the name alone where no version is kept. */
typedef struct pdr_type_label {
    char text[160];
} pdr_type_label;
pdr_type_label pdr_type_label_of(const pdr_type *type);

#endif
