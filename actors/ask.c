/* Blocking calls: a waiter, and with workers sleep, without them drive. */
#include <errno.h>
#include <sys/random.h>

#include "actors/shell.h"
#include "actors/waiter.h"
#include "base/mem.h"

static bool waiter_is_done(void *waiter)
{
    return pdr_waiter_is_done(waiter);
}

static bool wait_for(pdr_journal *journal, pdr_waiter *waiter, int timeout_ms)
{
    int64_t until = pdr_deadline_us(timeout_ms);
    if (journal->plan.workers) return pdr_waiter_sleep(waiter, until);
    return pdr_drive_until(journal, until, waiter_is_done, waiter);
}

/* The reply's code, with its error; the caller still holds the waiter. */
static pdr_code await(pdr_journal *journal, pdr_waiter *waiter, int timeout_ms, pdr_error *err)
{
    if (!wait_for(journal, waiter, timeout_ms))
        return pdr_fail(err, PDR_TIMEOUT, "no answer after %d ms", timeout_ms);
    pdr_code code = waiter->answered.code;
    if (code == PDR_OK) return code;
    if (waiter->error.code == PDR_OK) return pdr_fail(err, code, "%s", pdr_code_text(code));
    if (err) *err = waiter->error;
    return code;
}

static pdr_code draw_id(uint8_t id[PDR_ID_SIZE], pdr_error *err)
{
    ssize_t got;
    do {
        got = getrandom(id, PDR_ID_SIZE, 0);
    } while (got < 0 && errno == EINTR);
    return got == PDR_ID_SIZE ? PDR_OK
                              : pdr_fail_backend(err, PDR_UNAVAILABLE, errno, "no randomness for an id");
}

static pdr_code submit_ask(pdr_journal *journal, const pdr_request_spec *spec, pdr_waiter *waiter,
                           pdr_error *err)
{
    pdr_buf payload = PDR_BUF_INIT(PDR_MAX_EVENT);
    pdr_cmd_spec cmd;
    pdr_code code = pdr_cmd_spec_of(journal, &cmd, spec, &payload, err);
    if (code == PDR_OK) code = pdr_submit_waiting(journal, &cmd, waiter, err);
    pdr_buf_release(&payload);
    return code;
}

static pdr_code ask(pdr_journal *journal, const pdr_request_spec *spec, int timeout_ms, pdr_answered *answer,
                    pdr_error *err)
{
    pdr_waiter *waiter;
    pdr_code code = pdr_waiter_open(&waiter, err);
    if (code != PDR_OK) return code;
    code = submit_ask(journal, spec, waiter, err);
    if (code != PDR_OK) {
        pdr_waiter_let_go(waiter); /* no completion will */
    } else {
        code = await(journal, waiter, timeout_ms, err);
        if (code != PDR_TIMEOUT || pdr_waiter_is_done(waiter)) *answer = waiter->answered;
    }
    pdr_waiter_let_go(waiter);
    return code;
}

static void keep_id(pdr_answered *answer, pdr_bytes id)
{
    answer->id_size = id.size <= sizeof answer->id ? id.size : 0;
    if (answer->id_size) memcpy(answer->id, id.data, answer->id_size);
}

pdr_code pdr_ask(pdr_journal *journal, const pdr_request_spec *spec, int timeout_ms, pdr_answered *answer,
                 pdr_error *err)
{
    pdr_answered ignored;
    if (!answer) answer = &ignored;
    memset(answer, 0, sizeof *answer);
    answer->position = PDR_POSITION_START;
    pdr_code code = pdr_guard_block(journal, err);
    if (code != PDR_OK) return answer->code = code;
    if (spec) {
        pdr_request_spec with_id = *spec;
        uint8_t id[PDR_ID_SIZE];
        if (!with_id.id.size) {
            code = draw_id(id, err);
            with_id.id = pdr_bytes_of(id, sizeof id);
        }
        if (code == PDR_OK) code = ask(journal, &with_id, timeout_ms, answer, err);
        code = pdr_name_owner(journal, spec->entity, timeout_ms, code, err);
        keep_id(answer, with_id.id);
    } else {
        code = pdr_fail(err, PDR_INVALID_ARGUMENT, "no spec");
    }
    pdr_guard_unblock(journal);
    return answer->code = code;
}

