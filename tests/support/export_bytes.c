#include "tests/support/export_bytes.h"

static pdr_code append(void *context, pdr_bytes bytes, pdr_error *err)
{
    pdr_code code = pdr_buf_append(context, bytes.data, bytes.size);
    return code == PDR_OK ? PDR_OK : pdr_fail(err, code, "the sink is full");
}

pdr_byte_sink sink_of(pdr_buf *buf)
{
    return (pdr_byte_sink){append, buf};
}

static pdr_code take(void *context, void *into, size_t size, size_t *got, pdr_error *err)
{
    bytes_left *left = context;
    (void)err;
    if (left->at_once && size > left->at_once) size = left->at_once;
    *got = left->bytes.size < size ? left->bytes.size : size;
    if (*got) memcpy(into, left->bytes.data, *got);
    left->bytes = pdr_bytes_of(left->bytes.data + *got, left->bytes.size - *got);
    return PDR_OK;
}

pdr_byte_source source_of(bytes_left *left)
{
    return (pdr_byte_source){take, left};
}

static pdr_code write_again(pdr_export_reader *reader, pdr_export_writer *writer, uint64_t *count,
                            pdr_error *err)
{
    const pdr_exported_event *events;
    size_t of_commit = 1;
    pdr_code code = PDR_OK;
    while (code == PDR_OK && of_commit) {
        code = pdr_export_reader_next(reader, &events, &of_commit, err);
        if (code == PDR_OK) *count += of_commit;
        for (size_t i = 0; code == PDR_OK && writer && i < of_commit; i++) {
            pdr_string json = {NULL, 0};
            if (!pdr_schema_book_find(pdr_export_reader_book(reader), events[i].fingerprint, &json))
                return pdr_fail(err, PDR_NOT_FOUND, "a schema");
            code = pdr_export_writer_event(writer, &events[i], json, err);
        }
    }
    return code;
}

pdr_code export_read_all(pdr_bytes bytes, size_t at_once, pdr_buf *again, pdr_container_codec codec,
                         uint64_t *events, pdr_error *err)
{
    bytes_left left = {bytes, at_once};
    pdr_byte_source source = source_of(&left);
    pdr_export_reader *reader = NULL;
    pdr_export_writer *writer = NULL;
    *events = 0;
    pdr_code code = pdr_export_reader_open(&reader, &source, err);
    if (code == PDR_OK && again) {
        pdr_byte_sink sink = sink_of(again);
        pdr_export_spec spec = {.codec = codec};
        memcpy(spec.journal, pdr_export_reader_journal(reader), sizeof spec.journal);
        char selection[256];
        pdr_string told = pdr_export_reader_selection(reader);
        if (told.data && told.size < sizeof selection) {
            memcpy(selection, told.data, told.size);
            selection[told.size] = 0;
            spec.selection = selection;
        }
        code = pdr_export_writer_open(&writer, &sink, &spec, err);
    }
    if (code == PDR_OK) code = write_again(reader, writer, events, err);
    if (code == PDR_OK && writer) code = pdr_export_writer_finish(writer, err);
    pdr_export_writer_close(writer);
    pdr_export_reader_close(reader);
    return code;
}
