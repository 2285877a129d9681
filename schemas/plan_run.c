/* Decoding by a plan's steps. */
#include <inttypes.h>

#include "base/mem.h"
#include "perdure/sys/wire.h"
#include "schemas/plan_inside.h"

typedef struct runner {
    pdr_wire_in in;
    const pdr_plan *plan;
    const plan_step *steps;
    unsigned nest;
    uint8_t nowhere; /* where a skipped value would go */
} runner;

/* Kept out of run, which then has few variables to save. */
#define APART __attribute__((noinline))

static const uint8_t *run(runner *r, const plan_step *s, const uint8_t *p, uint8_t *base);

/* ---- off the fast path ---- */

APART static const uint8_t *bad(runner *r, const plan_step *s, const uint8_t *p, pdr_wire_what what)
{
    return pdr_wire_bad(&r->in, p, what, r->plan->places[s - r->steps]);
}

static const uint8_t *unknown_symbol(runner *r, const plan_step *s, const uint8_t *p, unsigned index)
{
    const plan_symbols *symbols = s->data;
    r->in.code = pdr_fail(r->in.err, PDR_UNKNOWN_SCHEMA,
                          "%s: byte %zu: the symbol \"%s\" is none of the reader's, and it has no default",
                          r->plan->places[s - r->steps], (size_t)(p - r->in.start), symbols->names[index]);
    return NULL;
}

static const uint8_t *unreadable(runner *r, const plan_step *s, const uint8_t *p)
{
    r->in.code = pdr_fail(r->in.err, PDR_UNKNOWN_SCHEMA, "%s: byte %zu: %s", r->plan->places[s - r->steps],
                          (size_t)(p - r->in.start), (const char *)s->data);
    return NULL;
}

/* ---- records and lists ---- */

static const uint8_t *call(runner *r, const plan_step *s, const uint8_t *p, uint8_t *base)
{
    r->in.depth += s->small;
    if (++r->nest > PLAN_MAX_NEST || r->in.depth > PDR_WIRE_MAX_DEPTH) return bad(r, s, p, PDR_WIRE_DEPTH);
    p = run(r, r->steps + s->jump, p, base);
    r->in.depth -= s->small;
    r->nest--;
    return p;
}

APART static const uint8_t *make(runner *r, const plan_step *s, const uint8_t *p, uint8_t *to)
{
    uint8_t *made = pdr_wire_make(&r->in, s->count);
    if (!made) return bad(r, s, p, PDR_WIRE_MEMORY);
    memcpy(to, &made, sizeof made);
    return call(r, s, p, made);
}

static const uint8_t *items(runner *r, const plan_step *s, const uint8_t *p, uint8_t *item, size_t count)
{
    const plan_list *list = s->data;
    for (; count > 0; count--, item += list->stride) {
        if (list->map) {
            const uint8_t *next = pdr_wire_get_string(r->in.end, p, (pdr_string *)(void *)item);
            if (!next) return bad(r, s, p, PDR_WIRE_STRING);
            p = next;
        }
        p = run(r, s + 1, p, item);
        if (!p) return NULL;
    }
    return p;
}

APART static const uint8_t *read_list(runner *r, const plan_step *s, const uint8_t *p, uint8_t *to)
{
    const plan_list *list = s->data;
    pdr_layout_list read = {0, NULL};
    pdr_wire_block block;
    size_t room = 0;
    if (++r->nest > PLAN_MAX_NEST) return bad(r, s, p, PDR_WIRE_DEPTH);
    for (;;) {
        const uint8_t *next = pdr_wire_get_block(&r->in, p, list->least, read.count, &block);
        if (!next) return bad(r, s, p, PDR_WIRE_BLOCK);
        p = next;
        if (block.count == 0) break;
        void *grown = pdr_wire_room(&r->in, read.items, read.count, block.count, list->stride, &room);
        if (!grown) return bad(r, s, p, PDR_WIRE_MEMORY);
        read.items = grown;
        p = items(r, s, p, (uint8_t *)grown + read.count * list->stride, block.count);
        if (!p) return NULL;
        read.count += block.count;
        if (block.stop && p != block.stop) return bad(r, s, p, PDR_WIRE_BLOCK_END);
    }
    memcpy(to, &read, sizeof read);
    r->nest--;
    return p;
}

