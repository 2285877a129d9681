#include "backends/kafka/target.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "backends/kafka/target_inside.h"
#include "perdure/arena.h"

enum { LIMIT_US = 30000000, FULL_POLL_MS = 10, MAX_BATCH = 256 * 1024 * 1024 };

static target *of(pdr_views *views)
{
    return (target *)views;
}

/* --- Reports --- */

static void fail_op(target_op *op, pdr_code code, size_t step, const char *why)
{
    if (op->failure.code != PDR_OK) return;
    op->failed_step = step;
    (void)!pdr_fail(&op->failure, code, "topic %s: %s", op->owner->topic, why);
}

/* What a broker refuses of a message itself is the event's fault; all else may get better. */
static pdr_code code_of(rd_kafka_resp_err_t why)
{
    pdr_code code = kafka_code(why);
    if (code == PDR_TOO_LARGE || code == PDR_CORRUPT) return PDR_BAD_DATA;
    if (code == PDR_QUEUE_FULL || code == PDR_FATAL) return PDR_UNAVAILABLE;
    return code;
}

/* Inside rd_kafka_poll. After any failure the messages behind it must not be sent by this producer. */
static void report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    target *t = opaque;
    target_op *op = message->_private;
    (void)rk;
    op->outstanding--;
    if (!message->err) return;
    t->broken = true;
    fail_op(op, code_of(message->err), SIZE_MAX, rd_kafka_err2str(message->err));
}

void target_trace(const target *t, int level, const char *facility, const char *text)
{
    char line[600];
    if (!t->trace || strcmp(facility, "CONFWARN") == 0) return;
    snprintf(line, sizeof line, "kafka topic %s: %s: %s", t->topic, facility, text);
    t->trace(t->trace_context, level, line);
}

static void trace_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    target_trace(rd_kafka_opaque(rk), level, facility, text);
}

static void pass_error(rd_kafka_t *rk, int why, const char *reason, void *opaque)
{
    (void)rk;
    (void)reason;
    if (why == RD_KAFKA_RESP_ERR__FATAL) ((target *)opaque)->broken = true;
}

/* --- The producer --- */

/* Its reports don't come any more: what was on its way has failed. */
static void end_producer(target *t)
{
    if (!t->rk) return;
    rd_kafka_resp_err_t ignored = rd_kafka_purge(t->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                                            RD_KAFKA_PURGE_F_NON_BLOCKING);
    (void)ignored;
    rd_kafka_queue_io_event_enable(t->queue, -1, NULL, 0);
    rd_kafka_queue_destroy(t->queue);
    rd_kafka_destroy(t->rk);
    t->rk = NULL;
    for (target_op *op = t->first; op; op = op->next) {
        if (op->outstanding) fail_op(op, PDR_UNAVAILABLE, SIZE_MAX, "the producer had to be replaced");
        op->outstanding = 0;
    }
    t->broken = false;
}

static pdr_code begin_producer(target *t, pdr_error *err)
{
    static const uint64_t one = 1;
    char reason[400];
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(t->conf);
    t->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    if (!t->rk) {
        rd_kafka_conf_destroy(conf);
        return pdr_fail(err, PDR_BAD_SETTING, "can't start a Kafka producer: %s", reason);
    }
    t->queue = rd_kafka_queue_get_main(t->rk);
    rd_kafka_queue_io_event_enable(t->queue, t->fd, &one, sizeof one);
    return PDR_OK;
}

/* --- Sending --- */

