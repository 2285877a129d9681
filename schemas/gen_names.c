/* From Avro's names to C's. */
#include "schemas/gen_inside.h"

/* What may not be a member's name: keywords of C and C++, and macros of the headers in question. */
static const char *const taken[] = {"alignas",      "alignof",   "and",          "and_eq",
                                    "asm",          "assert",    "auto",         "bitand",
                                    "bitor",        "bool",      "break",        "case",
                                    "catch",        "char",      "char16_t",     "char32_t",
                                    "char8_t",      "class",     "co_await",     "co_return",
                                    "co_yield",     "compl",     "concept",      "const",
                                    "const_cast",   "consteval", "constexpr",    "constinit",
                                    "continue",     "decltype",  "default",      "delete",
                                    "do",           "double",    "dynamic_cast", "else",
                                    "enum",         "errno",     "explicit",     "export",
                                    "extern",       "false",     "float",        "for",
                                    "friend",       "goto",      "i386",         "if",
                                    "inline",       "int",       "linux",        "long",
                                    "mutable",      "namespace", "new",          "noexcept",
                                    "not",          "not_eq",    "nullptr",      "offsetof",
                                    "operator",     "or",        "or_eq",        "private",
                                    "protected",    "public",    "register",     "reinterpret_cast",
                                    "requires",     "restrict",  "return",       "short",
                                    "signed",       "sizeof",    "static",       "static_assert",
                                    "static_cast",  "stderr",    "stdin",        "stdout",
                                    "struct",       "switch",    "template",     "this",
                                    "thread_local", "throw",     "true",         "try",
                                    "typedef",      "typeid",    "typename",     "typeof",
                                    "union",        "unix",      "unsigned",     "using",
                                    "virtual",      "void",      "volatile",     "wchar_t",
                                    "while",        "xor",       "xor_eq"};

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Does a word begin at name[i]? */
static bool begins_word(const char *name, size_t i)
{
    if (i == 0 || !is_upper(name[i])) return false;
    if (is_lower_or_digit(name[i - 1])) return true;
    return is_upper(name[i - 1]) && name[i + 1] >= 'a' &&
           name[i + 1] <= 'z'; /* the P of HTTPServer's Server */
}

const char *gen_snake(gen *g, const char *name)
{
    char *out = pdr_arena_alloc(&g->arena, strlen(name) * 2 + 1), *to = out;
    if (!out) {
        gen_no_memory(g);
        return "";
    }
    for (size_t i = 0; name[i]; i++) {
        if (begins_word(name, i)) *to++ = '_';
        *to++ = (char)(is_upper(name[i]) ? name[i] - 'A' + 'a' : name[i]);
    }
    *to = '\0';
    return out;
}

const char *gen_upper(gen *g, const char *name)
{
    pdr_string copy = pdr_arena_string(&g->arena, pdr_string_of(name));
    if (!copy.data) {
        gen_no_memory(g);
        return "";
    }
    char *text = (char *)copy.data;
    for (size_t i = 0; i < copy.size; i++)
        if (text[i] >= 'a' && text[i] <= 'z') text[i] = (char)(text[i] - 'a' + 'A');
    return text;
}

const char *gen_member(gen *g, const char *name)
{
    const char *snake = gen_snake(g, name);
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        if (strcmp(snake, taken[i]) == 0) return gen_text(g, "%s_", snake);
    return snake;
}

void gen_claim(gen *g, const pdr_schema *at, const char *name, const char *what)
{
    for (const gen_name *n = g->names; n; n = n->next) {
        if (strcmp(n->name, name) != 0) continue;
        gen_fail(
            g, at,
            "%s would be the C name of %s and of %s; rename one, or generate them apart with another prefix",
            name, n->what, what);
        return;
    }
    gen_name *n = pdr_arena_alloc(&g->arena, sizeof *n);
    if (!n) {
        gen_no_memory(g);
        return;
    }
    *n = (gen_name){name, what, g->names};
    g->names = n;
}

/* ---- named types ---- */

