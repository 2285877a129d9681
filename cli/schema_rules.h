/* One version of an event against those before it, with each problem told. */
#ifndef PDR_CLI_SCHEMA_RULES_H
#define PDR_CLI_SCHEMA_RULES_H

#include <stdio.h>

#include "schemas/compat.h"
#include "schemas/files.h"

typedef struct pdr_rules {
    bool has_rule; /* else only what a version says of itself is checked */
    pdr_compat_rule rule;
    bool json;    /* one object a line */
    bool verbose; /* also what keeps the rules is told */
    FILE *to;
} pdr_rules;

/* `name` (BACKWARD...; NULL: none) into *rules. False: there is no such rule. */
bool pdr_rules_find(pdr_rules *rules, const char *name);
/* The version at `index`: the rule, and if it says readableByOlder, that the version before can read it, and
 * those before that one as far as they say it too. *kept turns false if one is broken. PDR_TOO_LARGE,
 * PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_rules_check(bool *kept, const pdr_rules *rules, const pdr_schema_files *files,
                                     size_t index, pdr_error *err);
/* The same for any schemas, oldest first: the last against those before it. `labels` name them. */
PDR_CHECKED pdr_code pdr_rules_check_roots(bool *kept, const pdr_rules *rules, const pdr_schema *const *roots,
                                           const char *const *labels, size_t count, pdr_error *err);

#define PDR_RULE_FLAG(out, fallback)                                                                         \
    {                                                                                                        \
        PDR_FLAG_TEXT, "--rule", "RULE",                                                                     \
            "BACKWARD, FORWARD, FULL, or one of these with _TRANSITIVE; default " fallback, &(out), 0, 0     \
    }

#endif
