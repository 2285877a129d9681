/* The generated header: structs, enums, functions. */
#include "schemas/gen_inside.h"

/* ---- comments ---- */

static const char *logical_note(gen *g, const pdr_schema *type)
{
    static const char *const notes[PDR_LOGICAL_COUNT] = {
        [PDR_LOGICAL_UUID] = "uuid, as text",
        [PDR_LOGICAL_DATE] = "date: days since 1970-01-01",
        [PDR_LOGICAL_TIME_MILLIS] = "time-millis: milliseconds since midnight",
        [PDR_LOGICAL_TIME_MICROS] = "time-micros: microseconds since midnight",
        [PDR_LOGICAL_TIMESTAMP_MILLIS] = "timestamp-millis: milliseconds since 1970-01-01 UTC",
        [PDR_LOGICAL_TIMESTAMP_MICROS] = "timestamp-micros: microseconds since 1970-01-01 UTC",
        [PDR_LOGICAL_LOCAL_TIMESTAMP_MILLIS] =
            "local-timestamp-millis: milliseconds since 1970-01-01, local time",
        [PDR_LOGICAL_LOCAL_TIMESTAMP_MICROS] =
            "local-timestamp-micros: microseconds since 1970-01-01, local time",
        [PDR_LOGICAL_DURATION] = "duration: months, days, milliseconds; each 4 bytes little-endian",
    };
    if (type->logical == PDR_LOGICAL_DECIMAL)
        return gen_text(g, "decimal(%d,%d): unscaled, two's complement, big-endian", type->precision,
                        type->scale);
    if (type->logical != PDR_LOGICAL_NONE) return notes[type->logical];
    if (!type->logical_text) return "";
    return gen_text(g, "logicalType \"%s\"%s%s", gen_comment(g, type->logical_text),
                    type->logical_fault ? " ignored: " : "", type->logical_fault ? type->logical_fault : "");
}

static const char *join(gen *g, const char *a, const char *b)
{
    return gen_text(g, "%s%s%s", a, *a && *b ? "; " : "", b);
}

/* "  / * ... * /" behind a declaration, or "". */
static const char *remark(gen *g, const char *text)
{
    return *text ? gen_text(g, " /* %s */", text) : "";
}

static void doc(gen *g, const char *text)
{
    if (text && *text) gen_line(g, "/* %s */", gen_comment(g, text));
}

/* ---- members ---- */

static void member(gen *g, const pdr_schema *type, const char *path, const char *name, const char *note);

static const char *scalar_type(pdr_kind kind)
{
    switch (kind) {
    case PDR_KIND_BOOLEAN: return "bool";
    case PDR_KIND_INT: return "int32_t";
    case PDR_KIND_LONG: return "int64_t";
    case PDR_KIND_FLOAT: return "float";
    case PDR_KIND_DOUBLE: return "double";
    case PDR_KIND_BYTES: return "pdr_bytes";
    case PDR_KIND_STRING: return "pdr_string";
    default: return "pdr_null";
    }
}

static void list_member(gen *g, const pdr_schema *type, const char *path, const char *name, const char *note)
{
    const pdr_schema *items = type->items;
    gen_open(g, "struct {");
    gen_line(g, "size_t count;");
    if (gen_is_direct(type)) {
        gen_line(g, "struct %s *items;", gen_type_of(g, items)->c_name);
    } else if (type->kind == PDR_KIND_ARRAY) {
        member(g, items, gen_text(g, "%s_item", path), "*items", "");
    } else {
        gen_open(g, "struct {");
        gen_line(g, "pdr_string key;");
        member(g, items, gen_text(g, "%s_value", path), "value", "");
        gen_close(g, "} *entries;");
    }
    gen_close(g, gen_text(g, "} %s;%s", name, remark(g, note)));
}

static void union_member(gen *g, const pdr_schema *type, const char *path, const char *name, const char *note)
{
    bool empty = type->count == 1 && type->branches[0]->kind == PDR_KIND_NULL;
    gen_open(g, "struct {");
    gen_line(g, "enum %s_tag tag;", path);
    if (!empty) {
        gen_open(g, "union {");
        for (size_t i = 0; i < type->count; i++) {
            const char *branch = gen_branch(g, type->branches[i]);
            if (type->branches[i]->kind != PDR_KIND_NULL)
                member(g, type->branches[i], gen_text(g, "%s_%s", path, branch), branch, "");
        }
        gen_close(g, "} as;");
    }
    gen_close(g, gen_text(g, "} %s;%s", name, remark(g, note)));
}

