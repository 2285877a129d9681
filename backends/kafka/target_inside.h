/* Inside the target: target.c sends and completes batches, target_pass.c hands all else to the views behind
 * it. */
#ifndef PDR_BACKENDS_KAFKA_TARGET_INSIDE_H
#define PDR_BACKENDS_KAFKA_TARGET_INSIDE_H

#include "backends/kafka/internal.h"
#include "projections/views.h"

typedef struct target target;

/* A batch on its way. Its messages are librdkafka's; what moves the position is kept here. */
typedef struct target_op {
    struct target_op *next;
    target *owner;
    pdr_arena arena; /* of the batch */
    pdr_version_spec spec;
    const char *worker;
    pdr_view_batch batch; /* without steps */
    pdr_view_done done;   /* NULL: forgotten */
    void *context;
    uint64_t tag;
    size_t outstanding; /* messages without a report */
    size_t failed_step;
    pdr_error failure; /* PDR_OK: none */
    int64_t since_us;
} target_op;

struct target {
    pdr_views base;
    pdr_views *inner;
    char *topic;
    rd_kafka_conf_t *conf;
    rd_kafka_t *rk; /* NULL: made when next needed */
    rd_kafka_queue_t *queue;
    int fd;
    bool broken; /* this producer must send nothing more */
    target_op *first, **last;
    void (*trace)(void *context, int level, const char *message);
    void *trace_context;
};

/* target.c */
void target_close(pdr_views *views);
pdr_code target_init(pdr_views *views, int timeout_ms, pdr_error *err);
pdr_code target_commit(pdr_views *views, const pdr_version_spec *spec, const char *worker,
                       const pdr_view_batch *batch, pdr_view_done done, void *context, uint64_t tag,
                       pdr_error *err);
void target_forget(pdr_views *views, void *context);
size_t target_poll(pdr_views *views);
int target_wait_on(pdr_views *views, struct pollfd *fds, int max, int64_t *due_us);

/* target_pass.c */
extern const pdr_views_ops target_ops;

#endif
