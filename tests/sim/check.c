/* The invariants, by the names of docs/ARCHITECTURE.md. Each is checked when something happens that could
 * break it: a record lands, a node's turn ends, the store changes, an answer is given. */
#include "tests/sim/run.h"

#include <inttypes.h>
#include <stdio.h>

static const model_entity *entity_of(const run *r, uint32_t entity)
{
    return &r->model->entities[entity];
}

static int64_t balance_at(const run *r, uint32_t entity, uint64_t seq)
{
    const model_event *event = model_at(r->model, entity, seq);
    return event ? event->balance : 0;
}

static bool text_is(pdr_bytes text, const char *format, int64_t value)
{
    char wanted[64];
    int size = snprintf(wanted, sizeof wanted, format, value);
    return pdr_bytes_equal(text, pdr_bytes_of(wanted, (size_t)size));
}

#define BALANCE_TEXT "%" PRId64
#define REFUSAL_TEXT "insufficient: %" PRId64

/* The newest commit at or below seq, within the window, with this request's id; 0: none. */
static uint64_t id_known_at(const run *r, const request *q, uint64_t seq)
{
    uint64_t seqs[SIM_ID_WINDOW];
    size_t count = model_ids(r->model, q->entity, seq, seqs, SIM_ID_WINDOW);
    for (size_t i = 0; i < count; i++)
        if (pdr_bytes_equal(model_at(r->model, q->entity, seqs[i])->id, pdr_bytes_of(q->id, q->id_size)))
            return seqs[i];
    return 0;
}

/* --- A commit counts --- */

static bool could_still_count(const request *q, uint32_t writer)
{
    for (const attempt *a = q->attempts; a; a = a->next)
        if (a->writer == writer && a->state != ATTEMPT_FAILED) return true;
    return false;
}

static void check_content(run *r, const request *q, uint64_t first_seq, uint64_t last_seq)
{
    for (uint64_t seq = first_seq; seq <= last_seq; seq++) {
        const model_event *event = model_at(r->model, q->entity, seq);
        bool same = event->nonce == q->nonce && event->part == (int64_t)(seq - first_seq) &&
                    event->amount == q->amount && event->withdrew == (q->kind == ASK_WITHDRAW);
        if (!same)
            run_fail(r, "all-or-none", "acct/%u seq %" PRIu64 " isn't what request %" PRIu64 " decides",
                     (unsigned)q->entity, seq, q->nonce);
    }
    if (last_seq - first_seq + 1 != (uint64_t)q->parts)
        run_fail(r, "all-or-none", "request %" PRIu64 " counts with %" PRIu64 " events of %" PRId64, q->nonce,
                 last_seq - first_seq + 1, q->parts);
}

static void check_once(run *r, const request *q, uint64_t first_seq)
{
    if (q->id_size) {
        uint64_t before = id_known_at(r, q, first_seq - 1);
        if (before)
            run_fail(r, "once-per-command-id",
                     "id %.*s counts at acct/%u seq %" PRIu64 " and again at %" PRIu64, (int)q->id_size,
                     q->id, (unsigned)q->entity, before, first_seq);
        return;
    }
    for (uint64_t seq = 1; seq < first_seq; seq++)
        if (model_at(r->model, q->entity, seq)->nonce == q->nonce)
            run_fail(r, "once-per-command-id",
                     "request %" PRIu64 " without an id counts at acct/%u seq %" PRIu64
                     " and again at %" PRIu64,
                     q->nonce, (unsigned)q->entity, seq, first_seq);
}

