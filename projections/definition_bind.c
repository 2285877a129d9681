/* A file's rules, once for each event type that they are for: what each set does to its column, and which
 * rows it has to read for that. */
#include "projections/definition.h"

typedef struct binding {
    pdr_definition *d;
    pdr_expr_scope scope;
    pdr_bound_rule *rule;
} binding;

/* --- Which event types --- */

static const pdr_type *find_event(const pdr_definition *d, pdr_string name)
{
    for (size_t e = 0; e < d->app->entity_count; e++)
        for (size_t i = 0; i < d->app->entities[e]->event_count; i++)
            if (pdr_string_equal(pdr_string_of(d->app->entities[e]->events[i]->name), name))
                return d->app->entities[e]->events[i];
    return NULL;
}

static size_t slot_of(const pdr_definition *d, const pdr_type *type)
{
    size_t i = (size_t)(type->fingerprint ^ type->fingerprint >> 32) & d->mask;
    while (d->slots[i].type && d->slots[i].type != type)
        i = (i + 1) & d->mask;
    return i;
}

const pdr_event_rules *pdr_definition_rules(const pdr_definition *d, const pdr_type *type)
{
    const pdr_event_rules *rules = &d->slots[slot_of(d, type)];
    return rules->type ? rules : NULL;
}

static bool make_slots(pdr_definition *d)
{
    size_t types = 0, slots = 8;
    for (size_t e = 0; e < d->app->entity_count; e++)
        types += d->app->entities[e]->event_count;
    while (slots < 2 * types)
        slots *= 2;
    d->mask = slots - 1;
    d->slots = pdr_definition_alloc(d, slots, sizeof *d->slots);
    return d->slots;
}

static bool make_initial(pdr_definition *d)
{
    for (size_t t = 0; t < d->base.table_count; t++) {
        const pdr_table *table = &d->tables[t];
        size_t width = table->column_count - table->key_count;
        d->initial[t] = pdr_definition_alloc(d, width, sizeof(pdr_cell));
        if (!d->initial[t]) return false;
        for (size_t i = 0; i < width; i++)
            d->initial[t][i] = table->columns[table->key_count + i].initial;
    }
    return true;
}

/* --- Keys --- */

static const pdr_expr **bind_key(binding *b, size_t table, const pdr_ast *const *key)
{
    const pdr_table *t = &b->d->tables[table];
    const pdr_expr **bound = pdr_definition_alloc(b->d, t->key_count, sizeof *bound);
    pdr_expr_scope scope = b->scope;
    scope.own = SIZE_MAX;
    for (size_t i = 0; bound && i < t->key_count; i++) {
        bound[i] = pdr_expr_bind(key[i], &scope);
        if (bound[i]) bound[i] = pdr_expr_for_column(bound[i], &t->columns[i], &key[i]->token, &scope);
        if (!bound[i]) return NULL;
    }
    return bound;
}

/* A table whose row an expression reads needs its key for this event. */
static bool need_row(binding *b, size_t table, const pdr_token *at)
{
    if (b->rule->keys[table]) return true;
    if (!pdr_definition_check_owner(b->d, table, b->d->written[table].key, b->scope.event, at)) return false;
    b->rule->keys[table] = bind_key(b, table, b->d->written[table].key);
    return b->rule->keys[table];
}

static bool need_rows_of(binding *b, const pdr_ast *ast)
{
    for (size_t t = 0; t < b->d->base.table_count; t++)
        if (pdr_ast_reads(ast, NULL, b->d->tables[t].name) && !need_row(b, t, &ast->token)) return false;
    return true;
}

static const pdr_expr *bind(binding *b, const pdr_ast *ast, size_t own)
{
    b->scope.own = own;
    return need_rows_of(b, ast) ? pdr_expr_bind(ast, &b->scope) : NULL;
}

/* --- Sets --- */

