#include "schemas/gen_inside.h"

static void check_prefix(gen *g)
{
    const char *prefix = g->options->prefix;
    bool good = *prefix >= 'a' && *prefix <= 'z' && strlen(prefix) <= 100;
    for (const char *c = prefix; good && *c; c++)
        good = (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_';
    if (!good)
        g->code =
            pdr_fail(g->err, PDR_INVALID_ARGUMENT,
                     "prefix \"%.120s\": lower case letters, digits and _, beginning with a letter", prefix);
}

pdr_code pdr_gen(const pdr_gen_options *options, const pdr_schema_files *files, pdr_buf *header,
                 pdr_buf *source, pdr_error *err)
{
    gen g = {.files = files, .options = options, .err = err, .arena = PDR_ARENA_INIT(PDR_SCHEMA_MAX_MEMORY)};
    check_prefix(&g);
    if (g.code == PDR_OK) gen_collect(&g);
    if (g.code == PDR_OK) gen_name_types(&g);
    if (g.code == PDR_OK) gen_shape(&g);
    g.out = header;
    if (g.code == PDR_OK) gen_header(&g);
    g.out = source;
    if (g.code == PDR_OK) gen_source(&g);
    pdr_arena_release(&g.arena);
    return g.code;
}
