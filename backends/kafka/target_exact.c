/* Exactly once: the messages of a source partition and its position go in one Kafka transaction. The position
 * is an offset, with metadata, of a consumer group of its own; the transactional id of projection and
 * partition shuts out whoever sent before. The views' database follows; where it didn't, for a process died
 * in between, it is brought up before anything more is sent (`settle`).
 *
 * Dead letters are written before the transaction: if it doesn't go through they stand too early, and their
 * entity's events wait. A retry's letters are named in the metadata, so that they are taken away only once.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <xxhash.h>

#include "backends/kafka/target_inside.h"

enum { LIMIT_MS = 30000, MAX_ID = 700, MAX_META = 300, MAX_LETTERS = 100000 };

/* What the last transaction of a partition says. */
typedef struct sent {
    bool there;
    uint64_t generation;
    pdr_position position;
    int64_t time_us;
    uint64_t events;
    uint64_t entity; /* hash of the entity whose letters up to `upto` were retried */
    int64_t upto;    /* -1: none were */
    bool unsettled;  /* perhaps they are in the database still */
} sent;

typedef struct exact_part {
    target *owner;
    int32_t partition;
    rd_kafka_t *rk; /* NULL: made when next needed */
    bool begun, touched;
    pdr_error refused; /* a message was; code PDR_OK: none */
    sent sent;
} exact_part;

struct exact {
    char id[MAX_ID];
    int32_t count;
    exact_part parts[];
};

pdr_code exact_begin(target *t, const pdr_version_spec *spec, pdr_error *err)
{
    size_t count = (size_t)spec->partitions;
    char journal[33];
    pdr_free(t->exact);
    t->exact = pdr_calloc(1, sizeof *t->exact + count * sizeof(exact_part));
    if (!t->exact) return pdr_fail(err, PDR_NOMEM, "topic %s", t->topic);
    for (size_t i = 0; i < 16; i++)
        snprintf(journal + 2 * i, 3, "%02x", spec->journal_id[i]);
    snprintf(t->exact->id, sizeof t->exact->id, "perdure.%s.%s.v%u.%s", journal, spec->projection,
             spec->version, t->topic);
    t->exact->count = spec->partitions;
    for (size_t i = 0; i < count; i++)
        t->exact->parts[i] = (exact_part){.owner = t, .partition = (int32_t)i};
    return PDR_OK;
}

static void end_part(exact_part *part)
{
    if (!part->rk) return;
    rd_kafka_resp_err_t ignored = rd_kafka_purge(
        part->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
    (void)ignored;
    rd_kafka_destroy(part->rk);
    part->rk = NULL;
    part->begun = false;
}

void exact_end(target *t)
{
    for (int32_t i = 0; t->exact && i < t->exact->count; i++)
        end_part(&t->exact->parts[i]);
    pdr_free(t->exact);
    t->exact = NULL;
}

/* --- Errors --- */

static pdr_code code_of(rd_kafka_resp_err_t why)
{
    if (why == RD_KAFKA_RESP_ERR__FENCED || why == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
        why == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH)
        return PDR_STALE;
    pdr_code code = kafka_code(why);
    if (code == PDR_TOO_LARGE || code == PDR_CORRUPT) return PDR_BAD_DATA;
    return pdr_code_retry(code) ? code : PDR_UNAVAILABLE;
}

static pdr_code fail(const exact_part *part, pdr_error *err, rd_kafka_resp_err_t why, const char *doing)
{
    pdr_code code = code_of(why);
    if (code == PDR_STALE)
        return pdr_fail(err, code, "topic %s: another worker sends what comes from partition %d",
                        part->owner->topic, (int)part->partition);
    return pdr_fail_backend(err, code, (int32_t)why, "topic %s: %s: %s", part->owner->topic, doing,
                            rd_kafka_err2str(why));
}

/* Again while it may help; whatever else went wrong needs a new producer. */
static bool again(rd_kafka_error_t *error, int64_t until)
{
    return error && rd_kafka_error_is_retriable(error) && kafka_now_us() < until;
}

static pdr_code take_error(exact_part *part, rd_kafka_error_t *error, const char *doing, pdr_error *err)
{
    if (!error) return PDR_OK;
    pdr_code code = fail(part, err, rd_kafka_error_code(error), doing);
    rd_kafka_error_destroy(error);
    return code;
}

/* Inside flush, poll. What is purged after another failure tells nothing. */
static void report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    exact_part *part = opaque;
    (void)rk;
    if (!message->err || part->refused.code != PDR_OK) return;
    (void)!fail(part, &part->refused, message->err, "a message");
}