void check_commit(run *r, uint32_t entity, uint64_t first_seq, uint64_t last_seq)
{
    const model_event *last = model_at(r->model, entity, last_seq);
    if (last->nonce == 0 || last->nonce > r->issued || r->requests[last->nonce - 1].entity != entity) {
        run_fail(r, "no-guess-escapes", "acct/%u seq %" PRIu64 " was asked by nobody", (unsigned)entity,
                 last_seq);
        return;
    }
    const request *q = &r->requests[last->nonce - 1];
    check_content(r, q, first_seq, last_seq);
    check_once(r, q, first_seq);
    if (!could_still_count(q, last->writer))
        run_fail(r, "no-guess-escapes",
                 "request %" PRIu64 " counts at acct/%u seq %" PRIu64 " although node-%u said that it failed",
                 q->nonce, (unsigned)entity, last_seq, (unsigned)last->writer);
    int64_t before = balance_at(r, entity, first_seq - 1);
    if (q->kind == ASK_WITHDRAW && before < q->amount * q->parts)
        run_fail(r, "no-guess-escapes",
                 "request %" PRIu64 " was decided against a state that acct/%u never had: balance %" PRId64
                 " at seq %" PRIu64,
                 q->nonce, (unsigned)entity, before, first_seq - 1);
    if (q->expected_seq != PDR_ANY_SEQ && q->expected_seq != first_seq - 1)
        run_fail(r, "no-guess-escapes",
                 "request %" PRIu64 " expected seq %" PRIu64 " and was accepted at %" PRIu64, q->nonce,
                 q->expected_seq, first_seq - 1);
    if (!pdr_bytes_equal(last->id, pdr_bytes_of(q->id, q->id_size)))
        run_fail(r, "once-per-command-id",
                 "acct/%u seq %" PRIu64 " has another command id than request %" PRIu64, (unsigned)entity,
                 last_seq, q->nonce);
    bool answers = q->kind == ASK_DEPOSIT || q->kind == ASK_WITHDRAW;
    if (q->id_size &&
        (last->has_reply != answers || (answers && !text_is(last->reply, BALANCE_TEXT, last->balance))))
        run_fail(r, "once-per-command-id",
                 "acct/%u seq %" PRIu64 " has another reply than request %" PRIu64 " gets", (unsigned)entity,
                 last_seq, q->nonce);
}

/* --- An answer is given --- */

static void check_accepted(run *r, const request *q, const pdr_reply *reply)
{
    bool answers = q->kind != ASK_APPEND;
    if (q->kind == ASK_TOUCH) {
        if (reply->events || reply->repeated)
            run_fail(r, "no-guess-escapes", "request %" PRIu64 " makes no events, not %u", q->nonce,
                     (unsigned)reply->events);
    } else {
        uint64_t first = reply->seq - reply->events + 1;
        if (reply->events != (uint64_t)q->parts || reply->events > reply->seq ||
            model_at(r->model, q->entity, first)->nonce != q->nonce ||
            model_at(r->model, q->entity, reply->seq)->nonce != q->nonce) {
            run_fail(r, "acked-is-valid",
                     "request %" PRIu64 " was accepted with %u events up to acct/%u seq %" PRIu64
                     ", which aren't its own",
                     q->nonce, (unsigned)reply->events, (unsigned)q->entity, reply->seq);
            return;
        }
    }
    bool wrong = answers ? !text_is(reply->answer, BALANCE_TEXT, balance_at(r, q->entity, reply->seq))
                         : reply->answer.size != 0;
    if (wrong)
        run_fail(r, "no-guess-escapes",
                 "request %" PRIu64 " was answered \"%.*s\" at acct/%u seq %" PRIu64
                 ", where the balance is %" PRId64,
                 q->nonce, (int)reply->answer.size,
                 reply->answer.data ? (const char *)reply->answer.data : "", (unsigned)q->entity, reply->seq,
                 balance_at(r, q->entity, reply->seq));
}

static bool is_state(const run *r, uint32_t entity, uint64_t seq, uint32_t revision, pdr_bytes packed)
{
    sim_account account;
    if (sim_state_type.decode(packed, NULL, &account, NULL) != PDR_OK) return false;
    const model_event *event = model_at(r->model, entity, seq);
    pdr_bytes note = event ? event->note : pdr_bytes_of("", 0);
    return account.balance == balance_at(r, entity, seq) && account.ops == (int64_t)(seq * revision) &&
           pdr_bytes_equal(pdr_bytes_of(account.note.data, account.note.size), note);
}

static void check_read(run *r, const attempt *a, const pdr_reply *reply)
{
    const request *q = a->request;
    if (reply->seq == 0 && !reply->state.data) return;
    if (!is_state(r, q->entity, reply->seq, a->revision, reply->state))
        run_fail(r, "no-guess-escapes",
                 "request %" PRIu64 " read a state that acct/%u doesn't have at seq %" PRIu64, q->nonce,
                 (unsigned)q->entity, reply->seq);
    if (q->last_reads && reply->seq != entity_of(r, q->entity)->count)
        run_fail(r, "answers-are-fresh", "at rest acct/%u has seq %zu, and was read at %" PRIu64,
                 (unsigned)q->entity, entity_of(r, q->entity)->count, reply->seq);
}

