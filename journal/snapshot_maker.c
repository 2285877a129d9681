#include "journal/snapshot_maker.h"

#include "base/mem.h"
#include "journal/command.h"
#include "journal/commit_reader.h"
#include "journal/schema_seek.h"

typedef struct wanted {
    const pdr_folder *folder;
    pdr_state state;
    uint64_t hash, seq, to_seq;
    int64_t last_offset;
    size_t bytes; /* counted for its state */
    bool done;    /* handed over, or failed */
    uint32_t key_size;
    uint8_t key[];
} wanted;

struct pdr_snapshot_maker {
    pdr_schema_book *book;
    const pdr_snapshot_sink *sink;
    void *context;
    size_t budget, used;
    wanted **items; /* ascending by key */
    size_t count, capacity;
    size_t kept;    /* those of them that this pass makes: the first ones */
    wanted **slots; /* by hash; made when a pass begins */
    size_t mask;
    int32_t partition;          /* of the record that is being taken */
    pdr_commit_reader *commits; /* one per partition, while a pass goes on */
    int32_t partitions;
    pdr_arena scratch;
    pdr_buf packed;
    uint8_t left[PDR_LOG_MAX_KEY];
    size_t left_size;
};

enum { SCRATCH = 64 * 1024 * 1024 };

pdr_code pdr_snapshot_maker_open(pdr_snapshot_maker **out, pdr_schema_book *book, size_t budget,
                                 const pdr_snapshot_sink *sink, void *context, pdr_error *err)
{
    pdr_snapshot_maker *m = pdr_calloc(1, sizeof *m);
    if (!m) return pdr_fail(err, PDR_NOMEM, "making states");
    m->book = book;
    m->budget = budget;
    m->sink = sink;
    m->context = context;
    m->scratch = (pdr_arena)PDR_ARENA_INIT(SCRATCH);
    m->packed = (pdr_buf)PDR_BUF_INIT(PDR_MAX_STATE);
    *out = m;
    return PDR_OK;
}

static pdr_bytes key_of(const wanted *w)
{
    return pdr_bytes_of(w->key, w->key_size);
}

static void account(pdr_snapshot_maker *m, wanted *w)
{
    size_t bytes = w->state.value ? w->state.arena.held : 0;
    m->used = m->used - w->bytes + bytes;
    w->bytes = bytes;
}

static void drop_state(pdr_snapshot_maker *m, wanted *w)
{
    if (w->state.value) pdr_state_release(&w->state);
    account(m, w);
}

static void stop_reading(pdr_snapshot_maker *m)
{
    for (int32_t i = 0; m->commits && i < m->partitions; i++)
        pdr_commit_reader_release(&m->commits[i]);
    pdr_free(m->commits);
    m->commits = NULL;
}

static void forget_all(pdr_snapshot_maker *m)
{
    stop_reading(m);
    for (size_t i = 0; i < m->count; i++) {
        drop_state(m, m->items[i]);
        pdr_free(m->items[i]);
    }
    pdr_free(m->slots);
    m->slots = NULL;
    m->count = m->kept = m->used = 0;
}

void pdr_snapshot_maker_close(pdr_snapshot_maker *m)
{
    if (!m) return;
    forget_all(m);
    pdr_free(m->items);
    pdr_arena_release(&m->scratch);
    pdr_buf_release(&m->packed);
    pdr_free(m);
}

size_t pdr_snapshot_maker_count(const pdr_snapshot_maker *m)
{
    return m->count;
}

/* --- what is wanted --- */

static bool has_slot(pdr_snapshot_maker *m)
{
    if (m->count < m->capacity) return true;
    size_t capacity = m->capacity ? 2 * m->capacity : 1024;
    wanted **grown = pdr_realloc(m->items, capacity * sizeof(wanted *));
    if (!grown) return false;
    m->items = grown;
    m->capacity = capacity;
    return true;
}

/* Half of the budget is for what entities cost before they have a state, their slots included. */
pdr_code pdr_snapshot_maker_want(pdr_snapshot_maker *m, const pdr_folder *folder, const pdr_head *head,
                                 pdr_error *err)
{
    size_t size = sizeof(wanted) + head->key.size, cost = size + 4 * sizeof(wanted *);
    if (m->count && m->used + cost > m->budget / 2)
        return pdr_fail(err, PDR_BUSY, "%zu entities are wanted", m->count);
    wanted *w = has_slot(m) ? pdr_calloc(1, size) : NULL;
    if (!w) return pdr_fail(err, PDR_NOMEM, "making states");
    w->folder = folder;
    w->hash = pdr_key_hash(head->key);
    w->to_seq = head->seq;
    w->last_offset = head->last.offset;
    w->key_size = (uint32_t)head->key.size;
    memcpy(w->key, head->key.data, head->key.size);
    m->items[m->count++] = w;
    m->kept = m->count;
    m->used += cost;
    return PDR_OK;
}

static bool make_slots(pdr_snapshot_maker *m)
{
    size_t slots = 16;
    while (slots < 2 * m->count)
        slots *= 2;
    m->slots = pdr_calloc(slots, sizeof(wanted *));
    if (!m->slots) return false;
    m->mask = slots - 1;
    for (size_t i = 0; i < m->count; i++) {
        size_t at = (size_t)m->items[i]->hash & m->mask;
        while (m->slots[at])
            at = (at + 1) & m->mask;
        m->slots[at] = m->items[i];
    }
    return true;
}

