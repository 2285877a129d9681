/* The generated source: per record its sizes, codec, defaults, layout and type. */
#include "schemas/gen_inside.h"

#include <inttypes.h>

/* What is reached through an array, or by itself, may come later in the order. */
static void prototypes(gen *g)
{
    for (size_t i = 0; i < g->order_count; i++) {
        const gen_type *type = g->order[i];
        const char *name = type->c_name;
        if (type->dynamic)
            gen_line(g, "static uint64_t measure_%s(const %s *v%s);", name, name,
                     type->recursive ? ", unsigned depth" : "");
        gen_line(g, "static uint8_t *put_%s(pdr_wire_out *out, uint8_t *p, const void *value);", name);
        gen_line(g, "static const uint8_t *get_%s(pdr_wire_in *in, const uint8_t *p, void *value);", name);
        gen_line(g, "static const pdr_layout layout_%s;", name);
    }
    gen_line(g, "%s", "");
}

static void functions(gen *g, const gen_type *type)
{
    const char *name = type->c_name, *full = type->schema->name;
    const char *bound = gen_text(g, "%llu", (unsigned long long)type->bound);
    if (type->dynamic) bound = gen_text(g, "measure_%s(value%s)", name, type->recursive ? ", 0" : "");
    gen_line(g, "pdr_code %s_encode(const %s *value, pdr_buf *out, pdr_error *err)", name, name);
    gen_open(g, "{");
    gen_line(g, "return pdr_wire_encode(%s, put_%s, value, \"%s\", out, err);", bound, name, full);
    gen_close(g, "}");
    gen_line(g, "%s", "");
    gen_line(g, "pdr_code %s_decode(pdr_bytes datum, pdr_arena *arena, %s *value, pdr_error *err)", name,
             name);
    gen_open(g, "{");
    gen_line(g, "return pdr_wire_decode(get_%s, datum, arena, value, \"%s\", err);", name, full);
    gen_close(g, "}");
    gen_line(g, "%s", "");
    gen_line(g, "pdr_code %s_print(const %s *value, pdr_buf *out)", name, name);
    gen_open(g, "{");
    gen_line(g, "return pdr_layout_print(&layout_%s, value, out);", name);
    gen_close(g, "}");
    gen_line(g, "%s", "");
}

static void untyped(gen *g, const gen_type *type)
{
    const char *name = type->c_name;
    gen_line(g, "static void any_%s_init(void *value)", name);
    gen_open(g, "{");
    gen_line(g, "%s_init((%s *)value);", name, name);
    gen_close(g, "}");
    gen_line(g, "%s", "");
    gen_line(g, "static pdr_code any_%s_encode(const void *value, pdr_buf *out, pdr_error *err)", name);
    gen_open(g, "{");
    gen_line(g, "return %s_encode((const %s *)value, out, err);", name, name);
    gen_close(g, "}");
    gen_line(g, "%s", "");
    gen_line(g,
             "static pdr_code any_%s_decode(pdr_bytes datum, pdr_arena *arena, void *value, pdr_error *err)",
             name);
    gen_open(g, "{");
    gen_line(g, "return %s_decode(datum, arena, (%s *)value, err);", name, name);
    gen_close(g, "}");
    gen_line(g, "%s", "");
    gen_line(g, "static pdr_code any_%s_print(const void *value, pdr_buf *out)", name);
    gen_open(g, "{");
    gen_line(g, "return %s_print((const %s *)value, out);", name, name);
    gen_close(g, "}");
    gen_line(g, "%s", "");
}

