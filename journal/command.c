#include "journal/command.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/mem.h"
#include "base/spare.h"
#include "base/varint.h"
#include "journal/stored_commit.h"
#include "perdure/sys/wire.h"

uint64_t pdr_key_hash(pdr_bytes key)
{
    return XXH3_64bits(key.data, key.size);
}

static pdr_code check_spec(const pdr_cmd_spec *spec, pdr_error *err)
{
    if (!spec->key.data || spec->key.size == 0)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "the entity id is empty");
    if (spec->key.size > PDR_MAX_ENTITY_ID)
        return pdr_fail(err, PDR_TOO_LARGE, "the entity id has %zu bytes; at most %d", spec->key.size,
                        PDR_MAX_ENTITY_ID);
    if (!pdr_wire_utf8((const uint8_t *)spec->key.data, spec->key.size) ||
        memchr(spec->key.data, 0, spec->key.size))
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "the entity id isn't UTF-8 without NUL");
    if (spec->id.size > PDR_MAX_COMMAND_ID)
        return pdr_fail(err, PDR_TOO_LARGE, "the command id has %zu bytes; at most %d", spec->id.size,
                        PDR_MAX_COMMAND_ID);
    if (spec->correlation.size > PDR_MAX_CORRELATION || spec->causation.size > PDR_MAX_CORRELATION)
        return pdr_fail(err, PDR_TOO_LARGE, "a correlation or causation id has more than %d bytes",
                        PDR_MAX_CORRELATION);
    if (spec->trace.size > 255)
        return pdr_fail(err, PDR_TOO_LARGE, "the traceparent has more than 255 bytes");
    if (spec->request == PDR_REQUEST_DECIDE && spec->payload.size > PDR_MAX_EVENT)
        return pdr_fail(err, PDR_TOO_LARGE, "the command has %zu bytes; at most %d", spec->payload.size,
                        PDR_MAX_EVENT);
    if (spec->request == PDR_REQUEST_APPEND && spec->payload.size > PDR_MAX_APPEND)
        return pdr_fail(err, PDR_TOO_LARGE, "the events have %zu bytes together; at most %d",
                        spec->payload.size, PDR_MAX_APPEND);
    if (spec->request == PDR_REQUEST_IMPORT && spec->payload.size > PDR_MAX_IMPORT)
        return pdr_fail(err, PDR_TOO_LARGE, "the commit has %zu bytes; at most %d", spec->payload.size,
                        PDR_MAX_IMPORT);
    return PDR_OK;
}

static uint8_t *put(uint8_t *p, const void *data, size_t size)
{
    if (size) memcpy(p, data, size);
    return p + size;
}

_Static_assert(PDR_MAX_ENTITY_ID <= UINT16_MAX && PDR_MAX_COMMAND_ID <= UINT8_MAX &&
                   PDR_MAX_CORRELATION <= UINT8_MAX && PDR_MAX_APPEND <= UINT32_MAX &&
                   PDR_MAX_IMPORT <= UINT32_MAX && PDR_MAX_EVENT <= UINT32_MAX && PDR_CODE_COUNT <= UINT8_MAX,
               "what was checked fits into a command");

static size_t size_of(const pdr_cmd *cmd)
{
    return sizeof *cmd + cmd->key_size + cmd->id_size + cmd->correlation_size + cmd->causation_size +
           cmd->trace_size + cmd->payload_size;
}

/* A command is the same command if types and bytes are: what an id's second use is compared with. The event
 * times of an append are left out, since a retry may draw them anew. */
static uint64_t fingerprint_of(const pdr_cmd *cmd)
{
    uint64_t hash = (uint64_t)cmd->request ^ (cmd->type ? cmd->type->fingerprint : 0);
    pdr_bytes payload = pdr_cmd_payload(cmd);
    if (cmd->request == PDR_REQUEST_IMPORT) return pdr_stored_commit_fingerprint(payload);
    if (cmd->request != PDR_REQUEST_APPEND) return XXH3_64bits_withSeed(payload.data, payload.size, hash);
    pdr_append_event event;
    for (size_t at = 0; pdr_append_next(payload, &at, &event);)
        hash = XXH3_64bits_withSeed(event.datum.data, event.datum.size, hash ^ event.type->fingerprint);
    return hash;
}

