/* What must hold for a chain as a whole. The walk goes once over every route, deepest first. */
#include "base/mem.h"
#include "schemas/type.h"
#include "upcasters/chain.h"

typedef struct walk {
    pdr_chain *chain;
    bool tolerant;
    bool *open; /* by slot: on the way from the first route to the present one */
    bool *done;
    size_t depth;
    pdr_error *err;
} walk;

static pdr_code visit(walk *w, pdr_route *route);

static pdr_code too_long(const walk *w, const pdr_route *route)
{
    return pdr_fail(w->err, PDR_INVALID_ARGUMENT,
                    "the chain of upcasters by way of %s has more than %d steps",
                    pdr_type_label_of(route->type).text, PDR_MAX_UPCAST_STEPS);
}

static pdr_code visit_next(walk *w, pdr_route *route, const pdr_route *next)
{
    pdr_code code = visit(w, &w->chain->slots[next - w->chain->slots]);
    if (code != PDR_OK) return code;
    if (next->steps + 1 > route->steps) route->steps = next->steps + 1;
    if (route->steps > PDR_MAX_UPCAST_STEPS) return too_long(w, route);
    if (!next->fault) return PDR_OK;
    return pdr_chain_fault(w->chain, true, route, PDR_OK, w->err, "%s", next->fault);
}

static pdr_code visit(walk *w, pdr_route *route)
{
    size_t slot = (size_t)(route - w->chain->slots);
    if (w->done[slot]) return PDR_OK;
    if (w->open[slot])
        return pdr_fail(w->err, PDR_INVALID_ARGUMENT, "the upcasters from %s lead back to it",
                        pdr_type_label_of(route->type).text);
    if (++w->depth > PDR_MAX_UPCAST_STEPS + 1) return too_long(w, route);
    w->open[slot] = true;
    pdr_code code = PDR_OK;
    if (route->step && route->step->to_count == 0) route->steps = 1;
    for (size_t i = 0; code == PDR_OK && route->step && i < route->step->to_count; i++)
        code = visit_next(w, route, route->to[i]);
    w->open[slot] = false;
    w->done[slot] = true;
    w->depth--;
    return code;
}

static pdr_code walk_all(pdr_chain *chain, bool tolerant, pdr_error *err)
{
    bool *marks = pdr_calloc(2 * (chain->mask + 1), sizeof *marks);
    if (!marks) return pdr_fail(err, PDR_NOMEM, "upcasters");
    walk w = {chain, tolerant, marks, marks + chain->mask + 1, 0, err};
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i <= chain->mask; i++)
        if (chain->slots[i].type) code = visit(&w, &chain->slots[i]);
    pdr_free(marks);
    return code;
}

/* --- versions and gaps --- */

static pdr_code check_step(pdr_chain *chain, bool tolerant, pdr_route *route, pdr_error *err)
{
    if (route->today || route->step) return PDR_OK;
    return pdr_chain_fault(chain, tolerant, route, PDR_INVALID_ARGUMENT, err,
                           "an upcaster leads to %s, which is none of today's events and has no upcaster "
                           "itself",
                           pdr_type_label_of(route->type).text);
}

/* What is known of the other versions of one type's event. */
typedef struct versions {
    const pdr_type *twin; /* another type of the same version */
    bool before;          /* the version before this one is known */
} versions;

static versions versions_of(const pdr_chain *chain, const pdr_type *type)
{
    versions v = {NULL, false};
    for (size_t i = 0; i <= chain->mask; i++) {
        const pdr_type *other = chain->slots[i].type;
        if (!other || other == type || strcmp(other->name, type->name) != 0) continue;
        if (other->version == type->version) v.twin = other;
        if (other->version + 1 == type->version) v.before = true;
    }
    return v;
}

/* All versions from 1 on are files on disk, so each of them can be declared. */
static pdr_code check_versions(pdr_chain *chain, bool tolerant, const pdr_type *type, pdr_error *err)
{
    versions v = versions_of(chain, type);
    if (v.twin)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "two types with different schemas are both %s",
                        pdr_type_label_of(type).text);
    if (tolerant || type->version <= 1 || v.before) return PDR_OK;
    return pdr_fail(err, PDR_INVALID_ARGUMENT,
                    "%.200s version %u has no upcaster, but version %u is declared", type->name,
                    type->version - 1, type->version);
}

pdr_code pdr_chain_check(pdr_chain *chain, bool tolerant, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i <= chain->mask; i++) {
        pdr_route *route = &chain->slots[i];
        if (!route->type) continue;
        code = check_step(chain, tolerant, route, err);
        if (code == PDR_OK) code = check_versions(chain, tolerant, route->type, err);
    }
    return code == PDR_OK ? walk_all(chain, tolerant, err) : code;
}
