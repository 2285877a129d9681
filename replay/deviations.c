#include "base/mem.h"
#include "replay/deviations.h"
#include "replay/packed.h"

typedef struct sample {
    pdr_deviation deviation; /* borrows from `bytes` */
    uint8_t bytes[];
} sample;

typedef struct samples {
    sample **items; /* ascending */
    size_t count;
} samples;

typedef struct group {
    pdr_deviation_kind kind;
    uint64_t count;
    size_t size;
    uint8_t *type;
} group;

struct pdr_deviations {
    pdr_deviations_counts counts;
    size_t limit;
    samples samples[PDR_FOUND_KINDS];
    group groups[PDR_DEVIATIONS_MAX_GROUPS + PDR_FOUND_KINDS];
    size_t group_count;
};

const char *pdr_deviation_word(pdr_deviation_kind kind)
{
    static const char *const words[] = {"differs",   "unreadable", "fails", "crashes",
                                        "old-fails", "damaged",    "absent"};
    return words[kind];
}

pdr_code pdr_deviations_open(pdr_deviations **out, size_t limit, pdr_error *err)
{
    pdr_deviations *t = pdr_calloc(1, sizeof *t);
    bool whole = t != NULL;
    for (size_t i = 0; whole && i < PDR_FOUND_KINDS; i++) {
        t->samples[i].items = pdr_calloc(limit + 1, sizeof(sample *));
        whole = t->samples[i].items != NULL;
    }
    if (whole) {
        t->limit = limit;
        *out = t;
        return PDR_OK;
    }
    pdr_deviations_close(t);
    return pdr_fail(err, PDR_NOMEM, "counting deviations");
}

void pdr_deviations_close(pdr_deviations *t)
{
    if (!t) return;
    for (size_t kind = 0; kind < PDR_FOUND_KINDS; kind++) {
        for (size_t i = 0; i < t->samples[kind].count; i++)
            pdr_free(t->samples[kind].items[i]);
        pdr_free(t->samples[kind].items);
    }
    for (size_t i = 0; i < t->group_count; i++)
        pdr_free(t->groups[i].type);
    pdr_free(t);
}

pdr_deviations_counts *pdr_deviations_counts_of(pdr_deviations *t)
{
    return &t->counts;
}

bool pdr_deviations_is_clean(const pdr_deviations *t)
{
    for (size_t i = 0; i < PDR_FOUND_KINDS; i++)
        if (t->counts.found[i]) return false;
    return true;
}

/* --- groups --- */

static group *find_group(pdr_deviations *t, pdr_deviation_kind kind, pdr_bytes type)
{
    for (size_t i = 0; i < t->group_count; i++)
        if (t->groups[i].kind == kind &&
            pdr_bytes_equal(pdr_bytes_of(t->groups[i].type, t->groups[i].size), type))
            return &t->groups[i];
    return NULL;
}

static pdr_code count_group(pdr_deviations *t, pdr_deviation_kind kind, pdr_bytes type, uint64_t count,
                            pdr_error *err)
{
    group *g = find_group(t, kind, type);
    if (!g && t->group_count >= PDR_DEVIATIONS_MAX_GROUPS) {
        type = pdr_bytes_of(NULL, 0);
        g = find_group(t, kind, type);
    }
    if (!g) {
        uint8_t *copy = pdr_memdup(type.data ? type.data : (const uint8_t *)"", type.size);
        if (!copy) return pdr_fail(err, PDR_NOMEM, "counting deviations");
        g = &t->groups[t->group_count++];
        *g = (group){kind, 0, type.size, copy};
    }
    g->count += count;
    return PDR_OK;
}

size_t pdr_deviations_group_count(const pdr_deviations *t)
{
    return t->group_count;
}

pdr_deviation_group pdr_deviations_group(const pdr_deviations *t, size_t i)
{
    const group *g = &t->groups[i];
    return (pdr_deviation_group){g->kind, pdr_bytes_of(g->type, g->size), g->count};
}

/* --- samples --- */

bool pdr_deviation_is_before(const pdr_deviation *a, const pdr_deviation *b)
{
    if (a->append_ms != b->append_ms) return a->append_ms < b->append_ms;
    if (a->partition != b->partition) return a->partition < b->partition;
    return a->offset < b->offset;
}

bool pdr_deviations_wants(const pdr_deviations *t, const pdr_deviation *deviation)
{
    const samples *s = &t->samples[deviation->kind];
    return s->count < t->limit ||
           (s->count && pdr_deviation_is_before(deviation, &s->items[s->count - 1]->deviation));
}