/* Blocks that say their size are not looked into. */
APART static const uint8_t *skip_list(runner *r, const plan_step *s, const uint8_t *p)
{
    pdr_wire_block block;
    size_t have = 0;
    if (++r->nest > PLAN_MAX_NEST) return bad(r, s, p, PDR_WIRE_DEPTH);
    for (;;) {
        const uint8_t *next = pdr_wire_get_block(&r->in, p, s->count, have, &block);
        if (!next) return bad(r, s, p, PDR_WIRE_BLOCK);
        p = next;
        if (block.count == 0) break;
        have += block.count;
        if (block.stop)
            p = block.stop;
        else
            for (size_t i = 0; !s->small && p && i < block.count; i++)
                p = run(r, s + 1, p, &r->nowhere);
        if (!p) return NULL;
    }
    r->nest--;
    return p;
}

/* ---- steps ---- */

static inline const uint8_t *skip_varints(const uint8_t *end, const uint8_t *p, uint32_t count)
{
    uint64_t ignored;
    for (; p && count > 0; count--)
        p = pdr_wire_get_varint(end, p, &ignored);
    return p;
}

static inline const uint8_t *skip_bytes(const uint8_t *end, const uint8_t *p, uint32_t count)
{
    pdr_bytes ignored;
    for (; p && count > 0; count--)
        p = pdr_wire_get_bytes(end, p, &ignored);
    return p;
}

#define READ(step, what)                                                                                     \
    do {                                                                                                     \
        const uint8_t *next_ = (step);                                                                       \
        if (!PDR_WIRE_LIKELY(next_)) return bad(r, s, p, what);                                              \
        p = next_;                                                                                           \
    } while (0)
/* A value that becomes another type of number. */
#define PROMOTE(from, get, what, type)                                                                       \
    do {                                                                                                     \
        from read_ = 0;                                                                                      \
        READ(get(end, p, &read_), what);                                                                     \
        *(type *)(void *)to = (type)read_;                                                                   \
    } while (0)
#define NEST(step)                                                                                           \
    do {                                                                                                     \
        p = (step);                                                                                          \
        if (!PDR_WIRE_LIKELY(p)) return NULL;                                                                \
    } while (0)

