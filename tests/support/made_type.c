#include "tests/support/made_type.h"

#include "base/mem.h"

/* ---- which record lies in which by value: a pointer is needed where a struct would hold itself ---- */

static bool holds(const pdr_schema *type, const pdr_schema *record, bool *seen);

static bool record_holds(const pdr_schema *type, const pdr_schema *record, bool *seen)
{
    if (seen[type->number]) return false;
    seen[type->number] = true;
    for (size_t i = 0; i < type->count; i++)
        if (holds(type->fields[i].type, record, seen)) return true;
    return false;
}

static bool holds(const pdr_schema *type, const pdr_schema *record, bool *seen)
{
    if (type == record) return true;
    switch (type->kind) {
    case PDR_KIND_RECORD: return record_holds(type, record, seen);
    case PDR_KIND_UNION:
        for (size_t i = 0; i < type->count; i++)
            if (holds(type->branches[i], record, seen)) return true;
        return false;
    case PDR_KIND_ARRAY: return type->items->kind != PDR_KIND_RECORD && holds(type->items, record, seen);
    case PDR_KIND_MAP: return holds(type->items, record, seen);
    default: return false;
    }
}

static bool is_pointer(made_type *made, const pdr_schema *record, const pdr_schema *type)
{
    bool seen[MADE_MAX_NAMED];
    if (type->kind != PDR_KIND_RECORD) return false;
    memset(seen, 0, pdr_schema_set_named_count(made->set));
    return holds(type, record, seen);
}

/* ---- sizes, as a C compiler reckons them ---- */

static const pdr_layout *primitive(pdr_kind kind)
{
    switch (kind) {
    case PDR_KIND_NULL: return &pdr_layout_null;
    case PDR_KIND_BOOLEAN: return &pdr_layout_boolean;
    case PDR_KIND_INT: return &pdr_layout_int;
    case PDR_KIND_LONG: return &pdr_layout_long;
    case PDR_KIND_FLOAT: return &pdr_layout_float;
    case PDR_KIND_DOUBLE: return &pdr_layout_double;
    case PDR_KIND_BYTES: return &pdr_layout_bytes;
    default: return &pdr_layout_string;
    }
}

static size_t alignment(const pdr_layout *layout)
{
    size_t most = 1;
    switch (layout->kind) {
    case PDR_KIND_NULL:
    case PDR_KIND_BOOLEAN:
    case PDR_KIND_FIXED: return 1;
    case PDR_KIND_INT:
    case PDR_KIND_FLOAT:
    case PDR_KIND_ENUM: return 4;
    case PDR_KIND_UNION:
        most = layout->optional ? 1 : 4;
        for (size_t i = 0; i < layout->count; i++) {
            const pdr_layout_member *m = &layout->members[i];
            size_t own = m->pointer ? 8 : m->type->kind == PDR_KIND_NULL ? 1 : alignment(m->type);
            if (own > most) most = own;
        }
        return most;
    case PDR_KIND_RECORD:
        for (size_t i = 0; i < layout->count; i++) {
            size_t own = layout->members[i].pointer ? 8 : alignment(layout->members[i].type);
            if (own > most) most = own;
        }
        return most;
    default: return 8;
    }
}

static size_t round_up(size_t size, size_t to)
{
    return (size + to - 1) / to * to;
}

static size_t member_size(const pdr_layout_member *m)
{
    return m->pointer ? sizeof(void *) : m->type->size;
}

static size_t member_alignment(const pdr_layout_member *m)
{
    return m->pointer ? sizeof(void *) : alignment(m->type);
}

/* ---- layouts ---- */

static pdr_layout *start(made_type *made, const pdr_schema *type, size_t members)
{
    pdr_layout *layout = pdr_arena_calloc(&made->arena, 1, sizeof *layout);
    pdr_layout_member *list = pdr_arena_calloc(&made->arena, members ? members : 1, sizeof *list);
    if (!layout || !list) return NULL;
    layout->kind = type->kind;
    layout->logical = type->logical;
    if (type->logical != PDR_LOGICAL_NONE) {
        layout->precision = type->precision;
        layout->scale = type->scale;
    }
    if (pdr_kind_is_named(type->kind)) layout->name = type->name;
    layout->members = members ? list : NULL;
    layout->count = members;
    return layout;
}

