#include "schemas/type.h"

#include <stdio.h>

pdr_code pdr_type_check(const pdr_type *type, pdr_error *err)
{
    if (!type) return pdr_fail(err, PDR_INVALID_ARGUMENT, "it is NULL");
    if (type->abi_size < sizeof *type)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "it was generated for another version");
    if (!type->name || !type->schema || !type->size || !type->init || !type->encode || !type->decode)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "%.200s lacks a member",
                        type->name ? type->name : "(unnamed)");
    return PDR_OK;
}

pdr_type_label pdr_type_label_of(const pdr_type *type)
{
    pdr_type_label label;
    if (type->version)
        snprintf(label.text, sizeof label.text, "%.130s version %u", type->name, type->version);
    else
        snprintf(label.text, sizeof label.text, "%.150s", type->name);
    return label;
}
