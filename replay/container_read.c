#include <inttypes.h>

#include "base/mem.h"
#include "perdure/sys/wire.h"
#include "replay/container.h"

typedef struct entry {
    size_t key, key_size, value, value_size; /* in `header` */
} entry;

struct pdr_container_reader {
    pdr_byte_source source;
    pdr_container_codec codec;
    uint8_t sync[PDR_CONTAINER_SYNC];
    pdr_buf header; /* keys and values of the metadata */
    entry entries[PDR_CONTAINER_MAX_META];
    size_t entry_count;
    pdr_buf packed, raw;
    uint64_t offset;
    uint8_t ahead[64 * 1024]; /* [at, have) is read and not yet taken */
    size_t at, have;
};

/* --- bytes --- */

static pdr_code fill(pdr_container_reader *r, bool *ended, pdr_error *err)
{
    *ended = false;
    if (r->at < r->have) return PDR_OK;
    r->at = r->have = 0;
    pdr_code code = r->source.read(r->source.context, r->ahead, sizeof r->ahead, &r->have, err);
    *ended = code == PDR_OK && r->have == 0;
    return code;
}

static pdr_code cut_short(const pdr_container_reader *r, const char *what, pdr_error *err)
{
    return pdr_fail(err, PDR_BAD_DATA, "the file ends at byte %" PRIu64 ", inside %s", r->offset, what);
}

static pdr_code take(pdr_container_reader *r, uint8_t *into, size_t size, const char *what, pdr_error *err)
{
    while (size) {
        bool ended;
        pdr_code code = fill(r, &ended, err);
        if (code != PDR_OK) return code;
        if (ended) return cut_short(r, what, err);
        size_t some = r->have - r->at < size ? r->have - r->at : size;
        memcpy(into, r->ahead + r->at, some);
        r->at += some;
        r->offset += some;
        into += some;
        size -= some;
    }
    return PDR_OK;
}

/* Memory grows with what is there, not with what a damaged size says. */
static pdr_code take_into(pdr_container_reader *r, pdr_buf *out, size_t size, const char *what,
                          pdr_error *err)
{
    while (size) {
        size_t some = size < sizeof r->ahead ? size : sizeof r->ahead;
        pdr_code code = pdr_buf_reserve(out, some);
        if (code != PDR_OK) return pdr_fail(err, code, "reading %s of %zu bytes", what, size);
        code = take(r, out->data + out->size, some, what, err);
        if (code != PDR_OK) return code;
        out->size += some;
        size -= some;
    }
    return PDR_OK;
}

static pdr_code take_number(pdr_container_reader *r, int64_t *value, const char *what, pdr_error *err)
{
    uint8_t bytes[10];
    size_t size = 0;
    do {
        pdr_code code = take(r, &bytes[size], 1, what, err);
        if (code != PDR_OK) return code;
    } while (bytes[size++] & 0x80 && size < sizeof bytes);
    if (pdr_wire_get_long(bytes + size, bytes, value)) return PDR_OK;
    return pdr_fail(err, PDR_BAD_DATA, "byte %" PRIu64 ": %s isn't a number", r->offset, what);
}

static pdr_code take_size(pdr_container_reader *r, size_t *size, size_t most, const char *what,
                          pdr_error *err)
{
    int64_t value = 0;
    pdr_code code = take_number(r, &value, what, err);
    if (code != PDR_OK) return code;
    if (value < 0 || (uint64_t)value > most)
        return pdr_fail(err, PDR_BAD_DATA, "byte %" PRIu64 ": %s of %" PRId64 " bytes; at most %zu",
                        r->offset, what, value, most);
    *size = (size_t)value;
    return PDR_OK;
}

/* --- header --- */

static pdr_code take_text(pdr_container_reader *r, size_t *place, size_t *size, pdr_error *err)
{
    pdr_code code =
        take_size(r, size, PDR_CONTAINER_MAX_HEADER - r->header.size, "an entry of the header", err);
    *place = r->header.size;
    return code == PDR_OK ? take_into(r, &r->header, *size, "the header", err) : code;
}

static pdr_code take_entries(pdr_container_reader *r, int64_t count, pdr_error *err)
{
    for (int64_t i = 0; i < count; i++) {
        if (r->entry_count == PDR_CONTAINER_MAX_META)
            return pdr_fail(err, PDR_BAD_DATA, "the header has more than %d entries", PDR_CONTAINER_MAX_META);
        entry *e = &r->entries[r->entry_count];
        pdr_code code = take_text(r, &e->key, &e->key_size, err);
        if (code == PDR_OK) code = take_text(r, &e->value, &e->value_size, err);
        if (code != PDR_OK) return code;
        r->entry_count++;
    }
    return PDR_OK;
}

static pdr_code take_meta(pdr_container_reader *r, pdr_error *err)
{
    for (;;) {
        int64_t count = 0, size = 0;
        pdr_code code = take_number(r, &count, "the header", err);
        if (code == PDR_OK && count < 0) {
            if (count == INT64_MIN) count++; /* too many in any case */
            count = -count;
            code = take_number(r, &size, "the header", err);
        }
        if (code != PDR_OK || count == 0) return code;
        code = take_entries(r, count, err);
        if (code != PDR_OK) return code;
    }
}