/* One switch and no more than a few lines for each step: this is where a plan spends its time. */
static const uint8_t *run(runner *r, const plan_step *s, const uint8_t *p, uint8_t *base)
{
    const uint8_t *const end = r->in.end;
    unsigned index;
    for (;; s++) {
        void *const to = base + s->to;
        switch ((plan_op)s->op) {
        case PLAN_END: return p;
        case PLAN_BOOLEAN: READ(pdr_wire_get_boolean(end, p, to), PDR_WIRE_BOOLEAN); break;
        case PLAN_INT: READ(pdr_wire_get_int(end, p, to), PDR_WIRE_INT); break;
        case PLAN_LONG: READ(pdr_wire_get_long(end, p, to), PDR_WIRE_LONG); break;
        case PLAN_FLOAT: READ(pdr_wire_get_float(end, p, to), PDR_WIRE_FLOAT); break;
        case PLAN_DOUBLE: READ(pdr_wire_get_double(end, p, to), PDR_WIRE_DOUBLE); break;
        case PLAN_BYTES: READ(pdr_wire_get_bytes(end, p, to), PDR_WIRE_BYTES); break;
        case PLAN_STRING: READ(pdr_wire_get_string(end, p, to), PDR_WIRE_STRING); break;
        case PLAN_FIXED: READ(pdr_wire_get_fixed(end, p, to, s->count), PDR_WIRE_FIXED); break;
        case PLAN_ENUM:
            READ(pdr_wire_get_index(end, p, s->count, &index), PDR_WIRE_ENUM);
            memcpy(to, &index, sizeof index);
            break;
        case PLAN_INT_LONG: PROMOTE(int32_t, pdr_wire_get_int, PDR_WIRE_INT, int64_t); break;
        case PLAN_INT_FLOAT: PROMOTE(int32_t, pdr_wire_get_int, PDR_WIRE_INT, float); break;
        case PLAN_INT_DOUBLE: PROMOTE(int32_t, pdr_wire_get_int, PDR_WIRE_INT, double); break;
        case PLAN_LONG_FLOAT: PROMOTE(int64_t, pdr_wire_get_long, PDR_WIRE_LONG, float); break;
        case PLAN_LONG_DOUBLE: PROMOTE(int64_t, pdr_wire_get_long, PDR_WIRE_LONG, double); break;
        case PLAN_FLOAT_DOUBLE: PROMOTE(float, pdr_wire_get_float, PDR_WIRE_FLOAT, double); break;
        case PLAN_STRING_BYTES: {
            pdr_string text = {NULL, 0};
            READ(pdr_wire_get_string(end, p, &text), PDR_WIRE_STRING);
            *(pdr_bytes *)to = pdr_bytes_of(text.data, text.size);
            break;
        }
        case PLAN_BYTES_STRING: READ(pdr_wire_get_string(end, p, to), PDR_WIRE_STRING); break;
        case PLAN_ENUM_MAP: {
            const uint8_t *before = p;
            READ(pdr_wire_get_index(end, p, s->count, &index), PDR_WIRE_ENUM);
            int32_t symbol = ((const plan_symbols *)s->data)->targets[index];
            if (!PDR_WIRE_LIKELY(symbol >= 0)) return unknown_symbol(r, s, before, index);
            memcpy(to, &symbol, sizeof symbol);
            break;
        }
        case PLAN_OPTIONAL:
            READ(pdr_wire_get_index(end, p, 2, &index), PDR_WIRE_UNION);
            if (index == s->small) {
                memset(to, 0, s->count);
                s = r->steps + s->jump - 1;
            } else {
                *(bool *)to = true;
            }
            break;
        case PLAN_PRESENT: *(bool *)to = true; break;
        case PLAN_TAG:
            memset(to, 0, s->count);
            memcpy(to, &s->jump, sizeof s->jump);
            break;
        case PLAN_BRANCH:
            READ(pdr_wire_get_index(end, p, s->count, &index), PDR_WIRE_UNION);
            s = r->steps + ((const uint32_t *)s->data)[index] - 1;
            break;
        case PLAN_JUMP: s = r->steps + s->jump - 1; break;
        case PLAN_UNREADABLE: return unreadable(r, s, p);
        case PLAN_ZERO: memset(to, 0, s->count); break;
        case PLAN_DEFAULT: memcpy(to, s->data, s->count); break;
        case PLAN_DEFAULT_4: memcpy(to, s->data, 4); break;
        case PLAN_DEFAULT_8: memcpy(to, s->data, 8); break;
        case PLAN_DEFAULT_16: memcpy(to, s->data, 16); break;
        case PLAN_DEFAULT_24: memcpy(to, s->data, 24); break;
        case PLAN_CALL: NEST(call(r, s, p, to)); break;
        case PLAN_MAKE: NEST(make(r, s, p, to)); break;
        case PLAN_LIST:
            NEST(read_list(r, s, p, to));
            s = r->steps + s->jump - 1;
            break;
        case PLAN_SKIP_VARINT: READ(skip_varints(end, p, s->count), PDR_WIRE_LONG); break;
        case PLAN_SKIP_BYTES: READ(skip_bytes(end, p, s->count), PDR_WIRE_BYTES); break;
        case PLAN_SKIP_FIXED:
            if ((size_t)(end - p) < s->count) return bad(r, s, p, PDR_WIRE_FIXED);
            p += s->count;
            break;
        case PLAN_SKIP_LIST:
            NEST(skip_list(r, s, p));
            s = r->steps + s->jump - 1;
            break;
        case PLAN_SKIP_CALL: NEST(call(r, s, p, &r->nowhere)); break;
        }
    }
}

pdr_code plan_run(const pdr_plan *plan, pdr_bytes datum, pdr_arena *arena, void *value, pdr_error *err)
{
    const uint8_t *start = datum.data ? datum.data : (const uint8_t *)"";
    runner r = {{start, start + datum.size, arena, err, PDR_OK, plan->loop}, plan, plan->steps, 0, 0};
    const uint8_t *p = run(&r, plan->steps + plan->start, start, value);
    if (PDR_WIRE_LIKELY(p == r.in.end)) return PDR_OK;
    if (p) (void)pdr_wire_bad(&r.in, p, PDR_WIRE_END, plan->reader->name);
    return r.in.code;
}
