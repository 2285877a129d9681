/* Inside declarative projections: a file as it is written, and bound to an application's events. The language
 * of the file is specified in docs/projections.md. */
#ifndef PDR_PROJECTIONS_DEFINITION_H
#define PDR_PROJECTIONS_DEFINITION_H

#include "projections/expr.h"
#include "projections/projection.h"

enum { PDR_RULE_MAX_EVENTS = 256, PDR_RULE_MAX_ACTIONS = 64, PDR_RULE_MAX_PARAMETERS = 64 };

/* --- As it is written --- */

typedef enum pdr_action_kind {
    PDR_ACTION_UPSERT,
    PDR_ACTION_DELETE,
    PDR_ACTION_RUN,
    PDR_ACTION_SEND
} pdr_action_kind;

typedef struct pdr_written_set {
    pdr_token token;
    size_t column; /* of a RUN: which parameter */
    const pdr_ast *value;
} pdr_written_set;

typedef struct pdr_written_action {
    struct pdr_written_action *next;
    pdr_action_kind kind;
    pdr_token token;
    size_t table;
    const pdr_ast *const *key; /* NULL: the table's */
    pdr_written_set *sets;     /* or a RUN's parameters */
    size_t set_count;
    const char *sql; /* of a RUN, with $1, $2, ... */
} pdr_written_action;

typedef struct pdr_written_rule {
    struct pdr_written_rule *next;
    pdr_token events[PDR_RULE_MAX_EVENTS]; /* the first word of each name */
    pdr_string names[PDR_RULE_MAX_EVENTS]; /* "loans.OfferSent" */
    size_t event_count;
    const pdr_ast *when; /* NULL: always */
    pdr_written_action *actions, **last_action;
} pdr_written_rule;

typedef struct pdr_written_table {
    pdr_token token;
    const pdr_ast **key; /* key_count of the table */
} pdr_written_table;

/* --- Bound --- */

typedef struct pdr_bound_set {
    size_t column;
    pdr_cell_mode mode;
    const pdr_expr *value;
} pdr_bound_set;

typedef struct pdr_bound_action {
    pdr_action_kind kind;
    size_t table;
    const pdr_expr **key;
    pdr_bound_set *sets;
    size_t set_count;
    const char *sql;
    pdr_column_type *types; /* of a RUN's parameters */
} pdr_bound_action;

typedef struct pdr_bound_rule {
    struct pdr_bound_rule *next; /* of the same event type */
    const pdr_expr *when;
    pdr_bound_action *actions;
    size_t action_count;
    const pdr_expr ***keys; /* by table: the key of those that expressions read; else NULL */
} pdr_bound_rule;

typedef struct pdr_event_rules {
    const pdr_type *type; /* NULL: a free slot */
    pdr_bound_rule *first, **last;
} pdr_event_rules;

typedef struct pdr_definition {
    pdr_projection base;
    pdr_arena arena;  /* everything */
    pdr_lexer *lexer; /* while it is read */
    const pdr_app *app;
    pdr_table tables[PDR_VIEW_MAX_TABLES];
    pdr_written_table written[PDR_VIEW_MAX_TABLES];
    pdr_written_rule *rules, **last_rule;
    pdr_event_rules *slots; /* by event type; a power of two of them */
    size_t mask;
    pdr_cell *initial[PDR_VIEW_MAX_TABLES];            /* a row that isn't there */
    const pdr_entity_type *owner[PDR_VIEW_MAX_TABLES]; /* whose events use a table's rows by entity.key */
    uint8_t *deltas[PDR_VIEW_MAX_TABLES];              /* of shared tables: the kind of each column */
    pdr_arena scratch;                                 /* of one event */
} pdr_definition;

/* definition_table.c, definition_rule.c: from behind the first word on. false: the error is told. */
bool pdr_definition_table(pdr_definition *d);
bool pdr_definition_rule(pdr_definition *d);
/* definition_topic.c: `to topic '...'`, from behind `to` on; and whether the file fits its target. */
bool pdr_definition_topic(pdr_definition *d);
bool pdr_definition_check_target(pdr_definition *d);
/* definition_bind.c */
bool pdr_definition_bind(pdr_definition *d);
/* definition_check.c: what a rule may do at all, whatever the values are. false: the error is told. */
bool pdr_definition_check_keys(pdr_definition *d);
bool pdr_definition_check_action(pdr_definition *d, const pdr_written_action *action, const pdr_type *event);
/* A rule for `event` writes or reads the entity table by this key. */
bool pdr_definition_check_owner(pdr_definition *d, size_t table, const pdr_ast *const *key,
                                const pdr_type *event, const pdr_token *at);
bool pdr_definition_check_delta(pdr_definition *d, size_t table, const pdr_bound_set *set,
                                const pdr_token *at);
/* declarative.c */
extern const pdr_projection_ops pdr_declarative_ops;
const pdr_event_rules *pdr_definition_rules(const pdr_definition *d, const pdr_type *type); /* NULL: none */

void *pdr_definition_alloc(pdr_definition *d, size_t count,
                           size_t size);                        /* zeroed; NULL: the error is told */
char *pdr_definition_name(pdr_definition *d, const char *what); /* takes a word as a name */
bool pdr_definition_find_table(pdr_definition *d, size_t *out); /* takes a word: a table's name */

#endif
