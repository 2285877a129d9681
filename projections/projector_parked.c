/* Which entities have parked events: their later events are parked behind them. */
#include <xxhash.h>

#include "base/mem.h"
#include "projections/projector_core.h"

bool pdr_prj_is_parked(const pdr_part *part, pdr_string entity)
{
    if (part->parked_count == 0 || !PDR_PROJECTION_RULE(PARKED)) return false;
    uint64_t hash = XXH3_64bits(entity.data, entity.size);
    for (const pdr_parked_entity *e = part->parked[hash % PDR_PARKED_SLOTS]; e; e = e->next)
        if (e->hash == hash && pdr_string_equal((pdr_string){e->key, e->key_size}, entity)) return true;
    return false;
}

pdr_code pdr_prj_note_parked(pdr_part *part, pdr_string entity, pdr_error *err)
{
    bool known = pdr_prj_is_parked(part, entity);
    if (!known) {
        pdr_parked_entity *e = pdr_alloc(sizeof *e + entity.size);
        if (!e) return pdr_fail(err, PDR_NOMEM, "a parked entity");
        e->hash = XXH3_64bits(entity.data, entity.size);
        e->key_size = (uint32_t)entity.size;
        memcpy(e->key, entity.data, entity.size);
        e->next = part->parked[e->hash % PDR_PARKED_SLOTS];
        part->parked[e->hash % PDR_PARKED_SLOTS] = e;
    }
    part->parked_count++;
    return PDR_OK;
}

void pdr_prj_forget_parked(pdr_part *part)
{
    for (size_t i = 0; i < PDR_PARKED_SLOTS; i++) {
        for (pdr_parked_entity *e = part->parked[i], *next; e; e = next) {
            next = e->next;
            pdr_free(e);
        }
        part->parked[i] = NULL;
    }
    part->parked_count = 0;
}

static pdr_code note_letter(void *context, const pdr_dead_letter *letter, pdr_error *err)
{
    return pdr_prj_note_parked(context, (pdr_string){(const char *)letter->entity.data, letter->entity.size},
                               err);
}

pdr_code pdr_prj_load_parked(pdr_part *part, pdr_error *err)
{
    const pdr_projector *p = part->owner;
    pdr_prj_forget_parked(part);
    return p->spec.views->ops->dead_letters(p->spec.views, p->version.projection, p->version.version,
                                            part->partition, note_letter, part, err);
}
