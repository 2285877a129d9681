/* The reader's defaults, made once: a decode copies them. What they point to is the plan's. */
#include "base/mem.h"
#include "schemas/plan_inside.h"

static void fill(plan_maker *m, const pdr_schema *type, const pdr_layout *layout, const pdr_json *json,
                 uint8_t *to);

static void fill_member(plan_maker *m, const pdr_schema *type, const pdr_layout_member *member,
                        const pdr_json *json, uint8_t *base)
{
    uint8_t *to = base + member->offset;
    if (member->pointer) {
        uint8_t *made = plan_keep(m, member->type->size);
        if (!made) return;
        memcpy(to, &made, sizeof made);
        to = made;
    }
    fill(m, type, member->type, json, to);
}

static void fill_number(const pdr_schema *type, const pdr_json *json, uint8_t *to)
{
    int64_t whole = 0;
    double real = 0;
    (void)pdr_json_integer(json, &whole);
    (void)pdr_json_real(json, &real);
    int32_t small = (int32_t)whole;
    float single = (float)real;
    switch (type->kind) {
    case PDR_KIND_INT: memcpy(to, &small, sizeof small); break;
    case PDR_KIND_LONG: memcpy(to, &whole, sizeof whole); break;
    case PDR_KIND_FLOAT: memcpy(to, &single, sizeof single); break;
    default: memcpy(to, &real, sizeof real); break;
    }
}

/* Avro's text form of bytes: one code point a byte. */
static size_t fill_raw(pdr_string text, uint8_t *to)
{
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = (uint8_t)text.data[i];
        if (byte >= 0xC0 && i + 1 < text.size)
            byte = (uint8_t)(((byte & 0x03u) << 6) | ((uint8_t)text.data[++i] & 0x3Fu));
        to[size++] = byte;
    }
    return size;
}

static void fill_bytes(plan_maker *m, const pdr_json *json, uint8_t *to)
{
    uint8_t *data = plan_keep(m, json->text.size + 1);
    if (!data) return;
    pdr_bytes bytes = {data, fill_raw(json->text, data)};
    memcpy(to, &bytes, sizeof bytes);
}

static void fill_text(plan_maker *m, pdr_string text, uint8_t *to)
{
    pdr_string kept = {NULL, 0};
    if (m->code == PDR_OK) kept = pdr_arena_string(&m->plan->arena, text);
    if (!kept.data) plan_no_memory(m);
    memcpy(to, &kept, sizeof kept);
}

static void fill_symbol(const pdr_schema *type, const pdr_json *json, uint8_t *to)
{
    unsigned symbol = 0;
    while (symbol + 1 < type->count && !pdr_json_is(json, type->symbols[symbol]))
        symbol++;
    memcpy(to, &symbol, sizeof symbol);
}

static void fill_list(plan_maker *m, const pdr_schema *type, const pdr_layout *layout, const pdr_json *json,
                      uint8_t *to)
{
    pdr_layout_list list = {json->count, NULL};
    size_t stride = layout->stride;
    if (json->count == 0) return;
    uint8_t *item = json->count <= PLAN_MAX_MEMORY / stride ? plan_keep(m, json->count * stride)
                                                            : plan_keep(m, PLAN_MAX_MEMORY);
    if (!item) return;
    list.items = item;
    memcpy(to, &list, sizeof list);
    for (const pdr_json *one = json->first; one && m->code == PDR_OK; one = one->next, item += stride) {
        if (type->kind == PDR_KIND_MAP) fill_text(m, one->key, item);
        fill_member(m, type->items, &layout->members[0], one, item);
    }
}

static void fill_record(plan_maker *m, const pdr_schema *type, const pdr_layout *layout, const pdr_json *json,
                        uint8_t *to)
{
    for (size_t i = 0; i < type->count && m->code == PDR_OK; i++) {
        const pdr_json *own = pdr_json_get(json, type->fields[i].name);
        fill_member(m, type->fields[i].type, &layout->members[i], own ? own : type->fields[i].default_value,
                    to);
    }
}

/* The first branch. */
static void fill_union(plan_maker *m, const pdr_schema *type, const pdr_layout *layout, const pdr_json *json,
                       uint8_t *to)
{
    bool present = true;
    if (type->branches[0]->kind == PDR_KIND_NULL) return;
    if (layout->optional) memcpy(to, &present, sizeof present);
    fill_member(m, type->branches[0], &layout->members[0], json, to);
}

static void fill(plan_maker *m, const pdr_schema *type, const pdr_layout *layout, const pdr_json *json,
                 uint8_t *to)
{
    switch (type->kind) {
    case PDR_KIND_NULL: break;
    case PDR_KIND_BOOLEAN: memcpy(to, &json->truth, sizeof json->truth); break;
    case PDR_KIND_BYTES: fill_bytes(m, json, to); break;
    case PDR_KIND_STRING: fill_text(m, json->text, to); break;
    case PDR_KIND_FIXED: (void)fill_raw(json->text, to); break;
    case PDR_KIND_ENUM: fill_symbol(type, json, to); break;
    case PDR_KIND_ARRAY:
    case PDR_KIND_MAP: fill_list(m, type, layout, json, to); break;
    case PDR_KIND_RECORD: fill_record(m, type, layout, json, to); break;
    case PDR_KIND_UNION: fill_union(m, type, layout, json, to); break;
    default: fill_number(type, json, to); break;
    }
}

/* ---- which bytes to copy ---- */

static size_t end_of(const pdr_layout_member *member)
{
    return member->offset + (member->pointer ? sizeof(void *) : member->type->size);
}

/* Numbers, texts and optional texts are copied without a call. */
static plan_op op_of(size_t size)
{
    switch (size) {
    case 4: return PLAN_DEFAULT_4;
    case 8: return PLAN_DEFAULT_8;
    case 16: return PLAN_DEFAULT_16;
    case 24: return PLAN_DEFAULT_24;
    default: return PLAN_DEFAULT;
    }
}

/* Members from `first` to before `last`, in one piece with the padding between them. */
static void copy(plan_maker *m, const pdr_schema *record, const pdr_layout *layout, uint32_t to, size_t first,
                 size_t last)
{
    size_t start = layout->members[first].offset, size = end_of(&layout->members[last - 1]) - start;
    size_t lead = start % sizeof(void *); /* members stay aligned in the image */
    uint8_t *image = plan_keep(m, lead + size);
    if (!image) return;
    for (size_t i = first; i < last && m->code == PDR_OK; i++)
        fill_member(m, record->fields[i].type, &layout->members[i], record->fields[i].default_value,
                    image + lead - start);
    plan_step *step = plan_emit(m, op_of(size), to + (uint32_t)start);
    step->count = (uint32_t)size;
    step->data = image + lead;
}

void plan_defaults(plan_maker *m, const pdr_schema *record, const pdr_layout *layout, uint32_t to,
                   const bool *taken)
{
    for (size_t i = 0; i < record->count && m->code == PDR_OK; i++) {
        size_t first = i;
        if (taken[i]) continue;
        while (i < record->count && !taken[i])
            i++;
        copy(m, record, layout, to, first, i);
    }
}