/* Of others, a time limit for one, nobody knows which events they rest on. */
static bool is_answer(pdr_code code)
{
    return code == PDR_OK || code == PDR_REFUSED || code == PDR_CONFLICT;
}

static pdr_code write_token(const pdr_journal *journal, pdr_string entity, int32_t partition, int64_t offset,
                            char *out, pdr_error *err)
{
    pdr_view_token token;
    pdr_view_token_of(&token, journal->id, entity, partition, offset);
    return pdr_view_token_write(out, &token, err);
}

pdr_code pdr_answered_token(const pdr_journal *journal, pdr_string entity, const pdr_answered *answer,
                            char out[PDR_VIEW_TOKEN_SIZE], pdr_error *err)
{
    out[0] = '\0';
    if (!journal || !answer || !entity.size || !is_answer(answer->code))
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "no answer");
    return write_token(journal, entity, answer->partition, answer->position.offset, out, err);
}

pdr_code pdr_reply_token(const pdr_journal *journal, pdr_string entity, const pdr_reply *reply,
                         char out[PDR_VIEW_TOKEN_SIZE], pdr_error *err)
{
    out[0] = '\0';
    if (!journal || !reply || !entity.size || !is_answer(reply->code))
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "no reply");
    return write_token(journal, entity, reply->partition, reply->position.offset, out, err);
}

/* Decoded values borrow from their bytes: these move into the arena first. */
static pdr_code unpack(const pdr_entity_type *type, const pdr_waiter *waiter, pdr_arena *arena, void *state,
                       pdr_error *err)
{
    if (!waiter->has_state) {
        type->state->init(state);
        return PDR_OK;
    }
    pdr_bytes packed = pdr_arena_bytes(arena, pdr_buf_bytes(&waiter->state));
    if (!packed.data) return pdr_fail(err, PDR_NOMEM, "a state of %zu bytes", waiter->state.size);
    return type->state->decode(packed, arena, state, err);
}

static pdr_code read_state(pdr_journal *journal, const pdr_entity_type *type, pdr_cmd_spec *cmd,
                           int timeout_ms, pdr_arena *arena, void *state, uint64_t *seq, pdr_error *err)
{
    pdr_waiter *waiter;
    pdr_code code = pdr_waiter_open(&waiter, err);
    if (code != PDR_OK) return code;
    code = pdr_submit_waiting(journal, cmd, waiter, err);
    if (code != PDR_OK)
        pdr_waiter_let_go(waiter);
    else
        code = await(journal, waiter, timeout_ms, err);
    if (code == PDR_OK) code = unpack(type, waiter, arena, state, err);
    if (code == PDR_OK && seq) *seq = waiter->answered.seq;
    pdr_waiter_let_go(waiter);
    return code;
}

pdr_code pdr_read_state(pdr_journal *journal, const char *entity, bool stale_ok, int timeout_ms,
                        pdr_arena *arena, void *state, uint64_t *seq, pdr_error *err)
{
    pdr_code code = pdr_guard_block(journal, err);
    if (code != PDR_OK) return code;
    pdr_cmd_spec cmd = {.request = PDR_REQUEST_READ,
                        .stale_ok = stale_ok,
                        .expected_seq = PDR_ANY_SEQ,
                        .key = pdr_string_of(entity)};
    const pdr_entity_type *type = entity ? pdr_entity_type_of(journal->plan.app, cmd.key) : NULL;
    if (!entity || !arena || !state)
        code = pdr_fail(err, PDR_INVALID_ARGUMENT, "entity, arena or state is NULL");
    else if (!type)
        code = pdr_fail(err, PDR_UNKNOWN_TYPE, "\"%.100s\": the application declares no entity type for it",
                        entity);
    else
        code = pdr_name_owner(journal, cmd.key, timeout_ms,
                              read_state(journal, type, &cmd, timeout_ms, arena, state, seq, err), err);
    pdr_guard_unblock(journal);
    return code;
}
