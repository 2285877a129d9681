#include "schemas/registry_json.h"

#include <jansson.h>

static int append(const char *text, size_t size, void *out)
{
    return pdr_buf_append(out, text, size) == PDR_OK ? 0 : -1;
}

pdr_code pdr_reg_put_schema(pdr_buf *out, const char *json, pdr_error *err)
{
    json_t *text = json_string(json);
    if (!text) return pdr_fail(err, PDR_BAD_SCHEMA, "the schema isn't UTF-8, or there is no memory for it");
    json_t *body = json_pack("{s:o}", "schema", text);
    size_t before = out->size;
    int failed = body ? json_dump_callback(body, append, out, JSON_COMPACT) : -1;
    json_decref(body);
    if (!failed) return PDR_OK;
    out->size = before;
    return pdr_fail(err, PDR_NOMEM, "the body of a request of %zu bytes", strlen(json));
}

/* The answer as a JSON object; the caller gives it up by json_decref. */
static json_t *object_of(pdr_bytes answer, pdr_error *err)
{
    json_error_t why;
    json_t *json = json_loadb((const char *)answer.data, answer.size, JSON_REJECT_DUPLICATES, &why);
    if (json && json_is_object(json)) return json;
    if (json)
        pdr_fail(err, PDR_BAD_DATA, "the answer is no JSON object");
    else
        pdr_fail(err, PDR_BAD_DATA, "the answer isn't JSON (line %d, column %d)", why.line, why.column);
    json_decref(json);
    return NULL;
}

pdr_code pdr_reg_get_id(int32_t *id, pdr_bytes answer, pdr_error *err)
{
    json_t *json = object_of(answer, err);
    if (!json) return PDR_BAD_DATA;
    const json_t *member = json_object_get(json, "id");
    json_int_t value = json_integer_value(member);
    pdr_code code = PDR_OK;
    if (!json_is_integer(member))
        code = pdr_fail(err, PDR_BAD_DATA, "the answer has no whole number \"id\"");
    else if (value < 1 || value > INT32_MAX)
        code = pdr_fail(err, PDR_BAD_DATA, "the answer's id is %lld, which can't be", (long long)value);
    else
        *id = (int32_t)value;
    json_decref(json);
    return code;
}

static pdr_code schema_of(pdr_buf *out, const json_t *json, pdr_error *err)
{
    const json_t *text = json_object_get(json, "schema"), *type = json_object_get(json, "schemaType");
    const json_t *references = json_object_get(json, "references");
    if (type && !json_is_null(type) &&
        (!json_is_string(type) || strcmp(json_string_value(type), "AVRO") != 0))
        return pdr_fail(err, PDR_UNSUPPORTED, "the schema isn't an Avro schema");
    if (json_array_size(references) > 0)
        return pdr_fail(err, PDR_UNSUPPORTED, "the schema refers to others: not supported");
    if (!json_is_string(text)) return pdr_fail(err, PDR_BAD_DATA, "the answer has no text \"schema\"");
    pdr_code code = pdr_buf_append(out, json_string_value(text), json_string_length(text));
    return code == PDR_OK ? code : pdr_fail(err, code, "a schema of %zu bytes", json_string_length(text));
}

pdr_code pdr_reg_get_schema(pdr_buf *out, pdr_bytes answer, pdr_error *err)
{
    json_t *json = object_of(answer, err);
    if (!json) return PDR_BAD_DATA;
    pdr_code code = schema_of(out, json, err);
    json_decref(json);
    return code;
}

/* One line that can be shown: control characters become spaces; cut between characters. */
static void take_message(char *out, size_t room, const json_t *text)
{
    const char *from = json_string_value(text);
    size_t size = from ? json_string_length(text) : 0, cut = size < room ? size : room - 1;
    while (cut > 0 && cut < size && ((unsigned char)from[cut] & 0xC0) == 0x80)
        cut--;
    for (size_t i = 0; i < cut; i++)
        out[i] = (unsigned char)from[i] < 0x20 || from[i] == 0x7F ? ' ' : from[i];
    out[cut] = '\0';
}

pdr_code pdr_reg_get_verdict(bool *compatible, pdr_reg_refusal *refusal, pdr_bytes answer, pdr_error *err)
{
    json_t *json = object_of(answer, err);
    if (!json) return PDR_BAD_DATA;
    const json_t *verdict = json_object_get(json, "is_compatible");
    pdr_code code = PDR_OK;
    *refusal = (pdr_reg_refusal){0};
    if (json_is_boolean(verdict))
        *compatible = json_is_true(verdict);
    else
        code = pdr_fail(err, PDR_BAD_DATA, "the answer has no truth value \"is_compatible\"");
    take_message(refusal->message, sizeof refusal->message,
                 json_array_get(json_object_get(json, "messages"), 0));
    json_decref(json);
    return code;
}

void pdr_reg_get_refusal(pdr_reg_refusal *refusal, pdr_bytes answer)
{
    *refusal = (pdr_reg_refusal){0};
    json_t *json = object_of(answer, NULL);
    if (!json) return;
    refusal->code = (int64_t)json_integer_value(json_object_get(json, "error_code"));
    take_message(refusal->message, sizeof refusal->message, json_object_get(json, "message"));
    json_decref(json);
}