static bool add_header(rd_kafka_headers_t *headers, const char *name, const char *format, long long value)
{
    char text[32];
    int size = snprintf(text, sizeof text, format, value);
    return rd_kafka_header_add(headers, name, -1, text, size) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_headers_t *headers_of(const pdr_cell *m)
{
    static const struct {
        const char *name;
        size_t cell;
    } numbers[] = {{"event-seq", PDR_MESSAGE_SEQ},
                   {"event-time", PDR_MESSAGE_TIME},
                   {"source-partition", PDR_MESSAGE_PARTITION},
                   {"source-offset", PDR_MESSAGE_OFFSET},
                   {"source-part", PDR_MESSAGE_PART},
                   {"source-parts", PDR_MESSAGE_PARTS}};
    rd_kafka_headers_t *headers = rd_kafka_headers_new(8);
    pdr_bytes type = m[PDR_MESSAGE_TYPE].as.bytes;
    bool added = rd_kafka_header_add(headers, "event-type", -1, type.data, (ssize_t)type.size) == 0;
    for (size_t i = 0; added && i < sizeof numbers / sizeof *numbers; i++)
        added = add_header(headers, numbers[i].name, "%lld", (long long)m[numbers[i].cell].as.integer);
    if (added) return headers;
    rd_kafka_headers_destroy(headers);
    return NULL;
}

rd_kafka_resp_err_t target_produce(const target *t, rd_kafka_t *rk, void *opaque, const pdr_cell *m)
{
    pdr_bytes key = m[PDR_MESSAGE_KEY].as.bytes, value = m[PDR_MESSAGE_VALUE].as.bytes;
    int64_t at_ms = m[PDR_MESSAGE_TIME].as.integer / 1000;
    rd_kafka_headers_t *headers = headers_of(m);
    if (!headers) return RD_KAFKA_RESP_ERR__QUEUE_FULL;
    const rd_kafka_vu_t vus[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = t->topic},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)key.data, key.size}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)value.data, value.size}},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = at_ms > 0 ? at_ms : 1},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = opaque},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers}};
    rd_kafka_error_t *error = rd_kafka_produceva(rk, vus, sizeof vus / sizeof *vus);
    rd_kafka_resp_err_t why = error ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_error_destroy(error);
    if (why) rd_kafka_headers_destroy(headers);
    return why;
}

/* The producer's queue may be full for a while: reports make room. */
static bool send_message(target *t, target_op *op, const pdr_view_step *step, size_t index)
{
    rd_kafka_resp_err_t why;
    while ((why = target_produce(t, t->rk, op, step->parameters)) == RD_KAFKA_RESP_ERR__QUEUE_FULL &&
           !t->broken && kafka_now_us() < op->since_us + LIMIT_US)
        rd_kafka_poll(t->rk, FULL_POLL_MS);
    if (!why) {
        op->outstanding++;
        return true;
    }
    fail_op(op, code_of(why), index, rd_kafka_err2str(why));
    return false;
}

static bool is_message(const pdr_view_step *step)
{
    return step->statement && strcmp(step->statement, PDR_VIEW_MESSAGE) == 0 &&
           step->parameter_count == PDR_MESSAGE_CELLS;
}

static pdr_code send_all(target *t, target_op *op, const pdr_view_batch *batch, pdr_error *err)
{
    for (size_t i = 0; i < batch->step_count; i++)
        if (!is_message(&batch->steps[i]))
            return pdr_fail(err, PDR_UNSUPPORTED, "topic %s: rows and statements need tables", t->topic);
    if (t->exact) {
        if (batch->step_count) exact_send(t, op, batch);
        return PDR_OK;
    }
    if (t->broken) end_producer(t);
    if (batch->step_count && !t->rk) {
        pdr_code code = begin_producer(t, err);
        if (code != PDR_OK) return code;
    }
    for (size_t i = 0; i < batch->step_count && send_message(t, op, &batch->steps[i], i); i++)
        continue;
    return PDR_OK;
}

/* --- Batches --- */

static bool keep_letters(target_op *op, const pdr_dead_letter **letters, size_t count)
{
    pdr_dead_letter *copy = pdr_arena_calloc(&op->arena, count + 1, sizeof *copy);
    for (size_t i = 0; copy && i < count; i++) {
        const pdr_dead_letter *letter = &(*letters)[i];
        copy[i] = *letter;
        copy[i].entity = pdr_arena_bytes(&op->arena, letter->entity);
        copy[i].reason =
            pdr_arena_string(&op->arena, pdr_string_of(letter->reason ? letter->reason : "")).data;
        if (!copy[i].entity.data || !copy[i].reason) return false;
    }
    *letters = copy;
    return copy;
}

