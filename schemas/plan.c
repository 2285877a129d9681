#include "schemas/plan.h"

#include <inttypes.h>

#include "base/mem.h"
#include "schemas/schema.h"

struct pdr_plan {
    const pdr_type *reader;
    uint64_t writer;
};

static pdr_code check_pair(const pdr_schema *writer, uint64_t fingerprint, const pdr_type *reader,
                           pdr_error *err)
{
    if (fingerprint == reader->fingerprint) return PDR_OK;
    return pdr_fail(err, PDR_UNKNOWN_SCHEMA,
                    "written as %s with fingerprint %016" PRIx64
                    "; this code reads %s with fingerprint %016" PRIx64,
                    writer->name, fingerprint, reader->name, reader->fingerprint);
}

static pdr_code match(uint64_t *fingerprint, pdr_string writer, const pdr_type *reader, pdr_error *err)
{
    pdr_schema_set *set = NULL;
    pdr_code code = pdr_schema_read(&set, "writer schema", writer, err);
    if (code != PDR_OK) return code;
    const pdr_schema *schema = pdr_schema_set_root(set, 0);
    code = pdr_schema_fingerprint(fingerprint, schema, err);
    if (code == PDR_OK) code = check_pair(schema, *fingerprint, reader, err);
    pdr_schema_set_close(set);
    return code;
}

pdr_code pdr_plan_open(pdr_plan **out, pdr_string writer, const pdr_type *reader, pdr_error *err)
{
    uint64_t fingerprint = 0;
    pdr_code code = match(&fingerprint, writer, reader, err);
    if (code != PDR_OK) return code;
    pdr_plan *plan = pdr_alloc(sizeof *plan);
    if (!plan) return pdr_fail(err, PDR_NOMEM, "%s: out of memory for a plan", reader->name);
    plan->reader = reader;
    plan->writer = fingerprint;
    *out = plan;
    return PDR_OK;
}

void pdr_plan_close(pdr_plan *plan)
{
    pdr_free(plan);
}

pdr_code pdr_plan_decode(const pdr_plan *plan, pdr_bytes datum, pdr_arena *arena, void *value, pdr_error *err)
{
    return plan->reader->decode(datum, arena, value, err);
}

uint64_t pdr_plan_writer(const pdr_plan *plan)
{
    return plan->writer;
}

const pdr_type *pdr_plan_reader(const pdr_plan *plan)
{
    return plan->reader;
}
