/* on EVENT[, EVENT] [when ...] ( upsert TABLE [key (...)] set c = e, ... | delete TABLE [key (...)] |
 * run $$...$$ [with (name = e, ...)] )+ ; */
#include <stdio.h>

#include "projections/definition.h"

static bool read_event_name(pdr_definition *d, pdr_written_rule *rule)
{
    pdr_lexer *l = d->lexer;
    pdr_token first = l->token;
    if (rule->event_count == PDR_RULE_MAX_EVENTS)
        return pdr_lexer_fail(l, &first, "a rule is for at most %d events", PDR_RULE_MAX_EVENTS);
    if (first.kind != PDR_TOKEN_WORD)
        return pdr_lexer_fail(l, &first, "an event's full name is expected: loans.OfferSent");
    const char *end = first.text.data + first.text.size;
    pdr_lexer_next(l);
    while (pdr_lexer_take(l, ".")) {
        if (l->token.kind != PDR_TOKEN_WORD || l->token.text.data != end + 1)
            return pdr_lexer_fail(l, &first, "an event's name is written without spaces");
        end = l->token.text.data + l->token.text.size;
        pdr_lexer_next(l);
    }
    rule->events[rule->event_count] = first;
    rule->names[rule->event_count++] = (pdr_string){first.text.data, (size_t)(end - first.text.data)};
    return !l->failed;
}

static bool read_own_key(pdr_definition *d, pdr_written_action *action)
{
    const pdr_table *table = &d->tables[action->table];
    action->key = NULL;
    if (!pdr_lexer_take(d->lexer, "key")) return !d->lexer->failed;
    const pdr_ast **key = pdr_definition_alloc(d, table->key_count, sizeof *key);
    if (!key || !pdr_lexer_want(d->lexer, "(")) return false;
    for (size_t i = 0; i < table->key_count; i++) {
        if (i > 0 && !pdr_lexer_want(d->lexer, ",")) return false;
        key[i] = pdr_expr_parse(d->lexer, &d->arena);
        if (!key[i]) return false;
    }
    action->key = key;
    return pdr_lexer_want(d->lexer, ")");
}

static bool find_column(pdr_definition *d, const pdr_table *table, size_t *out)
{
    pdr_token token = d->lexer->token;
    for (size_t i = 0; i < table->column_count; i++) {
        if (token.kind != PDR_TOKEN_WORD || !pdr_token_is(&token, table->columns[i].name)) continue;
        if (i < table->key_count)
            return pdr_lexer_fail(d->lexer, &token, "%s belongs to the key of %s and can't be set",
                                  table->columns[i].name, table->name);
        *out = i;
        pdr_lexer_next(d->lexer);
        return !d->lexer->failed;
    }
    return pdr_lexer_fail(d->lexer, &token, "table %s has no column '%.*s'", table->name,
                          (int)token.text.size, token.text.data);
}

static bool read_sets(pdr_definition *d, pdr_written_action *action)
{
    const pdr_table *table = &d->tables[action->table];
    action->sets = pdr_definition_alloc(d, table->column_count, sizeof *action->sets);
    if (!action->sets || !pdr_lexer_want(d->lexer, "set")) return false;
    do {
        pdr_written_set set = {.token = d->lexer->token};
        if (!find_column(d, table, &set.column)) return false;
        for (size_t i = 0; i < action->set_count; i++)
            if (action->sets[i].column == set.column)
                return pdr_lexer_fail(d->lexer, &set.token, "column %s is set twice",
                                      table->columns[set.column].name);
        if (!pdr_lexer_want(d->lexer, "=")) return false;
        set.value = pdr_expr_parse(d->lexer, &d->arena);
        if (!set.value) return false;
        action->sets[action->set_count++] = set;
    } while (pdr_lexer_take(d->lexer, ","));
    return !d->lexer->failed;
}

