#include "replay/story.h"

#include "base/clock.h"
#include "base/mem.h"
#include "journal/entity_reader.h"
#include "journal/schema_seek.h"

enum { MAX_QUEUED = 8 * 1024 * 1024, ATTEMPTS = 3 };

/* A record on its way to the caller: copied, since nothing that blocks may be called in a poll. */
typedef struct line {
    struct line *next;
    size_t size;
    pdr_log_record record;
    pdr_header header; /* borrows from `record` */
    bool has_header, is_void;
} line;

typedef struct line_list {
    line *first, *last;
    size_t bytes;
} line_list;

typedef struct story {
    pdr_tool *tool;
    const pdr_story_spec *spec;
    pdr_story_told *told;
    int32_t partition;
    uint64_t last_seq; /* told */
    pdr_entity_reader *reader;
    line_list queue;
    line_list open; /* if voids are wanted: the entity's commit that is still open, and may turn out void */
    bool without_store;
    bool caught_up, failed;
    pdr_error failure;
} story;

/* --- copies --- */

static void put(line_list *list, line *one)
{
    one->next = NULL;
    *(list->first ? &list->last->next : &list->first) = one;
    list->last = one;
    list->bytes += one->size;
}

static line *take(line_list *list)
{
    line *one = list->first;
    if (one) {
        list->first = one->next;
        list->bytes -= one->size;
    }
    return one;
}

static void drop_all(line_list *list)
{
    for (line *one = take(list); one; one = take(list))
        pdr_free(one);
}

static uint8_t *copy_range(uint8_t *to, pdr_bytes *range)
{
    if (!range->data) return to;
    if (range->size) memcpy(to, range->data, range->size);
    range->data = to;
    return to + range->size;
}

static line *copy(const pdr_log_record *record, bool is_void)
{
    const pdr_log_entry *e = &record->entry;
    size_t size =
        sizeof(line) + e->key.size + e->value.size + e->header.size + e->schema.size + e->trace.size;
    line *one = pdr_alloc(size);
    if (!one) return NULL;
    *one = (line){.size = size, .record = *record, .is_void = is_void};
    uint8_t *p = copy_range((uint8_t *)(one + 1), &one->record.entry.key);
    p = copy_range(p, &one->record.entry.value);
    p = copy_range(p, &one->record.entry.header);
    p = copy_range(p, &one->record.entry.schema);
    (void)copy_range(p, &one->record.entry.trace);
    pdr_bytes header = one->record.entry.header;
    one->has_header = header.data && pdr_header_parse(header, &one->header) == PDR_PARSED;
    return one;
}

static pdr_code put_copy(story *s, line_list *list, const pdr_log_record *record, bool is_void,
                         pdr_error *err)
{
    line *one = copy(record, is_void);
    if (!one) return pdr_fail(err, PDR_NOMEM, "an event of %zu bytes", record->entry.value.size);
    put(list, one);
    if (s->queue.bytes > MAX_QUEUED && s->reader) pdr_entity_reader_pause(s->reader, true);
    return PDR_OK;
}

/* --- what the reader tells --- */

/* A state that is above what is wanted is of no use. */
static pdr_code met_head(void *context, const pdr_head *head, uint64_t *after_seq, pdr_error *err)
{
    story *s = context;
    if (!head) return PDR_OK;
    if (head->seq > s->told->newest_seq) s->told->newest_seq = head->seq;
    if (!s->spec->state || !head->state.data) return PDR_OK;
    if (head->state_seq > s->spec->to_seq || head->state_seq <= *after_seq) return PDR_OK;
    pdr_story_state state = {head->revision, head->state_seq, head->state};
    pdr_code code = s->spec->state(s->spec->context, &state, err);
    if (code == PDR_NOT_FOUND) return PDR_OK; /* it can't be used */
    if (code != PDR_OK) return code;
    *after_seq = s->last_seq = head->state_seq;
    return PDR_OK;
}

static pdr_code met_event(void *context, const pdr_log_record *record, const pdr_header *header,
                          pdr_error *err)
{
    story *s = context;
    drop_all(&s->open);
    if (header->seq > s->spec->to_seq) return PDR_OK;
    return put_copy(s, &s->queue, record, false, err);
}

static pdr_code met_other(void *context, pdr_verdict verdict, const pdr_log_record *record,
                          const pdr_header *header, pdr_error *err)
{
    story *s = context;
    uint64_t fingerprint;
    (void)header;
    if (verdict == PDR_VERDICT_SCHEMA) {
        pdr_code code = pdr_schema_book_take(pdr_tool_book(s->tool), record, &fingerprint, err);
        return code == PDR_NOMEM ? code : PDR_OK; /* else whoever needs it says so */
    }
    if (!s->spec->voids) return PDR_OK;
    if (verdict == PDR_VERDICT_FENCE)
        for (line *one = take(&s->open); one; one = take(&s->open)) {
            one->is_void = true;
            put(&s->queue, one);
        }
    if (!pdr_bytes_equal(record->entry.key, s->spec->entity)) return PDR_OK;
    if (verdict == PDR_VERDICT_EVENT) return put_copy(s, &s->open, record, false, err);
    return put_copy(s, &s->queue, record, true, err);
}

