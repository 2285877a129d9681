#include "replay/newest.h"

#include "base/clock.h"
#include "base/mem.h"
#include "projections/log_ends.h"

/* An event that ends its commit: a place where reading may begin, if it is in sequence. */
typedef struct place {
    int64_t offset;
    pdr_term term;
    uint64_t number;
} place;

typedef struct window {
    struct search *search;
    pdr_log_reader *reader; /* NULL: it is done */
    int32_t partition;
    int64_t end;
    place *places; /* by offset */
    size_t count, capacity;
    bool found;
    pdr_position best; /* the lowest that was found */
} window;

typedef struct search {
    pdr_tool *tool;
    pdr_log *log;
    window *windows;
    size_t count, open;
    pdr_error failure; /* code PDR_OK: none */
} search;

static void close_window(window *w)
{
    if (!w->reader) return;
    w->search->log->ops->reader_close(w->reader);
    w->reader = NULL;
    w->search->open--;
}

static void fail(window *w, const pdr_error *error)
{
    if (w->search->failure.code == PDR_OK) w->search->failure = *error;
}

static void offer(window *w, pdr_position position)
{
    if (w->found && w->best.offset <= position.offset) return;
    w->found = true;
    w->best = position;
}

static bool note_place(window *w, int64_t offset, const pdr_header *header)
{
    if (w->count == w->capacity) {
        size_t grown = w->capacity ? 2 * w->capacity : 256;
        place *places = pdr_realloc(w->places, grown * sizeof *places);
        if (!places) return false;
        w->places = places;
        w->capacity = grown;
    }
    w->places[w->count++] = (place){offset, header->term, header->number};
    return true;
}

static const place *find_place(const window *w, int64_t offset)
{
    size_t low = 0, high = w->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (w->places[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < w->count && w->places[low].offset == offset ? &w->places[low] : NULL;
}

/* What was acknowledged when an event was encoded is in sequence, whatever becomes of that event. */
static bool look_at(window *w, const pdr_log_record *record)
{
    pdr_header header;
    pdr_bytes bytes = record->entry.header;
    if (!bytes.data || pdr_header_parse(bytes, &header) != PDR_PARSED) return true;
    if (header.kind == PDR_RECORD_FENCE)
        offer(w, (pdr_position){record->offset, {record->offset, header.term.incarnation}, 0});
    if (header.kind != PDR_RECORD_EVENT) return true;
    const place *named = header.back_offset >= 0 ? find_place(w, header.back_offset) : NULL;
    if (named) offer(w, (pdr_position){named->offset, named->term, named->number});
    return header.index + 1 < header.count || note_place(w, record->offset, &header);
}

static void saw_records(void *context, const pdr_log_record *records, size_t count)
{
    window *w = context;
    pdr_error err;
    for (size_t i = 0; i < count && records[i].offset < w->end; i++) {
        if (look_at(w, &records[i])) continue;
        (void)pdr_fail(&err, PDR_NOMEM, "the newest records of partition %d", (int)w->partition);
        fail(w, &err);
        return;
    }
    if (records[count - 1].offset + 1 >= w->end) close_window(w);
}

static void saw_end(void *context, int64_t end)
{
    window *w = context;
    if (end >= w->end) close_window(w);
}

static void saw_failure(void *context, const pdr_error *error)
{
    window *w = context;
    pdr_error err = *error;
    (void)pdr_fail_context(&err, err.code, "partition %d", (int)w->partition);
    fail(w, &err);
}

static const pdr_log_reader_events reader_events = {saw_records, saw_end, saw_failure};

static pdr_code open_window(window *w, int64_t back, pdr_error *err)
{
    w->count = 0;
    int64_t from = w->end - back;
    if (from <= 0) {
        offer(w, PDR_POSITION_START);
        return PDR_OK;
    }
    pdr_log *log = w->search->log;
    pdr_code code = log->ops->reader_open(log, w->partition, from, &reader_events, w, &w->reader, err);
    w->search->open += code == PDR_OK;
    return code;
}

static pdr_code read_windows(search *s, pdr_error *err)
{
    int64_t until = pdr_tool_deadline_us(s->tool);
    pdr_code code = PDR_OK;
    while (code == PDR_OK && s->open && s->failure.code == PDR_OK) {
        bool came;
        code = pdr_tool_turn(s->tool, s->log, NULL, until, &came, err);
        if (came) until = pdr_tool_deadline_us(s->tool);
    }
    if (code != PDR_OK || s->failure.code == PDR_OK) return code;
    if (err) *err = s->failure;
    return s->failure.code;
}

/* One look at those for which nothing is found yet; *left: some are left. */
static pdr_code look(search *s, int64_t back, bool *left, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < s->count; i++)
        if (!s->windows[i].found) code = open_window(&s->windows[i], back, err);
    if (code == PDR_OK) code = read_windows(s, err);
    *left = false;
    for (size_t i = 0; i < s->count; i++) {
        close_window(&s->windows[i]);
        *left |= !s->windows[i].found;
    }
    return code;
}

static pdr_code run(search *s, const int32_t *partitions, int64_t back, int64_t *ends, pdr_error *err)
{
    enum { ENDS_TIMEOUT_MS = 30000 };
    bool left = true;
    pdr_code code = pdr_log_ends_read(s->log, partitions, s->count, ENDS_TIMEOUT_MS, ends, err);
    for (size_t i = 0; code == PDR_OK && i < s->count; i++)
        s->windows[i] = (window){.search = s, .partition = partitions[i], .end = ends[i]};
    for (; code == PDR_OK && left; back = back > INT64_MAX / 2 ? INT64_MAX : 2 * back)
        code = look(s, back, &left, err);
    return code;
}

pdr_code pdr_newest_positions(pdr_tool *tool, const int32_t *partitions, size_t count, int64_t back,
                              pdr_position *out, pdr_error *err)
{
    search s = {.tool = tool, .log = pdr_tool_log(tool), .count = count};
    int64_t *ends = pdr_alloc((count + 1) * sizeof *ends);
    s.windows = pdr_calloc(count + 1, sizeof *s.windows);
    pdr_code code = ends && s.windows ? run(&s, partitions, back > 0 ? back : 1, ends, err)
                                      : pdr_fail(err, PDR_NOMEM, "%zu partitions", count);
    for (size_t i = 0; s.windows && i < count; i++) {
        if (code == PDR_OK) out[partitions[i]] = s.windows[i].best;
        pdr_free(s.windows[i].places);
    }
    pdr_free(s.windows);
    pdr_free(ends);
    return code;
}
