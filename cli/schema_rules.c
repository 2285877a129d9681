#include "cli/schema_rules.h"

#include "base/mem.h"
#include "cli/json.h"

bool pdr_rules_find(pdr_rules *rules, const char *name)
{
    rules->has_rule = name != NULL;
    return !name || pdr_compat_find(name, &rules->rule);
}

typedef struct telling {
    const pdr_rules *rules;
    const char *rule; /* "BACKWARD", "readableByOlder" */
    const char *const *labels;
    size_t newest;
    pdr_code code; /* of the first line that couldn't be made */
} telling;

static pdr_code put(pdr_buf *line, const char *key, pdr_string text)
{
    pdr_code code = pdr_buf_printf(line, ",\"%s\":", key);
    return code == PDR_OK ? pdr_json_text(line, (pdr_bytes){(const uint8_t *)text.data, text.size}) : code;
}

static pdr_code put_head(const telling *t, bool kept, pdr_buf *line)
{
    pdr_code code = pdr_buf_printf(line, "{\"kept\":%s", kept ? "true" : "false");
    if (code == PDR_OK) code = put(line, "schema", pdr_string_of(t->labels[t->newest]));
    return code == PDR_OK ? put(line, "rule", pdr_string_of(t->rule)) : code;
}

static pdr_code problem_json(const telling *t, const pdr_compat_problem *problem, pdr_buf *line)
{
    const char *older = t->labels[problem->older], *newest = t->labels[t->newest];
    pdr_code code = put_head(t, false, line);
    if (code == PDR_OK) code = put(line, "reader", pdr_string_of(problem->forward ? older : newest));
    if (code == PDR_OK) code = put(line, "writer", pdr_string_of(problem->forward ? newest : older));
    if (code == PDR_OK) code = put(line, "problem", problem->text);
    return code == PDR_OK ? pdr_buf_printf(line, "}") : code;
}

static void print(telling *t, pdr_buf *line, pdr_code code)
{
    if (code == PDR_OK)
        (void)fprintf(t->rules->to, "%.*s\n", (int)line->size, (const char *)line->data);
    else if (t->code == PDR_OK)
        t->code = code;
    pdr_buf_release(line);
}

static void tell(void *context, const pdr_compat_problem *problem)
{
    telling *t = context;
    pdr_buf line = PDR_BUF_INIT(PDR_SCHEMA_MAX_MEMORY);
    const char *older = t->labels[problem->older], *newest = t->labels[t->newest];
    if (t->rules->json)
        print(t, &line, problem_json(t, problem, &line));
    else
        (void)fprintf(t->rules->to, "%s can't read %s: %.*s\n", problem->forward ? older : newest,
                      problem->forward ? newest : older, (int)problem->text.size, problem->text.data);
}

/* After the problems. */
static void tell_outcome(telling *t, bool kept)
{
    pdr_buf line = PDR_BUF_INIT(PDR_SCHEMA_MAX_MEMORY);
    if (kept && !t->rules->verbose) return;
    if (!t->rules->json) {
        (void)fprintf(t->rules->to, "%s: %s is %s\n", t->labels[t->newest], t->rule,
                      kept ? "kept" : "broken");
    } else if (kept) {
        pdr_code code = put_head(t, true, &line);
        print(t, &line, code == PDR_OK ? pdr_buf_printf(&line, "}") : code);
    }
}

static pdr_code check(bool *kept, telling *t, pdr_compat_rule rule, const pdr_schema *const *roots,
                      pdr_error *err)
{
    bool held = true;
    pdr_code code = pdr_compat_check(&held, rule, roots, t->newest + 1, tell, t, err);
    if (code != PDR_OK) return code;
    tell_outcome(t, held);
    *kept = *kept && held;
    return t->code == PDR_OK ? PDR_OK
                             : pdr_fail(err, t->code, "%s: %s", t->labels[t->newest], pdr_code_text(t->code));
}

pdr_code pdr_rules_check_roots(bool *kept, const pdr_rules *rules, const pdr_schema *const *roots,
                               const char *const *labels, size_t count, pdr_error *err)
{
    telling t = {rules, pdr_compat_name(rules->rule), labels, count - 1, PDR_OK};
    return rules->has_rule ? check(kept, &t, rules->rule, roots, err) : PDR_OK;
}

static pdr_code check_readable(bool *kept, const pdr_rules *rules, const pdr_schema *const *roots,
                               const char *const *labels, size_t count, pdr_error *err)
{
    telling t = {rules, "readableByOlder", labels, count - 1, PDR_OK};
    return check(kept, &t, PDR_COMPAT_FORWARD_TRANSITIVE, roots, err);
}

/* The oldest version whose code must be able to read the one at `index`: the one before, and on from there as
 * long as versions say that older code reads them. What lies before one that older code can't read is cut off
 * from the rest. */
static size_t readers_from(const pdr_schema_files *files, size_t index)
{
    size_t from = index;
    if (pdr_schema_files_at(files, from)->version > 1) from--;
    while (pdr_schema_files_at(files, from)->version > 1 &&
           pdr_schema_files_at(files, from)->readable_by_older)
        from--;
    return from;
}

pdr_code pdr_rules_check(bool *kept, const pdr_rules *rules, const pdr_schema_files *files, size_t index,
                         pdr_error *err)
{
    const pdr_versioned *v = pdr_schema_files_at(files, index);
    size_t count = v->version, first = index + 1 - count;
    const pdr_schema **roots = pdr_calloc(count, sizeof *roots);
    const char **labels = pdr_calloc(count, sizeof *labels);
    pdr_code code = roots && labels ? PDR_OK : pdr_fail(err, PDR_NOMEM, "out of memory for %s", v->path);
    for (size_t i = 0; i < count && code == PDR_OK; i++) {
        roots[i] = pdr_schema_files_at(files, first + i)->root;
        labels[i] = pdr_schema_files_at(files, first + i)->path;
    }
    if (code == PDR_OK) code = pdr_rules_check_roots(kept, rules, roots, labels, count, err);
    size_t oldest = readers_from(files, index) - first;
    if (code == PDR_OK && v->readable_by_older)
        code = check_readable(kept, rules, roots + oldest, labels + oldest, count - oldest, err);
    pdr_free(roots);
    pdr_free(labels);
    return code;
}
