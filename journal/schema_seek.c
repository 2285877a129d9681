#include "journal/schema_seek.h"

#include "base/mem.h"
#include "journal/record.h"
#include "schemas/framing_id.h"

struct pdr_schema_seek {
    pdr_log *log;
    pdr_store *store;
    pdr_schema_book *book;
    pdr_schema_seek_spec spec;
    pdr_schema_seek_done done;
    void *context;
    pdr_log_reader *reader;
    pdr_error store_failed; /* code PDR_OK: the store has told all it knows */
};

pdr_code pdr_schema_book_take(pdr_schema_book *book, const pdr_log_record *record, uint64_t *fingerprint,
                              pdr_error *err)
{
    pdr_header header;
    const pdr_log_entry *entry = &record->entry;
    if (!entry->schema.data || !entry->header.data ||
        pdr_header_parse(entry->header, &header) != PDR_PARSED || header.kind != PDR_RECORD_SCHEMA)
        return PDR_NOT_FOUND;
    *fingerprint = header.schema_fingerprint;
    pdr_string json = {(const char *)entry->schema.data, entry->schema.size};
    int32_t id = header.registry_id > 0 ? header.registry_id : PDR_BOOK_NO_ID;
    return pdr_schema_book_add(book, *fingerprint, json, id, err);
}

pdr_code pdr_schema_book_take_row(pdr_schema_book *book, const pdr_schema_row *row, pdr_error *err)
{
    pdr_string json = {(const char *)row->json.data, row->json.size};
    return pdr_schema_book_add(book, row->fingerprint, json, row->registry_id, err);
}

pdr_schema_seek_spec pdr_schema_seek_for(int32_t partition, pdr_bytes value, uint64_t fingerprint,
                                         int64_t from, int64_t to)
{
    pdr_schema_seek_spec spec = {partition, fingerprint, PDR_BOOK_NO_ID, from, to};
    pdr_bytes datum;
    if (fingerprint == 0 && pdr_frame_id_read(&spec.registry_id, &datum, value, NULL) != PDR_OK)
        spec.registry_id = PDR_BOOK_NO_ID;
    return spec;
}

/* --- the end --- */

static bool has_it(const pdr_schema_seek *s)
{
    uint64_t fingerprint;
    if (s->spec.registry_id == PDR_BOOK_NO_ID)
        return pdr_schema_book_find(s->book, s->spec.fingerprint, NULL);
    return pdr_schema_book_by_id(s->book, s->spec.registry_id, &fingerprint);
}

/* Nothing of the seek may be touched after this. */
static void end(pdr_schema_seek *s, pdr_code code, const pdr_error *error)
{
    s->log->ops->reader_close(s->reader);
    s->reader = NULL;
    s->done(s->context, code, code == PDR_OK ? NULL : error);
}

static void end_without(pdr_schema_seek *s)
{
    pdr_error err = s->store_failed;
    if (err.code == PDR_OK)
        (void)pdr_fail(&err, PDR_NOT_FOUND,
                       "no schema with fingerprint %016llx and id %d is in the store or the log",
                       (unsigned long long)s->spec.fingerprint, (int)s->spec.registry_id);
    end(s, err.code, &err);
}

/* What can't be added is passed over, unless there is no room for more at all. */
static bool is_for_all(pdr_code code)
{
    return code == PDR_NOMEM || code == PDR_TOO_LARGE;
}

/* --- the log --- */

static void on_records(void *context, const pdr_log_record *records, size_t count)
{
    pdr_schema_seek *s = context;
    for (size_t i = 0; i < count; i++) {
        uint64_t fingerprint;
        pdr_error err;
        if (records[i].offset > s->spec.to) break;
        pdr_code code = pdr_schema_book_take(s->book, &records[i], &fingerprint, &err);
        if (is_for_all(code)) {
            end(s, code, &err);
            return;
        }
    }
    if (has_it(s))
        end(s, PDR_OK, NULL);
    else if (count && records[count - 1].offset >= s->spec.to)
        end_without(s);
}

/* An end before what was read already is that of a log that is failing over: more will come. */
static void on_end(void *context, int64_t log_end)
{
    pdr_schema_seek *s = context;
    if (log_end > s->spec.to) end_without(s);
}

static void on_failed(void *context, const pdr_error *error)
{
    pdr_schema_seek *s = context;
    if (error->code == PDR_OUT_OF_RANGE)
        end_without(s);
    else
        end(s, error->code, error);
}

static const pdr_log_reader_events reader_events = {on_records, on_end, on_failed};

static pdr_code read_log(pdr_schema_seek *s, pdr_error *err)
{
    return s->log->ops->reader_open(s->log, s->spec.partition, s->spec.from, &reader_events, s, &s->reader,
                                    err);
}

/* --- the store --- */

static void on_schemas(void *context, uint64_t tag, const pdr_store_result *result)
{
    (void)tag;
    pdr_schema_seek *s = context;
    pdr_error err;
    if (result->code != PDR_OK) s->store_failed = *result->error;
    for (size_t i = 0; i < result->schema_count; i++) {
        pdr_code code = pdr_schema_book_take_row(s->book, &result->schemas[i], &err);
        if (!is_for_all(code)) continue;
        end(s, code, &err);
        return;
    }
    if (has_it(s))
        end(s, PDR_OK, NULL);
    else if (s->spec.from > s->spec.to)
        end_without(s);
    else if (read_log(s, &err) != PDR_OK)
        end(s, err.code, &err);
}

/* Ids aren't looked for one by one: those who have a registry have few schemas. */
static pdr_code ask_store(pdr_schema_seek *s, pdr_error *err)
{
    size_t count = s->spec.registry_id == PDR_BOOK_NO_ID ? 1 : 0;
    return s->store->ops->schemas(s->store, &s->spec.fingerprint, count, on_schemas, s, 0, err);
}

pdr_code pdr_schema_seek_open(pdr_schema_seek **out, pdr_log *log, pdr_store *store, pdr_schema_book *book,
                              const pdr_schema_seek_spec *spec, pdr_schema_seek_done done, void *context,
                              pdr_error *err)
{
    *out = NULL;
    pdr_schema_seek *s = pdr_calloc(1, sizeof *s);
    if (!s) return pdr_fail(err, PDR_NOMEM, "looking for a schema");
    *s = (pdr_schema_seek){log, store, book, *spec, done, context, NULL, {.code = PDR_OK}};
    pdr_code code = store ? ask_store(s, err) : read_log(s, err);
    if (code == PDR_OK)
        *out = s;
    else
        pdr_free(s);
    return code;
}

void pdr_schema_seek_close(pdr_schema_seek *s)
{
    if (!s) return;
    s->log->ops->reader_close(s->reader);
    if (s->store) s->store->ops->forget(s->store, s);
    pdr_free(s);
}
