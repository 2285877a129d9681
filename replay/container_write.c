#include "base/mem.h"
#include "base/sha256.h"
#include "perdure/sys/wire.h"
#include "replay/container.h"

enum { BLOCK_HEAD = 64, MAX_PACKED = 2 * PDR_CONTAINER_MAX_BLOCK };

struct pdr_container_writer {
    pdr_byte_sink sink;
    pdr_container_codec codec;
    uint8_t sync[PDR_CONTAINER_SYNC];
    pdr_buf raw, packed;
    uint64_t count; /* objects in `raw` */
};

static pdr_code put_number(pdr_buf *out, int64_t value)
{
    pdr_code code = pdr_buf_reserve(out, 10 + PDR_WIRE_SLACK);
    if (code == PDR_OK) out->size = (size_t)(pdr_wire_put_long(out->data + out->size, value) - out->data);
    return code;
}

static pdr_code put_bytes(pdr_buf *out, const void *data, size_t size)
{
    pdr_code code = put_number(out, (int64_t)size);
    return code == PDR_OK ? pdr_buf_append(out, data, size) : code;
}

static pdr_code put_meta(pdr_buf *out, const char *key, size_t key_size, pdr_bytes value)
{
    pdr_code code = put_bytes(out, key, key_size);
    return code == PDR_OK ? put_bytes(out, value.data, value.size) : code;
}

static pdr_code put_header(pdr_container_writer *w, pdr_string schema, const pdr_container_meta *meta,
                           size_t count)
{
    const char *codec = pdr_container_codec_name(w->codec);
    pdr_buf *out = &w->raw;
    pdr_code code = pdr_buf_append(out, "Obj\x01", 4);
    if (code == PDR_OK) code = put_number(out, (int64_t)count + 2);
    if (code == PDR_OK) code = put_meta(out, "avro.schema", 11, pdr_bytes_of(schema.data, schema.size));
    if (code == PDR_OK) code = put_meta(out, "avro.codec", 10, pdr_bytes_of(codec, strlen(codec)));
    for (size_t i = 0; code == PDR_OK && i < count; i++)
        code = put_meta(out, meta[i].key.data, meta[i].key.size, meta[i].value);
    if (code == PDR_OK) code = put_number(out, 0);
    if (code != PDR_OK) return code;
    uint8_t hash[PDR_SHA256_SIZE];
    pdr_sha256(hash, pdr_buf_bytes(out));
    memcpy(w->sync, hash, sizeof w->sync);
    return pdr_buf_append(out, w->sync, sizeof w->sync);
}

pdr_code pdr_container_writer_open(pdr_container_writer **out, const pdr_byte_sink *sink,
                                   pdr_container_codec codec, pdr_string schema,
                                   const pdr_container_meta *meta, size_t count, pdr_error *err)
{
    pdr_container_writer *w = pdr_calloc(1, sizeof *w);
    if (!w) return pdr_fail(err, PDR_NOMEM, "a container file");
    *w = (pdr_container_writer){.sink = *sink,
                                .codec = codec,
                                .raw = PDR_BUF_INIT(PDR_CONTAINER_MAX_BLOCK),
                                .packed = PDR_BUF_INIT(MAX_PACKED)};
    pdr_code code = put_header(w, schema, meta, count);
    if (code != PDR_OK) code = pdr_fail(err, code, "the header of a container file");
    if (code == PDR_OK) code = sink->write(sink->context, pdr_buf_bytes(&w->raw), err);
    pdr_buf_clear(&w->raw);
    if (code == PDR_OK)
        *out = w;
    else
        pdr_container_writer_close(w);
    return code;
}

void pdr_container_writer_close(pdr_container_writer *w)
{
    if (!w) return;
    pdr_buf_release(&w->raw);
    pdr_buf_release(&w->packed);
    pdr_free(w);
}

/* The size of the packed data stands before them: their place is kept free, and what isn't needed of it is
 * left out. */
static pdr_code end_block(pdr_container_writer *w, pdr_error *err)
{
    static const uint8_t room[BLOCK_HEAD];
    uint8_t head[BLOCK_HEAD];
    pdr_buf_clear(&w->packed);
    pdr_code code = pdr_buf_append(&w->packed, room, sizeof room);
    if (code != PDR_OK) return pdr_fail(err, code, "a block of a container file");
    code = pdr_container_pack(w->codec, pdr_buf_bytes(&w->raw), &w->packed, err);
    if (code != PDR_OK) return code;
    uint8_t *p = pdr_wire_put_long(head, (int64_t)w->count);
    p = pdr_wire_put_long(p, (int64_t)(w->packed.size - BLOCK_HEAD));
    size_t used = (size_t)(p - head);
    code = pdr_buf_append(&w->packed, w->sync, sizeof w->sync);
    if (code != PDR_OK) return pdr_fail(err, code, "a block of a container file");
    memcpy(w->packed.data + BLOCK_HEAD - used, head, used);
    pdr_bytes block = pdr_bytes_of(w->packed.data + BLOCK_HEAD - used, w->packed.size - BLOCK_HEAD + used);
    pdr_buf_clear(&w->raw);
    w->count = 0;
    return w->sink.write(w->sink.context, block, err);
}

pdr_code pdr_container_put(pdr_container_writer *w, pdr_bytes datum, pdr_error *err)
{
    pdr_code code = pdr_buf_append(&w->raw, datum.data, datum.size);
    if (code != PDR_OK) return pdr_fail(err, code, "an object of %zu bytes", datum.size);
    w->count++;
    return w->raw.size >= PDR_CONTAINER_BLOCK ? end_block(w, err) : PDR_OK;
}

pdr_code pdr_container_finish(pdr_container_writer *w, pdr_error *err)
{
    return w->count ? end_block(w, err) : PDR_OK;
}
