/* The store: is it there, is it this log's, how far behind the log are its checkpoints, and does today's code
 * read what it knows of schemas. */
#include <inttypes.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/doctor.h"
#include "journal/log_id.h"
#include "journal/schema_load.h"
#include "journal/sleep.h"
#include "schemas/framing.h"

enum { MAX_SLEEP_US = 50000 };

/* --- rows --- */

typedef struct answer {
    bool done;
    pdr_error error;
    pdr_partition_row row;
} answer;

static void took_row(void *context, uint64_t tag, const pdr_store_result *result)
{
    answer *a = context;
    (void)tag;
    a->done = true;
    a->error.code = PDR_OK;
    if (result->code != PDR_OK) a->error = *result->error;
    a->row = result->row;
}

static pdr_code load_row(doctor *d, int32_t partition, pdr_partition_row *row, pdr_error *err)
{
    answer a = {.done = false};
    int64_t until = pdr_deadline_us(doctor_timeout(d));
    pdr_code code = d->store->ops->load(d->store, partition, took_row, &a, 0, err);
    if (code != PDR_OK) return code;
    while (!a.done && pdr_mono_us() < until) {
        if (d->store->ops->poll(d->store) == 0) pdr_sleep_on(NULL, d->store, MAX_SLEEP_US);
    }
    d->store->ops->forget(d->store, &a);
    if (!a.done) return pdr_fail(err, PDR_TIMEOUT, "the store gave no answer in %d ms", doctor_timeout(d));
    if (a.error.code != PDR_OK && err) *err = a.error;
    *row = a.row;
    return a.error.code;
}

static bool read_rows(doctor *d)
{
    pdr_error err;
    for (int32_t i = 0; i < d->info.partitions; i++) {
        doctor_partition *p = &d->partitions[i];
        if (load_row(d, i, &p->row, &err) == PDR_OK) {
            p->has_row = true;
            continue;
        }
        (void)pdr_fail_context(&err, err.code, "partition %d", (int)i);
        doctor_fail(d, "takeover", &err);
        return false;
    }
    return true;
}

/* What a takeover would have to read: the records after the checkpoint. */
static void look_at_tails(doctor *d)
{
    int64_t longest = 0, all = 0;
    uint64_t limit = d->plan.settings.owner.scan_limit;
    int32_t at = 0;
    if (!read_rows(d)) return;
    for (int32_t i = 0; i < d->info.partitions; i++) {
        const doctor_partition *p = &d->partitions[i];
        int64_t tail = p->end - 1 - p->row.checkpoint.offset;
        if (!p->seen) continue;
        if (p->row.checkpoint.offset >= p->end) {
            doctor_say(d, "takeover", DOCTOR_WRONG,
                       "see \"A partition that FAILED\" in docs/operations.md; perdure "
                       "verify tells more",
                       "partition %d: the store's checkpoint is at offset %" PRId64
                       ", but the log ends at %" PRId64,
                       (int)i, p->row.checkpoint.offset, p->end);
            return;
        }
        all += tail;
        if (tail <= longest) continue;
        longest = tail;
        at = i;
    }
    if ((uint64_t)longest > limit)
        doctor_say(d, "takeover", DOCTOR_WRONG,
                   "is an owner at work, and can it reach the store? Saves are what moves "
                   "checkpoints",
                   "partition %d has %" PRId64 " records after its checkpoint, more than scan.limit (%" PRIu64
                   "): commands get BUSY there",
                   (int)at, longest, limit);
    else if ((uint64_t)longest > limit / 2)
        doctor_say(d, "takeover", DOCTOR_NOTE, "if it grows, the store is away or too slow",
                   "partition %d has %" PRId64 " records after its checkpoint; scan.limit is %" PRIu64,
                   (int)at, longest, limit);
    else
        doctor_say(d, "takeover", DOCTOR_FINE, "",
                   "a takeover would read %" PRId64 " records of partition %d, %" PRId64 " of all", longest,
                   (int)at, all);
}

/* --- whose it is --- */