/* Where a record is only pointed to, its size isn't needed yet. */
static bool fill(made_type *made, const pdr_schema *record, const pdr_schema *type, pdr_layout_member *m,
                 const char *name, bool pointer)
{
    m->name = name;
    m->pointer = pointer;
    m->type = pointer ? made->layouts[type->number] : made_layout(made, record, type);
    return m->type != NULL;
}

static const pdr_layout *make_union(made_type *made, const pdr_schema *record, const pdr_schema *type)
{
    pdr_layout *layout = start(made, type, type->count);
    if (!layout) return NULL;
    pdr_layout_member *members = (pdr_layout_member *)(uintptr_t)layout->members;
    size_t widest = 0, aligned = 1, nulls = 0;
    for (size_t i = 0; i < type->count; i++) {
        const pdr_schema *branch = type->branches[i];
        if (!fill(made, record, branch, &members[i], branch->name, is_pointer(made, record, branch)))
            return NULL;
        bool null = type->branches[i]->kind == PDR_KIND_NULL;
        nulls += null;
        if (null) continue;
        if (member_size(&members[i]) > widest) widest = member_size(&members[i]);
        if (member_alignment(&members[i]) > aligned) aligned = member_alignment(&members[i]);
    }
    layout->optional = type->count == 2 && nulls == 1;
    size_t head = layout->optional ? sizeof(bool) : sizeof(unsigned);
    size_t offset = round_up(head, aligned);
    for (size_t i = 0; i < type->count; i++)
        members[i].offset = type->branches[i]->kind == PDR_KIND_NULL ? 0 : offset;
    layout->size = round_up(offset + widest, aligned > head ? aligned : head);
    if (widest == 0 && nulls == type->count) layout->size = head;
    return layout;
}

static const pdr_layout *make_list(made_type *made, const pdr_schema *record, const pdr_schema *type)
{
    bool map = type->kind == PDR_KIND_MAP, direct = !map && type->items->kind == PDR_KIND_RECORD;
    pdr_layout *layout = start(made, type, 1);
    if (!layout) return NULL;
    pdr_layout_member *m = (pdr_layout_member *)(uintptr_t)layout->members;
    bool pointer = direct || is_pointer(made, record, type->items);
    if (!fill(made, record, type->items, m, map ? "values" : "items", pointer)) return NULL;
    layout->size = sizeof(pdr_layout_list);
    m->offset = map ? sizeof(pdr_string) : 0;
    layout->stride = map ? round_up(m->offset + member_size(m), 8) : member_size(m);
    if (direct) {
        m->pointer = false;
        made_list *list = pdr_arena_alloc(&made->arena, sizeof *list);
        if (!list) return NULL;
        *list = (made_list){layout, made->direct};
        made->direct = list;
    }
    return layout;
}

static void lay_out_record(pdr_layout *layout, size_t count)
{
    pdr_layout_member *members = (pdr_layout_member *)(uintptr_t)layout->members;
    size_t at = 0, aligned = 1;
    for (size_t i = 0; i < count; i++) {
        size_t own = member_alignment(&members[i]);
        members[i].offset = at = round_up(at, own);
        at += member_size(&members[i]);
        if (own > aligned) aligned = own;
    }
    layout->size = count ? round_up(at, aligned) : 1;
}

static const pdr_layout *make_record(made_type *made, const pdr_schema *type)
{
    pdr_layout *layout = made->layouts[type->number];
    if (layout->size) return layout;
    pdr_layout_member *members = (pdr_layout_member *)(uintptr_t)layout->members;
    for (size_t i = 0; i < type->count; i++) {
        const pdr_schema *field = type->fields[i].type;
        if (!fill(made, type, field, &members[i], type->fields[i].name, is_pointer(made, type, field)))
            return NULL;
    }
    lay_out_record(layout, type->count);
    return layout;
}