static void trace_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    const exact_part *part = rd_kafka_opaque(rk);
    target_trace(part->owner, level, facility, text);
}

static void pass_error(rd_kafka_t *rk, int why, const char *reason, void *opaque)
{
    (void)rk;
    (void)why;
    (void)reason;
    (void)opaque; /* each call tells its own */
}

/* --- Opening: shut out who was before, and see how far it came --- */

static void id_of(const exact_part *part, char *out, size_t size)
{
    snprintf(out, size, "%s.%d", part->owner->exact->id, (int)part->partition);
}

static void print_sent(const sent *s, char *out, size_t size)
{
    snprintf(out, size,
             "1 %" PRIx64 " %" PRId64 " %" PRId64 " %" PRIx64 " %" PRIu64 " %" PRId64 " %" PRIu64 " %" PRIx64
             " %" PRId64,
             s->generation, s->position.offset, s->position.term.offset, s->position.term.incarnation,
             s->position.number, s->time_us, s->events, s->entity, s->upto);
}

static bool parse_sent(sent *s, const char *text)
{
    *s = (sent){.there = true, .unsettled = true};
    return sscanf(text,
                  "1 %" SCNx64 " %" SCNd64 " %" SCNd64 " %" SCNx64 " %" SCNu64 " %" SCNd64 " %" SCNu64
                  " %" SCNx64 " %" SCNd64,
                  &s->generation, &s->position.offset, &s->position.term.offset,
                  &s->position.term.incarnation, &s->position.number, &s->time_us, &s->events, &s->entity,
                  &s->upto) == 9;
}

static bool set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char reason[200];
    return rd_kafka_conf_set(conf, name, value, reason, sizeof reason) == RD_KAFKA_CONF_OK;
}

static pdr_code take_committed(exact_part *part, const rd_kafka_topic_partition_t *at, pdr_error *err)
{
    char text[MAX_META] = "";
    if (at->err) return fail(part, err, at->err, "how far it was sent");
    part->sent = (sent){.upto = -1};
    if (at->offset < 0) return PDR_OK;
    if (at->metadata_size < sizeof text) memcpy(text, at->metadata, at->metadata_size);
    if (parse_sent(&part->sent, text)) return PDR_OK;
    return pdr_fail(err, PDR_CORRUPT, "topic %s: the offset of group %s.%d is not ours", part->owner->topic,
                    part->owner->exact->id, (int)part->partition);
}

static pdr_code read_committed(exact_part *part, pdr_error *err)
{
    char id[MAX_ID + 12], reason[300];
    id_of(part, id, sizeof id);
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(part->owner->consumer);
    bool fine = set(conf, "group.id", id) && set(conf, "isolation.level", "read_committed");
    rd_kafka_t *rk = fine ? rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason) : NULL;
    if (!rk) {
        rd_kafka_conf_destroy(conf);
        return pdr_fail(err, PDR_BAD_SETTING, "topic %s: can't ask how far it was sent", part->owner->topic);
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, part->owner->topic, 0);
    rd_kafka_resp_err_t why = rd_kafka_committed(rk, list, LIMIT_MS);
    pdr_code code =
        why ? fail(part, err, why, "how far it was sent") : take_committed(part, &list->elems[0], err);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
    return code;
}

