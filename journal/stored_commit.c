#include "journal/stored_commit.h"

#include "base/varint.h"

/* Bytes of one process, never stored. Fingerprint, consumed offset, consumed partition, flags, size of the
 * reply; the reply; the events. */
enum { HEAD = 3 * sizeof(uint64_t) + 2, HAS_REPLY = 1, HAS_CONSUMED = 2 };

pdr_code pdr_stored_commit_encode(const pdr_stored_commit *commit, pdr_buf *out, pdr_error *err)
{
    uint8_t head[HEAD];
    if (commit->reply.size > PDR_MAX_REPLY)
        return pdr_fail(err, PDR_TOO_LARGE, "a reply of %zu bytes; at most %d", commit->reply.size,
                        PDR_MAX_REPLY);
    uint8_t *p = pdr_put_u64(head, commit->fingerprint);
    p = pdr_put_u64(p, (uint64_t)commit->consumed_offset);
    p = pdr_put_u64(p, (uint64_t)commit->consumed_partition);
    *p++ = (uint8_t)((commit->has_reply ? HAS_REPLY : 0) | (commit->has_consumed ? HAS_CONSUMED : 0));
    *p = (uint8_t)commit->reply.size;
    pdr_code code = pdr_buf_append(out, head, sizeof head);
    if (code == PDR_OK) code = pdr_buf_append(out, commit->reply.data, commit->reply.size);
    if (code != PDR_OK) return pdr_fail(err, code, "an import of %zu events", commit->count);
    return pdr_append_encode(commit->events, commit->count, out, err);
}

void pdr_stored_commit_decode(pdr_bytes payload, pdr_stored_commit *commit, pdr_bytes *events)
{
    const uint8_t *p = payload.data;
    uint8_t flags = p[HEAD - 2], reply = p[HEAD - 1];
    *commit = (pdr_stored_commit){.fingerprint = pdr_load_u64(p),
                                  .has_reply = flags & HAS_REPLY,
                                  .reply = {p + HEAD, reply},
                                  .has_consumed = flags & HAS_CONSUMED,
                                  .consumed_partition = (int32_t)pdr_load_u64(p + 16),
                                  .consumed_offset = (int64_t)pdr_load_u64(p + 8)};
    *events = pdr_bytes_of(p + HEAD + reply, payload.size - HEAD - reply);
}

uint64_t pdr_stored_commit_fingerprint(pdr_bytes payload)
{
    return pdr_load_u64(payload.data);
}
