/* A file whose target is a topic: `to topic 'name'`, and rules that send. Without rules all events are sent.
 */
#include "projections/definition.h"

enum { MAX_TOPIC = 1024 };

static bool is_topic_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

/* A URL is looked at when it is opened. */
static bool is_topic(pdr_string text)
{
    if (text.size > 8 && memcmp(text.data, "kafka://", 8) == 0) return text.size <= MAX_TOPIC;
    if (text.size == 0 || text.size > 249) return false;
    for (size_t i = 0; i < text.size; i++)
        if (!is_topic_char(text.data[i])) return false;
    return true;
}

/* delivery exactly-once */
static bool delivery(pdr_definition *d)
{
    pdr_lexer *l = d->lexer;
    if (!pdr_lexer_take(l, "delivery")) return true;
    bool exactly = pdr_lexer_take(l, "exactly");
    if (!exactly && !pdr_lexer_take(l, "at"))
        return pdr_lexer_fail(l, &l->token, "delivery is exactly-once or at-least-once");
    d->base.exactly_once = exactly;
    if (!pdr_lexer_want(l, "-")) return false;
    if (!exactly && !(pdr_lexer_want(l, "least") && pdr_lexer_want(l, "-"))) return false;
    return pdr_lexer_want(l, "once");
}

bool pdr_definition_topic(pdr_definition *d)
{
    pdr_lexer *l = d->lexer;
    if (!pdr_lexer_want(l, "topic")) return false;
    pdr_token token = l->token;
    if (d->base.topic) return pdr_lexer_fail(l, &token, "a projection has one target");
    if (token.kind != PDR_TOKEN_TEXT || !is_topic(token.text))
        return pdr_lexer_fail(l, &token,
                              "a topic's name in quotes is expected: 'name' of the journal's own brokers, or "
                              "'kafka://host:9092/name'");
    char *topic = pdr_definition_alloc(d, token.text.size + 1, 1);
    if (!topic) return false;
    memcpy(topic, token.text.data, token.text.size);
    d->base.topic = topic;
    pdr_lexer_next(l);
    return delivery(d) && pdr_lexer_want(l, ";");
}

bool pdr_definition_check_target(pdr_definition *d)
{
    pdr_lexer *l = d->lexer;
    if (d->base.topic && d->base.table_count > 0)
        return pdr_lexer_fail(l, &d->written[0].token, "a projection to a topic has no tables");
    if (!d->base.topic && d->base.table_count == 0)
        return pdr_lexer_fail(l, &l->token, "the projection has no table");
    if (!d->base.topic && !d->rules)
        return pdr_lexer_fail(l, &l->token, "the projection has no rule: on EVENT ...");
    for (const pdr_written_rule *rule = d->rules; rule; rule = rule->next)
        for (const pdr_written_action *action = rule->actions; action; action = action->next)
            if ((action->kind == PDR_ACTION_SEND) != (d->base.topic != NULL))
                return pdr_lexer_fail(l, &action->token,
                                      d->base.topic
                                          ? "a projection to a topic only sends"
                                          : "to send, a projection needs a topic: to topic 'name';");
    return true;
}