static pdr_code open_part(exact_part *part, pdr_error *err)
{
    char id[MAX_ID + 12], reason[300] = "";
    if (part->rk) return PDR_OK;
    id_of(part, id, sizeof id);
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(part->owner->conf);
    rd_kafka_conf_set_opaque(conf, part);
    rd_kafka_conf_set_log_cb(conf, trace_log);
    rd_kafka_conf_set_error_cb(conf, pass_error);
    rd_kafka_conf_set_dr_msg_cb(conf, report);
    bool fine = set(conf, "transactional.id", id) && set(conf, "message.timeout.ms", "30000") &&
                set(conf, "transaction.timeout.ms", "60000");
    part->rk = fine ? rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason) : NULL;
    if (!part->rk) {
        rd_kafka_conf_destroy(conf);
        return pdr_fail(err, PDR_BAD_SETTING, "can't start a Kafka producer: %s", reason);
    }
    rd_kafka_error_t *error;
    int64_t until = kafka_now_us() + (int64_t)LIMIT_MS * 1000;
    while (again(error = rd_kafka_init_transactions(part->rk, LIMIT_MS), until))
        rd_kafka_error_destroy(error);
    pdr_code code = take_error(part, error, "begins", err);
    if (code == PDR_OK) code = read_committed(part, err);
    if (code != PDR_OK) end_part(part);
    return code;
}

/* --- The database follows --- */

typedef struct ended {
    bool there;
    pdr_error error;
    pdr_code code;
} ended;

static void note(void *context, uint64_t tag, const pdr_view_result *result)
{
    ended *e = context;
    (void)tag;
    e->there = true;
    e->code = result->code;
    if (result->error) e->error = *result->error;
}

/* A batch of the views behind, waited for. */
static pdr_code carry_out(target *t, const target_op *op, const pdr_view_batch *batch, pdr_error *err)
{
    ended e = {0};
    int64_t until = kafka_now_us() + (int64_t)LIMIT_MS * 1000;
    pdr_code code = t->inner->ops->commit(t->inner, &op->spec, op->worker, batch, note, &e, 0, err);
    if (code != PDR_OK) return code;
    while (!e.there && kafka_now_us() < until) {
        struct pollfd fds[4];
        int64_t due_us;
        if (t->inner->ops->poll(t->inner) || e.there) continue;
        int count = t->inner->ops->wait_on(t->inner, fds, 4, &due_us);
        (void)poll(fds, (nfds_t)count, due_us > 10000 ? 10 : 1);
    }
    t->inner->ops->forget(t->inner, &e);
    if (!e.there) return pdr_fail(err, PDR_UNKNOWN_OUTCOME, "the database didn't answer in time");
    if (e.code != PDR_OK && err) *err = e.error;
    return e.code;
}

typedef struct retried {
    const sent *sent;
    pdr_arena *arena;
    pdr_dead_letter *letters;
    size_t count;
} retried;

static pdr_code take_letter(void *context, const pdr_dead_letter *letter, pdr_error *err)
{
    retried *r = context;
    if (letter->offset > r->sent->upto ||
        XXH3_64bits(letter->entity.data, letter->entity.size) != r->sent->entity)
        return PDR_OK;
    if (r->count == MAX_LETTERS) return pdr_fail(err, PDR_TOO_LARGE, "too many dead letters of one entity");
    r->letters[r->count++] = (pdr_dead_letter){.partition = letter->partition, .offset = letter->offset};
    return PDR_OK;
}

/* What was sent, and isn't in the database as sent. PDR_STALE: now it is. */
static pdr_code settle(exact_part *part, target_op *op, const pdr_position_move *move, pdr_error *err)
{
    target *t = part->owner;
    sent *s = &part->sent;
    if (!s->there || s->generation != move->generation) return PDR_OK;
    bool ahead = s->position.offset > move->from.offset;
    if (!ahead && (!s->unsettled || s->upto < 0)) return PDR_OK;
    retried r = {.sent = s, .arena = &op->arena};
    pdr_code code = PDR_OK;
    if (s->upto >= 0) {
        r.letters = pdr_arena_alloc(&op->arena, MAX_LETTERS * sizeof *r.letters);
        if (!r.letters) return pdr_fail(err, PDR_NOMEM, "dead letters");
        code = t->inner->ops->dead_letters(t->inner, op->spec.projection, op->spec.version, part->partition,
                                           take_letter, &r, err);
    }
    if (code != PDR_OK) return code;
    if (!ahead && r.count == 0) {
        s->unsettled = false;
        return PDR_OK;
    }
    pdr_position_move moved = *move;
    moved.to = ahead ? s->position : move->from;
    moved.events = ahead ? s->events : 0;
    moved.event_time_us = ahead ? s->time_us : INT64_MIN;
    pdr_view_batch batch = {.moves = &moved, .move_count = 1, .unpark = r.letters, .unpark_count = r.count};
    code = carry_out(t, op, &batch, err);
    if (code != PDR_OK) return code;
    return pdr_fail(err, PDR_STALE,
                    "topic %s: what comes from partition %d was sent up to offset %" PRId64
                    " already; the position follows",
                    t->topic, (int)part->partition, moved.to.offset);
}

