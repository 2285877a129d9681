#include "schemas/plan.h"

#include <inttypes.h>

#include "base/mem.h"
#include "schemas/plan_inside.h"

static pdr_code refuse(const pdr_plan *plan, const pdr_match *root, pdr_error *err)
{
    return pdr_fail(err, PDR_UNKNOWN_SCHEMA,
                    "written as %s with fingerprint %016" PRIx64
                    "; this code reads %s with fingerprint %016" PRIx64 ", and can't read it: %s",
                    root->writer->name, plan->writer, plan->reader->name, plan->reader->fingerprint,
                    pdr_match_why(root));
}

static pdr_code resolve(pdr_plan *plan, const pdr_schema *writer, const pdr_schema *reader, pdr_error *err)
{
    pdr_resolution *all = NULL;
    pdr_code code = pdr_resolution_open(&all, writer, reader, err);
    if (code != PDR_OK) return code;
    plan->straight = plan->writer == plan->reader->fingerprint;
    if (all->root->never)
        code = refuse(plan, all->root, err);
    else if (!plan->straight && !plan->reader->layout)
        code = pdr_fail(err, PDR_INVALID_ARGUMENT, "%s: the type has no layout", plan->reader->name);
    else if (!plan->straight)
        code = plan_compile(plan, all, err);
    pdr_resolution_close(all);
    return code;
}

pdr_code plan_open(pdr_plan **out, const pdr_schema *writer, const pdr_schema *schema, const pdr_type *reader,
                   pdr_error *err)
{
    pdr_plan *plan = pdr_calloc(1, sizeof *plan);
    if (!plan) return pdr_fail(err, PDR_NOMEM, "%s: out of memory for a plan", reader->name);
    plan->reader = reader;
    pdr_code code = pdr_schema_fingerprint(&plan->writer, writer, err);
    if (code == PDR_OK) code = resolve(plan, writer, schema, err);
    if (code == PDR_OK)
        *out = plan;
    else
        pdr_plan_close(plan);
    return code;
}

pdr_code pdr_plan_open(pdr_plan **out, pdr_string writer, const pdr_type *reader, pdr_error *err)
{
    pdr_schema_set *writers = NULL, *readers = NULL;
    pdr_code code = pdr_schema_read(&writers, "writer schema", writer, err);
    if (code == PDR_OK) code = pdr_schema_read(&readers, reader->name, pdr_string_of(reader->schema), err);
    if (code == PDR_OK)
        code = plan_open(out, pdr_schema_set_root(writers, 0), pdr_schema_set_root(readers, 0), reader, err);
    pdr_schema_set_close(writers);
    pdr_schema_set_close(readers);
    return code;
}

void pdr_plan_close(pdr_plan *plan)
{
    if (!plan) return;
    pdr_arena_release(&plan->arena);
    pdr_free(plan->steps);
    pdr_free(plan->places);
    pdr_free(plan);
}

pdr_code pdr_plan_decode(const pdr_plan *plan, pdr_bytes datum, pdr_arena *arena, void *value, pdr_error *err)
{
    if (plan->straight) return plan->reader->decode(datum, arena, value, err);
    return plan_run(plan, datum, arena, value, err);
}

uint64_t pdr_plan_writer(const pdr_plan *plan)
{
    return plan->writer;
}

const pdr_type *pdr_plan_reader(const pdr_plan *plan)
{
    return plan->reader;
}
