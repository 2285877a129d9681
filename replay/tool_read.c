/* Reading stored events, and finding the schemas that they were written with. */
#include "base/mem.h"
#include "journal/framed.h"
#include "journal/schema_seek.h"
#include "replay/tool_inside.h"
#include "schemas/datum.h"
#include "schemas/version.h"

/* --- a schema that nobody has told yet --- */

typedef struct seeking {
    bool done;
    pdr_code code;
    pdr_error err;
} seeking;

static void sought(void *context, pdr_code code, const pdr_error *error)
{
    seeking *s = context;
    s->done = true;
    s->code = code;
    if (error) s->err = *error;
}

/* Under `seeking`. */
static pdr_code open_seekers(pdr_tool *tool, pdr_error *err)
{
    pdr_code code = PDR_OK;
    if (!tool->seek_log) code = pdr_backends_log_open(&tool->plan.backends, &tool->seek_log, err);
    if (code == PDR_OK && tool->store && !tool->seek_store)
        code = pdr_backends_store_open(&tool->plan.backends, &tool->seek_store, err);
    return code;
}

static pdr_code run_seek(pdr_tool *tool, const pdr_schema_seek_spec *spec, pdr_error *err)
{
    seeking s = {.done = false};
    pdr_schema_seek *seek = NULL;
    pdr_code code = open_seekers(tool, err);
    if (code == PDR_OK)
        code =
            pdr_schema_seek_open(&seek, tool->seek_log, tool->seek_store, tool->book, spec, sought, &s, err);
    int64_t until = pdr_tool_deadline_us(tool);
    while (code == PDR_OK && !s.done)
        code = pdr_tool_turn(tool, tool->seek_log, tool->seek_store, until, NULL, err);
    pdr_schema_seek_close(seek);
    if (code == PDR_OK && s.code != PDR_OK && err) *err = s.err;
    return code == PDR_OK ? s.code : code;
}

static bool is_missing(const pdr_tool *tool, const pdr_schema_seek_spec *spec)
{
    for (const pdr_known_schema *k = tool->missing; k; k = k->next)
        if (k->fingerprint == spec->fingerprint && k->registry_id == spec->registry_id) return true;
    return false;
}

static pdr_code note_missing(pdr_tool *tool, const pdr_schema_seek_spec *spec, pdr_error *err)
{
    pdr_known_schema *known = pdr_calloc(1, sizeof *known);
    if (!known) return pdr_fail(err, PDR_NOMEM, "a schema that is missing");
    known->fingerprint = spec->fingerprint;
    known->registry_id = spec->registry_id;
    known->next = tool->missing;
    tool->missing = known;
    return PDR_OK;
}

/* PDR_OK: the book has it now. PDR_NOT_FOUND: it is nowhere; that is looked up once for all events. */
static pdr_code seek(pdr_tool *tool, const pdr_schema_seek_spec *spec, pdr_error *err)
{
    pthread_mutex_lock(&tool->seeking);
    pdr_code code = is_missing(tool, spec) ? pdr_fail(err, PDR_NOT_FOUND,
                                                      "schema %016llx is neither in the store nor in the log",
                                                      (unsigned long long)spec->fingerprint)
                                           : run_seek(tool, spec, err);
    if (code == PDR_NOT_FOUND && !is_missing(tool, spec) && note_missing(tool, spec, err) != PDR_OK)
        code = PDR_NOMEM;
    pthread_mutex_unlock(&tool->seeking);
    return code;
}

static pdr_code seek_for(pdr_tool *tool, int32_t partition, const pdr_log_record *record,
                         const pdr_header *header, uint64_t fingerprint, pdr_error *err)
{
    pdr_schema_seek_spec spec =
        pdr_schema_seek_for(partition, record->entry.value, fingerprint,
                            header->term.offset + (int64_t)header->schema, record->offset);
    return seek(tool, &spec, err);
}

/* --- reading --- */

pdr_code pdr_tool_read(pdr_tool *tool, int32_t partition, const pdr_log_record *record,
                       const pdr_header *header, pdr_arena *scratch, pdr_event_list *events, pdr_error *err)
{
    uint64_t fingerprint;
    pdr_error why;
    pdr_bytes value = record->entry.value;
    const pdr_folder *folder = pdr_tool_folder(tool, record->entry.key);
    if (!folder)
        return pdr_fail(err, PDR_UNKNOWN_TYPE, "the application declares no entity type of %.*s",
                        (int)record->entry.key.size, (const char *)record->entry.key.data);
    pdr_code code = pdr_folder_read(folder, value, header->seq, header->time_us, scratch, events, err);
    if (code != PDR_UNKNOWN_SCHEMA || !pdr_folder_lacks(folder, value, &fingerprint)) return code;
    pdr_code found = seek_for(tool, partition, record, header, fingerprint, &why);
    if (found == PDR_NOT_FOUND) return code;
    if (found != PDR_OK) {
        if (err) *err = why;
        return found;
    }
    return pdr_folder_read(folder, value, header->seq, header->time_us, scratch, events, err);
}

