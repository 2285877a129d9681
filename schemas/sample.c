#include "schemas/sample.h"

#include <stdio.h>

enum {
    LIST_ITEMS = 2,
    FEW_DEPTH = 6,  /* from here on lists are empty and unions null where they can */
    MAX_DEPTH = 64, /* records that hold themselves with no way out */
    DAY_2020 = 18262
};

typedef struct sampler {
    unsigned variant;
    int64_t number; /* the last one given */
    pdr_arena *arena;
    pdr_error *err;
} sampler;

static pdr_code fill(sampler *s, const pdr_layout *layout, const char *name, void *value, unsigned depth);

static pdr_code no_memory(const sampler *s)
{
    return pdr_fail(s->err, PDR_NOMEM, "a sample value");
}

#define STORE(c_type, what)                                                                                  \
    do {                                                                                                     \
        c_type stored = (c_type)(what);                                                                      \
        memcpy(value, &stored, sizeof stored);                                                               \
    } while (0)

/* --- scalars --- */

/* A number that makes sense as what the logical type says: a day or a moment in 2020. */
static int64_t counted(sampler *s, pdr_logical logical)
{
    int64_t n = ++s->number, day = DAY_2020 + n;
    switch (logical) {
    case PDR_LOGICAL_DATE: return day;
    case PDR_LOGICAL_TIMESTAMP_MILLIS:
    case PDR_LOGICAL_LOCAL_TIMESTAMP_MILLIS: return day * 86400000 + n;
    case PDR_LOGICAL_TIMESTAMP_MICROS:
    case PDR_LOGICAL_LOCAL_TIMESTAMP_MICROS: return day * 86400000000 + n;
    default: return n;
    }
}

static pdr_code fill_text(sampler *s, pdr_logical logical, const char *name, pdr_string *out)
{
    char text[64];
    if (logical == PDR_LOGICAL_UUID)
        (void)snprintf(text, sizeof text, "00000000-0000-4000-8000-%012llx", (unsigned long long)++s->number);
    *out = pdr_arena_string(s->arena, pdr_string_of(logical == PDR_LOGICAL_UUID ? text : name));
    return out->data ? PDR_OK : no_memory(s);
}

/* The bytes of a number, its highest first, as a decimal has them. */
static pdr_code fill_bytes(sampler *s, const pdr_layout *layout, const char *name, void *value)
{
    uint8_t number[2] = {(uint8_t)(++s->number >> 8 & 0x7F), (uint8_t)s->number};
    pdr_bytes bytes = layout->logical == PDR_LOGICAL_DECIMAL ? pdr_bytes_of(number, sizeof number)
                                                             : pdr_bytes_of(name, strlen(name));
    bytes = pdr_arena_bytes(s->arena, bytes);
    memcpy(value, &bytes, sizeof bytes);
    return bytes.data ? PDR_OK : no_memory(s);
}

static void fill_fixed(sampler *s, const pdr_layout *layout, uint8_t *value)
{
    memset(value, 0, layout->count);
    if (layout->count) value[layout->count - 1] = (uint8_t)(++s->number & 0x7F);
}

static pdr_code fill_scalar(sampler *s, const pdr_layout *layout, const char *name, void *value)
{
    pdr_string text;
    switch (layout->kind) {
    case PDR_KIND_BOOLEAN: STORE(bool, s->variant % 2 == 0); break;
    case PDR_KIND_INT: STORE(int32_t, counted(s, layout->logical)); break;
    case PDR_KIND_LONG: STORE(int64_t, counted(s, layout->logical)); break;
    case PDR_KIND_FLOAT: STORE(float, (float)++s->number + 0.5F); break;
    case PDR_KIND_DOUBLE: STORE(double, (double)++s->number + 0.25); break;
    case PDR_KIND_ENUM: STORE(unsigned, (layout->count - 1 + s->variant) % layout->count); break;
    case PDR_KIND_FIXED: fill_fixed(s, layout, value); break;
    case PDR_KIND_BYTES: return fill_bytes(s, layout, name, value);
    case PDR_KIND_STRING: {
        pdr_code code = fill_text(s, layout->logical, name, &text);
        if (code == PDR_OK) memcpy(value, &text, sizeof text);
        return code;
    }
    default: memset(value, 0, layout->size); break;
    }
    return PDR_OK;
}

/* --- what holds other values --- */

