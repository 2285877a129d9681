/* The requests: made, asked, asked again elsewhere, settled. */
#include "tests/sim/run.h"

#include <stdio.h>
#include <stdlib.h>

enum { MS = 1000 };

static void ask(void *context, uint64_t value);
static void time_out(void *context, uint64_t value);

static uint32_t partition_of(const run *r, uint32_t entity)
{
    return entity % r->plan.partitions;
}

static void settle(request *q)
{
    if (q->settled) return;
    q->settled = true;
    q->run->settled++;
}

static void ask_again(request *q, int64_t delay_us)
{
    pdr_sim_world_at(q->run->world, delay_us, ask, q, 0);
}

/* Longer and longer, so that a crowd before one entity thins out. */
static int64_t short_while(const request *q)
{
    int64_t times = q->asks < 8 ? 1 + q->asks : 8;
    return times * (1 * MS + (int64_t)random_below(q->run, 30 * MS));
}

/* "... node-12 ..." in a NOT_OWNER's message: ask there next, or anywhere. */
static void follow(request *q, const pdr_error *error)
{
    run *r = q->run;
    const char *address = error ? strstr(error->message, "node-") : NULL;
    uint32_t writer = address ? (uint32_t)strtoul(address + 5, NULL, 10) : UINT32_MAX;
    if (writer < r->writers && !one_in(r, 4))
        q->hint = r->writer_of[writer].node;
    else
        q->hint = (uint32_t)random_below(r, r->plan.nodes);
}

/* --- Answers --- */

static bool is_final(pdr_code code)
{
    return code == PDR_OK || code == PDR_REFUSED || code == PDR_CONFLICT || code == PDR_ID_REUSED;
}

static void on_answer(void *context, const pdr_reply *reply)
{
    attempt *a = context;
    request *q = a->request;
    run *r = q->run;
    if (a->state != ATTEMPT_OPEN) { /* the process had crashed: nobody hears this */
        if (node_by_writer(r, a->writer))
            run_fail(r, "no-guess-escapes", "request %llu was answered twice", (unsigned long long)q->nonce);
        return;
    }
    pdr_sim_world_trace(r->world, "node-%u answers request %llu: %s seq %llu events %u%s %.*s",
                        (unsigned)a->writer, (unsigned long long)q->nonce, pdr_code_name(reply->code),
                        (unsigned long long)reply->seq, (unsigned)reply->events,
                        reply->repeated ? " repeated" : "", (int)reply->answer.size,
                        reply->answer.data ? (const char *)reply->answer.data : "");
    check_reply(a, reply);
    if (is_final(reply->code)) {
        a->state = reply->code == PDR_OK ? ATTEMPT_OK : ATTEMPT_FAILED;
        settle(q);
        return;
    }
    a->state = reply->code == PDR_UNKNOWN_OUTCOME ? ATTEMPT_UNKNOWN : ATTEMPT_FAILED;
    if (q->settled) return;
    if (reply->code == PDR_NOT_OWNER) follow(q, reply->error);
    if (a->state == ATTEMPT_FAILED || q->id_size)
        ask_again(q, short_while(q));
    else
        settle(q); /* without an id nobody may ask again */
}

uint32_t client_node_died(run *r, uint32_t writer)
{
    uint32_t open = 0;
    for (uint32_t i = 0; i < r->issued; i++) {
        request *q = &r->requests[i];
        for (attempt *a = q->attempts; a; a = a->next) {
            if (a->writer != writer || a->state != ATTEMPT_OPEN) continue;
            open++;
            a->state = ATTEMPT_UNKNOWN;
            if (q->settled) continue;
            if (q->id_size || q->kind == ASK_READ)
                ask_again(q, short_while(q));
            else
                settle(q);
        }
    }
    return open;
}

/* --- Asking --- */

