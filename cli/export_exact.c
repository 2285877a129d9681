/* `perdure export --format exact`: what `perdure import` takes. */
#include "base/mem.h"
#include "cli/export_form.h"
#include "replay/export_file.h"
#include "replay/export_scan.h"

typedef struct exact {
    pdr_out_file file;
    pdr_export_writer *writer;
} exact;

static pdr_code begin(pdr_export_job *job, pdr_error *err)
{
    exact *x = job->own = pdr_calloc(1, sizeof *x);
    if (!x) return pdr_fail(err, PDR_NOMEM, "an export");
    pdr_export_spec spec = {.codec = job->codec, .selection = job->selection};
    memcpy(spec.journal, job->journal, sizeof spec.journal);
    pdr_code code = pdr_out_file_open(&x->file, job->target, job->force, err);
    const pdr_byte_sink sink = {pdr_out_file_write, &x->file};
    return code == PDR_OK ? pdr_export_writer_open(&x->writer, &sink, &spec, err) : code;
}

/* An entity's history ends with the first commit that is too late, whatever the times of later ones are. */
static pdr_code commit(pdr_export_job *job, int32_t partition, const pdr_commit_event *events, size_t count,
                       pdr_error *err)
{
    exact *x = job->own;
    uint64_t *seq;
    pdr_code code = pdr_seq_table_at(&job->entities, events[0].record->entry.key, &seq, err);
    if (code != PDR_OK) return code;
    if (events[0].header->time_us >= job->until_us || *seq + 1 != events[0].header->seq) return PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < count; i++) {
        pdr_exported_event event;
        pdr_string json;
        code = pdr_exported_from(job->tool, partition, &events[i], &event, &json, err);
        if (code == PDR_OK) code = pdr_export_writer_event(x->writer, &event, json, err);
    }
    *seq += count;
    job->events += count;
    return code;
}

static pdr_code finish(pdr_export_job *job, pdr_error *err)
{
    exact *x = job->own;
    pdr_code code = pdr_export_writer_finish(x->writer, err);
    if (code == PDR_OK) code = pdr_out_file_keep(&x->file, err);
    job->bytes = x->file.written;
    return code;
}

static void end(pdr_export_job *job)
{
    exact *x = job->own;
    if (!x) return;
    pdr_export_writer_close(x->writer);
    pdr_out_file_drop(&x->file);
    pdr_free(x);
}

const pdr_export_form pdr_export_exact = {
    .name = "exact", .whole = true, .begin = begin, .commit = commit, .finish = finish, .end = end};
