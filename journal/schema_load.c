#include "journal/schema_load.h"

#include "base/clock.h"
#include "journal/sleep.h"

enum { MAX_SLEEP_US = 10000 };

typedef struct reading {
    pdr_schema_book *book;
    bool done;
    pdr_code code;
    pdr_error *err;
} reading;

static void took(void *context, uint64_t tag, const pdr_store_result *result)
{
    reading *r = context;
    (void)tag;
    r->done = true;
    r->code = result->code;
    if (result->error && r->err) *r->err = *result->error;
    for (size_t i = 0; r->code == PDR_OK && i < result->schema_count; i++) {
        const pdr_schema_row *row = &result->schemas[i];
        pdr_string json = {(const char *)row->json.data, row->json.size};
        pdr_code code = pdr_schema_book_add(r->book, row->fingerprint, json, row->registry_id, r->err);
        if (code == PDR_NOMEM) r->code = code;
    }
}

static void wait_for(pdr_store *store, const reading *r, int64_t until)
{
    while (!r->done && pdr_mono_us() < until) {
        if (store->ops->poll(store) == 0) pdr_sleep_on(NULL, store, MAX_SLEEP_US);
    }
}

pdr_code pdr_schema_book_load(pdr_schema_book *book, pdr_store *store, int timeout_ms, pdr_error *err)
{
    reading r = {.book = book, .err = err};
    pdr_code code = store->ops->schemas(store, NULL, 0, took, &r, 0, err);
    if (code != PDR_OK) return code;
    wait_for(store, &r, pdr_deadline_us(timeout_ms));
    if (!r.done) store->ops->forget(store, &r);
    return r.done ? r.code
                  : pdr_fail(err, PDR_UNAVAILABLE, "the store's schemas could not be read within %d ms",
                             timeout_ms);
}
