/* `perdure export --format plain`: a container file per event type, in that event's own schema of today. */
#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "cli/export_form.h"
#include "perdure/sys/wire.h"

enum { MAX_SCHEMA = 8 * 1024 * 1024, HEAD = 256, SCRATCH = 64 * 1024 * 1024, MAX_PATH = 4096 };

typedef struct plain_file {
    const pdr_type *type;
    pdr_out_file file;
    pdr_container_writer *container; /* NULL: no event of this type was met */
} plain_file;

typedef struct plain {
    plain_file *files;
    size_t count;
    pdr_arena scratch;
    pdr_buf datum;
} plain;

/* --- files --- */

static pdr_code path_of(const pdr_export_job *job, const pdr_type *type, char path[MAX_PATH], pdr_error *err)
{
    int size = snprintf(path, MAX_PATH, "%s/%s.avro", job->target, type->name);
    if (size > 0 && size < MAX_PATH) return PDR_OK;
    return pdr_fail(err, PDR_INVALID_ARGUMENT, "the name of a file is too long");
}

/* Before anything is read: what is in the way. */
static pdr_code add_file(pdr_export_job *job, const pdr_type *type, pdr_error *err)
{
    plain *x = job->own;
    char path[MAX_PATH];
    struct stat there;
    for (size_t i = 0; i < x->count; i++)
        if (strcmp(x->files[i].type->name, type->name) == 0) return PDR_OK;
    pdr_code code = path_of(job, type, path, err);
    if (code == PDR_OK && !job->force && stat(path, &there) == 0)
        code = pdr_fail(err, PDR_EXISTS, "%.300s: the file is there; --force replaces it", path);
    if (code == PDR_OK) x->files[x->count++].type = type;
    return code;
}

static pdr_code begin(pdr_export_job *job, pdr_error *err)
{
    const pdr_app *app = pdr_tool_app(job->tool);
    plain *x = job->own = pdr_calloc(1, sizeof *x);
    size_t types = 1;
    for (size_t i = 0; i < app->entity_count; i++)
        types += app->entities[i]->event_count;
    if (x) x->files = pdr_calloc(types, sizeof *x->files);
    if (!x || !x->files) return pdr_fail(err, PDR_NOMEM, "%zu event types", types);
    x->scratch = (pdr_arena)PDR_ARENA_INIT(SCRATCH);
    x->datum = (pdr_buf)PDR_BUF_INIT(PDR_CONTAINER_MAX_BLOCK);
    if (strcmp(job->target, "-") == 0)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "the format plain makes several files: name a folder");
    if (mkdir(job->target, 0777) != 0 && errno != EEXIST)
        return pdr_fail_backend(err, errno == ENOENT ? PDR_NOT_FOUND : PDR_IO, errno, "%.300s: %s",
                                job->target, strerror(errno));
    pdr_code code = PDR_OK;
    for (size_t i = 0; i < app->entity_count; i++)
        for (size_t k = 0; code == PDR_OK && k < app->entities[i]->event_count; k++)
            code = add_file(job, app->entities[i]->events[k], err);
    return code;
}

/* Without a namespace, so that names in the event's schema mean what they meant. */
static pdr_code put_schema(const pdr_type *type, pdr_buf *out)
{
    static const char head[] =
        "{\"type\":\"record\",\"name\":\"Exported\",\"fields\":["
        "{\"name\":\"entity\",\"type\":\"string\"},"
        "{\"name\":\"seq\",\"type\":\"long\"},"
        "{\"name\":\"part\",\"type\":\"int\",\"doc\":\"from 1, of the events that a stored one is today\"},"
        "{\"name\":\"time\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}},"
        "{\"name\":\"append_time\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}},"
        "{\"name\":\"partition\",\"type\":\"int\"},"
        "{\"name\":\"offset\",\"type\":\"long\"},"
        "{\"name\":\"command\",\"type\":[\"null\",\"bytes\"]},"
        "{\"name\":\"correlation\",\"type\":[\"null\",\"bytes\"]},"
        "{\"name\":\"causation\",\"type\":[\"null\",\"bytes\"]},"
        "{\"name\":\"event\",\"type\":";
    pdr_code code = pdr_buf_append(out, head, sizeof head - 1);
    if (code == PDR_OK) code = pdr_buf_append(out, type->schema, strlen(type->schema));
    return code == PDR_OK ? pdr_buf_append(out, "}]}", 3) : code;
}

