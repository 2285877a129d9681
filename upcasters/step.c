/* One stored event on its way to today's: rounds, each of which takes every event that isn't today's yet one
 * step on, in order. Rounds, so that what is open at once has a ceiling whatever the steps do. */
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "schemas/type.h"
#include "upcasters/chain.h"

/* The events after a round. Filled only as far as `count`: it lies on the stack. */
typedef struct round {
    size_t count;
    bool all_today;
    pdr_event events[PDR_MAX_UPCAST_EVENTS];
    const pdr_route *routes[PDR_MAX_UPCAST_EVENTS];
} round;

struct pdr_upcast {
    const pdr_chain *chain;
    pdr_arena *arena;
    const pdr_route *route; /* whose step runs */
    const pdr_event *event;
    round *next;
    size_t emitted; /* by this step */
    bool dropped;
    pdr_code code; /* the first failure */
    pdr_error *err;
};

/* --- failures --- */

static pdr_code fail_at(pdr_upcast *u, pdr_code code, const char *what)
{
    const pdr_upcaster *step = u->route->step;
    u->code = code;
    return pdr_fail(u->err, code,
                    "entity type %s: event %s, fingerprint %016llx, at seq %llu: the upcaster to %s%s %s",
                    u->chain->entity, pdr_type_label_of(u->route->type).text,
                    (unsigned long long)u->route->fingerprint, (unsigned long long)u->event->seq,
                    pdr_type_label_of(step->to[0]).text, step->to_count > 1 ? ", ..." : "", what);
}

static void fail(pdr_upcast *u, pdr_code code, const char *what)
{
    if (u->code == PDR_OK) (void)fail_at(u, code, what);
}

void pdr_upcast_fail(pdr_upcast *out, const char *format, ...)
{
    char what[300] = "says: ";
    va_list args;
    va_start(args, format);
    vsnprintf(what + 6, sizeof what - 6, format, args);
    va_end(args);
    fail(out, PDR_BAD_HANDLER, what);
}

/* --- what a step says --- */

static const pdr_route *target(const pdr_upcast *u, const pdr_type *type)
{
    const pdr_upcaster *step = u->route->step;
    for (size_t i = 0; i < step->to_count; i++)
        if (step->to[i] == type) return u->route->to[i];
    return NULL;
}

/* The same event as another type. */
static void push(round *to, const pdr_route *route, const pdr_event *event, const void *value)
{
    to->events[to->count] = (pdr_event){route->type, value, event->seq, event->time_us};
    to->routes[to->count++] = route;
    to->all_today = to->all_today && route->today;
}

static bool has_room(pdr_upcast *u)
{
    if (u->next->count < PDR_MAX_UPCAST_EVENTS) return true;
    char what[80];
    snprintf(what, sizeof what, "makes one stored event into more than %d", PDR_MAX_UPCAST_EVENTS);
    fail(u, PDR_BAD_HANDLER, what);
    return false;
}

void pdr_upcast_emit(pdr_upcast *out, const pdr_type *type, const void *value)
{
    if (out->code != PDR_OK || !has_room(out)) return;
    const pdr_route *route = type && value ? target(out, type) : NULL;
    if (PDR_UNLIKELY(!route || out->dropped)) {
        char what[200];
        snprintf(what, sizeof what, "emits %s%s", type ? pdr_type_label_of(type).text : "NULL",
                 route           ? " after it dropped the event"
                 : type && value ? ", which isn't in its `to`"
                                 : " without a value");
        fail(out, PDR_BAD_HANDLER, what);
        return;
    }
    void *copy = pdr_arena_alloc(out->arena, type->size);
    if (!copy) {
        fail(out, PDR_NOMEM, "is out of memory");
        return;
    }
    memcpy(copy, value, type->size);
    push(out->next, route, out->event, copy);
    out->emitted++;
}

pdr_arena *pdr_upcast_arena(pdr_upcast *out)
{
    return out->arena;
}

void pdr_upcast_drop(pdr_upcast *out)
{
    if (out->emitted) fail(out, PDR_BAD_HANDLER, "drops the event after it emitted one");
    out->dropped = true;
}

/* --- a step --- */

static pdr_code run_function(pdr_upcast *u)
{
    u->route->step->upcast(u->event, u);
    if (u->code == PDR_OK && !u->emitted && !u->dropped)
        fail(u, PDR_BAD_HANDLER, "neither emits nor drops an event");
    return u->code;
}

/* In the middle of a chain the struct is written as its datum first, as if it had been stored so. */
static pdr_code encode(const pdr_upcast *u, pdr_bytes *datum, pdr_error *why)
{
    pdr_buf written = PDR_BUF_INIT(u->arena->max);
    pdr_code code = u->event->type->encode(u->event->value, &written, why);
    if (code == PDR_OK) *datum = pdr_arena_bytes(u->arena, pdr_buf_bytes(&written));
    pdr_buf_release(&written);
    if (code == PDR_OK && !datum->data) code = pdr_fail(why, PDR_NOMEM, "out of memory");
    return code == PDR_INVALID_ARGUMENT ? PDR_BAD_HANDLER : code;
}