static bool keep_array(target_op *op, const void **array, size_t size)
{
    void *copy = pdr_arena_calloc(&op->arena, 1, size + 1);
    if (copy && size) memcpy(copy, *array, size);
    *array = copy;
    return copy;
}

/* All but the messages. */
static bool keep_batch(target_op *op, const pdr_version_spec *spec, const char *worker,
                       const pdr_view_batch *batch)
{
    pdr_view_batch *b = &op->batch;
    *b = *batch;
    b->steps = NULL;
    b->step_count = 0;
    op->spec = *spec;
    const void *moves = b->moves, *requests = b->requests_done;
    if (!keep_array(op, &moves, b->move_count * sizeof *b->moves) ||
        !keep_array(op, &requests, b->request_count * sizeof *b->requests_done))
        return false;
    b->moves = moves;
    b->requests_done = requests;
    op->worker = pdr_arena_string(&op->arena, pdr_string_of(worker)).data;
    op->spec.projection = pdr_arena_string(&op->arena, pdr_string_of(spec->projection)).data;
    return op->worker && op->spec.projection && keep_letters(op, &b->park, b->park_count) &&
           keep_letters(op, &b->unpark, b->unpark_count);
}

static void free_op(target_op *op)
{
    pdr_arena_release(&op->arena);
    pdr_free(op);
}

pdr_code target_commit(pdr_views *views, const pdr_version_spec *spec, const char *worker,
                       const pdr_view_batch *batch, pdr_view_done done, void *context, uint64_t tag,
                       pdr_error *err)
{
    target *t = of(views);
    target_op *op = pdr_calloc(1, sizeof *op);
    if (!op) return pdr_fail(err, PDR_NOMEM, "a batch of projection %s", spec->projection);
    op->owner = t;
    op->arena = (pdr_arena)PDR_ARENA_INIT(MAX_BATCH);
    op->done = done;
    op->context = context;
    op->tag = tag;
    op->failed_step = SIZE_MAX;
    op->partition = -1;
    op->since_us = kafka_now_us();
    pdr_code code = PDR_OK;
    if (!keep_batch(op, spec, worker, batch))
        code = pdr_fail(err, PDR_NOMEM, "a batch of projection %s", spec->projection);
    if (code == PDR_OK) code = send_all(t, op, batch, err);
    if (code != PDR_OK) {
        free_op(op);
        return code;
    }
    *t->last = op;
    t->last = &op->next;
    return PDR_OK;
}

static void fail_batch(const target_op *op)
{
    pdr_view_result result = {.code = op->failure.code,
                              .error = &op->failure,
                              .step = op->failed_step,
                              .partition = op->partition,
                              .position = PDR_POSITION_START};
    if (op->done) op->done(op->context, op->tag, &result);
}

/* The first batch's messages are all there, or some of them never will be. */
static void end_first(target *t)
{
    target_op *op = t->first;
    t->first = op->next;
    if (!t->first) t->last = &t->first;
    if (op->failure.code == PDR_OK && op->done) {
        pdr_error err;
        pdr_code code = t->inner->ops->commit(t->inner, &op->spec, op->worker, &op->batch, op->done,
                                              op->context, op->tag, &err);
        if (code != PDR_OK) op->failure = err;
    }
    if (op->failure.code != PDR_OK) fail_batch(op);
    free_op(op);
}

static void give_up_late(target *t)
{
    if (!t->first || !t->first->outstanding || kafka_now_us() < t->first->since_us + LIMIT_US) return;
    fail_op(t->first, PDR_UNAVAILABLE, SIZE_MAX, "not all messages were confirmed in time");
    t->broken = true;
}

size_t target_poll(pdr_views *views)
{
    target *t = of(views);
    uint64_t rings;
    size_t calls = 0;
    ssize_t ignored = read(t->fd, &rings, sizeof rings);
    (void)ignored;
    if (t->rk) rd_kafka_poll(t->rk, 0);
    give_up_late(t);
    if (t->broken && t->first) end_producer(t);
    for (; t->first && t->first->outstanding == 0; calls++)
        end_first(t);
    return calls + t->inner->ops->poll(t->inner);
}

