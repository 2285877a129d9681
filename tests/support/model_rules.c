#include "tests/support/model_inside.h"

#define X(name, text) text,
const char *const model_difference_names[MODEL_DIFFERENCE_COUNT] = {MODEL_DIFFERENCES(X)};
#undef X

/* ---- names ---- */

static bool is_alias(const model *m, const char *name, const char *const *aliases, size_t count)
{
    for (size_t i = 0; m->aliases && i < count; i++)
        if (strcmp(aliases[i], name) == 0) return true;
    return false;
}

/* 3: the very name, 2: an alias, 1: the same but for the namespace, 0: another. */
static int name_rank(const model *m, const pdr_schema *w, const pdr_schema *r)
{
    if (!pdr_kind_is_named(w->kind) || strcmp(w->name, r->name) == 0) return 3;
    if (is_alias(m, w->name, r->aliases, r->alias_count)) return 2;
    return strcmp(w->short_name, r->short_name) == 0 ? 1 : 0;
}

static int rank(const model *m, const pdr_schema *w, const pdr_schema *r)
{
    if (w->kind != r->kind || w->kind == PDR_KIND_UNION) return 0;
    if (w->kind == PDR_KIND_FIXED && w->count != r->count) return 0;
    return name_rank(m, w, r);
}

static bool promotes(pdr_kind w, pdr_kind r)
{
    if (w == PDR_KIND_STRING || w == PDR_KIND_BYTES)
        return r != w && (r == PDR_KIND_STRING || r == PDR_KIND_BYTES);
    return w >= PDR_KIND_INT && w < r && r <= PDR_KIND_DOUBLE;
}

bool model_match(model *m, const pdr_schema *w, const pdr_schema *r)
{
    int close = rank(m, w, r);
    if (w->kind == PDR_KIND_RECORD && r->kind == PDR_KIND_RECORD) {
        if (close == 0) model_met(m, MODEL_RECORD_NAME);
        for (size_t i = 0; close == 1 && i < r->count; i++)
            if (r->fields[i].alias_count) model_met(m, MODEL_ALIAS);
    }
    return close > 0 || promotes(w->kind, r->kind);
}

/* The closest name, then the first; a promotion only if nothing is of the same type. */
int model_branch(model *m, const pdr_schema *w, const pdr_schema *r)
{
    for (int wanted = 3; wanted >= 1; wanted--)
        for (size_t i = 0; i < r->count; i++) {
            if (rank(m, w, r->branches[i]) != wanted) continue;
            if (wanted == 1)
                model_met(m, w->kind == PDR_KIND_RECORD ? MODEL_BY_STRUCTURE : MODEL_UNQUALIFIED);
            return (int)i;
        }
    for (size_t i = 0; i < r->count; i++)
        if (w->kind == PDR_KIND_RECORD && r->branches[i]->kind == PDR_KIND_RECORD)
            model_met(m, MODEL_BY_STRUCTURE);
    for (size_t i = 0; i < r->count; i++)
        if (promotes(w->kind, r->branches[i]->kind)) return (int)i;
    return -1;
}

/* ---- logical types ---- */

bool model_other_meaning(model *m, const pdr_schema *w, const pdr_schema *r)
{
    bool same = w->kind == r->kind && w->logical == r->logical;
    if (same && w->logical == PDR_LOGICAL_DECIMAL)
        same = w->precision == r->precision && w->scale == r->scale;
    if (same || r->logical == PDR_LOGICAL_NONE) return false;
    if (w->logical == PDR_LOGICAL_NONE && w->kind == r->kind) return false;
    model_met(m, MODEL_LOGICAL);
    return true;
}

/* ---- fields and symbols ---- */

/* What the reader calls the writer's field `name`: aliases first, since they rename what was written. */
static const char *renamed(model *m, const pdr_schema *r, const char *name, bool *doubtful)
{
    const char *found = NULL;
    for (size_t i = 0; i < r->count; i++) {
        const pdr_schema_field *f = &r->fields[i];
        if (!is_alias(m, name, f->aliases, f->alias_count)) continue;
        if (found) *doubtful = true;
        found = f->name;
    }
    return found ? found : name;
}

int model_field(model *m, const pdr_schema *w, const pdr_schema *r, size_t i)
{
    int found = -1;
    for (size_t n = 0; n < w->count; n++) {
        bool doubtful = false;
        const char *name = renamed(m, r, w->fields[n].name, &doubtful);
        if (doubtful) {
            model_met(m, MODEL_ALIAS);
            return -2;
        }
        if (strcmp(name, r->fields[i].name) != 0) continue;
        if (found >= 0) {
            model_met(m, MODEL_ALIAS);
            return -2;
        }
        found = (int)n;
    }
    return found;
}

int model_symbol(const pdr_schema *w, const pdr_schema *r, size_t i)
{
    for (size_t n = 0; n < r->count; n++)
        if (strcmp(r->symbols[n], w->symbols[i]) == 0) return (int)n;
    return r->default_symbol;
}

