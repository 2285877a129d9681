/* Steps for what only the writer has: nothing is stored, and nothing checked but where it ends. */
#include "schemas/plan_inside.h"

/* One more of the step before, if it is of this kind and nothing jumps between the two. */
static void more(plan_maker *m, plan_op op, uint32_t count)
{
    if (m->code == PDR_OK && m->count > m->barrier) {
        plan_step *last = &m->plan->steps[m->count - 1];
        if (last->op == (uint16_t)op && last->count <= UINT32_MAX - count) {
            last->count += count;
            return;
        }
    }
    plan_emit(m, op, 0)->count = count;
}

static void skip_list(plan_maker *m, const pdr_schema *schema)
{
    bool map = schema->kind == PDR_KIND_MAP;
    uint32_t at = m->count;
    plan_emit(m, PLAN_SKIP_LIST, 0)->count = plan_add(plan_least(m, schema->items), map ? 1 : 0);
    uint32_t first = plan_here(m);
    if (map) more(m, PLAN_SKIP_BYTES, 1);
    plan_skip(m, schema->items);
    bool empty = m->count == first;
    (void)plan_emit(m, PLAN_END, 0);
    plan_at(m, at)->small = empty;
    plan_at(m, at)->jump = plan_here(m);
}

static void skip_branch(plan_maker *m, const void *what, size_t branch, const pdr_layout *layout, uint32_t to)
{
    (void)layout;
    (void)to;
    plan_skip(m, ((const pdr_schema *)what)->branches[branch]);
}

void plan_skip_record(plan_maker *m, const pdr_schema *schema)
{
    const char *outer = m->place;
    for (size_t i = 0; i < schema->count && m->code == PDR_OK; i++) {
        plan_place(m, schema, &schema->fields[i]);
        plan_skip(m, schema->fields[i].type);
    }
    m->place = outer;
}

void plan_skip(plan_maker *m, const pdr_schema *schema)
{
    plan_call call = {.schema = schema};
    if (m->code != PDR_OK) return;
    switch (schema->kind) {
    case PDR_KIND_NULL: break;
    case PDR_KIND_BOOLEAN: more(m, PLAN_SKIP_FIXED, 1); break;
    case PDR_KIND_FLOAT: more(m, PLAN_SKIP_FIXED, 4); break;
    case PDR_KIND_DOUBLE: more(m, PLAN_SKIP_FIXED, 8); break;
    case PDR_KIND_FIXED:
        if (schema->count) more(m, PLAN_SKIP_FIXED, (uint32_t)schema->count);
        break;
    case PDR_KIND_BYTES:
    case PDR_KIND_STRING: more(m, PLAN_SKIP_BYTES, 1); break;
    case PDR_KIND_ARRAY:
    case PDR_KIND_MAP: skip_list(m, schema); break;
    case PDR_KIND_UNION: plan_emit_branches(m, schema->count, skip_branch, schema, NULL, 0); break;
    case PDR_KIND_RECORD:
        (void)plan_skip_weight(m, schema);
        if (m->skip_weights[schema->number] > PLAN_MAX_INLINE)
            plan_emit_call(m, PLAN_SKIP_CALL, 0, &call);
        else
            plan_skip_record(m, schema);
        break;
    default: more(m, PLAN_SKIP_VARINT, 1); break;
    }
}

/* ---- what skipping takes ---- */

static uint32_t weigh_record(plan_maker *m, const pdr_schema *schema)
{
    enum { WEIGHING = PLAN_MAX_STEPS, DONE = 1 };
    uint32_t *weight = &m->skip_weights[schema->number];
    if (*weight == WEIGHING) *weight = PLAN_LOOP;
    if (*weight == 0) {
        *weight = WEIGHING;
        uint32_t sum = DONE;
        if (++m->depth > PDR_RESOLVE_MAX_DEPTH && m->code == PDR_OK)
            m->code = pdr_fail(m->err, PDR_TOO_LARGE, "%s: a type that holds others more than %d deep",
                               schema->name, (int)PDR_RESOLVE_MAX_DEPTH);
        for (size_t i = 0; i < schema->count && m->code == PDR_OK; i++)
            sum = plan_add(sum, plan_skip_weight(m, schema->fields[i].type));
        m->depth--;
        if (*weight == WEIGHING) *weight = sum < WEIGHING ? sum : WEIGHING - 1;
    }
    return *weight > PLAN_MAX_INLINE ? 1 : *weight - DONE;
}

uint32_t plan_skip_weight(plan_maker *m, const pdr_schema *schema)
{
    uint32_t sum = 2;
    switch (schema->kind) {
    case PDR_KIND_NULL: return 0;
    case PDR_KIND_RECORD: return weigh_record(m, schema);
    case PDR_KIND_ARRAY:
    case PDR_KIND_MAP: return plan_add(3, plan_skip_weight(m, schema->items));
    case PDR_KIND_UNION:
        for (size_t i = 0; i < schema->count; i++)
            sum = plan_add(sum, plan_add(1, plan_skip_weight(m, schema->branches[i])));
        return sum;
    default: return 1;
    }
}

/* ---- bytes that a value takes at least ---- */

enum { MOST_LEAST = 1 << 24 };

uint32_t plan_least(const plan_maker *m, const pdr_schema *schema)
{
    uint32_t least = MOST_LEAST;
    switch (schema->kind) {
    case PDR_KIND_NULL: return 0;
    case PDR_KIND_FLOAT: return 4;
    case PDR_KIND_DOUBLE: return 8;
    case PDR_KIND_FIXED: return (uint32_t)schema->count;
    case PDR_KIND_RECORD: return m->least[schema->number];
    case PDR_KIND_UNION:
        for (size_t i = 0; i < schema->count; i++) {
            uint32_t branch = plan_least(m, schema->branches[i]);
            if (branch < least) least = branch;
        }
        return 1 + least;
    default: return 1;
    }
}

/* From below, so that it is a lower bound after every round, for recursive records too. Types refer to those
 * before and after them: the rounds go there and back. */
void plan_find_least(plan_maker *m, const pdr_schema_set *writers)
{
    enum { ROUNDS = 32 };
    size_t count = pdr_schema_set_named_count(writers);
    bool changed = true;
    for (int round = 0; changed && round < ROUNDS; round++) {
        changed = false;
        for (size_t i = 0; i < count; i++) {
            const pdr_schema *schema = pdr_schema_set_named(writers, round % 2 ? i : count - 1 - i);
            if (schema->kind != PDR_KIND_RECORD) continue;
            uint32_t sum = 0;
            for (size_t f = 0; f < schema->count && sum < MOST_LEAST; f++)
                sum += plan_least(m, schema->fields[f].type);
            if (sum > MOST_LEAST) sum = MOST_LEAST;
            changed |= sum != m->least[schema->number];
            m->least[schema->number] = sum;
        }
    }
}
