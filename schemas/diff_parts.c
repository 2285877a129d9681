/* What schemas have several of: fields, symbols, branches; which is which, and whether their order changed.
 */
#include "base/mem.h"
#include "schemas/diff_inside.h"

/* For each of the newer ones its place among the older ones; -1: it is new. */
typedef struct pairing {
    int *from;
    size_t count;
} pairing;

static pairing pairing_of(differ *d, size_t count)
{
    pairing p = {pdr_arena_alloc(&d->diff->arena, (count + 1) * sizeof *p.from), count};
    if (!p.from) {
        (void)diff_no_memory(d);
        p.count = 0;
    }
    for (size_t i = 0; i < p.count; i++)
        p.from[i] = -1;
    return p;
}

static bool is_taken(const pairing *p, size_t older)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->from[i] == (int)older) return true;
    return false;
}

/* Do those that were there before stand in another order? */
static bool is_moved(const pairing *p)
{
    int last = -1;
    for (size_t i = 0; i < p->count; i++) {
        if (p->from[i] < 0) continue;
        if (p->from[i] < last) return true;
        last = p->from[i];
    }
    return false;
}

typedef const char *name_at(const pdr_schema *schema, size_t index);

static const char *names_of(differ *d, const pdr_schema *schema, name_at *name)
{
    const char *text = "";
    for (size_t i = 0; i < schema->count; i++)
        text = diff_text(d, "%s%s%s", text, i ? ", " : "", name(schema, i));
    return text;
}

static void pair_by_name(pairing *p, const pdr_schema *before, const pdr_schema *after, name_at *name)
{
    for (size_t i = 0; i < p->count; i++)
        for (size_t j = 0; j < before->count && p->from[i] < 0; j++)
            if (strcmp(name(after, i), name(before, j)) == 0) p->from[i] = (int)j;
}

static void moved(differ *d, pdr_change_kind kind, const char *path, const pairing *p,
                  const pdr_schema *before, const pdr_schema *after, name_at *name)
{
    if (is_moved(p)) diff_add(d, kind, path, NULL, names_of(d, before, name), names_of(d, after, name));
}

/* ---- fields ---- */

static const char *field_at(const pdr_schema *record, size_t index)
{
    return record->fields[index].name;
}

static bool has_alias(const pdr_schema_field *field, const char *name)
{
    for (size_t i = 0; i < field->alias_count; i++)
        if (strcmp(field->aliases[i], name) == 0) return true;
    return false;
}

static void pair_by_alias(pairing *p, const pdr_schema *before, const pdr_schema *after)
{
    for (size_t i = 0; i < p->count; i++)
        for (size_t j = 0; j < before->count && p->from[i] < 0; j++)
            if (has_alias(&after->fields[i], before->fields[j].name) && !is_taken(p, j)) p->from[i] = (int)j;
}

static const char *order_text(pdr_order order)
{
    return order == PDR_ORDER_ASCENDING    ? "ascending"
           : order == PDR_ORDER_DESCENDING ? "descending"
                                           : "ignore";
}

/* "long, default 0" */
static const char *field_text(differ *d, const pdr_schema_field *field)
{
    const char *type = diff_type_text(d, field->type), *value = diff_json(d, field->default_value);
    return value ? diff_text(d, "%s, default %s", type, value) : type;
}

static void compare_field(differ *d, const char *path, const pdr_schema_field *before,
                          const pdr_schema_field *after)
{
    static const char *const known[] = {"name", "type", "doc", "order", "aliases", "default", NULL};
    diff_types(d, path, before->type, after->type);
    diff_texts(d, PDR_CHANGE_DEFAULT, path, NULL, diff_json(d, before->default_value),
               diff_json(d, after->default_value));
    diff_texts(d, PDR_CHANGE_ORDER, path, NULL, order_text(before->order), order_text(after->order));
    diff_aliases(d, path, before->aliases, before->alias_count, after->aliases, after->alias_count);
    diff_attributes(d, path, before->json, after->json, known);
    diff_texts(d, PDR_CHANGE_DOC, path, NULL, before->doc ? diff_text(d, "%s", before->doc) : NULL,
               after->doc ? diff_text(d, "%s", after->doc) : NULL);
}