/* --- who wrote it --- */

static pdr_code parse(pdr_known_schema *known, const char *json, pdr_error *err)
{
    pdr_schema_version version = {0, false};
    pdr_code code = pdr_schema_read(&known->set, "its schema", pdr_string_of(json), err);
    if (code == PDR_OK) code = pdr_schema_version_of(&version, pdr_schema_set_root(known->set, 0), err);
    known->version = version.version;
    return code;
}

/* Each is parsed once. */
static pdr_code known_of(pdr_tool *tool, uint64_t fingerprint, const char *json, const pdr_known_schema **out,
                         pdr_error *err)
{
    pdr_code code = PDR_OK;
    pthread_mutex_lock(&tool->seeking);
    pdr_known_schema *known = tool->parsed;
    while (known && known->fingerprint != fingerprint)
        known = known->next;
    if (!known) {
        known = pdr_calloc(1, sizeof *known);
        code = known ? parse(known, json, err) : pdr_fail(err, PDR_NOMEM, "a schema");
        if (code == PDR_OK) {
            known->fingerprint = fingerprint;
            known->next = tool->parsed;
            tool->parsed = known;
        } else {
            if (known) pdr_schema_set_close(known->set);
            pdr_free(known);
        }
    }
    pthread_mutex_unlock(&tool->seeking);
    *out = code == PDR_OK ? known : NULL;
    return code;
}

/* The JSON of the schema that a fingerprint stands for, of the application or of the book. */
static const char *json_of(const pdr_tool *tool, const pdr_folder *folder, pdr_bytes value,
                           uint64_t fingerprint)
{
    pdr_string json = {NULL, 0};
    const pdr_type *type = folder ? pdr_folder_event_type(folder, value) : NULL;
    if (type) return type->schema;
    return pdr_schema_book_find(tool->book, fingerprint, &json) ? json.data : NULL;
}

static pdr_code find_json(pdr_tool *tool, int32_t partition, const pdr_log_record *record,
                          const pdr_header *header, pdr_writer *out, const char **json, pdr_error *err)
{
    const pdr_folder *folder = pdr_tool_folder(tool, record->entry.key);
    pdr_bytes value = record->entry.value;
    *json = NULL;
    out->fingerprint = 0;
    pdr_code code = pdr_framed_read(&out->fingerprint, &out->datum, value, tool->book, err);
    if (code == PDR_OK) *json = json_of(tool, folder, value, out->fingerprint);
    if ((code != PDR_OK && code != PDR_UNKNOWN_SCHEMA) || *json) return code;
    code = seek_for(tool, partition, record, header, out->fingerprint, err);
    if (code == PDR_NOT_FOUND)
        return pdr_fail(err, PDR_UNKNOWN_SCHEMA,
                        "the schema %016llx that it was written with is neither in the store nor in the log",
                        (unsigned long long)out->fingerprint);
    if (code == PDR_OK) code = pdr_framed_read(&out->fingerprint, &out->datum, value, tool->book, err);
    if (code == PDR_OK) *json = json_of(tool, folder, value, out->fingerprint);
    return code;
}

pdr_code pdr_tool_writer(pdr_tool *tool, int32_t partition, const pdr_log_record *record,
                         const pdr_header *header, pdr_writer *out, pdr_error *err)
{
    const char *json;
    const pdr_known_schema *known = NULL;
    pdr_code code = find_json(tool, partition, record, header, out, &json, err);
    if (code == PDR_OK) code = known_of(tool, out->fingerprint, json, &known, err);
    if (code != PDR_OK) return code;
    out->schema = pdr_schema_set_root(known->set, 0);
    out->name = out->schema->name;
    out->version = known->version;
    return PDR_OK;
}

pdr_code pdr_tool_print_written(pdr_tool *tool, int32_t partition, const pdr_log_record *record,
                                const pdr_header *header, pdr_buf *out, pdr_error *err)
{
    pdr_writer writer;
    pdr_code code = pdr_tool_writer(tool, partition, record, header, &writer, err);
    return code == PDR_OK ? pdr_datum_show(writer.schema, writer.datum, out, err) : code;
}