/* c + e, e + c, c - e; greatest(c, e), least(c, e): how, and which part of it is e. */
static pdr_cell_mode delta_of(const pdr_ast *ast, const char *column, const char *own, const pdr_ast **other)
{
    pdr_cell_mode mode = ast->kind == PDR_AST_ADD || ast->kind == PDR_AST_SUBTRACT ? PDR_CELL_ADD
                         : ast->kind == PDR_AST_GREATEST                           ? PDR_CELL_GREATEST
                         : ast->kind == PDR_AST_LEAST                              ? PDR_CELL_LEAST
                                                                                   : PDR_CELL_SET;
    if (mode == PDR_CELL_SET || ast->count != 2) return PDR_CELL_SET;
    size_t self = pdr_ast_is_column(ast->arguments[0], column)                                    ? 0
                  : ast->kind != PDR_AST_SUBTRACT && pdr_ast_is_column(ast->arguments[1], column) ? 1
                                                                                                  : 2;
    if (self == 2 || pdr_ast_reads(ast->arguments[1 - self], own, own)) return PDR_CELL_SET;
    *other = ast->arguments[1 - self];
    return mode;
}

static bool fits_delta(const pdr_column *column, pdr_cell_mode mode, const pdr_expr *value)
{
    pdr_expr_type type = pdr_expr_type_of(value);
    bool double_sum =
        mode == PDR_CELL_ADD && (column->type == PDR_COLUMN_DOUBLE || type.type == PDR_COLUMN_DOUBLE);
    bool rounds =
        column->type == PDR_COLUMN_NUMERIC && type.type == PDR_COLUMN_NUMERIC && type.scale > column->scale;
    return type.null_only || (!double_sum && !rounds);
}

static const pdr_expr *negated(binding *b, const pdr_ast *ast, size_t own)
{
    pdr_ast *arguments[1];
    pdr_ast minus = {.kind = PDR_AST_NEGATE, .token = ast->token, .count = 1, .arguments = arguments};
    union {
        const pdr_ast *given;
        pdr_ast *held; /* binding only reads it */
    } inner = {.given = ast};
    arguments[0] = inner.held;
    return bind(b, &minus, own);
}

static bool bind_delta(binding *b, const pdr_written_set *set, const pdr_table *t, pdr_bound_set *out)
{
    const pdr_column *column = &t->columns[set->column];
    const pdr_ast *other = NULL;
    out->mode = delta_of(set->value, column->name, t->name, &other);
    if (out->mode == PDR_CELL_SET) return true;
    out->value =
        set->value->kind == PDR_AST_SUBTRACT ? negated(b, other, SIZE_MAX) : bind(b, other, SIZE_MAX);
    if (!out->value) return false;
    if (fits_delta(column, out->mode, out->value)) return true;
    out->mode = PDR_CELL_SET;
    return true;
}

/* Why a value can't be set in a shared row. */
static bool refuse_shared(binding *b, const pdr_written_set *set, const pdr_table *t, bool rounds)
{
    const pdr_column *column = &t->columns[set->column];
    if (column->type == PDR_COLUMN_DOUBLE)
        return pdr_lexer_fail(
            b->d->lexer, &set->token,
            "%s is shared between partitions: a sum of double precision depends on the order in which "
            "they write; make column %s numeric",
            t->name, column->name);
    if (column->type == PDR_COLUMN_NUMERIC && rounds)
        return pdr_lexer_fail(
            b->d->lexer, &set->token,
            "%s is shared between partitions: column %s has %d digits after the point, and what "
            "is added has more: when it is rounded would depend on other entities",
            t->name, column->name, column->scale);
    return pdr_lexer_fail(
        b->d->lexer, &set->token,
        "%s is shared between partitions: column %s takes only %s = %s + ..., greatest(%s, ...) or "
        "least(%s, ...) without other columns of %s",
        t->name, column->name, column->name, column->name, column->name, column->name, t->name);
}

static bool bind_set(binding *b, const pdr_written_action *action, const pdr_written_set *set,
                     pdr_bound_set *out)
{
    const pdr_table *t = &b->d->tables[action->table];
    out->column = set->column;
    if (!bind_delta(b, set, t, out)) return false;
    if (t->shared && out->mode != PDR_CELL_SET &&
        !pdr_definition_check_delta(b->d, action->table, out, &set->token))
        return false;
    if (out->mode == PDR_CELL_SET) {
        if (t->shared) return refuse_shared(b, set, t, out->value);
        out->value = bind(b, set->value, action->table);
    }
    if (out->value)
        out->value = pdr_expr_for_column(out->value, &t->columns[set->column], &set->token, &b->scope);
    return out->value;
}

/* --- Actions --- */