static const pdr_layout *make_leaf(made_type *made, const pdr_schema *type)
{
    if (!pdr_kind_is_named(type->kind) && type->logical == PDR_LOGICAL_NONE) return primitive(type->kind);
    pdr_layout *layout = start(made, type, 0);
    if (!layout) return NULL;
    layout->size = type->kind == PDR_KIND_ENUM    ? sizeof(unsigned)
                   : type->kind == PDR_KIND_FIXED ? (type->count ? type->count : 1)
                                                  : primitive(type->kind)->size;
    if (pdr_kind_is_named(type->kind)) layout->count = type->count;
    if (type->kind == PDR_KIND_ENUM) layout->symbols = type->symbols;
    return layout;
}

const pdr_layout *made_layout(made_type *made, const pdr_schema *record, const pdr_schema *part)
{
    switch (part->kind) {
    case PDR_KIND_RECORD: return make_record(made, part);
    case PDR_KIND_UNION: return make_union(made, record, part);
    case PDR_KIND_ARRAY:
    case PDR_KIND_MAP: return make_list(made, record, part);
    default: return make_leaf(made, part);
    }
}

static pdr_code make_all(made_type *made, pdr_error *err)
{
    size_t count = pdr_schema_set_named_count(made->set);
    if (count > MADE_MAX_NAMED) return pdr_fail(err, PDR_TOO_LARGE, "%zu named types", count);
    made->layouts = pdr_arena_calloc(&made->arena, count, sizeof(pdr_layout *));
    bool fits = made->layouts != NULL;
    for (size_t i = 0; fits && i < count; i++) {
        const pdr_schema *type = pdr_schema_set_named(made->set, i);
        if (type->kind != PDR_KIND_RECORD) continue;
        made->layouts[i] = start(made, type, type->count);
        fits = made->layouts[i] != NULL;
    }
    for (size_t i = 0; fits && i < count; i++)
        if (made->layouts[i]) fits = make_record(made, pdr_schema_set_named(made->set, i)) != NULL;
    for (made_list *list = made->direct; fits && list; list = list->next)
        list->layout->stride = list->layout->members[0].type->size;
    return fits ? PDR_OK : pdr_fail(err, PDR_NOMEM, "out of memory for a made type");
}

/* ---- the type ---- */

/* A type's functions know nothing of the type they belong to; these are for readers, which a plan fills. */
static void no_init(void *value)
{
    (void)value;
}

static pdr_code no_encode(const void *value, pdr_buf *out, pdr_error *err)
{
    (void)value;
    (void)out;
    return pdr_fail(err, PDR_INVALID_ARGUMENT, "a made type doesn't encode");
}

static pdr_code no_decode(pdr_bytes datum, pdr_arena *arena, void *value, pdr_error *err)
{
    (void)datum;
    (void)arena;
    (void)value;
    return pdr_fail(err, PDR_INVALID_ARGUMENT, "a made type doesn't decode by itself");
}

static pdr_code no_print(const void *value, pdr_buf *out)
{
    (void)value;
    (void)out;
    return PDR_INVALID_ARGUMENT;
}

static void make_type(made_type *made, const char *json)
{
    const pdr_layout *layout = made->layouts[made->root->number];
    made->type = (pdr_type){.abi_size = sizeof(pdr_type),
                            .id = 0,
                            .name = made->root->name,
                            .schema = json,
                            .fingerprint = MADE_FINGERPRINT,
                            .size = layout->size,
                            .layout = layout,
                            .init = no_init,
                            .encode = no_encode,
                            .decode = no_decode,
                            .print = no_print};
}

pdr_code made_type_open(made_type *made, pdr_string json, pdr_error *err)
{
    *made = (made_type){.arena = PDR_ARENA_INIT(1 << 24)};
    pdr_code code = pdr_schema_read(&made->set, "reader", json, err);
    if (code != PDR_OK) return code;
    made->root = pdr_schema_set_root(made->set, 0);
    if (made->root->kind != PDR_KIND_RECORD) return pdr_fail(err, PDR_BAD_SCHEMA, "the reader is no record");
    code = make_all(made, err);
    if (code != PDR_OK) return code;
    pdr_string copy = pdr_arena_string(&made->arena, json);
    if (!copy.data) return pdr_fail(err, PDR_NOMEM, "out of memory for a made type");
    make_type(made, copy.data);
    return PDR_OK;
}

void made_type_close(made_type *made)
{
    pdr_schema_set_close(made->set);
    pdr_arena_release(&made->arena);
}