/* Its sizes were checked. */
static void fill(pdr_cmd *cmd, const pdr_cmd_spec *spec)
{
    memset(cmd, 0, sizeof *cmd);
    cmd->done = spec->done;
    cmd->context = spec->context;
    cmd->type = spec->type;
    cmd->expected_seq = spec->expected_seq;
    cmd->payload_size = (uint32_t)spec->payload.size;
    cmd->key_size = (uint16_t)spec->key.size;
    cmd->id_size = (uint8_t)spec->id.size;
    cmd->correlation_size = (uint8_t)spec->correlation.size;
    cmd->causation_size = (uint8_t)spec->causation.size;
    cmd->trace_size = (uint8_t)spec->trace.size;
    cmd->request = (uint8_t)spec->request;
    cmd->stale_ok = spec->stale_ok;
    cmd->traced = spec->trace.data != NULL;
    uint8_t *p = put(cmd->bytes, spec->key.data, spec->key.size);
    p = put(p, spec->id.data, spec->id.size);
    p = put(p, spec->correlation.data, spec->correlation.size);
    p = put(p, spec->causation.data, spec->causation.size);
    p = put(p, spec->trace.data, spec->trace.size);
    put(p, spec->payload.data, spec->payload.size);
    cmd->key_hash = pdr_key_hash(pdr_cmd_key(cmd));
    if (cmd->id_size) cmd->fingerprint = fingerprint_of(cmd);
}

pdr_code pdr_cmd_make(pdr_cmd **out, const pdr_cmd_spec *spec, pdr_error *err)
{
    pdr_code code = check_spec(spec, err);
    if (code != PDR_OK) return code;
    size_t bytes = sizeof(pdr_cmd) + spec->key.size + spec->payload.size + spec->id.size +
                   spec->correlation.size + spec->causation.size + spec->trace.size;
    pdr_cmd *cmd = pdr_spare_take(bytes);
    if (!cmd) return pdr_fail(err, PDR_NOMEM, "a command of %zu bytes", bytes);
    fill(cmd, spec);
    *out = cmd;
    return PDR_OK;
}

void pdr_cmd_forget_answer(pdr_cmd *cmd)
{
    pdr_free((void *)(uintptr_t)cmd->answer.data.data);
    pdr_free(cmd->answer.error);
    memset(&cmd->answer, 0, sizeof cmd->answer);
}

void pdr_cmd_free(pdr_cmd *cmd)
{
    if (!cmd) return;
    pdr_cmd_forget_answer(cmd);
    pdr_spare_give(cmd, size_of(cmd));
}

/* Bytes of one process, never stored: pointers are fine. */
pdr_code pdr_append_encode(const pdr_append_event *events, size_t count, pdr_buf *out, pdr_error *err)
{
    if (count == 0 || count > PDR_MAX_EVENTS_PER_COMMIT)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "an append has %zu events; 1 to %d", count,
                        PDR_MAX_EVENTS_PER_COMMIT);
    for (size_t i = 0; i < count; i++) {
        const pdr_append_event *e = &events[i];
        if (e->datum.size > PDR_MAX_EVENT)
            return pdr_fail(err, PDR_TOO_LARGE, "event %zu has %zu bytes; at most %d", i, e->datum.size,
                            PDR_MAX_EVENT);
        uint8_t head[3 * sizeof(uint64_t)];
        uint8_t *p = pdr_put_u64(head, (uint64_t)(uintptr_t)e->type);
        p = pdr_put_u64(pdr_put_u64(p, (uint64_t)e->time_us), e->datum.size);
        pdr_code code = pdr_buf_append(out, head, (size_t)(p - head));
        if (code == PDR_OK) code = pdr_buf_append(out, e->datum.data, e->datum.size);
        if (code != PDR_OK) return pdr_fail(err, code, "an append of %zu events", count);
    }
    return PDR_OK;
}

bool pdr_append_next(pdr_bytes payload, size_t *at, pdr_append_event *event)
{
    if (*at >= payload.size) return false;
    const uint8_t *p = payload.data + *at;
    event->type = (const pdr_type *)(uintptr_t)pdr_load_u64(p);
    event->time_us = (int64_t)pdr_load_u64(p + 8);
    size_t size = (size_t)pdr_load_u64(p + 16);
    event->datum = pdr_bytes_of(p + 24, size);
    *at += 24 + size;
    return true;
}