static void check_position(run *r, const request *q, const pdr_reply *reply)
{
    const model_event *event = model_at(r->model, q->entity, reply->seq);
    pdr_position wanted = event ? event->at : PDR_POSITION_START;
    if (reply->repeated || (!event && reply->position.offset < 0))
        return; /* a window of ids holds no positions */
    if (!pdr_position_equal(wanted, reply->position))
        run_fail(r, "no-guess-escapes",
                 "request %" PRIu64 " was answered at acct/%u seq %" PRIu64 " with position %" PRId64
                 ", not %" PRId64,
                 q->nonce, (unsigned)q->entity, reply->seq, reply->position.offset, wanted.offset);
}

/* What the answer rests on: a seq that exists, that is no commit's middle, and that is new enough. */
static bool check_basis(run *r, const attempt *a, const pdr_reply *reply)
{
    const request *q = a->request;
    if (reply->seq > entity_of(r, q->entity)->count) {
        run_fail(r, reply->code == PDR_OK && reply->events ? "acked-is-valid" : "no-guess-escapes",
                 "request %" PRIu64 " was answered %s at acct/%u seq %" PRIu64 ", but only %zu events count",
                 q->nonce, pdr_code_name(reply->code), (unsigned)q->entity, reply->seq,
                 entity_of(r, q->entity)->count);
        return false;
    }
    if (!model_boundary(r->model, q->entity, reply->seq))
        run_fail(r, "all-or-none",
                 "request %" PRIu64 " was answered at acct/%u seq %" PRIu64 ", inside a commit", q->nonce,
                 (unsigned)q->entity, reply->seq);
    if (!q->stale_ok && !reply->repeated && reply->seq < a->bar)
        run_fail(r, "answers-are-fresh",
                 "request %" PRIu64 " was answered at acct/%u seq %" PRIu64 "; seq %" PRIu64
                 " had been answered before it was asked",
                 q->nonce, (unsigned)q->entity, reply->seq, a->bar);
    return true;
}

static void check_refused(run *r, const request *q, const pdr_reply *reply)
{
    int64_t balance = balance_at(r, q->entity, reply->seq);
    bool conflict = reply->code == PDR_CONFLICT;
    bool right = conflict ? q->expected_seq != PDR_ANY_SEQ && q->expected_seq != reply->seq
                          : q->kind == ASK_WITHDRAW && balance < q->amount * q->parts &&
                                text_is(reply->answer, REFUSAL_TEXT, balance);
    if (!right)
        run_fail(r, "no-guess-escapes",
                 "request %" PRIu64 " was answered %s \"%.*s\" at acct/%u seq %" PRIu64
                 ", where the balance is %" PRId64,
                 q->nonce, pdr_code_name(reply->code), (int)reply->answer.size,
                 reply->answer.data ? (const char *)reply->answer.data : "", (unsigned)q->entity, reply->seq,
                 balance);
    if (q->id_size && id_known_at(r, q, reply->seq))
        run_fail(r, "once-per-command-id",
                 "request %" PRIu64 " was answered %s at seq %" PRIu64
                 " although its id counts at seq %" PRIu64,
                 q->nonce, pdr_code_name(reply->code), reply->seq, id_known_at(r, q, reply->seq));
}

/* Said to have failed: then nothing of it may count by this node's hand, unless it was asked there once more.
 */
static void check_failed(run *r, attempt *a, const pdr_reply *reply)
{
    const request *q = a->request;
    pdr_class class_ = pdr_code_class(reply->code);
    bool known = class_ == PDR_CLASS_TRANSIENT || class_ == PDR_CLASS_DEPOSED ||
                 class_ == PDR_CLASS_CANCELLED || reply->code == PDR_REFUSED || reply->code == PDR_CONFLICT ||
                 (reply->code == PDR_ID_REUSED && q->shared_id);
    if (!known)
        run_fail(r, "no-guess-escapes", "request %" PRIu64 " got %s: %s", q->nonce,
                 pdr_code_name(reply->code), reply->error ? reply->error->message : "");
    a->state = ATTEMPT_FAILED;
    if (could_still_count(q, a->writer)) return;
    const model_entity *e = entity_of(r, q->entity);
    for (size_t i = e->count; i-- > 0;)
        if (e->events[i].nonce == q->nonce && e->events[i].writer == a->writer) {
            run_fail(r, "no-guess-escapes",
                     "request %" PRIu64 " got %s from node-%u, but counts at acct/%u seq %zu by its hand",
                     q->nonce, pdr_code_name(reply->code), (unsigned)a->writer, (unsigned)q->entity, i + 1);
            return;
        }
}

