#include "actors/event_queue.h"

#include "actors/shell.h"
#include "base/mem.h"
#include "journal/framed.h"

typedef struct pdr_queued_event {
    struct pdr_queued_event *next;
    pdr_bytes value; /* framed */
    int64_t schema;  /* at or behind this offset stands its SCHEMA record */
    bool sought;     /* its schema was looked for */
    pdr_logged_event event;
} queued;

enum { MAX_QUEUED = 256 * 1024 * 1024, MAX_DECODED = 64 * 1024 * 1024 };

pdr_code pdr_event_queue_init(pdr_event_queue *queue, const pdr_app *app, const pdr_schema_book *book,
                              pdr_error *err)
{
    *queue = (pdr_event_queue){.app = app,
                               .book = book,
                               .arena = PDR_ARENA_INIT(MAX_QUEUED),
                               .decoded = PDR_ARENA_INIT(MAX_DECODED)};
    queue->folders = pdr_calloc(app->entity_count + 1, sizeof(pdr_folder *));
    if (!queue->folders) return pdr_fail(err, PDR_NOMEM, "a reader");
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < app->entity_count; i++)
        code = pdr_folder_open(&queue->folders[i], app->entities[i], book, err);
    return code;
}

void pdr_event_queue_release(pdr_event_queue *queue)
{
    for (size_t i = 0; queue->folders && i < queue->app->entity_count; i++)
        pdr_folder_close(queue->folders[i]);
    pdr_free(queue->folders);
    pdr_arena_release(&queue->arena);
    pdr_arena_release(&queue->decoded);
    *queue = (pdr_event_queue){0};
}

/* All ranges of an event in one block behind it. */
static pdr_bytes copy(uint8_t **to, pdr_bytes from)
{
    if (!from.data) return from;
    pdr_bytes copied = pdr_bytes_of(*to, from.size);
    if (from.size) memcpy(*to, from.data, from.size);
    *to += from.size;
    return copied;
}

static void fill(queued *item, uint8_t *room, const pdr_log_record *record, const pdr_header *header)
{
    pdr_logged_event *event = &item->event;
    pdr_bytes key = copy(&room, record->entry.key);
    item->value = copy(&room, record->entry.value);
    event->entity = (pdr_string){(const char *)key.data, key.size};
    event->id = copy(&room, header->id);
    event->correlation = copy(&room, header->correlation);
    event->causation = copy(&room, header->causation);
    event->reply = header->has_reply ? copy(&room, header->reply) : pdr_bytes_of(NULL, 0);
    item->schema = header->term.offset + (int64_t)header->schema;
    event->offset = record->offset;
    event->append_ms = record->append_ms;
    event->seq = header->seq;
    event->index = header->index;
    event->count = header->count;
    event->time_us = header->time_us;
}

pdr_code pdr_event_queue_put(pdr_event_queue *queue, int32_t partition, const pdr_log_record *record,
                             const pdr_header *header, pdr_position position, pdr_error *err)
{
    size_t size = sizeof(queued) + record->entry.key.size + record->entry.value.size + header->id.size +
                  header->correlation.size + header->causation.size + header->reply.size;
    queued *item = pdr_arena_calloc(&queue->arena, 1, size);
    if (!item) return pdr_fail(err, PDR_NOMEM, "an event of %zu bytes read from the log", size);
    fill(item, (uint8_t *)(item + 1), record, header);
    item->event.partition = partition;
    item->event.position = position;
    if (queue->last)
        queue->last->next = item;
    else
        queue->first = item;
    queue->last = item;
    queue->bytes += size;
    return PDR_OK;
}

static const pdr_folder *folder_of(const pdr_event_queue *queue, pdr_string entity)
{
    const pdr_entity_type *type = pdr_entity_type_of(queue->app, entity);
    for (size_t i = 0; type && i < queue->app->entity_count; i++)
        if (queue->app->entities[i] == type) return queue->folders[i];
    return NULL;
}

/* Is it worth while to look for its schema? */
static bool lacks_schema(pdr_event_queue *queue, queued *item, const pdr_folder *folder)
{
    uint64_t fingerprint;
    if (item->sought || !pdr_folder_lacks(folder, item->value, &fingerprint)) return false;
    item->sought = true;
    queue->lacks = pdr_schema_seek_for(item->event.partition, item->value, fingerprint, item->schema,
                                       item->event.offset);
    return true;
}

/* A registry's id that nobody explains. */
static pdr_code undecoded(pdr_event_queue *queue, queued *item, const pdr_folder *folder, pdr_error *err)
{
    int32_t id;
    if (folder && lacks_schema(queue, item, folder)) return PDR_UNKNOWN_SCHEMA;
    queue->given.fingerprint = 0;
    return pdr_frame_id_read(&id, &queue->given.datum, item->value, err);
}

/* An event whose schema isn't known, nor can be found, is given undecoded. */
static pdr_code decode(pdr_event_queue *queue, queued *item, pdr_error *err)
{
    pdr_logged_event *event = &queue->given;
    pdr_event_list *read = &queue->read;
    read->count = 1;
    read->first = (pdr_event){NULL, NULL, event->seq, event->time_us};
    pdr_code code = pdr_framed_read(&event->fingerprint, &event->datum, item->value, queue->book, err);
    const pdr_folder *folder = folder_of(queue, event->entity);
    if (code == PDR_UNKNOWN_SCHEMA) return undecoded(queue, item, folder, err);
    if (code != PDR_OK || !folder) return code;
    code = pdr_folder_read(folder, item->value, event->seq, event->time_us, &queue->decoded, read, err);
    if (code != PDR_UNKNOWN_SCHEMA) return code;
    return lacks_schema(queue, item, folder) ? code : PDR_OK;
}

static pdr_code take_stored(pdr_event_queue *queue, pdr_error *err)
{
    queued *item = queue->first;
    pdr_arena_clear(&queue->decoded);
    queue->given = item->event;
    queue->part = 0;
    pdr_code code = decode(queue, item, err);
    if (code == PDR_UNKNOWN_SCHEMA) return code;
    queue->first = item->next;
    if (!queue->first) queue->last = NULL;
    if (!queue->first) queue->bytes = 0; /* as the arena: counted down only as a whole */
    if (code != PDR_OK)
        return pdr_fail_context(err, code, "partition %d, offset %lld", (int)item->event.partition,
                                (long long)item->event.offset);
    queue->given.parts = (uint32_t)queue->read.count;
    return PDR_OK;
}

pdr_code pdr_event_queue_take(pdr_event_queue *queue, const pdr_logged_event **out, pdr_error *err)
{
    *out = NULL;
    while (queue->part == queue->given.parts) {
        if (!queue->first) return PDR_OK;
        pdr_code code = take_stored(queue, err);
        if (code != PDR_OK) return code;
    }
    const pdr_event *event = pdr_event_list_at(&queue->read, queue->part);
    queue->given.part = queue->part++;
    queue->given.type = event->type;
    queue->given.value = event->value;
    *out = &queue->given;
    return PDR_OK;
}

void pdr_event_queue_ask_again(pdr_event_queue *queue)
{
    if (queue->first) queue->first->sought = false;
}

void pdr_event_queue_forget(pdr_event_queue *queue)
{
    if (!pdr_event_queue_is_empty(queue)) return;
    pdr_arena_clear(&queue->arena);
    pdr_arena_clear(&queue->decoded);
}
