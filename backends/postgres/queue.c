#include "backends/postgres/op.h"

void pdr_pg_queue_push(pdr_pg_queue *queue, pdr_pg_op *op)
{
    op->next = NULL;
    if (queue->last)
        queue->last->next = op;
    else
        queue->first = op;
    queue->last = op;
    queue->count++;
    queue->bytes += op->bytes;
}

void pdr_pg_queue_push_front(pdr_pg_queue *queue, pdr_pg_op *op)
{
    op->next = queue->first;
    queue->first = op;
    if (!queue->last) queue->last = op;
    queue->count++;
    queue->bytes += op->bytes;
}

pdr_pg_op *pdr_pg_queue_pop(pdr_pg_queue *queue)
{
    pdr_pg_op *op = queue->first;
    if (!op) return NULL;
    queue->first = op->next;
    if (!queue->first) queue->last = NULL;
    queue->count--;
    queue->bytes -= op->bytes;
    op->next = NULL;
    return op;
}

void pdr_pg_queue_remove(pdr_pg_queue *queue, const void *context)
{
    pdr_pg_queue kept = {0};
    for (pdr_pg_op *op = pdr_pg_queue_pop(queue); op; op = pdr_pg_queue_pop(queue)) {
        if (op->context == context)
            pdr_pg_op_free(op);
        else
            pdr_pg_queue_push(&kept, op);
    }
    *queue = kept;
}

void pdr_pg_queue_silence(pdr_pg_queue *queue, const void *context)
{
    for (pdr_pg_op *op = queue->first; op; op = op->next)
        if (op->context == context) op->done = NULL;
}

void pdr_pg_queue_clear(pdr_pg_queue *queue)
{
    for (pdr_pg_op *op = pdr_pg_queue_pop(queue); op; op = pdr_pg_queue_pop(queue))
        pdr_pg_op_free(op);
}