static bool bind_parameters(binding *b, const pdr_written_action *action, pdr_bound_action *out)
{
    out->sql = action->sql;
    out->types = pdr_definition_alloc(b->d, action->set_count, sizeof *out->types);
    for (size_t i = 0; out->types && i < action->set_count; i++) {
        out->sets[i].value = bind(b, action->sets[i].value, SIZE_MAX);
        if (!out->sets[i].value) return false;
        pdr_expr_type type = pdr_expr_type_of(out->sets[i].value);
        out->types[i] = type.null_only ? PDR_COLUMN_TEXT : type.type;
        if (type.type == PDR_COLUMN_NUMERIC && !type.null_only && type.scale > 0)
            return pdr_lexer_fail(b->d->lexer, &action->sets[i].token,
                                  "a statement's parameter can't be numeric: give it as a bigint or a text");
    }
    return out->types;
}

static bool bind_action(binding *b, const pdr_written_action *action, pdr_bound_action *out)
{
    *out = (pdr_bound_action){.kind = action->kind, .table = action->table, .set_count = action->set_count};
    out->sets = pdr_definition_alloc(b->d, action->set_count, sizeof *out->sets);
    if (!out->sets) return false;
    if (action->kind == PDR_ACTION_SEND) return true;
    if (action->kind == PDR_ACTION_RUN) return bind_parameters(b, action, out);
    const pdr_table *t = &b->d->tables[action->table];
    if (action->kind == PDR_ACTION_DELETE && t->shared)
        return pdr_lexer_fail(b->d->lexer, &action->token,
                              "%s is shared between partitions: its rows can't be deleted", t->name);
    for (size_t i = 0; action->key && i < t->key_count; i++)
        if (!need_rows_of(b, action->key[i])) return false;
    out->key = bind_key(b, action->table, action->key ? action->key : b->d->written[action->table].key);
    if (!out->key) return false;
    for (size_t i = 0; i < action->set_count; i++)
        if (!bind_set(b, action, &action->sets[i], &out->sets[i])) return false;
    return true;
}

/* --- Rules --- */

static bool bind_rule(pdr_definition *d, const pdr_written_rule *rule, const pdr_type *type)
{
    size_t count = 0;
    for (const pdr_written_action *a = rule->actions; a; a = a->next)
        count++;
    pdr_bound_rule *bound = pdr_definition_alloc(d, 1, sizeof *bound);
    binding b = {.d = d, .rule = bound};
    b.scope = (pdr_expr_scope){.lexer = d->lexer,
                               .arena = &d->arena,
                               .event = type,
                               .tables = d->tables,
                               .table_count = d->base.table_count,
                               .own = SIZE_MAX};
    if (!bound) return false;
    bound->actions = pdr_definition_alloc(d, count, sizeof *bound->actions);
    bound->keys = pdr_definition_alloc(d, d->base.table_count, sizeof *bound->keys);
    if (!bound->actions || !bound->keys) return false;
    if (rule->when) {
        bound->when = bind(&b, rule->when, SIZE_MAX);
        if (!bound->when) return false;
        if (!bound->when->type.null_only && bound->when->type.type != PDR_COLUMN_BOOLEAN)
            return pdr_lexer_fail(d->lexer, &rule->when->token, "a condition is true or false, not %s",
                                  pdr_column_type_name(bound->when->type.type));
    }
    for (const pdr_written_action *a = rule->actions; a; a = a->next)
        if (!pdr_definition_check_action(d, a, type) ||
            !bind_action(&b, a, &bound->actions[bound->action_count++]))
            return false;
    pdr_event_rules *slot = &d->slots[slot_of(d, type)];
    if (!slot->type) *slot = (pdr_event_rules){.type = type, .last = &slot->first};
    *slot->last = bound;
    slot->last = &bound->next;
    return true;
}

bool pdr_definition_bind(pdr_definition *d)
{
    if (!make_slots(d) || !make_initial(d) || !pdr_definition_check_keys(d)) return false;
    for (const pdr_written_rule *rule = d->rules; rule; rule = rule->next)
        for (size_t i = 0; i < rule->event_count; i++) {
            const pdr_type *type = find_event(d, rule->names[i]);
            if (!type)
                return pdr_lexer_fail(d->lexer, &rule->events[i], "the application %s has no event '%.*s'",
                                      d->app->name, (int)rule->names[i].size, rule->names[i].data);
            if (!bind_rule(d, rule, type)) return false;
        }
    return true;
}
