#include "upcasters/chain.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "schemas/type.h"

enum { MAX_MEMORY = 16 * 1024 * 1024 };

typedef struct build {
    pdr_chain *chain;
    const pdr_chain_spec *spec;
    pdr_error *err;
} build;

/* --- the table --- */

static pdr_code check_equal(const build *b, const pdr_type *known, const pdr_type *type)
{
    if (known == type) return PDR_OK;
    return pdr_fail(b->err, PDR_INVALID_ARGUMENT,
                    "%s and %s have equal fingerprints, which don't see defaults and logical types: rename "
                    "the field whose meaning changed (as amount to amount_cents)",
                    pdr_type_label_of(known).text, pdr_type_label_of(type).text);
}

static pdr_code add(const build *b, const pdr_type *type, pdr_route **out)
{
    size_t i = (size_t)type->fingerprint & b->chain->mask;
    pdr_route *route = &b->chain->slots[i];
    for (; route->type; route = &b->chain->slots[i]) {
        if (route->fingerprint == type->fingerprint) break;
        i = (i + 1) & b->chain->mask;
    }
    *out = route;
    if (route->type) return check_equal(b, route->type, type);
    route->type = type;
    route->fingerprint = type->fingerprint;
    b->chain->count++;
    return PDR_OK;
}

static pdr_code add_today(const build *b)
{
    for (size_t i = 0; i < b->spec->event_count; i++) {
        pdr_route *route;
        pdr_code code = pdr_type_check(b->spec->events[i], b->err);
        if (code != PDR_OK) return pdr_fail_context(b->err, code, "event %zu", i);
        code = add(b, b->spec->events[i], &route);
        if (code != PDR_OK) return code;
        route->today = true;
    }
    return PDR_OK;
}

/* --- one step --- */

static pdr_code check_step(const build *b, const pdr_upcaster *step, size_t index)
{
    pdr_code code = pdr_type_check(step->from, b->err);
    if (code != PDR_OK) return pdr_fail_context(b->err, code, "upcaster %zu: from", index);
    const char *from = step->from->name;
    if (step->to_count && !step->to)
        return pdr_fail(b->err, PDR_INVALID_ARGUMENT, "upcaster %zu, from %.150s: `to` is NULL", index, from);
    for (size_t i = 0; i < step->to_count; i++) {
        code = pdr_type_check(step->to[i], b->err);
        if (code != PDR_OK)
            return pdr_fail_context(b->err, code, "upcaster %zu, from %.150s: to", index, from);
    }
    if (step->to_count == 0 && step->upcast)
        return pdr_fail(b->err, PDR_INVALID_ARGUMENT,
                        "the step from %s has a function, but no type in `to`: without a function its "
                        "events are dropped, else `to` names what they may become",
                        pdr_type_label_of(step->from).text);
    if (step->to_count > 1 && !step->upcast)
        return pdr_fail(b->err, PDR_INVALID_ARGUMENT,
                        "the step from %s to %zu types has no function: schema resolution leads to one",
                        pdr_type_label_of(step->from).text, step->to_count);
    return PDR_OK;
}

static pdr_code add_step(const build *b, const pdr_upcaster *step, size_t index)
{
    pdr_route *route;
    pdr_code code = check_step(b, step, index);
    if (code == PDR_OK) code = add(b, step->from, &route);
    if (code != PDR_OK) return code;
    if (route->today)
        return pdr_fail(b->err, PDR_INVALID_ARGUMENT,
                        "%s is one of today's events and has an upcaster: is an older version meant?",
                        pdr_type_label_of(step->from).text);
    if (route->step)
        return pdr_fail(b->err, PDR_INVALID_ARGUMENT, "there are two upcasters from %s",
                        pdr_type_label_of(step->from).text);
    route->step = step;
    return PDR_OK;
}

static pdr_code link_step(const build *b, const pdr_upcaster *step)
{
    pdr_route *from, *to;
    pdr_code code = add(b, step->from, &from);
    if (code != PDR_OK) return code;
    from->to = pdr_arena_calloc(&b->chain->memory, step->to_count + 1, sizeof *from->to);
    if (!from->to) return pdr_fail(b->err, PDR_NOMEM, "upcasters");
    for (size_t i = 0; i < step->to_count; i++) {
        code = add(b, step->to[i], &to);
        if (code != PDR_OK) return code;
        from->to[i] = to;
    }
    return PDR_OK;
}