static pdr_code open_file(const pdr_export_job *job, plain_file *f, pdr_error *err)
{
    char path[MAX_PATH];
    pdr_buf schema = PDR_BUF_INIT(MAX_SCHEMA);
    const pdr_byte_sink sink = {pdr_out_file_write, &f->file};
    pdr_code code = path_of(job, f->type, path, err);
    if (code == PDR_OK) code = pdr_out_file_open(&f->file, path, job->force, err);
    if (code == PDR_OK) {
        code = put_schema(f->type, &schema);
        if (code != PDR_OK) code = pdr_fail(err, code, "a schema");
    }
    pdr_string text = {(const char *)schema.data, schema.size};
    if (code == PDR_OK)
        code = pdr_container_writer_open(&f->container, &sink, job->codec, text, NULL, 0, err);
    pdr_buf_release(&schema);
    return code;
}

/* --- events --- */

static uint8_t *put_id(uint8_t *p, pdr_bytes id)
{
    p = pdr_wire_put_long(p, id.size > 0);
    return id.size ? pdr_wire_put_bytes(p, id) : p;
}

static pdr_code put_head(plain *x, int32_t partition, const pdr_commit_event *stored, uint32_t part,
                         pdr_error *err)
{
    const pdr_header *h = stored->header;
    pdr_bytes key = stored->record->entry.key;
    pdr_buf_clear(&x->datum);
    pdr_code code =
        pdr_buf_reserve(&x->datum, HEAD + key.size + h->id.size + h->correlation.size + h->causation.size);
    if (code != PDR_OK) return pdr_fail(err, code, "an event");
    uint8_t *p = pdr_wire_put_bytes(x->datum.data, key);
    p = pdr_wire_put_long(p, (int64_t)h->seq);
    p = pdr_wire_put_long(p, part);
    p = pdr_wire_put_long(p, h->time_us);
    p = pdr_wire_put_long(p, stored->record->append_ms);
    p = pdr_wire_put_long(p, partition);
    p = pdr_wire_put_long(p, stored->record->offset);
    p = put_id(put_id(put_id(p, h->id), h->correlation), h->causation);
    x->datum.size = (size_t)(p - x->datum.data);
    return PDR_OK;
}

static pdr_code put(pdr_export_job *job, int32_t partition, const pdr_commit_event *stored,
                    const pdr_event *event, uint32_t part, pdr_error *err)
{
    plain *x = job->own;
    plain_file *f = x->files;
    while (strcmp(f->type->name, event->type->name) != 0)
        f++; /* all that are declared are there */
    pdr_code code = f->container ? PDR_OK : open_file(job, f, err);
    if (code == PDR_OK) code = put_head(x, partition, stored, part, err);
    if (code == PDR_OK) code = event->type->encode(event->value, &x->datum, err);
    if (code == PDR_OK) code = pdr_container_put(f->container, pdr_buf_bytes(&x->datum), err);
    return code == PDR_OK ? pdr_export_count(job, stored, err) : code;
}

static pdr_code take(pdr_export_job *job, int32_t partition, const pdr_commit_event *stored, pdr_error *err)
{
    plain *x = job->own;
    pdr_event_list events;
    pdr_arena_clear(&x->scratch);
    pdr_code code =
        pdr_tool_read(job->tool, partition, stored->record, stored->header, &x->scratch, &events, err);
    if (code == PDR_UNKNOWN_TYPE || code == PDR_UNKNOWN_SCHEMA || code == PDR_BAD_DATA ||
        code == PDR_BAD_HANDLER) {
        job->unreadable++;
        return PDR_OK;
    }
    for (uint32_t i = 0; code == PDR_OK && i < events.count; i++) {
        const pdr_event *event = pdr_event_list_at(&events, i);
        if (pdr_export_wants(job, event->type->name, stored->header->time_us))
            code = put(job, partition, stored, event, i + 1, err);
    }
    return code;
}

static pdr_code commit(pdr_export_job *job, int32_t partition, const pdr_commit_event *events, size_t count,
                       pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < count; i++)
        code = take(job, partition, &events[i], err);
    return code;
}

static pdr_code finish(pdr_export_job *job, pdr_error *err)
{
    plain *x = job->own;
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < x->count; i++)
        if (x->files[i].container) code = pdr_container_finish(x->files[i].container, err);
    for (size_t i = 0; code == PDR_OK && i < x->count; i++) {
        if (!x->files[i].container) continue;
        job->bytes += x->files[i].file.written;
        code = pdr_out_file_keep(&x->files[i].file, err);
    }
    return code;
}

static void end(pdr_export_job *job)
{
    plain *x = job->own;
    if (!x) return;
    for (size_t i = 0; i < x->count; i++) {
        pdr_container_writer_close(x->files[i].container);
        pdr_out_file_drop(&x->files[i].file);
    }
    pdr_free(x->files);
    pdr_arena_release(&x->scratch);
    pdr_buf_release(&x->datum);
    pdr_free(x);
}

const pdr_export_form pdr_export_plain = {
    .name = "plain", .needs_app = true, .begin = begin, .commit = commit, .finish = finish, .end = end};
