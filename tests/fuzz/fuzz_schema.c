/* Any text as a schema: it is refused, or its whole form is a schema with the same fingerprint. */
#include <stdio.h>
#include <stdlib.h>

#include "schemas/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool truth, const char *claim)
{
    if (truth) return;
    fprintf(stderr, "broken claim: %s\n", claim);
    abort();
}

static void check_whole(const pdr_schema *root, uint64_t fingerprint)
{
    pdr_schema_set *again = NULL;
    pdr_buf whole = PDR_BUF_INIT(PDR_SCHEMA_MAX_TEXT);
    uint64_t after = 0;
    if (pdr_schema_write(root, &whole, NULL) == PDR_OK) {
        pdr_string text = {(const char *)whole.data, whole.size};
        pdr_error err = {.message = ""};
        must(pdr_schema_read(&again, "whole", text, &err) == PDR_OK, err.message);
        must(pdr_schema_fingerprint(&after, pdr_schema_set_root(again, 0), NULL) == PDR_OK,
             "it has a fingerprint");
        must(after == fingerprint, "the whole form has the same fingerprint");
        pdr_schema_set_close(again);
    }
    pdr_buf_release(&whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pdr_schema_set *set = NULL;
    pdr_string text = {(const char *)data, size};
    pdr_error err = {.message = ""};
    uint64_t fingerprint = 0;
    pdr_code code = pdr_schema_read(&set, "fuzz.avsc", text, &err);
    if (code != PDR_OK) {
        must(err.code == code && err.message[0], "an error has a message");
        return 0;
    }
    const pdr_schema *root = pdr_schema_set_root(set, 0);
    if (pdr_schema_fingerprint(&fingerprint, root, NULL) == PDR_OK) check_whole(root, fingerprint);
    pdr_schema_set_close(set);
    return 0;
}