static pdr_bytes copied(uint8_t **at, pdr_bytes bytes)
{
    uint8_t *copy = *at;
    if (!bytes.data) return bytes;
    if (bytes.size) memcpy(copy, bytes.data, bytes.size);
    *at += bytes.size;
    return pdr_bytes_of(copy, bytes.size);
}

static sample *copy_of(const pdr_deviation *f)
{
    size_t size = f->entity.size + f->type.size + f->why.size + f->changes.size;
    sample *s = pdr_alloc(sizeof *s + size);
    if (!s) return NULL;
    uint8_t *at = s->bytes;
    s->deviation = *f;
    s->deviation.entity = copied(&at, f->entity);
    s->deviation.type = copied(&at, f->type);
    s->deviation.why = copied(&at, f->why);
    s->deviation.changes = copied(&at, f->changes);
    return s;
}

static pdr_code keep(pdr_deviations *t, const pdr_deviation *deviation, pdr_error *err)
{
    samples *list = &t->samples[deviation->kind];
    if (!pdr_deviations_wants(t, deviation)) return PDR_OK;
    sample *fresh = copy_of(deviation);
    if (!fresh) return pdr_fail(err, PDR_NOMEM, "keeping a deviation");
    size_t at = list->count++;
    for (; at && pdr_deviation_is_before(deviation, &list->items[at - 1]->deviation); at--)
        list->items[at] = list->items[at - 1];
    list->items[at] = fresh;
    if (list->count > t->limit) pdr_free(list->items[--list->count]);
    return PDR_OK;
}

size_t pdr_deviations_sample_count(const pdr_deviations *t, pdr_deviation_kind kind)
{
    return t->samples[kind].count;
}

const pdr_deviation *pdr_deviations_sample(const pdr_deviations *t, pdr_deviation_kind kind, size_t i)
{
    return &t->samples[kind].items[i]->deviation;
}

/* --- sums --- */

pdr_code pdr_deviations_note(pdr_deviations *t, const pdr_deviation *deviation, pdr_error *err)
{
    pdr_code code = count_group(t, deviation->kind, deviation->type, 1, err);
    if (code == PDR_OK) code = keep(t, deviation, err);
    if (code == PDR_OK) t->counts.found[deviation->kind]++;
    return code;
}

pdr_code pdr_deviations_merge(pdr_deviations *t, pdr_deviations *from, pdr_error *err)
{
    pdr_code code = PDR_OK;
    pdr_deviations_counts *a = &t->counts;
    const pdr_deviations_counts *b = &from->counts;
    for (size_t i = 0; code == PDR_OK && i < from->group_count; i++) {
        pdr_deviation_group g = pdr_deviations_group(from, i);
        code = count_group(t, g.kind, g.type, g.count, err);
    }
    for (size_t kind = 0; kind < PDR_FOUND_KINDS; kind++)
        for (size_t i = 0; code == PDR_OK && i < from->samples[kind].count; i++)
            code = keep(t, &from->samples[kind].items[i]->deviation, err);
    if (code != PDR_OK) return code;
    a->events += b->events;
    a->entities += b->entities;
    a->checked += b->checked;
    a->compared += b->compared;
    a->uncompared += b->uncompared;
    for (size_t i = 0; i < PDR_FOUND_KINDS; i++)
        a->found[i] += b->found[i];
    return PDR_OK;
}

/* --- bytes --- */

pdr_code pdr_deviation_put(pdr_buf *out, const pdr_deviation *f)
{
    pdr_code code = pdr_packed_put(out, (uint64_t)f->kind);
    if (code == PDR_OK) code = pdr_packed_put(out, (uint64_t)f->partition);
    if (code == PDR_OK) code = pdr_packed_put_signed(out, f->offset);
    if (code == PDR_OK) code = pdr_packed_put_signed(out, f->time_us);
    if (code == PDR_OK) code = pdr_packed_put_signed(out, f->append_ms);
    if (code == PDR_OK) code = pdr_packed_put(out, f->seq);
    if (code == PDR_OK) code = pdr_packed_put_bytes(out, f->entity);
    if (code == PDR_OK) code = pdr_packed_put_bytes(out, f->type);
    if (code == PDR_OK) code = pdr_packed_put_bytes(out, f->why);
    return code == PDR_OK ? pdr_packed_put_bytes(out, f->changes) : code;
}

