#include "upcasters/state_chain.h"

#include "base/mem.h"
#include "schemas/plan.h"
#include "schemas/type.h"

typedef struct state_node {
    uint64_t revision;
    const pdr_state_upcaster *step; /* NULL: today's */
    pdr_plan *plan;                 /* a step by resolution */
    size_t next;                    /* place of step->to */
    size_t steps;                   /* to today's */
} state_node;

struct pdr_state_chain {
    pdr_state_chain_spec spec;
    size_t count; /* of nodes: today's is the first */
    uint64_t *revisions;
    state_node nodes[];
};

uint64_t pdr_state_revision(const pdr_type *state, uint32_t declared)
{
    return (state->fingerprint ^ declared) * 0x9E3779B97F4A7C15u ^ declared;
}

static size_t find(const pdr_state_chain *chain, uint64_t revision)
{
    size_t i = 0;
    while (i < chain->count && chain->nodes[i].revision != revision)
        i++;
    return i;
}

void pdr_state_chain_close(pdr_state_chain *chain)
{
    if (!chain) return;
    for (size_t i = 0; i < chain->count; i++)
        pdr_plan_close(chain->nodes[i].plan);
    pdr_free(chain->revisions);
    pdr_free(chain);
}

/* --- rules --- */

static pdr_code refuse(const pdr_state_chain *chain, const pdr_state_upcaster *step, const char *why,
                       pdr_error *err)
{
    return pdr_fail(err, PDR_INVALID_ARGUMENT, "entity type %s: the step from state %s, revision %u: %s",
                    chain->spec.entity, step->from->name, (unsigned)step->from_revision, why);
}

static pdr_code add_step(pdr_state_chain *chain, const pdr_state_upcaster *step, pdr_error *err)
{
    pdr_code code = pdr_type_check(step->from, err);
    if (code == PDR_OK) code = pdr_type_check(step->to, err);
    if (code != PDR_OK)
        return pdr_fail_context(err, code, "entity type %s: a step between states", chain->spec.entity);
    uint64_t revision = pdr_state_revision(step->from, step->from_revision);
    size_t known = find(chain, revision);
    if (known == 0) return refuse(chain, step, "that is today's", err);
    if (known < chain->count) return refuse(chain, step, "there are two", err);
    state_node *node = &chain->nodes[chain->count];
    *node = (state_node){revision, step, NULL, 0, 0};
    if (!step->upcast) code = pdr_plan_open(&node->plan, pdr_string_of(step->from->schema), step->to, err);
    if (code != PDR_OK)
        return pdr_fail_context(err, code, "entity type %s: the step from state %s, revision %u",
                                chain->spec.entity, step->from->name, (unsigned)step->from_revision);
    chain->count++;
    return PDR_OK;
}

static pdr_code link_step(pdr_state_chain *chain, state_node *node, pdr_error *err)
{
    const pdr_state_upcaster *step = node->step;
    node->next = find(chain, pdr_state_revision(step->to, step->to_revision));
    if (node->next == chain->count)
        return refuse(chain, step, "it leads neither to today's state nor to another step", err);
    return PDR_OK;
}

/* Every node has one way on: one that doesn't come to today's within the number of nodes goes in a circle. */
static pdr_code count_steps(pdr_state_chain *chain, state_node *node, pdr_error *err)
{
    for (size_t at = (size_t)(node - chain->nodes); at != 0; at = chain->nodes[at].next)
        if (++node->steps > chain->count) return refuse(chain, node->step, "it leads back to itself", err);
    return PDR_OK;
}

static pdr_code list_revisions(pdr_state_chain *chain, pdr_error *err)
{
    chain->revisions = pdr_alloc(chain->count * sizeof *chain->revisions);
    if (!chain->revisions)
        return pdr_fail(err, PDR_NOMEM, "the states of entity type %s", chain->spec.entity);
    size_t listed = 0;
    for (size_t steps = 0; listed < chain->count; steps++)
        for (size_t i = 0; i < chain->count; i++)
            if (chain->nodes[i].steps == steps) chain->revisions[listed++] = chain->nodes[i].revision;
    return PDR_OK;
}