static void member(gen *g, const pdr_schema *type, const char *path, const char *name, const char *note)
{
    note = join(g, logical_note(g, type), note);
    switch (type->kind) {
    case PDR_KIND_RECORD:
        gen_line(g, "struct %s %s%s;%s", gen_type_of(g, type)->c_name, gen_is_pointer(g, type) ? "*" : "",
                 name, remark(g, note));
        break;
    case PDR_KIND_ENUM:
        gen_line(g, "enum %s %s;%s", gen_type_of(g, type)->c_name, name, remark(g, note));
        break;
    case PDR_KIND_FIXED:
        gen_line(g, "struct %s %s;%s", gen_type_of(g, type)->c_name, name, remark(g, note));
        break;
    case PDR_KIND_ARRAY:
    case PDR_KIND_MAP: list_member(g, type, path, name, note); break;
    case PDR_KIND_UNION:
        if (!gen_is_optional(type)) {
            union_member(g, type, path, name, note);
            break;
        }
        gen_open(g, "struct {");
        gen_line(g, "bool present;");
        member(g, gen_optional(type), path, "value", "");
        gen_close(g, gen_text(g, "} %s;%s", name, remark(g, note)));
        break;
    default: gen_line(g, "%s %s;%s", scalar_type(type->kind), name, remark(g, note)); break;
    }
}

/* ---- the tags of unions stand at file scope, so that C++ finds their constants too ---- */

static void tags(gen *g, const pdr_schema *at, const pdr_schema *type, const char *path);

static void union_tags(gen *g, const pdr_schema *at, const pdr_schema *type, const char *path)
{
    for (size_t i = 0; i < type->count; i++)
        tags(g, at, type->branches[i], gen_text(g, "%s_%s", path, gen_branch(g, type->branches[i])));
    gen_claim(g, at, gen_text(g, "%s_tag", path), gen_text(g, "the tag of the union at %s", type->place));
    gen_open(g, "enum %s_tag {", path);
    for (size_t i = 0; i < type->count; i++) {
        const char *constant = gen_constant(g, path, type->branches[i]);
        gen_claim(g, at, constant,
                  gen_text(g, "branch %s of the union at %s", type->branches[i]->name, type->place));
        for (size_t j = 0; j < i; j++)
            if (strcmp(gen_branch(g, type->branches[i]), gen_branch(g, type->branches[j])) == 0)
                gen_fail(g, at, "the branches \"%s\" and \"%s\" of the union at %s would have one C name",
                         type->branches[j]->name, type->branches[i]->name, type->place);
        gen_line(g, "%s,", constant);
    }
    gen_close(g, "};");
    gen_line(g, "%s", "");
}

static void tags(gen *g, const pdr_schema *at, const pdr_schema *type, const char *path)
{
    if (type->kind == PDR_KIND_ARRAY)
        tags(g, at, type->items, gen_text(g, "%s_item", path));
    else if (type->kind == PDR_KIND_MAP)
        tags(g, at, type->items, gen_text(g, "%s_value", path));
    else if (gen_is_optional(type))
        tags(g, at, gen_optional(type), path);
    else if (type->kind == PDR_KIND_UNION)
        union_tags(g, at, type, path);
}

/* ---- named types ---- */

static void enum_type(gen *g, const gen_type *type)
{
    doc(g, type->schema->doc);
    gen_open(g, "typedef enum %s {", type->c_name);
    for (size_t i = 0; i < type->schema->count; i++)
        gen_line(g, "%s,", type->members[i]);
    gen_close(g, gen_text(g, "} %s;", type->c_name));
    gen_line(g, "%s", "");
}

static void fixed_type(gen *g, const gen_type *type)
{
    size_t bytes = type->schema->count;
    doc(g, type->schema->doc);
    gen_open(g, "typedef struct %s {", type->c_name);
    gen_line(g, "uint8_t data[%zu];%s", bytes ? bytes : 1,
             bytes ? "" : " /* of no meaning: a fixed of 0 bytes */");
    gen_close(g, gen_text(g, "} %s;", type->c_name));
    gen_line(g, "%s", "");
}

static void record_type(gen *g, const gen_type *type)
{
    const pdr_schema *schema = type->schema;
    g->record = type;
    for (size_t i = 0; i < schema->count; i++)
        tags(g, schema, schema->fields[i].type,
             gen_text(g, "%s_%s", type->c_name, gen_snake(g, schema->fields[i].name)));
    gen_line(g, "/* %s%s%s%s */", schema->name,
             gen_is_root(type) ? gen_text(g, ", version %u", type->version->version) : "",
             schema->doc && *schema->doc ? ": " : "", schema->doc ? gen_comment(g, schema->doc) : "");
    gen_open(g, "struct %s {", type->c_name);
    if (schema->count == 0) gen_line(g, "uint8_t unused; /* a record without fields */");
    for (size_t i = 0; i < schema->count; i++) {
        const pdr_schema_field *field = &schema->fields[i];
        const char *path = gen_text(g, "%s_%s", type->c_name, gen_snake(g, field->name));
        member(g, field->type, path, type->members[i], field->doc ? gen_comment(g, field->doc) : "");
    }
    gen_close(g, "};");
    gen_line(g, "%s", "");
}