void check_reply(attempt *a, const pdr_reply *reply)
{
    request *q = a->request;
    run *r = q->run;
    if (reply->code == PDR_UNKNOWN_OUTCOME) return;
    if (reply->code == PDR_OK || reply->code == PDR_REFUSED || reply->code == PDR_CONFLICT) {
        if (!check_basis(r, a, reply)) return;
        check_position(r, q, reply);
        if (reply->seq > r->bars[q->entity]) r->bars[q->entity] = reply->seq;
    }
    if (reply->code != PDR_OK) {
        if (reply->code == PDR_REFUSED || reply->code == PDR_CONFLICT) check_refused(r, q, reply);
        check_failed(r, a, reply);
    } else if (q->kind == ASK_READ) {
        check_read(r, a, reply);
    } else {
        check_accepted(r, q, reply);
    }
}

/* --- The store changed --- */

static bool take_varint(pdr_bytes *in, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; shift < 64 && in->size; shift += 7) {
        uint8_t byte = *in->data++;
        in->size--;
        *out |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return true;
    }
    return false;
}

static pdr_bytes take(pdr_bytes *in, size_t size)
{
    if (size > in->size) size = in->size;
    pdr_bytes out = pdr_bytes_of(in->data, size);
    in->data += size;
    in->size -= size;
    return out;
}

/* Packed ids against the reference: oldest first, exactly the newest of the window. docs/formats/store.md */
static bool ids_match(const run *r, uint32_t entity, uint64_t head_seq, pdr_bytes in)
{
    uint64_t seqs[SIM_ID_WINDOW], seq, events;
    size_t count = model_ids(r->model, entity, head_seq, seqs, SIM_ID_WINDOW);
    while (count-- > 0) {
        const model_event *event = model_at(r->model, entity, seqs[count]);
        if (in.size < 1 || !pdr_bytes_equal(take(&in, take(&in, 1).data[0]), event->id)) return false;
        if (take(&in, 8).size < 8 || !take_varint(&in, &seq) || !take_varint(&in, &events) || in.size < 1)
            return false;
        if (seq != seqs[count] || events != event->count) return false;
        uint8_t reply = take(&in, 1).data[0];
        if ((reply != 0) != event->has_reply) return false;
        if (reply && !pdr_bytes_equal(take(&in, (size_t)reply - 1), event->reply)) return false;
    }
    return in.size == 0;
}

typedef struct heads_check {
    run *r;
    int32_t partition;
    uint64_t seqs[ENTITIES]; /* of the heads */
    int64_t highest;         /* offset of any head's last event */
} heads_check;

static void check_head(void *context, const pdr_head *head)
{
    heads_check *check = context;
    run *r = check->r;
    int entity = model_entity_of(head->key);
    if (entity < 0 || head->seq == 0 || head->seq > entity_of(r, (uint32_t)entity)->count) {
        run_fail(r, "snapshot-is-a-prefix",
                 "the store's head of %.*s has seq %" PRIu64 ", which doesn't count", (int)head->key.size,
                 (const char *)head->key.data, head->seq);
        return;
    }
    uint32_t e = (uint32_t)entity;
    check->seqs[e] = head->seq;
    const model_event *last = model_at(r->model, e, head->seq);
    if (last->at.offset > check->highest) check->highest = last->at.offset;
    if (!model_boundary(r->model, e, head->seq) || !pdr_position_equal(last->at, head->last))
        run_fail(r, "snapshot-is-a-prefix",
                 "the store's head of acct/%u at seq %" PRIu64 " names position %" PRId64 ", not %" PRId64,
                 (unsigned)e, head->seq, head->last.offset, last->at.offset);
    if (!ids_match(r, e, head->seq, head->ids))
        run_fail(r, "snapshot-is-a-prefix",
                 "the store's command ids of acct/%u at seq %" PRIu64 " aren't the log's", (unsigned)e,
                 head->seq);
    if (!head->state.data) return;
    uint32_t revision = head->revision == r->revision_hash[0] ? 1 : 2;
    bool fits = head->state_seq <= head->seq && model_boundary(r->model, e, head->state_seq) &&
                is_state(r, e, head->state_seq, revision, head->state);
    if (!fits)
        run_fail(r, "snapshot-is-a-prefix",
                 "the store's state of acct/%u at seq %" PRIu64 " isn't the fold of its events", (unsigned)e,
                 head->state_seq);
}

