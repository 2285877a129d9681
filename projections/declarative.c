/* A declarative projection at work. All of an event's values are computed from the rows as they were before
 * it; then they are written. */
#include "base/mem.h"
#include "projections/definition.h"
#include "projections/topic.h"

typedef struct working {
    pdr_definition *d;
    const pdr_projected *event;
    pdr_rows *rows;
    const pdr_bound_rule *rule;
    const pdr_bound_action *action; /* NULL: the condition */
    const pdr_cell *key;            /* of the action's row; NULL: not yet */
} working;

/* What is to be written, once everything is computed. */
typedef struct pending {
    struct pending *next;
    const pdr_bound_action *action;
    pdr_cell *key;
    pdr_cell *values;
} pending;

static pdr_code no_memory(const working *w, pdr_error *err)
{
    return pdr_fail(err, PDR_NOMEM, "projection %s: an event", w->d->base.name);
}

static pdr_code evaluate_key(working *w, size_t table, const pdr_expr *const *key,
                             const pdr_expr_input *input, pdr_cell **out, pdr_error *err)
{
    const pdr_table *t = &w->d->tables[table];
    pdr_cell *cells = pdr_arena_calloc(&w->d->scratch, t->key_count, sizeof *cells);
    pdr_code code = cells ? PDR_OK : no_memory(w, err);
    for (size_t i = 0; code == PDR_OK && i < t->key_count; i++)
        code = pdr_expr_evaluate(key[i], input, &cells[i], err);
    *out = cells;
    return code;
}

static pdr_code row_of(void *context, size_t table, const pdr_cell **cells, pdr_error *err)
{
    working *w = context;
    const pdr_cell *key = w->key;
    pdr_code code = PDR_OK;
    if (!w->action || w->action->kind == PDR_ACTION_RUN || w->action->table != table || !key) {
        pdr_expr_input input = {.event = w->event, .arena = &w->d->scratch};
        pdr_cell *made;
        code = evaluate_key(w, table, w->rule->keys[table], &input, &made, err);
        key = made;
    }
    if (code == PDR_OK) code = pdr_rows_read(w->rows, table, key, cells, err);
    if (code == PDR_OK && !*cells) *cells = w->d->initial[table];
    return code;
}

static pdr_code compute(working *w, const pdr_bound_action *action, pending *out, pdr_error *err)
{
    pdr_expr_input input = {.event = w->event, .row = row_of, .context = w, .arena = &w->d->scratch};
    pdr_code code = PDR_OK;
    *out = (pending){.action = action};
    out->values = pdr_arena_calloc(&w->d->scratch, action->set_count + 1, sizeof *out->values);
    if (!out->values) return no_memory(w, err);
    w->action = action;
    w->key = NULL;
    if (action->kind == PDR_ACTION_UPSERT || action->kind == PDR_ACTION_DELETE)
        code = evaluate_key(w, action->table, action->key, &input, &out->key, err);
    w->key = out->key;
    for (size_t i = 0; code == PDR_OK && i < action->set_count; i++) {
        code = pdr_expr_evaluate(action->sets[i].value, &input, &out->values[i], err);
        if (code == PDR_BAD_DATA && action->kind == PDR_ACTION_UPSERT)
            return pdr_fail_context(err, code, "%s.%s", w->d->tables[action->table].name,
                                    w->d->tables[action->table].columns[action->sets[i].column].name);
    }
    return code;
}

static pdr_code condition(working *w, bool *holds, pdr_error *err)
{
    pdr_expr_input input = {.event = w->event, .row = row_of, .context = w, .arena = &w->d->scratch};
    pdr_cell cell = {.as.boolean = true};
    w->action = NULL;
    w->key = NULL;
    pdr_code code = w->rule->when ? pdr_expr_evaluate(w->rule->when, &input, &cell, err) : PDR_OK;
    *holds = !cell.null && cell.as.boolean;
    return code;
}

static pdr_code write_one(const pdr_definition *d, const pdr_projected *event, pdr_rows *rows,
                          const pending *p, pdr_error *err)
{
    const pdr_bound_action *a = p->action;
    pdr_code code = PDR_OK;
    if (a->kind == PDR_ACTION_SEND) return pdr_topic_send(&d->base, event, rows, err);
    if (a->kind == PDR_ACTION_DELETE) return pdr_rows_remove(rows, a->table, p->key, err);
    if (a->kind == PDR_ACTION_RUN)
        return pdr_rows_statement(rows, a->sql, p->values, a->types, a->set_count, err);
    for (size_t i = 0; code == PDR_OK && i < a->set_count; i++)
        code = pdr_rows_write(rows, a->table, p->key, a->sets[i].column, a->sets[i].mode, &p->values[i], err);
    return code;
}

static pdr_code compute_rule(working *w, pending ***last, pdr_error *err)
{
    bool holds;
    pdr_code code = condition(w, &holds, err);
    for (size_t i = 0; code == PDR_OK && holds && i < w->rule->action_count; i++) {
        pending *p = pdr_arena_alloc(&w->d->scratch, sizeof *p);
        if (!p) return no_memory(w, err);
        code = compute(w, &w->rule->actions[i], p, err);
        **last = p;
        *last = &p->next;
    }
    return code;
}

static pdr_code project(pdr_projection *projection, const pdr_projected *event, pdr_rows *rows,
                        pdr_error *err)
{
    pdr_definition *d = (pdr_definition *)projection;
    const pdr_event_rules *rules = pdr_definition_rules(d, event->event.type);
    pending *first = NULL, **last = &first;
    pdr_code code = PDR_OK, busy = PDR_OK;
    if (d->base.topic && !d->rules) return pdr_topic_send(&d->base, event, rows, err);
    if (!rules) return PDR_OK;
    pdr_arena_clear(&d->scratch);
    for (const pdr_bound_rule *rule = rules->first; rule; rule = rule->next) {
        working w = {.d = d, .event = event, .rows = rows, .rule = rule};
        code = compute_rule(&w, &last, err);
        if (code == PDR_BUSY) busy = code; /* the others say as well which rows they want */
        if (code != PDR_OK && code != PDR_BUSY) return code;
    }
    if (busy != PDR_OK) return busy;
    for (const pending *p = first; code == PDR_OK && p; p = p->next)
        code = write_one(d, event, rows, p, err);
    return code;
}

static bool wants(const pdr_projection *projection, const pdr_type *type)
{
    const pdr_definition *d = (const pdr_definition *)projection;
    return (d->base.topic && !d->rules) || pdr_definition_rules(d, type);
}

static void close_definition(pdr_projection *projection)
{
    pdr_definition *d = (pdr_definition *)projection;
    pdr_arena_release(&d->scratch);
    pdr_arena_release(&d->arena);
    pdr_free(d);
}

const pdr_projection_ops pdr_declarative_ops = {close_definition, project, NULL, wants};
