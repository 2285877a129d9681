/* `perdure export --format jsonl`: a line of JSON per event, as all commands print it. */
#include "base/mem.h"
#include "cli/export_form.h"

enum { MAX_LINE = 64 * 1024 * 1024 };

typedef struct lines {
    pdr_out_file file;
    pdr_event_lines read;
    pdr_buf text;
} lines;

static pdr_code begin(pdr_export_job *job, pdr_error *err)
{
    lines *l = job->own = pdr_calloc(1, sizeof *l);
    if (!l) return pdr_fail(err, PDR_NOMEM, "an export");
    pdr_event_lines_init(&l->read);
    l->text = (pdr_buf)PDR_BUF_INIT(MAX_LINE);
    return pdr_out_file_open(&l->file, job->target, job->force, err);
}

static pdr_code put(pdr_export_job *job, const pdr_event_line *line, const pdr_commit_event *event,
                    pdr_error *err)
{
    lines *l = job->own;
    pdr_buf_clear(&l->text);
    pdr_code code = pdr_event_line_json(line, &l->text);
    if (code == PDR_OK) code = pdr_buf_append(&l->text, "\n", 1);
    if (code != PDR_OK) return pdr_fail(err, code, "an event as JSON");
    if (line->problem) job->unreadable++;
    code = pdr_out_file_write(&l->file, pdr_buf_bytes(&l->text), err);
    return code == PDR_OK ? pdr_export_count(job, event, err) : code;
}

static pdr_code commit(pdr_export_job *job, int32_t partition, const pdr_commit_event *events, size_t count,
                       pdr_error *err)
{
    lines *l = job->own;
    return pdr_export_lines(job, &l->read, put, partition, events, count, err);
}

static pdr_code finish(pdr_export_job *job, pdr_error *err)
{
    lines *l = job->own;
    job->bytes = l->file.written;
    return pdr_out_file_keep(&l->file, err);
}

static void end(pdr_export_job *job)
{
    lines *l = job->own;
    if (!l) return;
    pdr_out_file_drop(&l->file);
    pdr_event_lines_release(&l->read);
    pdr_buf_release(&l->text);
    pdr_free(l);
}

const pdr_export_form pdr_export_jsonl = {.name = "jsonl",
                                          .shows_unreadable = true,
                                          .begin = begin,
                                          .commit = commit,
                                          .finish = finish,
                                          .end = end};