static void record_functions(gen *g, const gen_type *type)
{
    const char *name = type->c_name;
    gen_line(g, "extern const pdr_type %s_type;", name);
    gen_line(g, "void %s_init(%s *value);", name, name);
    gen_line(g, "PDR_CHECKED pdr_code %s_encode(const %s *value, pdr_buf *out, pdr_error *err);", name, name);
    gen_line(g,
             "PDR_CHECKED pdr_code %s_decode(pdr_bytes datum, pdr_arena *arena, %s *value, pdr_error *err);",
             name, name);
    gen_line(g, "PDR_CHECKED pdr_code %s_print(const %s *value, pdr_buf *out);", name, name);
    gen_line(g, "%s", "");
}

static void type_ids(gen *g)
{
    const char *prefix = g->options->prefix;
    gen_line(g, "/* The top-level records%s: `switch (type->id)`. */",
             g->today_count < g->top_count ? ", then old versions of them" : "");
    gen_open(g, "typedef enum %s_type_id {", prefix);
    for (size_t i = 0; i < g->top_count; i++)
        gen_line(g, "%s,", gen_upper(g, g->tops[i]->c_name));
    gen_close(g, gen_text(g, "} %s_type_id;", prefix));
    gen_line(g, "%s", "");
}

static void type_table(gen *g)
{
    const char *prefix = g->options->prefix, *upper = gen_upper(g, prefix);
    size_t versions = pdr_schema_files_count(g->files);
    if (g->top_count) type_ids(g);
    if (g->today_count) {
        gen_line(g, "enum { %s_TYPE_COUNT = %zu };", upper, g->today_count);
        gen_line(g, "extern const pdr_type *const %s_types[%s_TYPE_COUNT];", prefix, upper);
        gen_line(g, "%s", "");
    }
    if (versions) {
        gen_line(g, "/* Every version of what is versioned: by name, then from version 1 on. */");
        gen_line(g, "enum { %s_ALL_VERSIONS_COUNT = %zu };", upper, versions);
        gen_line(g, "extern const pdr_type *const %s_all_versions[%s_ALL_VERSIONS_COUNT];", prefix, upper);
        gen_line(g, "%s", "");
    }
}

static void forward(gen *g)
{
    for (size_t i = 0; i < g->order_count; i++)
        gen_line(g, "typedef struct %s %s;", g->order[i]->c_name, g->order[i]->c_name);
    gen_line(g, "%s", "");
}

static void all_types(gen *g)
{
    for (size_t i = 0; i < g->count; i++) {
        if (g->types[i].schema->kind == PDR_KIND_ENUM) enum_type(g, &g->types[i]);
        if (g->types[i].schema->kind == PDR_KIND_FIXED) fixed_type(g, &g->types[i]);
    }
    for (size_t i = 0; i < g->order_count; i++)
        record_type(g, g->order[i]);
    gen_line(
        g,
        "/* Each record's type, and its functions: as the members of pdr_type, with the struct in place of");
    gen_line(g, " * void. What a default array, map or pointer of _init points to is constant. */");
    for (size_t i = 0; i < g->order_count; i++)
        record_functions(g, g->order[i]);
}

void gen_header(gen *g)
{
    const char *from = g->options->sources, *guard = gen_upper(g, g->options->prefix);
    gen_line(g, "/* Made by `perdure gen`%s%s; changes made here are lost. */", from ? " from " : "",
             from ? gen_comment(g, from) : "");
    gen_line(g, "#ifndef %s_GEN_H", guard);
    gen_line(g, "#define %s_GEN_H", guard);
    gen_line(g, "%s", "");
    gen_line(g, "#include \"perdure/sys/layout.h\"");
    gen_line(g, "#include \"perdure/type.h\"");
    gen_line(g, "%s", "");
    gen_line(g, "#ifdef __cplusplus");
    gen_line(g, "extern \"C\" {");
    gen_line(g, "#endif");
    gen_line(g, "%s", "");
    type_table(g);
    forward(g);
    all_types(g);
    gen_line(g, "#ifdef __cplusplus");
    gen_line(g, "}");
    gen_line(g, "#endif");
    gen_line(g, "#endif");
}
