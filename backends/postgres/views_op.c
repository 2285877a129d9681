#include "backends/postgres/views_op.h"

#include <stdio.h>
#include <xxhash.h>

#include "base/mem.h"

enum { MAX_OP_BYTES = 1024 * 1024 * 1024 };

void pdr_pgv_prepared_renew(pdr_pgv_prepared_set *set, pdr_pgv_prepared *prepared)
{
    snprintf(prepared->name, sizeof prepared->name, "view_%zu", ++set->count);
    prepared->known = PDR_PGV_UNKNOWN;
}

pdr_pgv_prepared *pdr_pgv_prepared_of(pdr_pgv_prepared_set *set, const char *sql, const Oid *params,
                                      int count)
{
    size_t size = strlen(sql);
    uint64_t hash = XXH3_64bits(sql, size);
    for (pdr_pgv_prepared *p = set->first; p; p = p->next)
        if (p->hash == hash && p->param_count == count &&
            memcmp(p->params, params, (size_t)count * sizeof *params) == 0 && strcmp(p->sql, sql) == 0)
            return p;
    pdr_pgv_prepared *p = pdr_calloc(1, sizeof *p + size + 1);
    Oid *oids = pdr_memdup(params, (size_t)count * sizeof *params);
    if (!p || !oids) {
        pdr_free(p);
        pdr_free(oids);
        return NULL;
    }
    p->hash = hash;
    p->param_count = count;
    p->params = oids;
    memcpy(p->sql, sql, size + 1);
    pdr_pgv_prepared_renew(set, p);
    p->next = set->first;
    set->first = p;
    return p;
}

void pdr_pgv_prepared_forget(pdr_pgv_prepared_set *set)
{
    for (pdr_pgv_prepared *p = set->first; p; p = p->next)
        p->known = PDR_PGV_UNKNOWN;
}

void pdr_pgv_prepared_release(pdr_pgv_prepared_set *set)
{
    for (pdr_pgv_prepared *p = set->first, *next; p; p = next) {
        next = p->next;
        pdr_free(p->params);
        pdr_free(p);
    }
    *set = (pdr_pgv_prepared_set){0};
}

pdr_pgv_op *pdr_pgv_op_new(void)
{
    pdr_pgv_op *op = pdr_calloc(1, sizeof *op);
    if (!op) return NULL;
    op->arena = (pdr_arena)PDR_ARENA_INIT(MAX_OP_BYTES);
    op->refused = op->bad_step = SIZE_MAX;
    return op;
}

void pdr_pgv_op_free(pdr_pgv_op *op)
{
    if (!op) return;
    PQclear(op->rows);
    PQclear(op->refusal);
    pdr_arena_release(&op->arena);
    pdr_free(op->statements);
    pdr_free(op);
}

pdr_pgv_statement *pdr_pgv_op_add(pdr_pgv_op *op, pdr_pgv_prepared *prepared, size_t step)
{
    if (!prepared) return NULL;
    if (op->count == op->room) {
        size_t room = op->room ? 2 * op->room : 8;
        pdr_pgv_statement *more = pdr_realloc(op->statements, room * sizeof *more);
        if (!more) return NULL;
        op->statements = more;
        op->room = room;
    }
    size_t count = (size_t)prepared->param_count + 1;
    pdr_pgv_statement *statement = &op->statements[op->count];
    *statement = (pdr_pgv_statement){.prepared = prepared, .step = step};
    statement->values = pdr_arena_calloc(&op->arena, count, sizeof(char *));
    statement->lengths = pdr_arena_calloc(&op->arena, count, sizeof(int));
    if (!statement->values || !statement->lengths) return NULL;
    op->count++;
    return statement;
}

void pdr_pgv_set(pdr_pgv_statement *statement, int parameter, pdr_bytes value)
{
    statement->values[parameter] = (const char *)value.data;
    statement->lengths[parameter] = (int)value.size;
}