static wanted *find(const pdr_snapshot_maker *m, pdr_bytes key)
{
    uint64_t hash = pdr_key_hash(key);
    for (size_t at = (size_t)hash & m->mask; m->slots[at]; at = (at + 1) & m->mask)
        if (m->slots[at]->hash == hash && pdr_bytes_equal(key_of(m->slots[at]), key)) return m->slots[at];
    return NULL;
}

/* --- a pass --- */

static void fail_one(pdr_snapshot_maker *m, wanted *w, const pdr_error *why)
{
    w->done = true;
    drop_state(m, w);
    m->sink->failed(m->context, key_of(w), why);
}

/* The later half of those that are kept is left for another pass. */
static void leave_some(pdr_snapshot_maker *m)
{
    while (m->used > m->budget && m->kept > 1) {
        size_t keep = m->kept - m->kept / 2;
        for (size_t i = keep; i < m->kept; i++) {
            drop_state(m, m->items[i]);
            m->items[i]->done = true;
        }
        m->kept = keep;
    }
}

static pdr_code hand_over(pdr_snapshot_maker *m, wanted *w, pdr_error *err)
{
    pdr_error why;
    pdr_buf_clear(&m->packed);
    pdr_code code = pdr_state_pack(&w->state, w->folder, &m->packed, &why);
    if (code != PDR_OK) {
        fail_one(m, w, &why);
        return PDR_OK;
    }
    pdr_head head = {.key = key_of(w),
                     .revision = pdr_folder_revision(w->folder),
                     .state_seq = w->seq,
                     .state = m->packed.data ? pdr_buf_bytes(&m->packed) : pdr_bytes_of("", 0)};
    w->done = true;
    drop_state(m, w);
    return m->sink->made(m->context, m->partition, &head, err);
}

static pdr_code fold(pdr_snapshot_maker *m, wanted *w, const pdr_commit_event *event, pdr_error *why)
{
    const pdr_header *h = event->header;
    if (h->seq != w->seq + 1 || (h->seq == w->to_seq && event->record->offset != w->last_offset))
        return pdr_fail(why, PDR_CORRUPT, "event %llu at offset %lld isn't what the store's head says",
                        (unsigned long long)h->seq, (long long)event->record->offset);
    pdr_code code = w->state.value ? PDR_OK : pdr_state_init(&w->state, w->folder, why);
    if (code == PDR_OK)
        code = pdr_state_fold(&w->state, w->folder, event->record->entry.value, h->seq, h->time_us, false,
                              &m->scratch, why);
    if (code == PDR_OK) w->seq = h->seq;
    return code;
}

static pdr_code take_event(pdr_snapshot_maker *m, const pdr_commit_event *event, pdr_error *err)
{
    pdr_error why;
    wanted *w = find(m, event->record->entry.key);
    if (!w || w->done) return PDR_OK;
    if (fold(m, w, event, &why) != PDR_OK) {
        fail_one(m, w, &why);
        return PDR_OK;
    }
    account(m, w);
    if (w->seq == w->to_seq) return hand_over(m, w, err);
    leave_some(m);
    return PDR_OK;
}

static pdr_code on_commit(void *context, const pdr_commit_event *events, size_t count, pdr_position before,
                          pdr_error *err)
{
    (void)before;
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < count; i++)
        code = take_event(context, &events[i], err);
    return code;
}

static pdr_code on_other(void *context, pdr_verdict verdict, const pdr_log_record *record,
                         const pdr_header *header, pdr_error *err)
{
    (void)header;
    pdr_snapshot_maker *m = context;
    uint64_t fingerprint;
    if (verdict != PDR_VERDICT_SCHEMA) return PDR_OK;
    pdr_code code = pdr_schema_book_take(m->book, record, &fingerprint, err);
    return code == PDR_NOMEM ? code : PDR_OK; /* events that need it say so */
}

static const pdr_commit_sink commits = {on_commit, on_other};

pdr_code pdr_snapshot_maker_begin(pdr_snapshot_maker *m, int32_t partitions, pdr_error *err)
{
    stop_reading(m);
    m->commits = pdr_calloc((size_t)partitions, sizeof *m->commits);
    if (!m->commits || (!m->slots && !make_slots(m))) {
        pdr_free(m->commits);
        m->commits = NULL;
        return pdr_fail(err, PDR_NOMEM, "making states of %d partitions", (int)partitions);
    }
    m->partitions = partitions;
    for (int32_t i = 0; i < partitions; i++)
        pdr_commit_reader_init(&m->commits[i], PDR_POSITION_START, &commits, m);
    return PDR_OK;
}

pdr_code pdr_snapshot_maker_take(pdr_snapshot_maker *m, int32_t partition, const pdr_log_record *record,
                                 pdr_error *err)
{
    m->partition = partition;
    return pdr_commit_reader_take(&m->commits[partition], record, err);
}

void pdr_snapshot_maker_end(pdr_snapshot_maker *m, pdr_bytes *left)
{
    bool all = m->kept == m->count;
    for (size_t i = 0; i < m->kept; i++) {
        wanted *w = m->items[i];
        pdr_error why;
        if (w->done) continue;
        (void)pdr_fail(&why, PDR_CORRUPT, "the store has %llu events, the log %llu",
                       (unsigned long long)w->to_seq, (unsigned long long)w->seq);
        fail_one(m, w, &why);
    }
    *left = pdr_bytes_of(NULL, 0);
    if (!all) {
        const wanted *last = m->items[m->kept - 1];
        m->left_size = last->key_size;
        memcpy(m->left, last->key, last->key_size);
        *left = pdr_bytes_of(m->left, m->left_size);
    }
    forget_all(m);
}