static void type_value(gen *g, const gen_type *type)
{
    const char *name = type->c_name;
    pdr_buf json = PDR_BUF_INIT(PDR_SCHEMA_MAX_MEMORY);
    uint64_t fingerprint = 0;
    if (g->code == PDR_OK)
        g->code = gen_is_root(type) ? pdr_versioned_write(type->version, &json, g->err)
                                    : pdr_schema_write(type->schema, &json, g->err);
    if (g->code == PDR_OK) g->code = pdr_schema_fingerprint(&fingerprint, type->schema, g->err);
    gen_line(g, "const pdr_type %s_type = {", name);
    g->indent++;
    gen_line(g, ".abi_size = sizeof(pdr_type),");
    gen_line(g, ".id = %s,", type->top ? gen_upper(g, name) : "-1");
    gen_line(g, ".name = \"%s\",", type->schema->name);
    gen_line(g, ".schema =");
    g->indent++;
    gen_literal(g, (pdr_string){(const char *)json.data, json.size}, ",");
    g->indent--;
    gen_line(g, ".fingerprint = UINT64_C(0x%016" PRIx64 "),", fingerprint);
    gen_line(g, ".size = sizeof(%s),", name);
    gen_line(g, ".layout = &layout_%s,", name);
    gen_line(g, ".init = any_%s_init,", name);
    gen_line(g, ".encode = any_%s_encode,", name);
    gen_line(g, ".decode = any_%s_decode,", name);
    gen_line(g, ".print = any_%s_print,", name);
    if (gen_is_root(type)) {
        gen_line(g, ".version = %u,", type->version->version);
        gen_line(g, ".readable_by_older = %s,", type->version->readable_by_older ? "true" : "false");
    }
    gen_close(g, "};");
    gen_line(g, "%s", "");
    pdr_buf_release(&json);
}

static void type_table(gen *g)
{
    const char *prefix = g->options->prefix, *upper = gen_upper(g, prefix);
    size_t versions = pdr_schema_files_count(g->files);
    if (g->today_count) {
        gen_open(g, "const pdr_type *const %s_types[%s_TYPE_COUNT] = {", prefix, upper);
        for (size_t i = 0; i < g->today_count; i++)
            gen_line(g, "&%s_type,", g->tops[i]->c_name);
        gen_close(g, "};");
    }
    if (versions) {
        gen_open(g, "const pdr_type *const %s_all_versions[%s_ALL_VERSIONS_COUNT] = {", prefix, upper);
        for (size_t i = 0; i < versions; i++)
            gen_line(g, "&%s_type,", gen_type_of(g, pdr_schema_files_at(g->files, i)->root)->c_name);
        gen_close(g, "};");
    }
}

void gen_source(gen *g)
{
    gen_line(g, "/* Made by `perdure gen`%s%s; changes made here are lost. */",
             g->options->sources ? " from " : "",
             g->options->sources ? gen_comment(g, g->options->sources) : "");
    gen_line(g, "#include \"%s\"", g->options->header);
    gen_line(g, "%s", "");
    gen_line(g, "#include \"perdure/sys/wire.h\"");
    gen_line(g, "%s", "");
    gen_line(g, "/* A schema may be longer than the 4095 characters that ISO C promises. */");
    gen_line(g, "#pragma GCC diagnostic ignored \"-Woverlength-strings\"");
    gen_line(g, "%s", "");
    prototypes(g);
    for (size_t i = 0; i < g->order_count && g->code == PDR_OK; i++)
        if (g->order[i]->dynamic) gen_measure_record(g, g->order[i]);
    for (size_t i = 0; i < g->order_count && g->code == PDR_OK; i++)
        gen_put_record(g, g->order[i]);
    for (size_t i = 0; i < g->order_count && g->code == PDR_OK; i++)
        gen_get_record(g, g->order[i]);
    for (size_t i = 0; i < g->order_count && g->code == PDR_OK; i++)
        gen_layout_record(g, g->order[i]);
    for (size_t i = 0; i < g->order_count && g->code == PDR_OK; i++) {
        gen_default_record(g, g->order[i]);
        functions(g, g->order[i]);
        untyped(g, g->order[i]);
        type_value(g, g->order[i]);
    }
    type_table(g);
}