static bool read_parameters(pdr_definition *d, pdr_written_action *action)
{
    action->sets = pdr_definition_alloc(d, PDR_RULE_MAX_PARAMETERS, sizeof *action->sets);
    if (!action->sets) return false;
    if (!pdr_lexer_take(d->lexer, "with")) return !d->lexer->failed;
    if (!pdr_lexer_want(d->lexer, "(")) return false;
    do {
        pdr_written_set set = {.token = d->lexer->token, .column = action->set_count};
        if (set.token.kind != PDR_TOKEN_WORD || action->set_count == PDR_RULE_MAX_PARAMETERS)
            return pdr_lexer_fail(d->lexer, &set.token,
                                  "a parameter's name is expected; there are at most %d",
                                  PDR_RULE_MAX_PARAMETERS);
        for (size_t i = 0; i < action->set_count; i++)
            if (pdr_string_equal(action->sets[i].token.text, set.token.text))
                return pdr_lexer_fail(d->lexer, &set.token, "there are two parameters '%.*s'",
                                      (int)set.token.text.size, set.token.text.data);
        pdr_lexer_next(d->lexer);
        if (!pdr_lexer_want(d->lexer, "=")) return false;
        set.value = pdr_expr_parse(d->lexer, &d->arena);
        if (!set.value) return false;
        action->sets[action->set_count++] = set;
    } while (pdr_lexer_take(d->lexer, ","));
    return pdr_lexer_want(d->lexer, ")");
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static size_t find_parameter(const pdr_written_action *action, pdr_string name)
{
    size_t i = 0;
    while (i < action->set_count && !pdr_string_equal(action->sets[i].token.text, name))
        i++;
    return i;
}

/* Length of what is copied as it is: a quoted text or name, a comment, or "::". 0: nothing of the kind. */
static size_t quoted(pdr_string sql, size_t at)
{
    char mark = sql.data[at];
    if (mark == ':' && at + 1 < sql.size && sql.data[at + 1] == ':') return 2;
    if (mark == '-' && at + 1 < sql.size && sql.data[at + 1] == '-') {
        const char *end = memchr(sql.data + at, '\n', sql.size - at);
        return end ? (size_t)(end - sql.data) - at : sql.size - at;
    }
    if (mark == '/' && at + 1 < sql.size && sql.data[at + 1] == '*') {
        const char *end = memmem(sql.data + at + 2, sql.size - at - 2, "*/", 2);
        return end ? (size_t)(end - sql.data) + 2 - at : sql.size - at;
    }
    if (mark != '\'' && mark != '"') return 0;
    size_t end = at + 1;
    while (end < sql.size && sql.data[end] != mark)
        end++;
    return end < sql.size ? end + 1 - at : sql.size - at;
}

/* :name becomes $1, $2, ... */
static bool number_parameters(pdr_definition *d, pdr_written_action *action, const pdr_token *body)
{
    pdr_string sql = body->text;
    pdr_buf out = PDR_BUF_INIT(4 * PDR_LEX_MAX_TEXT);
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < sql.size;) {
        size_t plain = quoted(sql, i), end = i + 1;
        if (plain || sql.data[i] != ':' || end == sql.size || !is_name(sql.data[end]) ||
            (sql.data[end] >= '0' && sql.data[end] <= '9')) {
            code = pdr_buf_append(&out, sql.data + i, plain ? plain : 1);
            i += plain ? plain : 1;
            continue;
        }
        while (end < sql.size && is_name(sql.data[end]))
            end++;
        size_t parameter = find_parameter(action, (pdr_string){sql.data + i + 1, end - i - 1});
        if (parameter == action->set_count) {
            pdr_buf_release(&out);
            return pdr_lexer_fail(d->lexer, body, "the statement's parameter '%.*s' isn't in its with (...)",
                                  (int)(end - i), sql.data + i);
        }
        code = pdr_buf_printf(&out, "$%zu", parameter + 1);
        i = end;
    }
    pdr_string text = {(const char *)out.data, out.size};
    if (code == PDR_OK) action->sql = pdr_arena_string(&d->arena, text).data;
    pdr_buf_release(&out);
    return action->sql || pdr_lexer_no_memory(d->lexer, body);
}

static bool read_run(pdr_definition *d, pdr_written_action *action)
{
    pdr_token body = d->lexer->token;
    if (body.kind != PDR_TOKEN_BODY)
        return pdr_lexer_fail(d->lexer, &body, "a statement between $$ and $$ is expected");
    pdr_lexer_next(d->lexer);
    return read_parameters(d, action) && number_parameters(d, action, &body);
}

static bool read_action(pdr_definition *d, pdr_written_rule *rule, size_t *count)
{
    pdr_lexer *l = d->lexer;
    pdr_written_action *action = pdr_definition_alloc(d, 1, sizeof *action);
    if (!action) return false;
    action->token = l->token;
    if (++*count > PDR_RULE_MAX_ACTIONS)
        return pdr_lexer_fail(l, &l->token, "a rule does at most %d things", PDR_RULE_MAX_ACTIONS);
    *rule->last_action = action;
    rule->last_action = &action->next;
    if (pdr_lexer_take(l, "upsert"))
        return pdr_definition_find_table(d, &action->table) && read_own_key(d, action) &&
               read_sets(d, action);
    if (pdr_lexer_take(l, "delete")) {
        action->kind = PDR_ACTION_DELETE;
        return pdr_definition_find_table(d, &action->table) && read_own_key(d, action);
    }
    if (pdr_lexer_take(l, "run")) {
        action->kind = PDR_ACTION_RUN;
        return read_run(d, action);
    }
    if (pdr_lexer_take(l, "send")) {
        action->kind = PDR_ACTION_SEND;
        return true;
    }
    return pdr_lexer_fail(l, &l->token,
                          *count > 1 ? "'upsert', 'delete', 'run', 'send' or ';' is expected"
                                     : "'upsert', 'delete', 'run' or 'send' is expected");
}

bool pdr_definition_rule(pdr_definition *d)
{
    pdr_written_rule *rule = pdr_definition_alloc(d, 1, sizeof *rule);
    size_t actions = 0;
    if (!rule) return false;
    rule->last_action = &rule->actions;
    *d->last_rule = rule;
    d->last_rule = &rule->next;
    do {
        if (!read_event_name(d, rule)) return false;
    } while (pdr_lexer_take(d->lexer, ","));
    if (pdr_lexer_take(d->lexer, "when")) {
        rule->when = pdr_expr_parse(d->lexer, &d->arena);
        if (!rule->when) return false;
    }
    do {
        if (!read_action(d, rule, &actions)) return false;
    } while (!pdr_lexer_take(d->lexer, ";"));
    return !d->lexer->failed;
}