/* --- Sending --- */

static const pdr_position_move *move_of(const pdr_view_batch *batch, int32_t partition)
{
    for (size_t i = 0; i < batch->move_count; i++)
        if (batch->moves[i].partition == partition) return &batch->moves[i];
    return NULL;
}

static exact_part *part_of(target *t, const pdr_view_step *step)
{
    int64_t partition = step->parameters[PDR_MESSAGE_PARTITION].as.integer;
    return partition >= 0 && partition < t->exact->count ? &t->exact->parts[partition] : NULL;
}

static pdr_code make_ready(target *t, target_op *op, const pdr_view_batch *batch, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; i < batch->step_count; i++) {
        exact_part *part = part_of(t, &batch->steps[i]);
        if (!part || !move_of(batch, part->partition))
            return pdr_fail(err, PDR_INVALID_ARGUMENT, "topic %s: a message of a partition that doesn't move",
                            t->topic);
        part->touched = true;
    }
    for (int32_t p = 0; code == PDR_OK && p < t->exact->count; p++) {
        exact_part *part = &t->exact->parts[p];
        if (!part->touched) continue;
        op->partition = p;
        code = open_part(part, err);
        if (code == PDR_OK) code = settle(part, op, move_of(batch, p), err);
    }
    return code;
}

static pdr_code park_first(target *t, const target_op *op, const pdr_view_batch *batch, pdr_error *err)
{
    if (batch->park_count == 0 || batch->unpark_count > 0) return PDR_OK;
    pdr_position_move *moves = pdr_calloc(batch->move_count, sizeof *moves);
    if (!moves) return pdr_fail(err, PDR_NOMEM, "a batch");
    for (size_t i = 0; i < batch->move_count; i++) {
        moves[i] = batch->moves[i];
        moves[i].to = moves[i].from;
        moves[i].events = 0;
    }
    pdr_view_batch first = {.moves = moves,
                            .move_count = batch->move_count,
                            .park = batch->park,
                            .park_count = batch->park_count};
    pdr_code code = carry_out(t, op, &first, err);
    pdr_free(moves);
    return code;
}

static pdr_code send_step(target *t, target_op *op, const pdr_view_step *step, pdr_error *err)
{
    exact_part *part = part_of(t, step);
    rd_kafka_resp_err_t why;
    if (!part->begun) {
        part->refused.code = PDR_OK;
        pdr_code code = take_error(part, rd_kafka_begin_transaction(part->rk), "begins", err);
        if (code != PDR_OK) return code;
        part->begun = true;
    }
    while ((why = target_produce(t, part->rk, NULL, step->parameters)) == RD_KAFKA_RESP_ERR__QUEUE_FULL &&
           kafka_now_us() < op->since_us + (int64_t)LIMIT_MS * 1000)
        rd_kafka_poll(part->rk, 10);
    return why ? fail(part, err, why, "a message") : PDR_OK;
}

static bool is_parked_again(const pdr_view_batch *batch, const pdr_dead_letter *letter)
{
    for (size_t i = 0; i < batch->park_count; i++)
        if (batch->park[i].offset == letter->offset && batch->park[i].partition == letter->partition)
            return true;
    return false;
}