static pdr_code resolve(pdr_upcast *u, pdr_bytes datum, pdr_error *why)
{
    const pdr_route *to = u->route->to[0];
    if (!has_room(u)) return u->code;
    void *value = pdr_arena_alloc(u->arena, to->type->size);
    if (!value) return pdr_fail(why, PDR_NOMEM, "out of memory");
    pdr_code code = pdr_plan_decode(u->route->plan, datum, u->arena, value, why);
    if (code == PDR_OK) push(u->next, to, u->event, value);
    return code;
}

static pdr_code run_plan(pdr_upcast *u)
{
    char what[250];
    pdr_error why = {0};
    pdr_bytes datum;
    pdr_code code = encode(u, &datum, &why);
    if (code == PDR_OK) code = resolve(u, datum, &why);
    if (code == PDR_OK || u->code != PDR_OK) return code;
    snprintf(what, sizeof what, "by schema resolution: %.200s", why.message);
    return fail_at(u, code, what);
}

static pdr_code run_step(const pdr_chain *chain, const pdr_route *route, const pdr_event *event,
                         pdr_arena *arena, round *next, pdr_error *err)
{
    if (!route->step->to_count) return PDR_OK;
    pdr_upcast u = {chain, arena, route, event, next, 0, false, PDR_OK, err};
    return route->plan ? run_plan(&u) : run_function(&u);
}

/* --- all steps --- */

static pdr_code one_round(const pdr_chain *chain, const round *now, round *next, pdr_arena *arena,
                          pdr_error *err)
{
    pdr_code code = PDR_OK;
    next->count = 0;
    next->all_today = true;
    for (size_t i = 0; code == PDR_OK && i < now->count; i++) {
        if (!now->routes[i]->today)
            code = run_step(chain, now->routes[i], &now->events[i], arena, next, err);
        else if (next->count < PDR_MAX_UPCAST_EVENTS)
            push(next, now->routes[i], &now->events[i], now->events[i].value);
        else
            code =
                pdr_fail(err, PDR_BAD_HANDLER,
                         "entity type %s: at seq %llu the upcasters make one stored event into more than %d",
                         chain->entity, (unsigned long long)now->events[i].seq, PDR_MAX_UPCAST_EVENTS);
    }
    return code;
}

static pdr_code give(const round *result, pdr_arena *arena, pdr_event_list *out, pdr_error *err)
{
    out->count = result->count;
    out->all = NULL;
    if (result->count == 1) out->first = result->events[0];
    if (result->count <= 1) return PDR_OK;
    pdr_event *all = pdr_arena_alloc(arena, result->count * sizeof *all);
    if (!all) return pdr_fail(err, PDR_NOMEM, "upcasting an event");
    memcpy(all, result->events, result->count * sizeof *all);
    out->all = all;
    return PDR_OK;
}

pdr_code pdr_chain_take(const pdr_chain *chain, const pdr_route *route, const pdr_event *event,
                        pdr_arena *arena, pdr_event_list *out, pdr_error *err)
{
    round rounds[2], *now = &rounds[0], *next = &rounds[1];
    if (route->fault)
        return pdr_fail(err, PDR_UNKNOWN_SCHEMA, "entity type %s: %s", chain->entity, route->fault);
    now->count = 0;
    now->all_today = true;
    push(now, route, event, event->value);
    while (!now->all_today) {
        pdr_code code = one_round(chain, now, next, arena, err);
        if (code != PDR_OK) return code;
        round *done = now;
        now = next;
        next = done;
    }
    return give(now, arena, out, err);
}

/* --- from a datum --- */

pdr_code pdr_chain_read(const pdr_chain *chain, const pdr_route *route, pdr_bytes datum, uint64_t seq,
                        int64_t time_us, pdr_arena *arena, pdr_event_list *out, pdr_error *err)
{
    if (route->fault) return pdr_chain_take(chain, route, &(pdr_event){.seq = seq}, arena, out, err);
    /* A first step by resolution reads the datum itself; a dropped event isn't even decoded. */
    const pdr_route *as = route->plan ? route->to[0] : route;
    if (route->step && !route->step->to_count) {
        out->count = 0;
        return PDR_OK;
    }
    void *value = pdr_arena_alloc(arena, as->type->size);
    if (!value) return pdr_fail(err, PDR_NOMEM, "decoding an event %s", as->type->name);
    pdr_code code = route->plan ? pdr_plan_decode(route->plan, datum, arena, value, err)
                                : as->type->decode(datum, arena, value, err);
    if (code != PDR_OK) return pdr_fail_context(err, code, "event %s", pdr_type_label_of(route->type).text);
    pdr_event event = {as->type, value, seq, time_us};
    if (!as->today) return pdr_chain_take(chain, as, &event, arena, out, err);
    out->count = 1;
    out->first = event;
    return PDR_OK;
}
