/* A partition under way, as bytes, to go on with later. */
#include "base/mem.h"
#include "journal/command.h"
#include "replay/packed.h"
#include "replay/refold_inside.h"

static pdr_code put_position(pdr_buf *out, pdr_position at)
{
    pdr_code code = pdr_packed_put_signed(out, at.offset);
    if (code == PDR_OK) code = pdr_packed_put_signed(out, at.term.offset);
    if (code == PDR_OK) code = pdr_packed_put(out, at.term.incarnation);
    return code == PDR_OK ? pdr_packed_put(out, at.number) : code;
}

static bool get_position(pdr_bytes *in, pdr_position *at)
{
    return pdr_packed_get_signed(in, &at->offset) && pdr_packed_get_signed(in, &at->term.offset) &&
           pdr_packed_get(in, &at->term.incarnation) && pdr_packed_get(in, &at->number);
}

static pdr_code put_state(pdr_refold *r, const pdr_folded_state *s, pdr_buf *out)
{
    bool none = !s || (!s->state.value && !s->packed);
    pdr_buf_clear(&r->now);
    pdr_code code = none ? PDR_OK : pdr_folded_pack(s, &r->now, NULL);
    if (code == PDR_NOMEM) return code;
    /* One that its schema forbids is as good as none: what was found of it is in the deviations. */
    if (none || code != PDR_OK) return pdr_packed_put_bytes(out, pdr_bytes_of(NULL, 0));
    return pdr_packed_put_bytes(out, pdr_bytes_of(r->now.data ? r->now.data : (uint8_t *)"", r->now.size));
}

static pdr_bytes waiting_of(const pdr_folded *e)
{
    size_t size;
    if (!e->waiting) return pdr_bytes_of(NULL, 0);
    memcpy(&size, e->waiting, sizeof size);
    return pdr_bytes_of(e->waiting, sizeof size + size);
}

static pdr_code put_entity(pdr_refold *r, const pdr_folded *e, pdr_buf *out)
{
    pdr_code code = pdr_packed_put_bytes(out, pdr_folded_key(e));
    if (code == PDR_OK) code = pdr_packed_put(out, e->seq);
    if (code == PDR_OK) code = pdr_packed_put(out, e->flags);
    if (code == PDR_OK) code = put_state(r, &e->now, out);
    if (code == PDR_OK) code = put_state(r, e->before, out);
    return code == PDR_OK ? pdr_packed_put_bytes(out, waiting_of(e)) : code;
}

pdr_code pdr_refold_save(pdr_refold *r, int32_t partition, pdr_buf *out, pdr_error *err)
{
    pdr_refold_part *part;
    pdr_buf deviations = PDR_BUF_INIT((size_t)1 << 30);
    pdr_code code = pdr_refold_part_of(r, partition, &part, err);
    if (code != PDR_OK) return code;
    code = pdr_deviations_write(part->deviations, &deviations);
    if (code == PDR_OK) code = pdr_packed_put_bytes(out, pdr_buf_bytes(&deviations));
    pdr_buf_release(&deviations);
    if (code == PDR_OK) code = put_position(out, part->at);
    if (code == PDR_OK) code = pdr_packed_put(out, part->ended);
    if (code == PDR_OK) code = pdr_packed_put(out, part->entities.count);
    for (const pdr_folded *e = part->entities.all; code == PDR_OK && e; e = e->next)
        code = put_entity(r, e, out);
    return code == PDR_OK ? PDR_OK : pdr_fail(err, code, "putting partition %d aside", (int)partition);
}

/* --- back --- */

static pdr_code malformed(int32_t partition, pdr_error *err)
{
    return pdr_fail(err, PDR_BAD_DATA, "what was put aside of partition %d can't be read", (int)partition);
}

static pdr_code take_state(pdr_folded_state *s, pdr_bytes packed, pdr_error *err)
{
    return packed.data ? pdr_folded_put_packed(s, packed, err) : PDR_OK;
}

static pdr_code load_entity(pdr_refold *r, pdr_refold_part *part, int32_t partition, pdr_bytes *in,
                            pdr_error *err)
{
    pdr_bytes key, now, before, waiting;
    uint64_t seq, flags;
    pdr_folded *e;
    if (!pdr_packed_get_bytes(in, &key) || !key.data || key.size > PDR_MAX_ENTITY_ID ||
        !pdr_packed_get(in, &seq) || !pdr_packed_get(in, &flags) || flags > UINT16_MAX ||
        !pdr_packed_get_bytes(in, &now) || !pdr_packed_get_bytes(in, &before) ||
        !pdr_packed_get_bytes(in, &waiting))
        return malformed(partition, err);
    pdr_code code = pdr_refold_meet(r, part, key, &e, err);
    if (code != PDR_OK || !e) return code == PDR_OK ? malformed(partition, err) : code;
    e->seq = seq;
    e->flags = (uint16_t)flags;
    code = take_state(&e->now, now, err);
    if (code == PDR_OK && e->before) code = take_state(e->before, before, err);
    pdr_folded_account(&part->entities, e);
    if (code != PDR_OK || !waiting.data) return code;
    e->waiting = pdr_memdup(waiting.data, waiting.size);
    return e->waiting ? PDR_OK : pdr_fail(err, PDR_NOMEM, "keeping a deviation");
}

pdr_code pdr_refold_load(pdr_refold *r, int32_t partition, pdr_bytes in, pdr_error *err)
{
    pdr_refold_part *part;
    pdr_bytes deviations;
    uint64_t ended, count;
    pdr_code code = pdr_refold_part_of(r, partition, &part, err);
    if (code != PDR_OK) return code;
    if (!pdr_packed_get_bytes(&in, &deviations) || !get_position(&in, &part->at) ||
        !pdr_packed_get(&in, &ended) || !pdr_packed_get(&in, &count))
        return malformed(partition, err);
    code = pdr_deviations_read(part->deviations, deviations, err);
    for (uint64_t i = 0; code == PDR_OK && i < count; i++)
        code = load_entity(r, part, partition, &in, err);
    part->ended = ended != 0;
    return code == PDR_OK && in.size ? malformed(partition, err) : code;
}
