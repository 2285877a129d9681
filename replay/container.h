/* Avro object container files: a header with schema and metadata, then blocks of data, each compressed and
 * followed by the file's sync marker. Source: Apache Avro 1.11 specification, "Object Container Files". What
 * the data mean is not looked at here. */
#ifndef PDR_REPLAY_CONTAINER_H
#define PDR_REPLAY_CONTAINER_H

#include "perdure/bytes.h"

typedef enum pdr_container_codec {
    PDR_CODEC_NULL,
    PDR_CODEC_DEFLATE, /* RFC 1951, without a checksum */
    PDR_CODEC_SNAPPY   /* followed by the CRC-32 of the uncompressed bytes */
} pdr_container_codec;

enum {
    PDR_CONTAINER_SYNC = 16,                     /* bytes of the sync marker */
    PDR_CONTAINER_BLOCK = 64 * 1024,             /* bytes at which a writer ends a block */
    PDR_CONTAINER_MAX_BLOCK = 64 * 1024 * 1024,  /* ... that a reader takes, uncompressed as well */
    PDR_CONTAINER_MAX_HEADER = 16 * 1024 * 1024, /* ... of all metadata */
    PDR_CONTAINER_MAX_META = 1024                /* entries of metadata */
};

/* "null", "deflate", "snappy"; false: it is none of these. */
bool pdr_container_codec_of(const char *name, pdr_container_codec *codec);
const char *pdr_container_codec_name(pdr_container_codec codec);

/* --- codecs, for the two below --- */

/* Append `raw` compressed. PDR_NOMEM, PDR_TOO_LARGE. */
PDR_CHECKED pdr_code pdr_container_pack(pdr_container_codec codec, pdr_bytes raw, pdr_buf *out,
                                        pdr_error *err);
/* Append `packed` uncompressed; never more than PDR_CONTAINER_MAX_BLOCK, whatever it holds. PDR_BAD_DATA,
 * PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_container_unpack(pdr_container_codec codec, pdr_bytes packed, pdr_buf *out,
                                          pdr_error *err);

/* --- writing --- */

/* Where bytes go: whole or not at all, as far as the caller is concerned. */
typedef struct pdr_byte_sink {
    pdr_code (*write)(void *context, pdr_bytes bytes, pdr_error *err);
    void *context;
} pdr_byte_sink;

typedef struct pdr_container_meta {
    pdr_string key;
    pdr_bytes value;
} pdr_container_meta;

typedef struct pdr_container_writer pdr_container_writer; /* one thread */

/* Writes the header. `meta` besides the schema and the codec. The sync marker is a hash of the header, so
 * that the same data make the same file. PDR_NOMEM, what the sink gives. */
PDR_CHECKED pdr_code pdr_container_writer_open(pdr_container_writer **out, const pdr_byte_sink *sink,
                                               pdr_container_codec codec, pdr_string schema,
                                               const pdr_container_meta *meta, size_t count, pdr_error *err);
/* Add one datum of the schema. After a failure only close helps. */
PDR_CHECKED pdr_code pdr_container_put(pdr_container_writer *writer, pdr_bytes datum, pdr_error *err);
/* Writes what is left: the file is whole after this. */
PDR_CHECKED pdr_code pdr_container_finish(pdr_container_writer *writer, pdr_error *err);
void pdr_container_writer_close(pdr_container_writer *writer); /* NULL is fine */

/* --- reading --- */

/* Where bytes come from: up to `size` of them; *got 0 only at the end. */
typedef struct pdr_byte_source {
    pdr_code (*read)(void *context, void *into, size_t size, size_t *got, pdr_error *err);
    void *context;
} pdr_byte_source;

typedef struct pdr_container_reader pdr_container_reader; /* one thread */

/* Reads the header. PDR_INVALID_ARGUMENT: it isn't a container, or has a codec that isn't known.
 * PDR_BAD_DATA with the place: it is damaged or cut short. PDR_TOO_LARGE, PDR_NOMEM, what the source gives.
 */
PDR_CHECKED pdr_code pdr_container_reader_open(pdr_container_reader **out, const pdr_byte_source *source,
                                               pdr_error *err);
void pdr_container_reader_close(pdr_container_reader *reader); /* NULL is fine */
/* A value of the metadata, "avro.schema" among them; data NULL: there is none. Borrowed until close. */
pdr_bytes pdr_container_meta_of(const pdr_container_reader *reader, const char *key);
pdr_container_codec pdr_container_reader_codec(const pdr_container_reader *reader);
/* The next block's data, borrowed until the next call, and of how many objects; *count 0: the end. Errors as
 * above. */
PDR_CHECKED pdr_code pdr_container_next(pdr_container_reader *reader, pdr_bytes *block, uint64_t *count,
                                        pdr_error *err);
uint64_t pdr_container_offset(const pdr_container_reader *reader); /* bytes read of the file */

#endif
