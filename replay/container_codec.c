/* The codecs of container files: zlib and snappy. */
#include <snappy-c.h>
#include <zlib.h>

#include "base/late.h"
#include "base/mem.h"
#include "replay/container.h"

enum { CRC_SIZE = 4, RAW_DEFLATE = -15, FIRST_ROOM = 4 };

bool pdr_container_codec_of(const char *name, pdr_container_codec *codec)
{
    static const pdr_container_codec all[] = {PDR_CODEC_NULL, PDR_CODEC_DEFLATE, PDR_CODEC_SNAPPY};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (strcmp(name, pdr_container_codec_name(all[i])) != 0) continue;
        *codec = all[i];
        return true;
    }
    return false;
}

const char *pdr_container_codec_name(pdr_container_codec codec)
{
    return codec == PDR_CODEC_NULL ? "null" : codec == PDR_CODEC_DEFLATE ? "deflate" : "snappy";
}

/* --- deflate --- */

/* zlib's memory is the tree's own, so that tests see each allocation fail. */
static void *zip_alloc(void *context, unsigned count, unsigned size)
{
    (void)context;
    return pdr_calloc(count, size);
}

static void zip_free(void *context, void *p)
{
    (void)context;
    pdr_free(p);
}

static pdr_code deflate_block(pdr_bytes raw, pdr_buf *out, pdr_error *err)
{
    z_stream z = {.zalloc = zip_alloc, .zfree = zip_free};
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, RAW_DEFLATE, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return pdr_fail(err, PDR_NOMEM, "deflating");
    size_t room = deflateBound(&z, (uLong)raw.size);
    pdr_code code = pdr_buf_reserve(out, room);
    if (code == PDR_OK) {
        z.next_in = (z_const Bytef *)(uintptr_t)raw.data;
        z.avail_in = (uInt)raw.size;
        z.next_out = out->data + out->size;
        z.avail_out = (uInt)room;
        int ended = deflate(&z, Z_FINISH);
        PDR_INVARIANT("deflate-bound", ended == Z_STREAM_END);
        out->size += room - z.avail_out;
    }
    (void)deflateEnd(&z);
    return code == PDR_OK ? PDR_OK : pdr_fail(err, code, "deflating %zu bytes", raw.size);
}

static pdr_code inflate_all(z_stream *z, pdr_buf *out, pdr_error *err)
{
    for (;;) {
        if (out->size == PDR_CONTAINER_MAX_BLOCK)
            return pdr_fail(err, PDR_BAD_DATA, "a block of more than %d bytes", PDR_CONTAINER_MAX_BLOCK);
        pdr_code code = pdr_buf_reserve(out, 1);
        if (code != PDR_OK) return pdr_fail(err, code, "inflating");
        z->next_out = out->data + out->size;
        size_t room = out->capacity - out->size, most = PDR_CONTAINER_MAX_BLOCK - out->size;
        z->avail_out = (uInt)(room < most ? room : most);
        uInt before = z->avail_out;
        int result = inflate(z, Z_NO_FLUSH);
        out->size += before - z->avail_out;
        if (result == Z_STREAM_END && z->avail_in == 0) return PDR_OK;
        if (result == Z_MEM_ERROR) return pdr_fail(err, PDR_NOMEM, "inflating");
        if (result != Z_OK || (z->avail_in == 0 && z->avail_out > 0))
            return pdr_fail(err, PDR_BAD_DATA, "its data don't inflate");
    }
}

static pdr_code inflate_block(pdr_bytes packed, pdr_buf *out, pdr_error *err)
{
    z_stream z = {.zalloc = zip_alloc,
                  .zfree = zip_free,
                  .next_in = (z_const Bytef *)(uintptr_t)packed.data,
                  .avail_in = (uInt)packed.size};
    if (inflateInit2(&z, RAW_DEFLATE) != Z_OK) return pdr_fail(err, PDR_NOMEM, "inflating");
    size_t likely = packed.size < PDR_CONTAINER_MAX_BLOCK / FIRST_ROOM ? FIRST_ROOM * packed.size : 0;
    pdr_code code = pdr_buf_reserve(out, likely);
    code = code == PDR_OK ? inflate_all(&z, out, err) : pdr_fail(err, code, "inflating");
    (void)inflateEnd(&z);
    return code;
}