static void check_coverage(const heads_check *check, const pdr_partition_row *row)
{
    run *r = check->r;
    for (uint32_t e = 0; e < ENTITIES; e++) {
        if ((int32_t)(e % r->plan.partitions) != check->partition) continue;
        const model_event *next = model_at(r->model, e, check->seqs[e] + 1);
        if (next && next->commit_end <= row->checkpoint.offset)
            run_fail(r, "checkpoint-covers",
                     "acct/%u seq %" PRIu64 " counts at offset %" PRId64 ", before the checkpoint %" PRId64
                     ", and isn't in the store",
                     (unsigned)e, check->seqs[e] + 1, next->at.offset, row->checkpoint.offset);
    }
}

void check_store(run *r, int32_t partition)
{
    const pdr_partition_row *row = pdr_sim_store_row(r->world, partition);
    if (!model_knows(r->model, partition, row->checkpoint))
        run_fail(r, "checkpoint-covers",
                 "the checkpoint at offset %" PRId64
                 " of partition %d isn't a record in sequence outside an open commit",
                 row->checkpoint.offset, (int)partition);
    if (!model_knows(r->model, partition, row->seen))
        run_fail(r, "checkpoint-covers",
                 "`seen` at offset %" PRId64
                 " of partition %d isn't a record in sequence outside an open commit",
                 row->seen.offset, (int)partition);
    heads_check check = {.r = r, .partition = partition, .highest = -1};
    pdr_sim_store_heads(r->world, partition, check_head, &check);
    if (check.highest > row->seen.offset)
        run_fail(r, "checkpoint-covers",
                 "a head of partition %d rests on offset %" PRId64 ", beyond `seen` %" PRId64, (int)partition,
                 check.highest, row->seen.offset);
    check_coverage(&check, row);
}

/* --- A node has had its turn --- */

void check_owner(node *n, int32_t partition)
{
    run *r = n->run;
    const pdr_owner *owner = n->owners[partition];
    pdr_owner_state state = pdr_owner_state_of(owner);
    if (state == PDR_OWNER_FAILED)
        run_fail(r, "liveness", "node-%u partition %d stopped for good: %s", (unsigned)n->writer,
                 (int)partition, pdr_owner_error(owner)->message);
    /* The gauges walk over all entities: looked at on each change of state, and now and then. */
    if (state == n->shown[partition] && ++n->turns % 16) return;
    n->shown[partition] = state;
    pdr_owner_gauges gauges;
    pdr_owner_gauges_of(owner, &gauges);
    if (gauges.open_commands > r->plan.settings.max_commands || gauges.residents > ENTITIES)
        run_fail(r, "memory-bounded",
                 "node-%u partition %d holds %" PRIu64 " open commands and %" PRIu64 " entities",
                 (unsigned)n->writer, (int)partition, gauges.open_commands, gauges.residents);
    if (state != PDR_OWNER_SERVING) return;
    const model_fence *fence = model_fence_of(r->model, partition, gauges.term);
    if (!fence || fence->writer != n->writer)
        run_fail(r, "one-term-in-force",
                 "node-%u serves partition %d under term %" PRId64 ", which no FENCE of its own gave",
                 (unsigned)n->writer, (int)partition, gauges.term.offset);
    if (gauges.known_end >= pdr_sim_log_end(r->world, partition))
        run_fail(r, "acked-is-valid",
                 "node-%u knows of offset %" PRId64 " in partition %d; the log ends at %" PRId64,
                 (unsigned)n->writer, gauges.known_end, (int)partition, pdr_sim_log_end(r->world, partition));
}