static pdr_code fill_member(sampler *s, const pdr_layout_member *member, const char *name, void *base,
                            unsigned depth)
{
    void *value = (uint8_t *)base + member->offset;
    if (member->pointer) {
        void *target = pdr_arena_calloc(s->arena, 1, member->type->size);
        if (!target) return no_memory(s);
        memcpy(value, &target, sizeof target);
        value = target;
    }
    return fill(s, member->type, name, value, depth);
}

static pdr_code fill_record(sampler *s, const pdr_layout *layout, void *value, unsigned depth)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < layout->count; i++)
        code = fill_member(s, &layout->members[i], layout->members[i].name, value, depth);
    return code;
}

static pdr_code fill_key(sampler *s, const char *name, size_t i, void *entry)
{
    char text[80];
    (void)snprintf(text, sizeof text, "%.60s-%zu", name, i + 1);
    pdr_string key = pdr_arena_string(s->arena, pdr_string_of(text));
    memcpy(entry, &key, sizeof key);
    return key.data ? PDR_OK : no_memory(s);
}

static pdr_code fill_list(sampler *s, const pdr_layout *layout, const char *name, void *value, unsigned depth)
{
    pdr_layout_list list = {depth < FEW_DEPTH ? LIST_ITEMS : 0, NULL};
    list.items = pdr_arena_calloc(s->arena, LIST_ITEMS, layout->stride);
    if (!list.items) return no_memory(s);
    memcpy(value, &list, sizeof list);
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < list.count; i++) {
        uint8_t *item = (uint8_t *)list.items + i * layout->stride;
        if (layout->kind == PDR_KIND_MAP) code = fill_key(s, name, i, item);
        if (code == PDR_OK) code = fill_member(s, &layout->members[0], name, item, depth);
    }
    return code;
}

/* Variant 0 takes the last branch: null, where there is one, mostly stands first. */
static size_t branch_of(const sampler *s, const pdr_layout *layout, unsigned depth)
{
    if (depth >= FEW_DEPTH)
        for (size_t i = 0; i < layout->count; i++)
            if (layout->members[i].type->kind != PDR_KIND_RECORD) return i;
    return (layout->count - 1 + s->variant) % layout->count;
}

static pdr_code fill_union(sampler *s, const pdr_layout *layout, const char *name, void *value,
                           unsigned depth)
{
    size_t index = branch_of(s, layout, depth);
    const pdr_layout_member *branch = &layout->members[index];
    bool is_null = branch->type->kind == PDR_KIND_NULL;
    if (layout->optional)
        STORE(bool, !is_null);
    else
        STORE(unsigned, index);
    return is_null ? PDR_OK : fill_member(s, branch, name, value, depth);
}

static pdr_code fill(sampler *s, const pdr_layout *layout, const char *name, void *value, unsigned depth)
{
    if (depth > MAX_DEPTH)
        return pdr_fail(s->err, PDR_INVALID_ARGUMENT, "%s must hold itself: it has no value",
                        layout->name ? layout->name : name);
    switch (layout->kind) {
    case PDR_KIND_RECORD: return fill_record(s, layout, value, depth + 1);
    case PDR_KIND_ARRAY:
    case PDR_KIND_MAP: return fill_list(s, layout, name, value, depth + 1);
    case PDR_KIND_UNION: return fill_union(s, layout, name, value, depth + 1);
    default: return fill_scalar(s, layout, name, value);
    }
}

pdr_code pdr_sample_fill(const pdr_layout *layout, unsigned variant, pdr_arena *arena, void *value,
                         pdr_error *err)
{
    sampler s = {variant, 0, arena, err};
    memset(value, 0, layout->size);
    return fill(&s, layout, layout->name ? layout->name : "value", value, 0);
}

/* --- how many --- */

static unsigned most(const pdr_layout *layout, unsigned depth)
{
    unsigned found = 1;
    bool chooses = layout->kind == PDR_KIND_UNION || layout->kind == PDR_KIND_ENUM;
    bool holds = layout->kind == PDR_KIND_RECORD || layout->kind == PDR_KIND_UNION;
    size_t members = holds ? layout->count : layout->kind == PDR_KIND_ARRAY || layout->kind == PDR_KIND_MAP;
    if (chooses)
        found = layout->count > PDR_SAMPLE_MAX_VARIANTS ? PDR_SAMPLE_MAX_VARIANTS : (unsigned)layout->count;
    for (size_t i = 0; depth < FEW_DEPTH && i < members; i++) {
        unsigned below = most(layout->members[i].type, depth + 1);
        if (below > found) found = below;
    }
    return found;
}

unsigned pdr_sample_variants(const pdr_layout *layout)
{
    return most(layout, 0);
}
