#include "schemas/version.h"

static pdr_code bad(const pdr_schema *root, const pdr_json *at, const char *must, pdr_error *err)
{
    return pdr_fail(err, PDR_BAD_SCHEMA, "%s:%u:%u: attribute \"perdure\" of %s: %s, not %s", root->file,
                    at->line, at->column, root->name, must, pdr_json_kind_name(at));
}

static pdr_code read_version(uint32_t *out, const pdr_schema *root, const pdr_json *json, pdr_error *err)
{
    int64_t number;
    if (!pdr_json_integer(json, &number) || number < 1 || number > UINT32_MAX)
        return bad(root, json, "version is a whole number from 1", err);
    *out = (uint32_t)number;
    return PDR_OK;
}

pdr_code pdr_schema_version_of(pdr_schema_version *out, const pdr_schema *root, pdr_error *err)
{
    *out = (pdr_schema_version){0, false};
    const pdr_json *mark = pdr_json_get(root->json, "perdure");
    if (!mark) return PDR_OK;
    if (mark->kind != PDR_JSON_OBJECT) return bad(root, mark, "it is an object", err);
    const pdr_json *version = pdr_json_get(mark, "version");
    const pdr_json *readable = pdr_json_get(mark, "readableByOlder");
    if (version) {
        pdr_code code = read_version(&out->version, root, version, err);
        if (code != PDR_OK) return code;
    }
    if (readable && readable->kind != PDR_JSON_BOOLEAN)
        return bad(root, readable, "readableByOlder is true or false", err);
    out->readable_by_older = readable && readable->truth;
    return PDR_OK;
}
