#include "schemas/compat.h"

#include "schemas/resolve.h"

enum { MAX_PROBLEMS = 16 * 1024 * 1024 /* bytes of a pair's problems */ };

static const struct {
    const char *name;
    bool backward, forward, transitive;
} rules[PDR_COMPAT_COUNT] = {
    [PDR_COMPAT_BACKWARD] = {"BACKWARD", true, false, false},
    [PDR_COMPAT_BACKWARD_TRANSITIVE] = {"BACKWARD_TRANSITIVE", true, false, true},
    [PDR_COMPAT_FORWARD] = {"FORWARD", false, true, false},
    [PDR_COMPAT_FORWARD_TRANSITIVE] = {"FORWARD_TRANSITIVE", false, true, true},
    [PDR_COMPAT_FULL] = {"FULL", true, true, false},
    [PDR_COMPAT_FULL_TRANSITIVE] = {"FULL_TRANSITIVE", true, true, true},
};

const char *pdr_compat_name(pdr_compat_rule rule)
{
    return (unsigned)rule < PDR_COMPAT_COUNT ? rules[rule].name : "unknown";
}

bool pdr_compat_find(const char *name, pdr_compat_rule *out)
{
    for (unsigned i = 0; i < PDR_COMPAT_COUNT; i++) {
        if (strcmp(rules[i].name, name) != 0) continue;
        *out = (pdr_compat_rule)i;
        return true;
    }
    return false;
}

typedef struct checker {
    const pdr_schema *const *versions;
    size_t newest;
    pdr_compat_report *report;
    void *context;
    bool kept;
} checker;

static void report_lines(const checker *c, size_t older, bool forward, const pdr_buf *lines)
{
    const char *text = (const char *)lines->data;
    for (size_t at = 0; c->report && at < lines->size;) {
        const char *end = memchr(text + at, '\n', lines->size - at);
        size_t size = end ? (size_t)(end - text) - at : lines->size - at;
        pdr_compat_problem problem = {older, forward, {text + at, size}};
        c->report(c->context, &problem);
        at += size + 1;
    }
}

static pdr_code check_pair(checker *c, size_t older, bool forward, pdr_error *err)
{
    const pdr_schema *was = c->versions[older], *now = c->versions[c->newest];
    pdr_buf lines = PDR_BUF_INIT(MAX_PROBLEMS);
    pdr_readable readable = PDR_READABLE_ALL;
    pdr_code code = pdr_schema_can_read(&readable, forward ? now : was, forward ? was : now, &lines, err);
    if (code == PDR_OK && readable != PDR_READABLE_ALL) {
        c->kept = false;
        report_lines(c, older, forward, &lines);
    }
    pdr_buf_release(&lines);
    return code;
}

pdr_code pdr_compat_check(bool *kept, pdr_compat_rule rule, const pdr_schema *const *versions, size_t count,
                          pdr_compat_report *report, void *context, pdr_error *err)
{
    checker c = {versions, count - 1, report, context, true};
    size_t first = rules[rule].transitive || c.newest == 0 ? 0 : c.newest - 1;
    pdr_code code = PDR_OK;
    for (size_t older = first; older < c.newest && code == PDR_OK; older++) {
        if (rules[rule].backward) code = check_pair(&c, older, false, err);
        if (code == PDR_OK && rules[rule].forward) code = check_pair(&c, older, true, err);
    }
    *kept = c.kept;
    return code;
}
