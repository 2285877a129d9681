/* What rules may do to rows whatever the values are: an entity's row is written by its own partition only,
 * and a shared row by changes whose order doesn't matter. */
#include "projections/definition.h"

static bool has(const pdr_ast *const *key, size_t count, pdr_ast_kind kind)
{
    for (size_t i = 0; i < count; i++)
        if (key[i]->kind == kind) return true;
    return false;
}

bool pdr_definition_check_keys(pdr_definition *d)
{
    for (size_t t = 0; t < d->base.table_count; t++) {
        const pdr_ast *const *key = d->written[t].key;
        size_t count = d->tables[t].key_count;
        if (d->tables[t].shared || has(key, count, PDR_AST_ENTITY) || has(key, count, PDR_AST_ENTITY_KEY))
            continue;
        return pdr_lexer_fail(
            d->lexer, &d->written[t].token,
            "table %s: a key of kind entity has 'entity' or 'entity.key' among its expressions; rows "
            "that several entities write are `key shared`",
            d->tables[t].name);
    }
    return true;
}

static bool emits(const pdr_entity_type *entity, const pdr_type *event)
{
    for (size_t i = 0; i < entity->event_count; i++)
        if (entity->events[i] == event) return true;
    return false;
}

/* loan/7 and offer/7 have one entity.key, and may be in different partitions. */
bool pdr_definition_check_owner(pdr_definition *d, size_t table, const pdr_ast *const *key,
                                const pdr_type *event, const pdr_token *at)
{
    if (d->tables[table].shared || has(key, d->tables[table].key_count, PDR_AST_ENTITY)) return true;
    for (size_t i = 0; i < d->app->entity_count; i++) {
        const pdr_entity_type *entity = d->app->entities[i], *owner = d->owner[table];
        if (!emits(entity, event) || owner == entity) continue;
        if (owner)
            return pdr_lexer_fail(d->lexer, at,
                                  "table %s has rows of %s and of %s, whose entity.key may be equal: its key "
                                  "needs 'entity' in place of 'entity.key'",
                                  d->tables[table].name, owner->name, entity->name);
        d->owner[table] = entity;
    }
    return true;
}

bool pdr_definition_check_action(pdr_definition *d, const pdr_written_action *action, const pdr_type *event)
{
    const pdr_table *t = &d->tables[action->table];
    if (action->kind == PDR_ACTION_RUN || action->kind == PDR_ACTION_SEND || t->shared) return true;
    const pdr_ast *const *key = action->key ? action->key : d->written[action->table].key;
    if (!has(key, t->key_count, PDR_AST_ENTITY) && !has(key, t->key_count, PDR_AST_ENTITY_KEY))
        return pdr_lexer_fail(d->lexer, &action->token,
                              "table %s: its key must have 'entity' or 'entity.key' among its expressions",
                              t->name);
    return pdr_definition_check_owner(d, action->table, key, event, &action->token);
}

/* Sums and extremes of one column don't mix: which comes first would count. */
bool pdr_definition_check_delta(pdr_definition *d, size_t table, const pdr_bound_set *set,
                                const pdr_token *at)
{
    const pdr_table *t = &d->tables[table];
    const pdr_column *column = &t->columns[set->column];
    if (!d->deltas[table]) d->deltas[table] = pdr_definition_alloc(d, t->column_count, 1);
    if (!d->deltas[table]) return false;
    uint8_t *kind = &d->deltas[table][set->column];
    if (set->mode == PDR_CELL_ADD && column->initial.null)
        return pdr_lexer_fail(d->lexer, at,
                              "%s.%s begins as NULL, and NULL + anything is NULL: give the column a default",
                              t->name, column->name);
    if (*kind != PDR_CELL_KEEP && *kind != set->mode)
        return pdr_lexer_fail(d->lexer, at,
                              "%s is shared between partitions: column %s takes sums, greatest or least, but "
                              "only one of the three in the whole file",
                              t->name, column->name);
    *kind = (uint8_t)set->mode;
    return true;
}
