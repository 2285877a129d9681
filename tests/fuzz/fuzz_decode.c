/* Any bytes as a datum of any of the tests' types: refused, or a value that prints, encodes, and decodes to
 * the same bytes again. The first byte chooses the type. */
#include <stdio.h>
#include <stdlib.h>

#include "every.gen.h"
#include "small.gen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool truth, const char *claim, const char *type)
{
    if (truth) return;
    fprintf(stderr, "broken claim: %s: %s\n", type, claim);
    abort();
}

static const pdr_type *choose(unsigned byte)
{
    byte %= (unsigned)(EVERY_TYPE_COUNT + SMALL_TYPE_COUNT);
    return byte < EVERY_TYPE_COUNT ? every_types[byte] : small_types[byte - EVERY_TYPE_COUNT];
}

static void check_again(const pdr_type *type, pdr_bytes bytes, void *value, pdr_arena *arena)
{
    pdr_buf out = PDR_BUF_INIT(1 << 26);
    must(type->decode(bytes, arena, value, NULL) == PDR_OK, "what was encoded decodes", type->name);
    must(type->encode(value, &out, NULL) == PDR_OK, "what was decoded encodes", type->name);
    must(pdr_bytes_equal(pdr_buf_bytes(&out), bytes), "the bytes are the same again", type->name);
    pdr_buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    const pdr_type *type = choose(data[0]);
    pdr_arena arena = PDR_ARENA_INIT(1 << 22), second = PDR_ARENA_INIT(1 << 24);
    pdr_buf out = PDR_BUF_INIT(1 << 26), text = PDR_BUF_INIT(1 << 26);
    pdr_error err = {.message = ""};
    void *value = malloc(type->size);
    pdr_code code = type->decode(pdr_bytes_of(data + 1, size - 1), &arena, value, &err);
    if (code == PDR_OK) {
        must(type->print(value, &text) == PDR_OK, "what was decoded prints", type->name);
        must(type->encode(value, &out, &err) == PDR_OK, err.message, type->name);
        check_again(type, pdr_buf_bytes(&out), value, &second);
    } else {
        must(code == PDR_BAD_DATA || code == PDR_TOO_LARGE, "bad bytes are called bad data", type->name);
        must(err.code == code && err.message[0], "an error has a message", type->name);
    }
    free(value);
    pdr_buf_release(&out);
    pdr_buf_release(&text);
    pdr_arena_release(&arena);
    pdr_arena_release(&second);
    return 0;
}
