/* `perdure export --format csv`: a row per event, as the application has it today. */
#include "base/mem.h"
#include "cli/csv_columns.h"
#include "cli/export_form.h"
#include "replay/moment.h"

enum { MAX_ROW = 64 * 1024 * 1024 };

typedef struct rows {
    pdr_out_file file;
    pdr_event_lines read;
    pdr_csv_columns *columns;
    pdr_buf text, id;
} rows;

static pdr_code add_columns(pdr_export_job *job, pdr_error *err)
{
    const rows *r = job->own;
    const pdr_app *app = pdr_tool_app(job->tool);
    pdr_code code = PDR_OK;
    for (size_t i = 0; i < app->entity_count; i++)
        for (size_t k = 0; code == PDR_OK && k < app->entities[i]->event_count; k++)
            if (pdr_export_wants_type(job, app->entities[i]->events[k]->name))
                code = pdr_csv_columns_add(r->columns, app->entities[i]->events[k], err);
    return code;
}

static pdr_code write_row(rows *r, pdr_code code, pdr_error *err)
{
    if (code == PDR_OK) code = pdr_buf_append(&r->text, "\n", 1);
    if (code != PDR_OK) return pdr_fail(err, code, "a row");
    return pdr_out_file_write(&r->file, pdr_buf_bytes(&r->text), err);
}

static pdr_code begin(pdr_export_job *job, pdr_error *err)
{
    static const char names[] = "entity,seq,part,time,type,command,correlation,causation,partition,offset";
    rows *r = job->own = pdr_calloc(1, sizeof *r);
    if (!r) return pdr_fail(err, PDR_NOMEM, "an export");
    pdr_event_lines_init(&r->read);
    r->text = r->id = (pdr_buf)PDR_BUF_INIT(MAX_ROW);
    pdr_code code = pdr_csv_columns_open(&r->columns, err);
    if (code == PDR_OK) code = add_columns(job, err);
    if (code == PDR_OK) code = pdr_out_file_open(&r->file, job->target, job->force, err);
    if (code != PDR_OK) return code;
    code = pdr_buf_append(&r->text, names, sizeof names - 1);
    if (code == PDR_OK) code = pdr_csv_columns_names(r->columns, &r->text);
    return write_row(r, code, err);
}

static pdr_code put_id(rows *r, pdr_bytes id)
{
    pdr_buf_clear(&r->id);
    pdr_code code = pdr_event_line_id(id, &r->id);
    if (code == PDR_OK) code = pdr_buf_append(&r->text, ",", 1);
    return code == PDR_OK ? pdr_csv_cell(pdr_buf_bytes(&r->id), &r->text) : code;
}

static pdr_code put_head(rows *r, const pdr_event_line *line)
{
    pdr_buf *out = &r->text;
    const pdr_header *h = line->header;
    pdr_buf_clear(out);
    pdr_code code = pdr_csv_cell(line->record->entry.key, out);
    if (code == PDR_OK) code = pdr_buf_printf(out, ",%llu,", (unsigned long long)h->seq);
    if (code == PDR_OK && line->parts > 1) code = pdr_buf_printf(out, "%u", line->part);
    if (code == PDR_OK) code = pdr_buf_append(out, ",", 1);
    if (code == PDR_OK) code = pdr_moment_print(h->time_us, out);
    if (code == PDR_OK) code = pdr_buf_printf(out, ",%s", line->type);
    if (code == PDR_OK) code = put_id(r, h->id);
    if (code == PDR_OK) code = put_id(r, h->correlation);
    if (code == PDR_OK) code = put_id(r, h->causation);
    if (code == PDR_OK)
        code = pdr_buf_printf(out, ",%d,%lld", (int)line->partition, (long long)line->record->offset);
    return code;
}

static pdr_code put(pdr_export_job *job, const pdr_event_line *line, const pdr_commit_event *event,
                    pdr_error *err)
{
    rows *r = job->own;
    if (line->problem) {
        job->unreadable++;
        return PDR_OK;
    }
    pdr_code code = put_head(r, line);
    if (code != PDR_OK) return pdr_fail(err, code, "a row");
    code = pdr_csv_columns_cells(r->columns, line->event, &r->text, err);
    if (code == PDR_OK) code = write_row(r, code, err);
    return code == PDR_OK ? pdr_export_count(job, event, err) : code;
}

static pdr_code commit(pdr_export_job *job, int32_t partition, const pdr_commit_event *events, size_t count,
                       pdr_error *err)
{
    rows *r = job->own;
    return pdr_export_lines(job, &r->read, put, partition, events, count, err);
}

static pdr_code finish(pdr_export_job *job, pdr_error *err)
{
    rows *r = job->own;
    job->bytes = r->file.written;
    return pdr_out_file_keep(&r->file, err);
}

static void end(pdr_export_job *job)
{
    rows *r = job->own;
    if (!r) return;
    pdr_out_file_drop(&r->file);
    pdr_event_lines_release(&r->read);
    pdr_csv_columns_close(r->columns);
    pdr_buf_release(&r->text);
    pdr_buf_release(&r->id);
    pdr_free(r);
}

const pdr_export_form pdr_export_csv = {
    .name = "csv", .needs_app = true, .begin = begin, .commit = commit, .finish = finish, .end = end};
