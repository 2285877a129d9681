/* Rules that schemas of successive versions may have to keep, with the names and the meaning that Confluent's
 * schema registry gives them (its documentation, "Schema Evolution and Compatibility"). What can read what is
 * resolve.h's question; here a pair is compatible only if every datum can be read. */
#ifndef PDR_SCHEMAS_COMPAT_H
#define PDR_SCHEMAS_COMPAT_H

#include "schemas/schema.h"

typedef enum pdr_compat_rule {
    PDR_COMPAT_BACKWARD,            /* the newest reads what the one before wrote */
    PDR_COMPAT_BACKWARD_TRANSITIVE, /* ... what all before wrote */
    PDR_COMPAT_FORWARD,             /* the one before reads what the newest writes */
    PDR_COMPAT_FORWARD_TRANSITIVE,  /* all before do */
    PDR_COMPAT_FULL,                /* both ways */
    PDR_COMPAT_FULL_TRANSITIVE,
    PDR_COMPAT_COUNT
} pdr_compat_rule;

const char *pdr_compat_name(pdr_compat_rule rule); /* "BACKWARD_TRANSITIVE" */
/* By name, in capitals. False: there is no such rule. */
bool pdr_compat_find(const char *name, pdr_compat_rule *out);

/* One problem: versions[older] and the newest are at odds. */
typedef struct pdr_compat_problem {
    size_t older;
    bool forward; /* versions[older] can't read the newest's data; else the newest can't read the older's */
    pdr_string text; /* "/fields/3/type: ...", the path inside the schema that reads */
} pdr_compat_problem;

typedef void pdr_compat_report(void *context, const pdr_compat_problem *problem);

/* Does the last of `versions` (oldest first, at least one) keep the rule towards those before it? Each
 * problem goes to `report` (NULL: not wanted). Any thread. PDR_TOO_LARGE, PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_compat_check(bool *kept, pdr_compat_rule rule, const pdr_schema *const *versions,
                                      size_t count, pdr_compat_report *report, void *context, pdr_error *err);

#endif