/* --- snappy --- */

#define FUNCTIONS(X)                                                                                         \
    X(snappy_compress)                                                                                       \
    X(snappy_uncompress)                                                                                     \
    X(snappy_max_compressed_length)                                                                          \
    X(snappy_uncompressed_length)
PDR_LATE_LIBRARY(PDR_SNAPPY_FILE, FUNCTIONS);

static uint32_t crc_of(pdr_bytes bytes)
{
    return (uint32_t)crc32(0, bytes.data, (uInt)bytes.size);
}

static pdr_code snappy_block(pdr_bytes raw, pdr_buf *out, pdr_error *err)
{
    pdr_code code = pdr_late_load(&library, err);
    if (code != PDR_OK) return code;
    size_t room = late.snappy_max_compressed_length(raw.size);
    code = pdr_buf_reserve(out, room + CRC_SIZE);
    if (code != PDR_OK) return pdr_fail(err, code, "compressing %zu bytes", raw.size);
    snappy_status done =
        late.snappy_compress((const char *)raw.data, raw.size, (char *)out->data + out->size, &room);
    PDR_INVARIANT("snappy-bound", done == SNAPPY_OK);
    uint32_t crc = crc_of(raw);
    uint8_t *p = out->data + out->size + room;
    for (int i = 0; i < CRC_SIZE; i++)
        p[i] = (uint8_t)(crc >> (24 - 8 * i));
    out->size += room + CRC_SIZE;
    return PDR_OK;
}

static pdr_code unsnappy_block(pdr_bytes packed, pdr_buf *out, pdr_error *err)
{
    size_t size = 0;
    const char *data = (const char *)packed.data;
    pdr_code code = pdr_late_load(&library, err);
    if (code != PDR_OK) return code;
    if (packed.size <= CRC_SIZE ||
        late.snappy_uncompressed_length(data, packed.size - CRC_SIZE, &size) != SNAPPY_OK ||
        size > PDR_CONTAINER_MAX_BLOCK)
        return pdr_fail(err, PDR_BAD_DATA, "its data aren't snappy's");
    code = pdr_buf_reserve(out, size + 1);
    if (code != PDR_OK) return pdr_fail(err, code, "uncompressing %zu bytes", size);
    uint8_t *into = out->data + out->size;
    if (late.snappy_uncompress(data, packed.size - CRC_SIZE, (char *)into, &size) != SNAPPY_OK)
        return pdr_fail(err, PDR_BAD_DATA, "its data aren't snappy's");
    const uint8_t *p = packed.data + packed.size - CRC_SIZE;
    uint32_t crc = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    if (crc != crc_of(pdr_bytes_of(into, size)))
        return pdr_fail(err, PDR_BAD_DATA, "its checksum doesn't fit");
    out->size += size;
    return PDR_OK;
}

/* --- */

static pdr_code copy_block(pdr_bytes from, pdr_buf *out, pdr_error *err)
{
    pdr_code code = pdr_buf_append(out, from.data, from.size);
    return code == PDR_OK ? PDR_OK : pdr_fail(err, code, "a block of %zu bytes", from.size);
}

pdr_code pdr_container_pack(pdr_container_codec codec, pdr_bytes raw, pdr_buf *out, pdr_error *err)
{
    if (codec == PDR_CODEC_DEFLATE) return deflate_block(raw, out, err);
    if (codec == PDR_CODEC_SNAPPY) return snappy_block(raw, out, err);
    return copy_block(raw, out, err);
}

pdr_code pdr_container_unpack(pdr_container_codec codec, pdr_bytes packed, pdr_buf *out, pdr_error *err)
{
    if (codec == PDR_CODEC_DEFLATE) return inflate_block(packed, out, err);
    if (codec == PDR_CODEC_SNAPPY) return unsnappy_block(packed, out, err);
    return copy_block(packed, out, err);
}