static pdr_code open_plan(const build *b, const pdr_upcaster *step)
{
    pdr_error why = {0};
    pdr_route *route;
    pdr_code code = add(b, step->from, &route);
    if (code != PDR_OK || step->upcast || step->to_count == 0) return code;
    code = pdr_plan_open(&route->plan, pdr_string_of(step->from->schema), step->to[0], &why);
    if (code == PDR_OK) return PDR_OK;
    if (code == PDR_NOMEM) return pdr_fail(b->err, code, "%s", why.message);
    return pdr_chain_fault(b->chain, b->spec->tolerant, route, code, b->err,
                           "%s doesn't resolve to %s: %.300s", pdr_type_label_of(step->from).text,
                           pdr_type_label_of(step->to[0]).text, why.message);
}

static pdr_code add_steps(const build *b)
{
    pdr_code code = PDR_OK;
    if (b->spec->upcaster_count && !b->spec->upcasters)
        return pdr_fail(b->err, PDR_INVALID_ARGUMENT, "its upcasters are NULL");
    for (size_t i = 0; code == PDR_OK && i < b->spec->upcaster_count; i++)
        code = add_step(b, &b->spec->upcasters[i], i);
    for (size_t i = 0; code == PDR_OK && i < b->spec->upcaster_count; i++)
        code = link_step(b, &b->spec->upcasters[i]);
    for (size_t i = 0; code == PDR_OK && i < b->spec->upcaster_count; i++)
        code = open_plan(b, &b->spec->upcasters[i]);
    return code;
}

/* --- the whole --- */

pdr_code pdr_chain_fault(pdr_chain *chain, bool tolerant, pdr_route *route, pdr_code code, pdr_error *err,
                         const char *format, ...)
{
    pdr_error why;
    va_list args;
    va_start(args, format);
    vsnprintf(why.message, sizeof why.message, format, args);
    va_end(args);
    if (!tolerant) return pdr_fail(err, code, "%s", why.message);
    if (route->fault) return PDR_OK;
    route->fault = pdr_arena_string(&chain->memory, pdr_string_of(why.message)).data;
    return route->fault ? PDR_OK : pdr_fail(err, PDR_NOMEM, "upcasters");
}

static size_t slots_for(const pdr_chain_spec *spec)
{
    size_t types = spec->event_count + spec->upcaster_count, slots = 4;
    for (size_t i = 0; spec->upcasters && i < spec->upcaster_count; i++)
        types += spec->upcasters[i].to_count;
    while (slots < 2 * types)
        slots *= 2;
    return slots;
}

pdr_code pdr_chain_open(pdr_chain **out, const pdr_chain_spec *spec, pdr_error *err)
{
    size_t slots = slots_for(spec);
    pdr_chain *chain = pdr_calloc(1, sizeof *chain + slots * sizeof(pdr_route));
    if (!chain) return pdr_fail(err, PDR_NOMEM, "the event types of entity type %s", spec->entity);
    chain->entity = spec->entity;
    chain->mask = slots - 1;
    chain->memory = (pdr_arena)PDR_ARENA_INIT(MAX_MEMORY);
    build b = {chain, spec, err};
    pdr_code code = add_today(&b);
    if (code == PDR_OK) code = add_steps(&b);
    if (code == PDR_OK) code = pdr_chain_check(chain, spec->tolerant, err);
    if (code != PDR_OK) {
        pdr_chain_close(chain);
        return pdr_fail_context(err, code, "entity type %s", spec->entity);
    }
    *out = chain;
    return PDR_OK;
}

void pdr_chain_close(pdr_chain *chain)
{
    if (!chain) return;
    for (size_t i = 0; i <= chain->mask; i++)
        pdr_plan_close(chain->slots[i].plan);
    pdr_arena_release(&chain->memory);
    pdr_free(chain);
}
