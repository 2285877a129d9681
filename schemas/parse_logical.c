/* Logical types. By the specification an invalid one is ignored and the underlying type stands; we note why.
 */
#include "schemas/parse.h"

/* Which underlying type each logical type needs; decimal has two, and is looked at by itself. */
static const pdr_kind underlying[PDR_LOGICAL_COUNT] = {
    [PDR_LOGICAL_NONE] = PDR_KIND_COUNT,
    [PDR_LOGICAL_DECIMAL] = PDR_KIND_BYTES,
    [PDR_LOGICAL_UUID] = PDR_KIND_STRING,
    [PDR_LOGICAL_DATE] = PDR_KIND_INT,
    [PDR_LOGICAL_TIME_MILLIS] = PDR_KIND_INT,
    [PDR_LOGICAL_TIME_MICROS] = PDR_KIND_LONG,
    [PDR_LOGICAL_TIMESTAMP_MILLIS] = PDR_KIND_LONG,
    [PDR_LOGICAL_TIMESTAMP_MICROS] = PDR_KIND_LONG,
    [PDR_LOGICAL_LOCAL_TIMESTAMP_MILLIS] = PDR_KIND_LONG,
    [PDR_LOGICAL_LOCAL_TIMESTAMP_MICROS] = PDR_KIND_LONG,
    [PDR_LOGICAL_DURATION] = PDR_KIND_FIXED,
};

static pdr_logical by_name(const char *name)
{
    for (int i = 1; i < PDR_LOGICAL_COUNT; i++)
        if (strcmp(name, pdr_logical_name((pdr_logical)i)) == 0) return (pdr_logical)i;
    return PDR_LOGICAL_NONE;
}

/* How many decimal digits every two's complement number of `size` bytes can hold: floor(log10(2^(8n-1) - 1)).
 */
static int64_t digits_of(size_t size)
{
    return size ? (int64_t)((double)(8 * size - 1) * 0.30102999566398119521) : 0;
}

static const char *decimal_fault(pdr_schema *schema)
{
    int64_t precision = 0, scale = 0;
    const pdr_json *given = pdr_json_get(schema->json, "scale");
    if (schema->kind != PDR_KIND_BYTES && schema->kind != PDR_KIND_FIXED)
        return "decimal needs bytes or fixed";
    if (!pdr_json_integer(pdr_json_get(schema->json, "precision"), &precision) || precision < 1 ||
        precision > INT32_MAX)
        return "decimal needs a precision above 0";
    if (given && (!pdr_json_integer(given, &scale) || scale < 0)) return "decimal's scale must be 0 or more";
    if (scale > precision) return "decimal's scale is above its precision";
    if (schema->kind == PDR_KIND_FIXED && precision > digits_of(schema->count))
        return "decimal's precision is more than the fixed can hold";
    schema->precision = (int)precision;
    schema->scale = (int)scale;
    return NULL;
}

static const char *fault_of(pdr_schema *schema, pdr_logical logical)
{
    if (logical == PDR_LOGICAL_DECIMAL) return decimal_fault(schema);
    if (schema->kind != underlying[logical]) return "this logical type needs another underlying type";
    if (logical == PDR_LOGICAL_DURATION && schema->count != 12) return "duration needs a fixed of 12 bytes";
    return NULL;
}

pdr_code parse_logical(parser *p, const place *at, pdr_schema *schema)
{
    pdr_code code = parse_text(p, schema->json, at, "logicalType", &schema->logical_text);
    if (code != PDR_OK || !schema->logical_text) return code;
    pdr_logical logical = by_name(schema->logical_text);
    if (logical == PDR_LOGICAL_NONE) return PDR_OK; /* unknown: kept as text */
    schema->logical_fault = fault_of(schema, logical);
    if (!schema->logical_fault) schema->logical = logical;
    return PDR_OK;
}
