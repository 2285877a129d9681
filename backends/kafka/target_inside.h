/* Inside the target: target.c sends and completes batches, target_exact.c sends them in transactions,
 * target_topic.c looks at the topic, target_pass.c hands all else to the views behind it. */
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
    int32_t partition; /* that failed; -1: not told */
    pdr_error failure; /* PDR_OK: none */
    int64_t since_us;
} target_op;

typedef struct exact exact;

struct target {
    pdr_views base;
    pdr_views *inner;
    char *topic;
    rd_kafka_conf_t *conf;
    bool exactly_once;
    rd_kafka_conf_t *consumer; /* of exactly once; else NULL */
    exact *exact;              /* NULL: at least once, or the version isn't known yet */
    rd_kafka_t *rk;            /* NULL: made when next needed */
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

/* A line of librdkafka's log, told with the topic. */
void target_trace(const target *t, int level, const char *facility, const char *text);
/* Hand one message over. `opaque` comes back with its report. */
rd_kafka_resp_err_t target_produce(const target *t, rd_kafka_t *rk, void *opaque, const pdr_cell *message);

/* target_topic.c */
/* Blocking: is the topic there? What in its settings may lose messages is told to the trace. t->rk is there.
 * PDR_NOT_FOUND, PDR_UNAVAILABLE. */
PDR_CHECKED pdr_code target_topic_check(const target *t, int timeout_ms, pdr_error *err);

/* target_exact.c */
/* The version that is sent; again: another. */
PDR_CHECKED pdr_code exact_begin(target *t, const pdr_version_spec *spec, pdr_error *err);
void exact_end(target *t);
/* Blocking: the batch's messages, and the positions with them. What comes of it stands in op->failure. */
void exact_send(target *t, target_op *op, const pdr_view_batch *batch);

/* target_pass.c */
extern const pdr_views_ops target_ops;

#endif