int target_wait_on(pdr_views *views, struct pollfd *fds, int max, int64_t *due_us)
{
    target *t = of(views);
    int count = t->inner->ops->wait_on(t->inner, fds, max, due_us);
    if (t->first && t->first->outstanding == 0) *due_us = 0;
    if (t->first && *due_us > 1000000) *due_us = 1000000;
    if (count < max) fds[count++] = (struct pollfd){.fd = t->fd, .events = POLLIN};
    return count;
}

void target_forget(pdr_views *views, void *context)
{
    target *t = of(views);
    for (target_op *op = t->first; op; op = op->next)
        if (op->context == context) op->done = NULL;
    t->inner->ops->forget(t->inner, context);
}

/* --- Open and close --- */

pdr_code target_init(pdr_views *views, int timeout_ms, pdr_error *err)
{
    target *t = of(views);
    pdr_code code = t->rk ? PDR_OK : begin_producer(t, err);
    if (code == PDR_OK) code = target_topic_check(t, timeout_ms, err);
    return code == PDR_OK ? t->inner->ops->init(t->inner, timeout_ms, err) : code;
}

void target_close(pdr_views *views)
{
    target *t = of(views);
    end_producer(t);
    for (target_op *op = t->first, *next; op; op = next) {
        next = op->next;
        free_op(op);
    }
    exact_end(t);
    t->inner->ops->close(t->inner);
    if (t->consumer) rd_kafka_conf_destroy(t->consumer);
    if (t->conf) rd_kafka_conf_destroy(t->conf);
    if (t->fd >= 0) close(t->fd);
    pdr_free(t->topic);
    pdr_free(t);
}

/* The partitioner is that of Java's clients. One request at a time: a broker that has just begun to lead a
 * partition takes a producer's second request after it has refused the first, and librdkafka then calls the
 * first delivered. */
static bool set_producer(rd_kafka_conf_t *conf, char *reason, size_t size)
{
    return rd_kafka_conf_set(conf, "partitioner", "murmur2_random", reason, size) == RD_KAFKA_CONF_OK &&
           rd_kafka_conf_set(conf, "max.in.flight.requests.per.connection", "1", reason, size) ==
               RD_KAFKA_CONF_OK;
}

static pdr_code configure(target *t, const pdr_kafka_options *options, pdr_error *err)
{
    kafka_settings all;
    char reason[300];
    pdr_code code = kafka_settings_init(&all, options, err);
    if (code != PDR_OK) return code;
    t->conf = rd_kafka_conf_dup(all.producer);
    if (t->exactly_once) t->consumer = rd_kafka_conf_dup(all.consumer);
    kafka_settings_release(&all);
    if (!set_producer(t->conf, reason, sizeof reason))
        return pdr_fail(err, PDR_BAD_SETTING, "a topic's producer: %s", reason);
    rd_kafka_conf_set_opaque(t->conf, t);
    rd_kafka_conf_set_log_cb(t->conf, trace_log);
    rd_kafka_conf_set_error_cb(t->conf, pass_error);
    rd_kafka_conf_set_dr_msg_cb(t->conf, report);
    return PDR_OK;
}

pdr_code pdr_kafka_target_open(pdr_views **out, pdr_views *inner, const pdr_kafka_options *options,
                               const char *topic, bool exactly_once, pdr_error *err)
{
    target *t = pdr_calloc(1, sizeof *t);
    if (!t) {
        inner->ops->close(inner);
        return pdr_fail(err, PDR_NOMEM, "topic %s", topic);
    }
    *t = (target){.base.ops = &target_ops,
                  .inner = inner,
                  .topic = pdr_strdup(topic),
                  .exactly_once = exactly_once,
                  .trace = options->trace,
                  .trace_context = options->trace_context};
    t->last = &t->first;
    t->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    pdr_code code = PDR_OK;
    if (!t->topic || t->fd < 0) code = pdr_fail_backend(err, PDR_NOMEM, errno, "topic %s", topic);
    if (code == PDR_OK) code = configure(t, options, err);
    if (code == PDR_OK)
        *out = &t->base;
    else
        target_close(&t->base);
    return code;
}