bool pdr_deviation_get(pdr_bytes *in, pdr_deviation *f)
{
    uint64_t kind, partition;
    if (!pdr_packed_get(in, &kind) || kind >= PDR_FOUND_KINDS || !pdr_packed_get(in, &partition) ||
        partition > INT32_MAX)
        return false;
    f->kind = (pdr_deviation_kind)kind;
    f->partition = (int32_t)partition;
    return pdr_packed_get_signed(in, &f->offset) && pdr_packed_get_signed(in, &f->time_us) &&
           pdr_packed_get_signed(in, &f->append_ms) && pdr_packed_get(in, &f->seq) &&
           pdr_packed_get_bytes(in, &f->entity) && pdr_packed_get_bytes(in, &f->type) &&
           pdr_packed_get_bytes(in, &f->why) && pdr_packed_get_bytes(in, &f->changes);
}

enum { NUMBERS = 5 };

static void number_places(pdr_deviations_counts *c, uint64_t *places[NUMBERS])
{
    places[0] = &c->events;
    places[1] = &c->entities;
    places[2] = &c->checked;
    places[3] = &c->compared;
    places[4] = &c->uncompared;
}

pdr_code pdr_deviations_write(const pdr_deviations *t, pdr_buf *out)
{
    pdr_deviations_counts counts = t->counts;
    uint64_t *numbers[NUMBERS];
    number_places(&counts, numbers);
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < NUMBERS; i++)
        code = pdr_packed_put(out, *numbers[i]);
    for (size_t kind = 0; code == PDR_OK && kind < PDR_FOUND_KINDS; kind++) {
        code = pdr_packed_put(out, counts.found[kind]);
        if (code == PDR_OK) code = pdr_packed_put(out, t->samples[kind].count);
        for (size_t i = 0; code == PDR_OK && i < t->samples[kind].count; i++)
            code = pdr_deviation_put(out, &t->samples[kind].items[i]->deviation);
    }
    if (code == PDR_OK) code = pdr_packed_put(out, t->group_count);
    for (size_t i = 0; code == PDR_OK && i < t->group_count; i++) {
        pdr_deviation_group g = pdr_deviations_group(t, i);
        code = pdr_packed_put(out, (uint64_t)g.kind);
        if (code == PDR_OK) code = pdr_packed_put(out, g.count);
        if (code == PDR_OK) code = pdr_packed_put_bytes(out, g.type);
    }
    return code;
}

static pdr_code cut_short(pdr_error *err)
{
    return pdr_fail(err, PDR_BAD_DATA, "deviations that were put aside can't be read");
}

static pdr_code read_samples(pdr_deviations *t, pdr_deviation_kind kind, pdr_bytes *in, pdr_error *err)
{
    uint64_t count;
    pdr_deviation f;
    if (!pdr_packed_get(in, &t->counts.found[kind]) || !pdr_packed_get(in, &count)) return cut_short(err);
    pdr_code code = PDR_OK;
    for (uint64_t i = 0; code == PDR_OK && i < count; i++)
        code = pdr_deviation_get(in, &f) && f.kind == kind ? keep(t, &f, err) : cut_short(err);
    return code;
}

static pdr_code read_group(pdr_deviations *t, pdr_bytes *in, pdr_error *err)
{
    uint64_t kind, count;
    pdr_bytes type;
    if (!pdr_packed_get(in, &kind) || kind >= PDR_FOUND_KINDS || !pdr_packed_get(in, &count) ||
        !pdr_packed_get_bytes(in, &type))
        return cut_short(err);
    return count_group(t, (pdr_deviation_kind)kind, type, count, err);
}

pdr_code pdr_deviations_read(pdr_deviations *t, pdr_bytes in, pdr_error *err)
{
    uint64_t groups, *numbers[NUMBERS];
    number_places(&t->counts, numbers);
    for (size_t i = 0; i < NUMBERS; i++)
        if (!pdr_packed_get(&in, numbers[i])) return cut_short(err);
    pdr_code code = PDR_OK;
    for (size_t kind = 0; code == PDR_OK && kind < PDR_FOUND_KINDS; kind++)
        code = read_samples(t, (pdr_deviation_kind)kind, &in, err);
    if (code == PDR_OK && !pdr_packed_get(&in, &groups)) return cut_short(err);
    for (uint64_t i = 0; code == PDR_OK && i < groups; i++)
        code = read_group(t, &in, err);
    return code == PDR_OK && in.size ? cut_short(err) : code;
}