/* What the transaction will say. */
static sent sent_by(const pdr_view_batch *batch, const pdr_position_move *move)
{
    sent s = {.there = true,
              .generation = move->generation,
              .position = move->to,
              .time_us = move->event_time_us,
              .events = move->events,
              .upto = -1};
    for (size_t i = 0; i < batch->unpark_count; i++) {
        const pdr_dead_letter *letter = &batch->unpark[i];
        if (letter->partition == move->partition && letter->offset > s.upto &&
            !is_parked_again(batch, letter))
            s.upto = letter->offset;
    }
    if (s.upto < 0) return s;
    pdr_bytes entity = batch->steps[0].parameters[PDR_MESSAGE_KEY].as.bytes; /* a retry is of one */
    s.entity = XXH3_64bits(entity.data, entity.size);
    s.unsettled = true;
    return s;
}

static pdr_code commit_part(exact_part *part, const sent *says, pdr_error *err)
{
    char meta[MAX_META], id[MAX_ID + 12];
    id_of(part, id, sizeof id);
    print_sent(says, meta, sizeof meta);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *at = rd_kafka_topic_partition_list_add(list, part->owner->topic, 0);
    at->offset = says->position.offset + 1;
    at->metadata = meta;
    at->metadata_size = strlen(meta);
    rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata_new(id);
    int64_t until = kafka_now_us() + (int64_t)LIMIT_MS * 1000;
    rd_kafka_error_t *error;
    while (again(error = rd_kafka_send_offsets_to_transaction(part->rk, list, group, LIMIT_MS), until))
        rd_kafka_error_destroy(error);
    pdr_code code = take_error(part, error, "its position", err);
    at->metadata = NULL; /* it isn't the list's */
    at->metadata_size = 0;
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_consumer_group_metadata_destroy(group);
    if (code != PDR_OK) return code;
    while (again(error = rd_kafka_commit_transaction(part->rk, LIMIT_MS), until))
        rd_kafka_error_destroy(error);
    code = take_error(part, error, "a transaction", err);
    if (code == PDR_OK) {
        part->begun = false;
        part->sent = *says;
    }
    return code;
}

/* What failed is given up with its producer; the next one sees what came of it. Only where nothing failed but
 * a message that the broker refuses, or another partition, it is clear what came of it: nothing. */
static void give_up(target *t, const target_op *op)
{
    for (int32_t p = 0; p < t->exact->count; p++) {
        exact_part *part = &t->exact->parts[p];
        if (!part->begun) continue;
        rd_kafka_error_t *error = rd_kafka_abort_transaction(part->rk, LIMIT_MS);
        bool clear = !error && (p != op->partition || part->refused.code == PDR_BAD_DATA);
        if (error) rd_kafka_error_destroy(error);
        part->begun = false;
        if (!clear) end_part(part);
    }
}

static pdr_code send_and_commit(target *t, target_op *op, const pdr_view_batch *batch, pdr_error *err)
{
    pdr_code code = make_ready(t, op, batch, err);
    if (code == PDR_OK) code = park_first(t, op, batch, err);
    op->partition = -1;
    for (size_t i = 0; code == PDR_OK && i < batch->step_count; i++)
        code = send_step(t, op, &batch->steps[i], err);
    for (int32_t p = 0; code == PDR_OK && p < t->exact->count; p++) {
        exact_part *part = &t->exact->parts[p];
        if (!part->begun) continue;
        op->partition = p;
        sent says = sent_by(batch, move_of(batch, p));
        code = commit_part(part, &says, err);
        if (code != PDR_OK && part->refused.code != PDR_OK) {
            code = part->refused.code;
            if (err) *err = part->refused;
        }
    }
    return code;
}

void exact_send(target *t, target_op *op, const pdr_view_batch *batch)
{
    for (int32_t p = 0; p < t->exact->count; p++)
        t->exact->parts[p].touched = false;
    pdr_error err;
    pdr_code code = send_and_commit(t, op, batch, &err);
    if (code == PDR_OK) return;
    op->failure = err;
    op->failure.code = code;
    give_up(t, op);
}