static void look_at_identity(doctor *d)
{
    bool found = false;
    pdr_error err;
    uint8_t id[PDR_ID_SIZE];
    if (d->meta.partitions != d->info.partitions) {
        doctor_say(d, "store", DOCTOR_WRONG,
                   "check that journal and store URLs go together; partitions of a topic can't "
                   "be added (perdure copy)",
                   "it is for a journal of %d partitions, the log has %d", (int)d->meta.partitions,
                   (int)d->info.partitions);
        return;
    }
    if (pdr_log_find_id(d->log, 0, d->info.partitions, doctor_timeout(d), &found, id, &err) != PDR_OK) {
        doctor_fail(d, "store", &err);
    } else if (!found) {
        doctor_say(d, "store", DOCTOR_FINE, "", "%s; the journal has had no owner yet", d->store->ops->name);
    } else if (memcmp(id, d->meta.journal_id, sizeof id) != 0) {
        doctor_say(d, "store", DOCTOR_WRONG, "check that journal and store URLs go together",
                   "it belongs to another journal than the log");
    } else {
        doctor_say(d, "store", DOCTOR_FINE, "", "%s, of this journal", d->store->ops->name);
        look_at_tails(d);
    }
}

void doctor_look_at_store(doctor *d)
{
    pdr_error err;
    if (!d->plan.backends.has_store) {
        doctor_say(d, "store", DOCTOR_NOTE, "give --store, or set PERDURE_STORE", "no URL names the store");
        return;
    }
    const pdr_url *url = &d->plan.backends.store;
    pdr_code code = pdr_url_is_missing_file(url)
                        ? pdr_fail(&err, PDR_NOT_INITIALISED, "%.300s: no such file", url->path)
                        : pdr_backends_store_open(&d->plan.backends, &d->store, &err);
    if (code == PDR_OK) code = d->store->ops->meta(d->store, &d->meta, doctor_timeout(d), &err);
    if (code != PDR_OK) {
        doctor_fail(d, "store", &err);
        return;
    }
    d->has_meta = true;
    if (d->partitions)
        look_at_identity(d);
    else
        doctor_say(d, "store", DOCTOR_FINE, "", "%s, for a journal of %d partitions", d->store->ops->name,
                   (int)d->meta.partitions);
}

/* --- schemas --- */

/* An event without data: whoever knows the schema finds fault with the data, not with the schema. */
static bool reads(const doctor *d, const pdr_entity_type *type, uint64_t fingerprint, pdr_error *why)
{
    pdr_folder *folder;
    pdr_event_list events;
    pdr_buf value = PDR_BUF_INIT(PDR_FRAME_SIZE);
    pdr_arena scratch = PDR_ARENA_INIT(16 * 1024 * 1024);
    pdr_code code = pdr_folder_open_tolerant(&folder, type, d->book, why);
    if (code != PDR_OK) return false;
    code = pdr_frame_write(&value, fingerprint);
    if (code == PDR_OK) code = pdr_folder_read(folder, pdr_buf_bytes(&value), 1, 0, &scratch, &events, why);
    pdr_arena_release(&scratch);
    pdr_buf_release(&value);
    pdr_folder_close(folder);
    return code != PDR_UNKNOWN_SCHEMA && code != PDR_NOMEM;
}

static bool is_read(const doctor *d, uint64_t fingerprint)
{
    pdr_error ignored;
    for (size_t i = 0; i < d->app.app->entity_count; i++)
        if (reads(d, d->app.app->entities[i], fingerprint, &ignored)) return true;
    return false;
}

void doctor_look_at_schemas(doctor *d)
{
    pdr_error err;
    size_t unread = 0;
    uint64_t first = 0;
    if (!d->has_meta) return;
    if (!d->app.app) {
        doctor_say(d, "schemas", DOCTOR_NOTE, "give --app, or set PERDURE_APP",
                   "without the application nothing can be said of schemas");
        return;
    }
    pdr_code code = pdr_schema_book_open(&d->book, &err);
    if (code == PDR_OK) code = pdr_schema_book_load(d->book, d->store, doctor_timeout(d), &err);
    if (code != PDR_OK) {
        doctor_fail(d, "schemas", &err);
        return;
    }
    size_t count = pdr_schema_book_count(d->book);
    for (size_t i = 0; i < count; i++) {
        uint64_t fingerprint = pdr_schema_book_at(d->book, i);
        if (is_read(d, fingerprint)) continue;
        if (!unread++) first = fingerprint;
    }
    pdr_string name = pdr_schema_book_name(d->book, first);
    if (unread)
        doctor_say(
            d, "schemas", DOCTOR_WRONG,
            "perdure schema check names the events; run a version of the application "
            "that reads them, or declare the upcaster",
            "the application doesn't read %zu of the %zu schemas that the store knows: %.*s (%016" PRIx64
            ")%s",
            unread, count, (int)name.size, name.data ? name.data : "", first, unread > 1 ? ", ..." : "");
    else
        doctor_say(d, "schemas", DOCTOR_FINE, "", "the application reads all %zu that the store knows",
                   count);
}