void diff_fields(differ *d, const char *path, const pdr_schema *before, const pdr_schema *after)
{
    pairing p = pairing_of(d, after->count);
    pair_by_name(&p, before, after, field_at);
    pair_by_alias(&p, before, after);
    for (size_t j = 0; j < before->count; j++)
        if (!is_taken(&p, j))
            diff_add(d, PDR_CHANGE_FIELD_REMOVED, diff_text(d, "%s/%s", path, before->fields[j].name), NULL,
                     field_text(d, &before->fields[j]), NULL);
    for (size_t i = 0; i < p.count; i++) {
        const pdr_schema_field *now = &after->fields[i];
        const char *here = diff_text(d, "%s/%s", path, now->name);
        if (p.from[i] < 0) {
            diff_add(d, PDR_CHANGE_FIELD_ADDED, here, NULL, NULL, field_text(d, now));
            continue;
        }
        const pdr_schema_field *was = &before->fields[p.from[i]];
        diff_texts(d, PDR_CHANGE_FIELD_RENAMED, here, NULL, diff_text(d, "%s", was->name),
                   diff_text(d, "%s", now->name));
        compare_field(d, here, was, now);
    }
    moved(d, PDR_CHANGE_FIELDS_MOVED, path, &p, before, after, field_at);
}

/* ---- symbols ---- */

static const char *symbol_at(const pdr_schema *schema, size_t index)
{
    return schema->symbols[index];
}

static const char *default_symbol(differ *d, const pdr_schema *schema)
{
    return schema->default_symbol < 0 ? NULL : diff_text(d, "%s", schema->symbols[schema->default_symbol]);
}

void diff_symbols(differ *d, const char *path, const pdr_schema *before, const pdr_schema *after)
{
    pairing p = pairing_of(d, after->count);
    pair_by_name(&p, before, after, symbol_at);
    for (size_t j = 0; j < before->count; j++)
        if (!is_taken(&p, j))
            diff_add(d, PDR_CHANGE_SYMBOL_REMOVED, path, diff_text(d, "%s", before->symbols[j]), NULL, NULL);
    for (size_t i = 0; i < p.count; i++)
        if (p.from[i] < 0)
            diff_add(d, PDR_CHANGE_SYMBOL_ADDED, path, diff_text(d, "%s", after->symbols[i]), NULL, NULL);
    moved(d, PDR_CHANGE_SYMBOLS_MOVED, path, &p, before, after, symbol_at);
    diff_texts(d, PDR_CHANGE_DEFAULT, path, NULL, default_symbol(d, before), default_symbol(d, after));
}

/* ---- branches ---- */

static const char *branch_at(const pdr_schema *schema, size_t index)
{
    return schema->branches[index]->name;
}

void diff_branches(differ *d, const char *path, const pdr_schema *before, const pdr_schema *after)
{
    pairing p = pairing_of(d, after->count);
    pair_by_name(&p, before, after, branch_at);
    for (size_t j = 0; j < before->count; j++)
        if (!is_taken(&p, j))
            diff_add(d, PDR_CHANGE_BRANCH_REMOVED, path, diff_type_text(d, before->branches[j]), NULL, NULL);
    for (size_t i = 0; i < p.count; i++) {
        if (p.from[i] < 0)
            diff_add(d, PDR_CHANGE_BRANCH_ADDED, path, diff_type_text(d, after->branches[i]), NULL, NULL);
        else
            diff_types(d, diff_text(d, "%s/%s", path, branch_at(after, i)), before->branches[p.from[i]],
                       after->branches[i]);
    }
    moved(d, PDR_CHANGE_BRANCHES_MOVED, path, &p, before, after, branch_at);
}