static void met_end(void *context)
{
    story *s = context;
    s->caught_up = true;
}

static void met_failure(void *context, pdr_code code, const pdr_error *error)
{
    story *s = context;
    s->failed = true;
    s->failure = *error;
    s->failure.code = code;
}

static const pdr_entity_reader_events reader_events = {met_head, met_event, met_other, met_end, met_failure};

/* --- telling it --- */

static pdr_code tell(story *s, const line *one, pdr_error *err)
{
    pdr_story_event event = {s->partition, &one->record, one->has_header ? &one->header : NULL, one->is_void};
    pdr_story_told *told = s->told;
    if (!one->is_void) {
        s->last_seq = one->header.seq;
        if (s->last_seq > told->newest_seq) told->newest_seq = s->last_seq;
        told->append_ms = one->record.append_ms;
        told->events++;
    } else {
        told->voids++;
    }
    return s->spec->event(s->spec->context, &event, err);
}

static pdr_code tell_queued(story *s, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (line *one = take(&s->queue); one; one = code == PDR_OK ? take(&s->queue) : NULL) {
        code = tell(s, one, err);
        pdr_free(one);
    }
    if (s->reader) pdr_entity_reader_pause(s->reader, false);
    return code;
}

/* Voids stand behind the newest event too: with them the partition is read to its end. */
static bool is_whole(const story *s)
{
    return s->caught_up && !s->spec->follow;
}

static pdr_code tell_end(story *s, pdr_error *err)
{
    s->caught_up = false;
    return s->spec->caught_up ? s->spec->caught_up(s->spec->context, err) : PDR_OK;
}

/* *ended: `event` doesn't want any more. */
static pdr_code pump(story *s, bool *ended, pdr_error *err)
{
    pdr_log *log = pdr_tool_log(s->tool);
    pdr_store *store = pdr_tool_store(s->tool);
    int64_t until = pdr_tool_deadline_us(s->tool);
    for (;;) {
        bool came, whole = is_whole(s), ending = s->caught_up;
        pdr_code code = tell_queued(s, err);
        if (code == PDR_OK && ending) code = tell_end(s, err);
        *ended = code == PDR_CANCELLED && !pdr_tool_is_stopped(s->tool);
        if (code != PDR_OK) return *ended ? PDR_OK : code;
        if (s->failed) {
            if (err) *err = s->failure;
            return s->failure.code;
        }
        if (whole) return PDR_OK;
        code = pdr_tool_turn(s->tool, log, store, s->spec->follow ? INT64_MAX : until, &came, err);
        if (code != PDR_OK) return code;
        if (came) until = pdr_tool_deadline_us(s->tool);
    }
}

static pdr_code run_once(story *s, bool *ended, pdr_error *err)
{
    const pdr_story_spec *spec = s->spec;
    pdr_entity_reader_spec reader = {.partition = s->partition,
                                     .key = spec->entity,
                                     .after_seq = s->last_seq,
                                     .to_seq = spec->voids ? UINT64_MAX : spec->to_seq,
                                     .revisions = spec->revisions,
                                     .revision_count = spec->state ? spec->revision_count : 0};
    pdr_store *store = spec->voids || s->without_store ? NULL : pdr_tool_store(s->tool);
    s->caught_up = s->failed = false;
    pdr_code code =
        pdr_entity_reader_open(&s->reader, pdr_tool_log(s->tool), store, &reader, &reader_events, s, err);
    if (code == PDR_OK) code = pump(s, ended, err);
    if (s->reader) s->told->scanned += pdr_entity_reader_scanned(s->reader);
    pdr_entity_reader_close(s->reader);
    s->reader = NULL;
    drop_all(&s->queue);
    drop_all(&s->open);
    return code;
}

/* A store without tables tells nothing that the log doesn't. */
static pdr_code run_with_or_without(story *s, bool *ended, pdr_error *err)
{
    pdr_code code = run_once(s, ended, err);
    if (code != PDR_NOT_INITIALISED || s->without_store) return code;
    s->without_store = true;
    return run_once(s, ended, err);
}

/* A store that moves while it is read is read again; one that always does so doesn't fit the log. */
pdr_code pdr_story_run(pdr_tool *tool, const pdr_story_spec *spec, pdr_story_told *told, pdr_error *err)
{
    pdr_story_told ignored;
    story s = {.tool = tool,
               .spec = spec,
               .told = told ? told : &ignored,
               .partition = pdr_tool_partition_of(tool, spec->entity),
               .last_seq = spec->after_seq};
    pdr_code code = PDR_STALE;
    bool ended = false;
    *s.told = (pdr_story_told){0};
    for (int i = 0; code == PDR_STALE && i < ATTEMPTS; i++)
        code = run_with_or_without(&s, &ended, err);
    if (code == PDR_STALE && err) err->code = PDR_CORRUPT; /* the message names the place */
    return code == PDR_STALE ? PDR_CORRUPT : code;
}
