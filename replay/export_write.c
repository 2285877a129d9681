#include <zlib.h>

#include "base/hex.h"
#include "base/mem.h"
#include "replay/export_file.h"

struct pdr_export_writer {
    pdr_container_writer *container;
    pdr_buf record;
    uint64_t *schemas; /* fingerprints of those that were written */
    size_t schema_count, schema_capacity;
    pdr_exported_end end;
};

pdr_code pdr_export_writer_open(pdr_export_writer **out, const pdr_byte_sink *sink,
                                const pdr_export_spec *spec, pdr_error *err)
{
    char journal[2 * PDR_ID_SIZE];
    pdr_export_writer *w = pdr_calloc(1, sizeof *w);
    if (!w) return pdr_fail(err, PDR_NOMEM, "an export");
    w->record = (pdr_buf)PDR_BUF_INIT(PDR_CONTAINER_MAX_BLOCK);
    pdr_hex_print(journal, pdr_bytes_of(spec->journal, PDR_ID_SIZE));
    size_t selected = spec->selection ? strlen(spec->selection) : 0;
    const pdr_container_meta meta[] = {
        {{"perdure.export", 14}, pdr_bytes_of("1", 1)},
        {{"perdure.journal", 15}, pdr_bytes_of(journal, sizeof journal)},
        {{"perdure.selection", 17}, pdr_bytes_of(spec->selection, selected)},
    };
    size_t count = spec->selection ? 3 : 2;
    pdr_code code = pdr_container_writer_open(&w->container, sink, spec->codec,
                                              pdr_string_of(pdr_exported_avro), meta, count, err);
    if (code == PDR_OK)
        *out = w;
    else
        pdr_export_writer_close(w);
    return code;
}

void pdr_export_writer_close(pdr_export_writer *w)
{
    if (!w) return;
    pdr_container_writer_close(w->container);
    pdr_buf_release(&w->record);
    pdr_free(w->schemas);
    pdr_free(w);
}

static pdr_code put(pdr_export_writer *w, const pdr_exported *record, pdr_error *err)
{
    pdr_buf_clear(&w->record);
    pdr_code code = pdr_exported_encode(record, &w->record, err);
    if (code != PDR_OK) return code;
    w->end.check = (uint32_t)crc32(w->end.check, w->record.data, (uInt)w->record.size);
    return pdr_container_put(w->container, pdr_buf_bytes(&w->record), err);
}

static pdr_code put_schema(pdr_export_writer *w, uint64_t fingerprint, pdr_string json, pdr_error *err)
{
    for (size_t i = w->schema_count; i > 0; i--)
        if (w->schemas[i - 1] == fingerprint) return PDR_OK;
    if (w->schema_count == w->schema_capacity) {
        size_t capacity = w->schema_capacity ? 2 * w->schema_capacity : 16;
        uint64_t *grown = pdr_realloc(w->schemas, capacity * sizeof *grown);
        if (!grown) return pdr_fail(err, PDR_NOMEM, "an export");
        w->schemas = grown;
        w->schema_capacity = capacity;
    }
    w->schemas[w->schema_count++] = fingerprint;
    const pdr_exported record = {.kind = PDR_EXPORTED_SCHEMA, .schema = {fingerprint, json}};
    return put(w, &record, err);
}

pdr_code pdr_export_writer_event(pdr_export_writer *w, const pdr_exported_event *event, pdr_string json,
                                 pdr_error *err)
{
    pdr_code code = put_schema(w, event->fingerprint, json, err);
    if (code != PDR_OK) return code;
    const pdr_exported record = {.kind = PDR_EXPORTED_EVENT, .event = *event};
    w->end.events++;
    if (event->index + 1 == event->count) w->end.commits++;
    return put(w, &record, err);
}

pdr_code pdr_export_writer_finish(pdr_export_writer *w, pdr_error *err)
{
    const pdr_exported record = {.kind = PDR_EXPORTED_END, .end = w->end};
    pdr_code code = put(w, &record, err);
    return code == PDR_OK ? pdr_container_finish(w->container, err) : code;
}
