/* Tokens as text: 36 bytes in base64url, which is 48 characters without padding. */
#include "perdure/token.h"

#include "base/sha256.h"
#include "journal/log.h"

enum { VERSION = 1, SIZE = 36, PARTITION_AT = 1, JOURNAL_AT = 4, OFFSET_AT = 20, ENTITY_AT = 28 };

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void pdr_view_token_of(pdr_view_token *out, const uint8_t journal_id[16], pdr_string entity,
                       int32_t partition, int64_t offset)
{
    uint8_t hash[PDR_SHA256_SIZE];
    pdr_sha256(hash, pdr_bytes_of(entity.data, entity.size));
    *out = (pdr_view_token){.partition = partition, .offset = offset};
    memcpy(out->journal_id, journal_id, sizeof out->journal_id);
    memcpy(out->entity, hash, sizeof out->entity);
}

static bool is_possible(const pdr_view_token *token)
{
    return token->partition >= 0 && token->partition < PDR_LOG_MAX_PARTITIONS && token->offset >= -1;
}

static void put(uint8_t *at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)(value >> 8 * (size - 1 - i));
}

static uint64_t get(const uint8_t *at, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | at[i];
    return value;
}

pdr_code pdr_view_token_write(char out[PDR_VIEW_TOKEN_SIZE], const pdr_view_token *token, pdr_error *err)
{
    uint8_t bytes[SIZE] = {VERSION};
    out[0] = '\0';
    if (!is_possible(token))
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "there is no partition %d or no offset %lld",
                        (int)token->partition, (long long)token->offset);
    put(bytes + PARTITION_AT, (uint64_t)token->partition, 3);
    memcpy(bytes + JOURNAL_AT, token->journal_id, sizeof token->journal_id);
    put(bytes + OFFSET_AT, (uint64_t)token->offset, 8);
    memcpy(bytes + ENTITY_AT, token->entity, sizeof token->entity);
    for (size_t i = 0; i < SIZE / 3; i++) {
        uint64_t group = get(bytes + 3 * i, 3);
        for (size_t j = 0; j < 4; j++)
            out[4 * i + j] = letters[group >> (18 - 6 * j) & 63];
    }
    out[PDR_VIEW_TOKEN_SIZE - 1] = '\0';
    return PDR_OK;
}

static bool read_bytes(uint8_t out[SIZE], pdr_string text)
{
    if (text.size != PDR_VIEW_TOKEN_SIZE - 1) return false;
    for (size_t i = 0; i < SIZE / 3; i++) {
        uint64_t group = 0;
        for (size_t j = 0; j < 4; j++) {
            const char *letter = memchr(letters, text.data[4 * i + j], sizeof letters - 1);
            if (!letter) return false;
            group = group << 6 | (uint64_t)(letter - letters);
        }
        put(out + 3 * i, group, 3);
    }
    return true;
}

pdr_code pdr_view_token_read(pdr_view_token *out, pdr_string text, pdr_error *err)
{
    uint8_t bytes[SIZE];
    memset(out, 0, sizeof *out);
    /* Later versions may be longer; their first byte stays where it is. */
    const char *first = text.size >= 2 ? memchr(letters, text.data[0], sizeof letters - 1) : NULL;
    const char *second = text.size >= 2 ? memchr(letters, text.data[1], sizeof letters - 1) : NULL;
    unsigned version = first && second ? (unsigned)((first - letters) << 2 | (second - letters) >> 4) : 0;
    if (text.size <= 512 && version > VERSION && version < 32)
        return pdr_fail(err, PDR_TOO_NEW, "the token is of version %u; this is version %d", version, VERSION);
    if (version != VERSION || !read_bytes(bytes, text)) return pdr_fail(err, PDR_BAD_DATA, "not a token");
    out->partition = (int32_t)get(bytes + PARTITION_AT, 3);
    memcpy(out->journal_id, bytes + JOURNAL_AT, sizeof out->journal_id);
    out->offset = (int64_t)get(bytes + OFFSET_AT, 8);
    memcpy(out->entity, bytes + ENTITY_AT, sizeof out->entity);
    return is_possible(out) ? PDR_OK : pdr_fail(err, PDR_BAD_DATA, "not a token");
}