static pdr_code take_codec(pdr_container_reader *r, pdr_error *err)
{
    char name[16] = "null";
    pdr_bytes codec = pdr_container_meta_of(r, "avro.codec");
    if (codec.data) {
        size_t size = codec.size < sizeof name ? codec.size : sizeof name - 1;
        memcpy(name, codec.data, size);
        name[size] = 0;
    }
    if (pdr_container_codec_of(name, &r->codec)) return PDR_OK;
    return pdr_fail(err, PDR_INVALID_ARGUMENT, "its codec is \"%s\"; known are null, deflate and snappy",
                    pdr_wire_utf8((const uint8_t *)name, strlen(name)) ? name : "?");
}

static pdr_code take_header(pdr_container_reader *r, pdr_error *err)
{
    uint8_t magic[4] = {0};
    pdr_error cut;
    pdr_code code = take(r, magic, sizeof magic, "the header", &cut);
    if (code != PDR_OK && code != PDR_BAD_DATA) {
        if (err) *err = cut;
        return code;
    }
    if (code != PDR_OK || memcmp(magic, "Obj\x01", 4) != 0)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "it isn't an Avro container file");
    code = take_meta(r, err);
    if (code == PDR_OK) code = take(r, r->sync, sizeof r->sync, "the header", err);
    return code == PDR_OK ? take_codec(r, err) : code;
}

pdr_code pdr_container_reader_open(pdr_container_reader **out, const pdr_byte_source *source, pdr_error *err)
{
    pdr_container_reader *r = pdr_calloc(1, sizeof *r);
    if (!r) return pdr_fail(err, PDR_NOMEM, "a container file");
    r->source = *source;
    r->header.max = PDR_CONTAINER_MAX_HEADER;
    r->packed.max = r->raw.max = 2 * PDR_CONTAINER_MAX_BLOCK;
    pdr_code code = take_header(r, err);
    if (code == PDR_OK)
        *out = r;
    else
        pdr_container_reader_close(r);
    return code;
}

void pdr_container_reader_close(pdr_container_reader *r)
{
    if (!r) return;
    pdr_buf_release(&r->header);
    pdr_buf_release(&r->packed);
    pdr_buf_release(&r->raw);
    pdr_free(r);
}

pdr_bytes pdr_container_meta_of(const pdr_container_reader *r, const char *key)
{
    size_t size = strlen(key);
    for (size_t i = 0; i < r->entry_count; i++) {
        const entry *e = &r->entries[i];
        if (e->key_size != size || memcmp(r->header.data + e->key, key, size) != 0) continue;
        return pdr_bytes_of(r->header.data + e->value, e->value_size);
    }
    return pdr_bytes_of(NULL, 0);
}

pdr_container_codec pdr_container_reader_codec(const pdr_container_reader *r)
{
    return r->codec;
}

uint64_t pdr_container_offset(const pdr_container_reader *r)
{
    return r->offset;
}

/* --- blocks --- */

static pdr_code take_block(pdr_container_reader *r, uint64_t *count, pdr_error *err)
{
    int64_t objects = 0;
    size_t size = 0;
    uint8_t sync[PDR_CONTAINER_SYNC];
    uint64_t begin = r->offset;
    pdr_code code = take_number(r, &objects, "a block", err);
    if (code == PDR_OK && objects <= 0)
        return pdr_fail(err, PDR_BAD_DATA, "byte %" PRIu64 ": a block of %" PRId64 " objects", begin,
                        objects);
    if (code == PDR_OK) code = take_size(r, &size, PDR_CONTAINER_MAX_BLOCK, "a block", err);
    if (code == PDR_OK) code = take_into(r, &r->packed, size, "a block", err);
    if (code == PDR_OK) code = take(r, sync, sizeof sync, "a block", err);
    if (code != PDR_OK) return code;
    if (memcmp(sync, r->sync, sizeof sync) != 0)
        return pdr_fail(err, PDR_BAD_DATA, "the block at byte %" PRIu64 " doesn't end with the sync marker",
                        begin);
    *count = (uint64_t)objects;
    code = pdr_container_unpack(r->codec, pdr_buf_bytes(&r->packed), &r->raw, err);
    return code == PDR_OK ? PDR_OK : pdr_fail_context(err, code, "the block at byte %" PRIu64, begin);
}

pdr_code pdr_container_next(pdr_container_reader *r, pdr_bytes *block, uint64_t *count, pdr_error *err)
{
    bool ended;
    *count = 0;
    *block = pdr_bytes_of(NULL, 0);
    pdr_buf_clear(&r->packed);
    pdr_buf_clear(&r->raw);
    pdr_code code = fill(r, &ended, err);
    if (code != PDR_OK || ended) return code;
    code = take_block(r, count, err);
    if (code == PDR_OK) *block = pdr_buf_bytes(&r->raw);
    return code;
}