static void name_fields(gen *g, gen_type *type)
{
    const pdr_schema *schema = type->schema;
    for (size_t i = 0; i < schema->count; i++) {
        type->members[i] = gen_member(g, schema->fields[i].name);
        for (size_t j = 0; j < i; j++)
            if (strcmp(type->members[i], type->members[j]) == 0)
                gen_fail(g, schema, "the fields \"%s\" and \"%s\" would both be the C member %s",
                         schema->fields[j].name, schema->fields[i].name, type->members[i]);
    }
}

static void name_symbols(gen *g, gen_type *type)
{
    const pdr_schema *schema = type->schema;
    for (size_t i = 0; i < schema->count; i++) {
        const char *symbol = gen_snake(g, schema->symbols[i]);
        type->members[i] = gen_upper(g, gen_text(g, "%s_%s", type->c_name, symbol));
        gen_claim(g, schema, type->members[i],
                  gen_text(g, "symbol %s of %s", schema->symbols[i], schema->name));
    }
}

static void claim_record(gen *g, const gen_type *type)
{
    static const char *const suffixes[] = {"type", "init", "encode", "decode", "print"};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
        gen_claim(g, type->schema, gen_text(g, "%s_%s", type->c_name, suffixes[i]),
                  gen_text(g, "the %s of %s", suffixes[i], type->schema->name));
    if (type->top)
        gen_claim(g, type->schema, gen_upper(g, type->c_name),
                  gen_text(g, "the number of %s", type->schema->name));
}

/* "_v1" of an old version's record; of what it defines besides "_offer_made_v1", since other events may
 * define another type of that name. */
static const char *version_suffix(gen *g, const gen_type *type)
{
    const pdr_versioned *version = type->version;
    if (!version || !gen_type_of(g, version->root)->old) return "";
    if (gen_is_root(type)) return gen_text(g, "_v%u", version->version);
    return gen_text(g, "_%s_v%u", gen_snake(g, version->event), version->version);
}

static const char *described(gen *g, const gen_type *type)
{
    const char *name = type->schema->name;
    return type->version ? gen_text(g, "%s in %s", name, type->version->path) : name;
}

static void name_type(gen *g, gen_type *type)
{
    const pdr_schema *schema = type->schema;
    type->c_name =
        gen_text(g, "%s_%s%s", g->options->prefix, gen_snake(g, schema->short_name), version_suffix(g, type));
    gen_claim(g, schema, type->c_name, described(g, type));
    if (schema->kind == PDR_KIND_FIXED) return;
    type->members = pdr_arena_calloc(&g->arena, schema->count, sizeof *type->members);
    if (!type->members) {
        gen_no_memory(g);
        return;
    }
    if (schema->kind == PDR_KIND_ENUM) {
        name_symbols(g, type);
    } else {
        name_fields(g, type);
        claim_record(g, type);
    }
}

void gen_name_types(gen *g)
{
    static const char *const own[] = {"type_id", "types", "all_versions"};
    static const char *const counts[] = {"type_count", "all_versions_count"};
    const char *prefix = g->options->prefix;
    const pdr_schema *first = g->types[0].schema;
    size_t tables = pdr_schema_files_count(g->files) > 0 ? 2 : 1;
    for (size_t i = 0; i < tables + 1; i++)
        gen_claim(g, first, gen_text(g, "%s_%s", prefix, own[i]), "the table of types");
    for (size_t i = 0; i < tables; i++)
        gen_claim(g, first, gen_upper(g, gen_text(g, "%s_%s", prefix, counts[i])), "the count of types");
    for (size_t i = 0; i < g->count && g->code == PDR_OK; i++)
        name_type(g, &g->types[i]);
}

/* ---- branches of tagged unions ---- */

const char *gen_branch(gen *g, const pdr_schema *branch)
{
    return gen_member(g, branch->short_name);
}

const char *gen_constant(gen *g, const char *path, const pdr_schema *branch)
{
    return gen_upper(g, gen_text(g, "%s_is_%s", path, gen_snake(g, branch->short_name)));
}