static pdr_code encode_payload(const request *q, pdr_buf *out)
{
    sim_fact fact = {(int64_t)q->nonce, q->amount, q->parts, {q->note, q->note_size}};
    if (q->kind == ASK_READ) return PDR_OK;
    if (q->kind != ASK_APPEND) return sim_deposit_type.encode(&fact, out, NULL);
    pdr_append_event events[8];
    pdr_buf data = PDR_BUF_INIT(65536);
    size_t ends[9] = {0};
    pdr_code code = PDR_OK;
    for (int64_t part = 0; part < q->parts && code == PDR_OK; part++) {
        fact.parts = part;
        code = sim_credited_type.encode(&fact, &data, NULL);
        ends[part + 1] = data.size;
    }
    for (int64_t part = 0; part < q->parts; part++)
        events[part] = (pdr_append_event){&sim_credited_type,
                                          pdr_bytes_of(data.data + ends[part], ends[part + 1] - ends[part]),
                                          1700000000000000};
    if (code == PDR_OK) code = pdr_append_encode(events, (size_t)q->parts, out, NULL);
    pdr_buf_release(&data);
    return code;
}

static pdr_cmd *make_command(request *q, attempt *a)
{
    static const pdr_type *const types[] = {&sim_deposit_type, &sim_withdraw_type, &sim_touch_type, NULL,
                                            NULL};
    char key[8];
    snprintf(key, sizeof key, "acct/%u", (unsigned)q->entity);
    pdr_buf payload = PDR_BUF_INIT(65536);
    pdr_cmd *cmd = NULL;
    pdr_error err = {0};
    pdr_code code = encode_payload(q, &payload);
    pdr_cmd_spec spec = {
        .request = q->kind == ASK_READ     ? PDR_REQUEST_READ
                   : q->kind == ASK_APPEND ? PDR_REQUEST_APPEND
                                           : PDR_REQUEST_DECIDE,
        .stale_ok = q->stale_ok,
        .type = types[q->kind],
        .expected_seq = q->expected_seq,
        .key = pdr_string_of(key),
        .payload = pdr_buf_bytes(&payload),
        .id = pdr_bytes_of(q->id, q->id_size),
        .done = on_answer,
        .context = a,
    };
    if (code == PDR_OK) code = pdr_cmd_make(&cmd, &spec, &err);
    if (code != PDR_OK) run_fail(q->run, "liveness", "a command can't be made: %s", err.message);
    pdr_buf_release(&payload);
    return cmd;
}

static attempt *add_attempt(request *q, const node *n)
{
    attempt *a = pdr_arena_calloc(&q->run->arena, 1, sizeof *a);
    if (!a) abort();
    *a = (attempt){q->attempts, q, n->writer, n->revision, q->run->bars[q->entity], ATTEMPT_OPEN};
    q->attempts = a;
    return a;
}

static void on_refused_submit(request *q, const pdr_error *err)
{
    if (err->code == PDR_NOT_OWNER)
        follow(q, err);
    else if (err->code != PDR_BUSY && err->code != PDR_RECOVERING)
        run_fail(q->run, "liveness", "submit gave %s: %s", pdr_code_name(err->code), err->message);
    ask_again(q, short_while(q));
}

static void ask(void *context, uint64_t value)
{
    (void)value;
    request *q = context;
    run *r = q->run;
    if (q->settled) return;
    node *n = &r->nodes[q->hint];
    if (!n->alive || n->stalled) { /* it may come through later, or the client tries another node */
        if (one_in(r, 2)) q->hint = (uint32_t)random_below(r, r->plan.nodes);
        ask_again(q, short_while(q));
        return;
    }
    q->asks++;
    attempt *a = add_attempt(q, n);
    pdr_cmd *cmd = make_command(q, a);
    if (!cmd) return;
    if (q->asks > 1 && q->id_size) r->faults.retries++;
    pdr_error err = {0};
    pdr_code code = pdr_owner_submit(n->owners[partition_of(r, q->entity)], cmd, &err);
    pdr_sim_world_trace(r->world, "request %llu (kind %d, acct/%u, %lld x %lld, id %.*s) to node-%u: %s",
                        (unsigned long long)q->nonce, (int)q->kind, (unsigned)q->entity, (long long)q->parts,
                        (long long)q->amount, (int)q->id_size, q->id, (unsigned)n->writer,
                        pdr_code_name(code));
    if (code != PDR_OK) {
        a->state = ATTEMPT_FAILED;
        pdr_cmd_free(cmd);
        err.code = code;
        on_refused_submit(q, &err);
        return;
    }
    node_wake(n, 1 + (int64_t)random_below(r, 100));
    if (q->id_size || q->kind == ASK_READ)
        pdr_sim_world_at(r->world, 30 * MS + (int64_t)random_below(r, 300 * MS), time_out, q, q->asks);
}

