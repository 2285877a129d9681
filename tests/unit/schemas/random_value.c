#include "random_value.h"

#include <stdio.h>

#include "perdure/sys/layout.h"

typedef struct filler {
    uint64_t state;
    pdr_arena *arena;
    bool failed;
} filler;

static uint64_t draw(filler *f)
{
    f->state += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */
    uint64_t z = f->state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static unsigned below(filler *f, size_t count)
{
    return (unsigned)(draw(f) % count);
}

static void *take(filler *f, size_t size)
{
    static max_align_t spare[64];
    void *memory = pdr_arena_calloc(f->arena, 1, size);
    if (!memory) f->failed = true;
    return memory ? memory : spare;
}

static pdr_string random_text(filler *f, const char *start)
{
    static const char *const pieces[] = {
        "a", "Z", " ", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "loan/173688", "0"};
    char text[256];
    size_t size = (size_t)snprintf(text, sizeof text, "%s", start);
    for (unsigned left = below(f, 12); left > 0; left--) {
        const char *piece = pieces[below(f, sizeof pieces / sizeof pieces[0])];
        size += (size_t)snprintf(text + size, sizeof text - size, "%s", piece);
    }
    pdr_string copy = pdr_arena_string(f->arena, (pdr_string){text, size});
    if (!copy.data) f->failed = true;
    return copy;
}

static void fill(filler *f, const pdr_layout *layout, void *value, unsigned depth);

static void fill_member(filler *f, const pdr_layout_member *member, void *base, unsigned depth)
{
    void *value = (uint8_t *)base + member->offset;
    if (member->pointer) {
        void *made = take(f, member->type->size);
        memcpy(value, &made, sizeof made);
        value = made;
    }
    fill(f, member->type, value, depth);
}

static void fill_list(filler *f, const pdr_layout *layout, void *value, unsigned depth)
{
    pdr_layout_list list = {depth > 6 ? 0 : below(f, 4), NULL};
    list.items = take(f, list.count * layout->stride + 1);
    for (size_t i = 0; i < list.count && !f->failed; i++) {
        uint8_t *item = (uint8_t *)list.items + i * layout->stride;
        char start[24];
        (void)snprintf(start, sizeof start, "%zu", i); /* the keys of a map differ */
        pdr_string key = random_text(f, start);
        if (layout->kind == PDR_KIND_MAP) memcpy(item, &key, sizeof key);
        fill_member(f, &layout->members[0], item, depth);
    }
    memcpy(value, &list, sizeof list);
}

static void fill_union(filler *f, const pdr_layout *layout, void *value, unsigned depth)
{
    unsigned tag = below(f, layout->count);
    for (unsigned i = 0; depth > 6 && i < layout->count; i++)
        if (layout->members[i].type->kind < PDR_KIND_RECORD) tag = i;
    bool present = layout->members[tag].type->kind != PDR_KIND_NULL;
    if (layout->optional)
        memcpy(value, &present, sizeof present);
    else
        memcpy(value, &tag, sizeof tag);
    if (present) fill_member(f, &layout->members[tag], value, depth);
}

static void fill_number(filler *f, const pdr_layout *layout, void *value)
{
    int64_t number = (int64_t)draw(f) >> below(f, 64);
    int32_t small = (int32_t)number;
    double real = (double)number / 64;
    float single = (float)small / 8;
    bool truth = number & 1;
    switch (layout->kind) {
    case PDR_KIND_BOOLEAN: memcpy(value, &truth, sizeof truth); break;
    case PDR_KIND_INT: memcpy(value, &small, sizeof small); break;
    case PDR_KIND_LONG: memcpy(value, &number, sizeof number); break;
    case PDR_KIND_FLOAT: memcpy(value, &single, sizeof single); break;
    case PDR_KIND_DOUBLE: memcpy(value, &real, sizeof real); break;
    default: break;
    }
}

static void fill(filler *f, const pdr_layout *layout, void *value, unsigned depth)
{
    pdr_string text = random_text(f, "");
    pdr_bytes bytes = {(const uint8_t *)text.data, text.size};
    unsigned symbol = layout->kind == PDR_KIND_ENUM ? below(f, layout->count) : 0;
    switch (layout->kind) {
    case PDR_KIND_RECORD:
        for (size_t i = 0; i < layout->count; i++)
            fill_member(f, &layout->members[i], value, depth + 1);
        break;
    case PDR_KIND_ARRAY:
    case PDR_KIND_MAP: fill_list(f, layout, value, depth + 1); break;
    case PDR_KIND_UNION: fill_union(f, layout, value, depth + 1); break;
    case PDR_KIND_STRING: memcpy(value, &text, sizeof text); break;
    case PDR_KIND_BYTES: memcpy(value, &bytes, sizeof bytes); break;
    case PDR_KIND_ENUM: memcpy(value, &symbol, sizeof symbol); break;
    case PDR_KIND_FIXED:
        for (size_t i = 0; i < layout->count; i++)
            ((uint8_t *)value)[i] = (uint8_t)draw(f);
        break;
    default: fill_number(f, layout, value); break;
    }
}

bool random_value(const pdr_type *type, void *value, uint64_t seed, pdr_arena *arena)
{
    filler f = {seed, arena, false};
    memset(value, 0, type->size);
    fill(&f, type->layout, value, 0);
    return !f.failed;
}