pdr_code pdr_state_chain_open(pdr_state_chain **out, const pdr_state_chain_spec *spec, pdr_error *err)
{
    if (spec->step_count > PDR_MAX_STATE_STEPS || (spec->step_count && !spec->steps))
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "entity type %s: %zu steps between states; at most %d",
                        spec->entity, spec->step_count, PDR_MAX_STATE_STEPS);
    pdr_state_chain *chain = pdr_calloc(1, sizeof *chain + (spec->step_count + 1) * sizeof(state_node));
    if (!chain) return pdr_fail(err, PDR_NOMEM, "the states of entity type %s", spec->entity);
    chain->spec = *spec;
    chain->count = 1;
    chain->nodes[0].revision = pdr_state_revision(spec->state, spec->revision);
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < spec->step_count; i++)
        code = add_step(chain, &spec->steps[i], err);
    for (size_t i = 1; code == PDR_OK && i < chain->count; i++)
        code = link_step(chain, &chain->nodes[i], err);
    for (size_t i = 1; code == PDR_OK && i < chain->count; i++)
        code = count_steps(chain, &chain->nodes[i], err);
    if (code == PDR_OK) code = list_revisions(chain, err);
    if (code == PDR_OK)
        *out = chain;
    else
        pdr_state_chain_close(chain);
    return code;
}

const uint64_t *pdr_state_chain_revisions(const pdr_state_chain *chain, size_t *count)
{
    *count = chain->count;
    return chain->revisions;
}

/* --- bringing forward --- */

static pdr_code decode(const pdr_state_chain *chain, const state_node *node, pdr_bytes packed,
                       pdr_arena *arena, void **value, pdr_error *err)
{
    const pdr_type *type = node->step ? (node->plan ? node->step->to : node->step->from) : chain->spec.state;
    *value = pdr_arena_alloc(arena, type->size);
    if (!*value) return pdr_fail(err, PDR_NOMEM, "a state %s", type->name);
    pdr_code code = node->plan ? pdr_plan_decode(node->plan, packed, arena, *value, err)
                               : type->decode(packed, arena, *value, err);
    return code == PDR_OK || code == PDR_NOMEM ? code : pdr_fail_context(err, code, "state %s", type->name);
}

static pdr_code call_step(const pdr_state_chain *chain, const pdr_state_upcaster *step, pdr_arena *arena,
                          void **value, pdr_error *err)
{
    void *to = pdr_arena_alloc(arena, step->to->size);
    if (!to) return pdr_fail(err, PDR_NOMEM, "a state %s", step->to->name);
    step->to->init(to);
    pdr_code code = step->upcast(*value, to, arena);
    *value = to;
    if (code == PDR_OK || code == PDR_NOMEM) return code == PDR_OK ? code : pdr_fail(err, code, "a state");
    return pdr_fail(err, PDR_BAD_HANDLER, "entity type %s: the step from state %s, revision %u, gave %s",
                    chain->spec.entity, step->from->name, (unsigned)step->from_revision, pdr_code_name(code));
}

/* A step by resolution in the middle of a chain starts from a struct: it is packed first. */
static pdr_code resolve_step(const state_node *node, pdr_arena *arena, void **value, pdr_error *err)
{
    const pdr_type *from = node->step->from, *to = node->step->to;
    pdr_buf packed = PDR_BUF_INIT(arena->max);
    pdr_code code = from->encode(*value, &packed, err);
    pdr_bytes kept = code == PDR_OK ? pdr_arena_bytes(arena, pdr_buf_bytes(&packed)) : pdr_bytes_of(NULL, 0);
    pdr_buf_release(&packed);
    if (code != PDR_OK)
        return code == PDR_INVALID_ARGUMENT ? pdr_fail_context(err, PDR_BAD_HANDLER, "a step") : code;
    *value = kept.data ? pdr_arena_alloc(arena, to->size) : NULL;
    if (!*value) return pdr_fail(err, PDR_NOMEM, "a state %s", to->name);
    return pdr_plan_decode(node->plan, kept, arena, *value, err);
}

pdr_code pdr_state_chain_read(const pdr_state_chain *chain, uint64_t revision, pdr_bytes packed,
                              pdr_arena *arena, void **value, pdr_error *err)
{
    size_t at = find(chain, revision);
    if (at == chain->count)
        return pdr_fail(err, PDR_UNKNOWN_SCHEMA, "entity type %s has no state of revision %016llx",
                        chain->spec.entity, (unsigned long long)revision);
    const state_node *node = &chain->nodes[at];
    pdr_code code = decode(chain, node, packed, arena, value, err);
    bool resolved = node->plan != NULL; /* its first step was taken while decoding */
    for (; code == PDR_OK && at != 0; resolved = false) {
        node = &chain->nodes[at];
        if (!resolved)
            code = node->plan ? resolve_step(node, arena, value, err)
                              : call_step(chain, node->step, arena, value, err);
        at = node->next;
    }
    return code;
}