/* No answer for long: ask with the same id, there or elsewhere, while the first is still open. */
static void time_out(void *context, uint64_t asks)
{
    request *q = context;
    if (q->settled || q->asks != asks) return;
    if (one_in(q->run, 2)) q->hint = (uint32_t)random_below(q->run, q->run->plan.nodes);
    ask(q, 0);
}

/* --- Making requests --- */

static void make_id(request *q)
{
    run *r = q->run;
    if (q->kind == ASK_READ || one_in(r, 4)) return;
    request *other = q->nonce > 1 && one_in(r, 25) ? &r->requests[random_below(r, q->nonce - 1)] : NULL;
    if (other && other->id_size && other->entity == q->entity) {
        memcpy(q->id, other->id, other->id_size);
        q->id_size = other->id_size;
        q->shared_id = other->shared_id = true;
        r->faults.reuses++;
        return;
    }
    q->id_size = (size_t)snprintf(q->id, sizeof q->id, "id-%llu", (unsigned long long)q->nonce);
}

static void make_request(run *r, request *q, uint32_t entity)
{
    uint64_t roll = random_below(r, 100);
    *q = (request){.run = r, .nonce = r->issued + 1, .entity = entity, .expected_seq = PDR_ANY_SEQ};
    q->kind = roll < 35   ? ASK_DEPOSIT
              : roll < 60 ? ASK_WITHDRAW
              : roll < 66 ? ASK_TOUCH
              : roll < 75 ? ASK_APPEND
                          : ASK_READ;
    q->amount = 1 + (int64_t)random_below(r, 60);
    q->parts = one_in(r, 3) ? 2 + (int64_t)random_below(r, 4) : 1;
    q->note_size = (size_t)random_below(r, sizeof q->note);
    memset(q->note, 'a' + (int)(q->nonce % 26), q->note_size);
    q->stale_ok = q->kind == ASK_READ && one_in(r, 4);
    if (q->kind != ASK_READ && one_in(r, 6))
        q->expected_seq = r->model->entities[entity].count + random_below(r, 3) / 2;
    make_id(q);
    q->hint =
        one_in(r, 10) ? (uint32_t)random_below(r, r->plan.nodes) : r->owner_hint[partition_of(r, entity)];
}

static uint32_t any_entity(run *r)
{
    return one_in(r, 3) ? 0 : (uint32_t)random_below(r, ENTITIES); /* acct/0 is hot */
}

static void next_requests(void *context, uint64_t value)
{
    (void)value;
    run *r = context;
    uint64_t burst = one_in(r, 5) ? 2 + random_below(r, 8) : 1;
    uint32_t entity = any_entity(r);
    for (uint32_t p = 0; p < r->plan.partitions; p++)
        if (one_in(r, 20)) r->owner_hint[p] = (uint32_t)random_below(r, r->plan.nodes);
    while (burst-- && r->issued < r->total) {
        request *q = &r->requests[r->issued];
        make_request(r, q, one_in(r, 3) ? any_entity(r) : entity);
        r->issued++;
        ask(q, 0);
    }
    if (r->issued < r->total)
        pdr_sim_world_at(r->world, 1 + (int64_t)random_below(r, (uint64_t)r->plan.gap_max_us), next_requests,
                         r, 0);
}

void client_start(run *r)
{
    r->total = r->plan.requests;
    pdr_sim_world_at(r->world, 1, next_requests, r, 0);
}

void client_last_reads(run *r)
{
    r->total += ENTITIES;
    for (uint32_t entity = 0; entity < ENTITIES; entity++) {
        request *q = &r->requests[r->issued];
        *q = (request){.run = r,
                       .kind = ASK_READ,
                       .nonce = r->issued + 1,
                       .entity = entity,
                       .expected_seq = PDR_ANY_SEQ,
                       .last_reads = true};
        r->issued++;
        ask(q, 0);
    }
}