/* Java's library renames by aliases everywhere in the writer's schema, also in what isn't read, and also when
 * the two schemas differ in nothing that is written: does that give two fields one name, or one field two? */
static void note_clash(model *m, const pdr_schema *w, const pdr_schema *r)
{
    bool doubtful = false;
    if (w->kind != PDR_KIND_RECORD || r->kind != PDR_KIND_RECORD || name_rank(m, w, r) == 0) return;
    for (size_t i = 0; i < w->count; i++)
        for (size_t n = 0; n < i; n++) {
            const char *one = renamed(m, r, w->fields[i].name, &doubtful);
            if (strcmp(one, renamed(m, r, w->fields[n].name, &doubtful)) == 0) doubtful = true;
        }
    if (doubtful) model_met(m, MODEL_ALIAS);
}

static void note_clashes(model *m)
{
    bool aliases = m->aliases;
    m->aliases = true;
    for (size_t i = 0; i < pdr_schema_set_named_count(m->writer->set); i++)
        for (size_t n = 0; n < pdr_schema_set_named_count(m->reader->set); n++)
            note_clash(m, pdr_schema_set_named(m->writer->set, i), pdr_schema_set_named(m->reader->set, n));
    m->aliases = aliases;
}

void model_init(model *m, const pdr_schema *writer, const pdr_schema *reader)
{
    uint64_t a = 0, b = 1;
    *m = (model){.writer = writer, .reader = reader, .aliases = true};
    if (pdr_schema_fingerprint(&a, writer, NULL) == PDR_OK &&
        pdr_schema_fingerprint(&b, reader, NULL) == PDR_OK)
        m->aliases = a != b;
    note_clashes(m);
}

/* ---- pairs ---- */

typedef struct under {
    const pdr_schema *w, *r;
    const struct under *up;
} under;

static model_verdict pair(model *m, const pdr_schema *w, const pdr_schema *r, const under *up,
                          unsigned depth);

static model_verdict record_pair(model *m, const pdr_schema *w, const pdr_schema *r, const under *up,
                                 unsigned depth)
{
    for (size_t i = 0; i < r->count; i++) {
        int from = model_field(m, w, r, i);
        if (from == -2 || (from == -1 && !r->fields[i].default_value)) return MODEL_REFUSES_PAIR;
        if (from < 0) continue;
        model_verdict verdict = pair(m, w->fields[from].type, r->fields[i].type, up, depth);
        if (verdict != MODEL_VALUE) return verdict;
    }
    return MODEL_VALUE;
}

/* A writer's union can be read if any branch can. */
static model_verdict union_pair(model *m, const pdr_schema *w, const pdr_schema *r, const under *up,
                                unsigned depth)
{
    model_verdict all = MODEL_REFUSES_PAIR;
    for (size_t i = 0; i < w->count; i++) {
        model_verdict verdict = pair(m, w->branches[i], r, up, depth);
        if (verdict == MODEL_TOO_DEEP) return verdict;
        if (verdict == MODEL_VALUE) all = MODEL_VALUE;
    }
    return all;
}

static model_verdict same_pair(model *m, const pdr_schema *w, const pdr_schema *r, const under *up,
                               unsigned depth)
{
    if (!model_match(m, w, r) || model_other_meaning(m, w, r)) return MODEL_REFUSES_PAIR;
    if (w->kind == PDR_KIND_RECORD) return record_pair(m, w, r, up, depth);
    if (w->kind == PDR_KIND_ARRAY || w->kind == PDR_KIND_MAP) return pair(m, w->items, r->items, up, depth);
    if (w->kind != PDR_KIND_ENUM) return MODEL_VALUE;
    for (size_t i = 0; i < w->count; i++)
        if (model_symbol(w, r, i) >= 0) return MODEL_VALUE;
    return MODEL_REFUSES_PAIR;
}

/* A pair inside itself is readable, unless something else isn't. */
static model_verdict pair(model *m, const pdr_schema *w, const pdr_schema *r, const under *up, unsigned depth)
{
    under here = {w, r, up};
    if (depth > MODEL_DEEP || ++m->work > MODEL_WORK) return MODEL_TOO_DEEP;
    for (const under *u = up; u; u = u->up)
        if (u->w == w && u->r == r) return MODEL_VALUE;
    if (w->kind == PDR_KIND_UNION) return union_pair(m, w, r, &here, depth + 1);
    if (r->kind != PDR_KIND_UNION) return same_pair(m, w, r, &here, depth + 1);
    int branch = model_branch(m, w, r);
    if (branch < 0) return MODEL_REFUSES_PAIR;
    return pair(m, w, r->branches[branch], &here, depth + 1);
}

model_verdict model_pair(model *m)
{
    return pair(m, m->writer, m->reader, NULL, 0);
}
