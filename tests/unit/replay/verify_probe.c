#include "tests/unit/replay/verify_probe.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "base/mem.h"
#include "tests/unit/journal/owner_probe.h"

static pdr_bytes bytes_of(const char *text)
{
    return pdr_bytes_of(text, strlen(text));
}

pdr_bytes journal_keep(journal *j, const void *data, size_t size)
{
    return pdr_arena_bytes(&j->kept, pdr_bytes_of(data, size));
}

static pdr_bytes keep(journal *j, pdr_bytes bytes)
{
    return bytes.data ? pdr_arena_bytes(&j->kept, bytes) : bytes;
}

/* --- the log --- */

static void add(journal *j, const pdr_log_record *record)
{
    cr_assert_lt(j->count, JOURNAL_RECORDS);
    journal_record *r = &j->records[j->count++];
    r->record = *record;
    const pdr_log_entry *e = &record->entry;
    r->record.entry = (pdr_log_entry){keep(j, e->key), keep(j, e->value), keep(j, e->header),
                                      keep(j, e->schema), keep(j, e->trace)};
    cr_assert_eq(pdr_header_parse(r->record.entry.header, &r->header), PDR_PARSED);
    if (r->header.kind == PDR_RECORD_FENCE) r->header.term.offset = record->offset;
}

typedef struct reading {
    journal *journal;
    bool ended;
} reading;

static void take_records(void *context, const pdr_log_record *records, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add(((reading *)context)->journal, &records[i]);
}

static void take_end(void *context, int64_t end)
{
    (void)end;
    ((reading *)context)->ended = true;
}

static void take_failure(void *context, const pdr_error *error)
{
    (void)context;
    cr_assert_fail("%s", error->message);
}

static const pdr_log_reader_events reader_events = {take_records, take_end, take_failure};

static bool has_ended(probe *p, void *context)
{
    (void)p;
    return ((const reading *)context)->ended;
}

static void read_log(journal *j, probe *p)
{
    pdr_log_reader *reader;
    reading r = {j, false};
    cr_assert_eq(p->log->ops->reader_open(p->log, 0, 0, &reader_events, &r, &reader, NULL), PDR_OK);
    cr_assert(probe_until(p, has_ended, &r, 60000000));
    p->log->ops->reader_close(reader);
}

/* --- the store --- */

static pdr_code take_head(void *context, int32_t partition, const pdr_head *head, pdr_error *err)
{
    journal *j = context;
    (void)partition;
    (void)err;
    cr_assert_lt(j->head_count, JOURNAL_HEADS);
    pdr_head *h = &j->heads[j->head_count++];
    *h = *head;
    h->key = keep(j, head->key);
    h->ids = keep(j, head->ids);
    h->state = keep(j, head->state);
    return PDR_OK;
}

typedef struct loading {
    pdr_partition_row row;
    bool done;
} loading;

static void take_row(void *context, uint64_t tag, const pdr_store_result *result)
{
    loading *l = context;
    (void)tag;
    cr_assert_eq(result->code, PDR_OK);
    *l = (loading){result->row, true};
}

static bool is_loaded(probe *p, void *context)
{
    (void)p;
    return ((const loading *)context)->done;
}

static pdr_partition_row read_row(probe *p)
{
    loading l = {.done = false};
    cr_assert_eq(p->store->ops->load(p->store, 0, take_row, &l, 0, NULL), PDR_OK);
    cr_assert(probe_until(p, is_loaded, &l, 60000000));
    return l.row;
}

/* The owner goes on meanwhile: in the order that a verification asks for. */
static void read_store(journal *j, probe *p)
{
    j->row = read_row(p);
    cr_assert_eq(p->store->ops->dump(p->store, take_head, j, NULL), PDR_OK);
    j->row_after = read_row(p);
}

/* --- what the owner writes --- */

static void deposit(probe *p, const char *key, const char *id, int64_t parts)
{
    probe_answer answer;
    pdr_buf payload = PDR_BUF_INIT(1024);
    pdr_cmd_spec spec = probe_deposit(key, id, 5, parts, "note", &payload, &answer);
    probe_ask(p, &spec);
    cr_assert_eq(answer.code, PDR_OK);
    pdr_buf_release(&payload);
}

/* Many at once, so that backlinks reach far back. */
static void flood(probe *p, const char *key, int count)
{
    probe_answer answers[20];
    for (int i = 0; i < count; i++) {
        pdr_buf payload = PDR_BUF_INIT(1024);
        pdr_cmd_spec spec = probe_deposit(key, NULL, 1, 1, "flood", &payload, &answers[i]);
        cr_assert_eq(probe_submit(p, &spec), PDR_OK);
        pdr_buf_release(&payload);
    }
    for (int i = 0; i < count; i++)
        cr_assert(probe_until_answered(p, &answers[i]));
}

static void next_owner(probe *p)
{
    pdr_owner_close(p->owner);
    probe_serve(p);
}

static void tell_story(probe *p)
{
    char id[24];
    p->settings.checkpointing = false; /* only when it is asked to */
    probe_serve(p);
    deposit(p, "acct/1", "first", 1);
    deposit(p, "acct/2", "second", 3);
    flood(p, "acct/1", 12);
    cr_assert(probe_until_clean(p));
    next_owner(p);
    for (int i = 0; i < SIM_ID_WINDOW + 4; i++) {
        snprintf(id, sizeof id, "id-%d", i);
        deposit(p, "acct/3", id, 1 + i % 2);
    }
    deposit(p, "acct/1", "later", 2);
    next_owner(p);
    flood(p, "acct/2", 6);
    deposit(p, "acct/2", "last", 2);
    cr_assert(probe_until_clean(p));
    next_owner(p); /* the flush was the other's */
    deposit(p, "acct/1", "past the checkpoint", 1);
}

static const pdr_folder *find_folder(void *context, pdr_bytes entity)
{
    const journal *j = context;
    return entity.size >= 4 && memcmp(entity.data, "acct", 4) == 0 ? j->folder : NULL;
}

/* --- verifying --- */

static void note(void *context, const pdr_finding *finding)
{
    journal *j = context;
    if (j->found++ >= JOURNAL_FINDINGS) return;
    journal_finding *f = &j->findings[j->found - 1];
    *f = (journal_finding){finding->rule, finding->partition, finding->offset, finding->seq, "", "", ""};
    snprintf(f->entity, sizeof f->entity, "%.*s", (int)finding->entity.size,
             finding->entity.size ? (const char *)finding->entity.data : "");
    snprintf(f->expected, sizeof f->expected, "%s", finding->expected);
    snprintf(f->found, sizeof f->found, "%s", finding->found);
}

static const pdr_verify_sink sink = {note};

void journal_init(journal *j)
{
    probe p;
    memset(j, 0, sizeof *j);
    j->kept = (pdr_arena)PDR_ARENA_INIT(64 * 1024 * 1024);
    probe_init(&p);
    tell_story(&p);
    read_store(j, &p);
    read_log(j, &p);
    probe_release(&p);
    j->spec = (pdr_verify_spec){.partitions = 1,
                                .has_journal_id = true,
                                .has_store = true,
                                .folder = find_folder,
                                .folder_context = j,
                                .memory = 64 * 1024 * 1024,
                                .sink = &sink,
                                .context = j};
    cr_assert_eq(pdr_schema_book_open(&j->spec.book, NULL), PDR_OK);
    cr_assert_eq(pdr_folder_open(&j->folder, sim_app(1)->entities[0], j->spec.book, NULL), PDR_OK);
}

void journal_release(journal *j)
{
    pdr_folder_close(j->folder);
    pdr_schema_book_close(j->spec.book);
    pdr_arena_release(&j->kept);
}

static pdr_code give_store(journal *j, pdr_verify *v, pdr_error *err)
{
    pdr_code code = j->spec.has_store ? pdr_verify_row(v, 0, &j->row, err) : PDR_OK;
    for (size_t i = 0; code == PDR_OK && j->spec.has_store && i < j->head_count; i++)
        code = pdr_verify_head(v, 0, &j->heads[i], err);
    if (code == PDR_OK && j->spec.has_store) code = pdr_verify_row_after(v, 0, &j->row_after, err);
    if (code == PDR_OK && j->has_view)
        code = pdr_verify_position(v, 0, j->view, "projection p, version 1", err);
    if (code == PDR_OK && j->has_letter) code = pdr_verify_dead_letter(v, &j->letter, err);
    return code;
}

static pdr_code pass(journal *j, pdr_verify *v, pdr_error *err)
{
    pdr_code code = pdr_verify_begin(v, err);
    if (code == PDR_OK) code = give_store(j, v, err);
    for (size_t i = 0; code == PDR_OK && i < j->count; i++)
        code = pdr_verify_take(v, 0, &j->records[i].record, err);
    if (code == PDR_CANCELLED) return PDR_OK;
    if (code == PDR_OK) pdr_verify_end(v, 0, j->count ? j->records[j->count - 1].record.offset + 1 : 0);
    j->passes++;
    return code;
}

pdr_code journal_try(journal *j, pdr_error *err)
{
    pdr_verify *v;
    j->found = j->passes = 0;
    pdr_code code = pdr_verify_open(&v, &j->spec, err);
    if (code != PDR_OK) return code;
    do
        code = pass(j, v, err);
    while (code == PDR_OK && pdr_verify_unfinished(v));
    j->totals = pdr_verify_totals_of(v);
    if (code == PDR_OK) cr_assert_eq(pdr_verify_findings(&j->totals), j->found);
    pdr_verify_close(v);
    return code;
}

size_t journal_verify(journal *j)
{
    pdr_error err = {0};
    cr_assert_eq(journal_try(j, &err), PDR_OK, "%s", err.message);
    return j->found;
}

/* --- spoiling --- */

journal_record *journal_event(journal *j, const char *entity, uint64_t seq)
{
    for (size_t i = 0; i < j->count; i++) {
        journal_record *r = &j->records[i];
        if (r->header.kind == PDR_RECORD_EVENT && r->header.seq == seq &&
            pdr_bytes_equal(r->record.entry.key, bytes_of(entity)))
            return r;
    }
    cr_assert_fail("no event %d of %s", (int)seq, entity);
    return NULL;
}

journal_record *journal_nth(journal *j, pdr_record_kind kind, size_t nth)
{
    for (size_t i = 0; i < j->count; i++)
        if (j->records[i].header.kind == kind && nth-- == 0) return &j->records[i];
    cr_assert_fail("no such record");
    return NULL;
}

pdr_head *journal_head(journal *j, const char *entity)
{
    for (size_t i = 0; i < j->head_count; i++)
        if (pdr_bytes_equal(j->heads[i].key, bytes_of(entity))) return &j->heads[i];
    cr_assert_fail("no head of %s", entity);
    return NULL;
}

void journal_encode(journal *j, journal_record *r)
{
    pdr_buf bytes = PDR_BUF_INIT(PDR_MAX_HEADER);
    pdr_header header = r->header;
    if (header.kind == PDR_RECORD_FENCE) header.term.offset = -1;
    cr_assert_eq(pdr_header_encode(&header, &bytes), PDR_OK);
    r->record.entry.header = journal_keep(j, bytes.data, bytes.size);
    pdr_buf_release(&bytes);
    cr_assert_eq(pdr_header_parse(r->record.entry.header, &r->header), PDR_PARSED);
    if (r->header.kind == PDR_RECORD_FENCE) r->header.term.offset = r->record.offset;
}

void journal_remove(journal *j, const journal_record *r)
{
    size_t at = (size_t)(r - j->records);
    memmove(&j->records[at], &j->records[at + 1], (j->count - at - 1) * sizeof *r);
    j->count--;
}

journal_record *journal_repeat(journal *j, const journal_record *r)
{
    cr_assert_lt(j->count, JOURNAL_RECORDS);
    journal_record *copy = &j->records[j->count++];
    *copy = *r;
    copy->record.offset = copy[-1].record.offset + 1;
    return copy;
}

pdr_position journal_position(const journal_record *r)
{
    return (pdr_position){r->record.offset, r->header.term, r->header.number};
}

const journal_finding *journal_found(const journal *j, pdr_verify_rule rule, int64_t offset,
                                     const char *entity)
{
    for (size_t i = 0; i < j->found && i < JOURNAL_FINDINGS; i++) {
        const journal_finding *f = &j->findings[i];
        if (f->rule == rule && f->offset == offset && strcmp(f->entity, entity ? entity : "") == 0) return f;
    }
    return NULL;
}

/* --- what must be found --- */

void journal_dump(const journal *j)
{
    for (size_t i = 0; i < j->found && i < JOURNAL_FINDINGS; i++) {
        const journal_finding *f = &j->findings[i];
        fprintf(stderr, "%s p%d @%lld %s#%llu\n  expected: %s\n  found:    %s\n", pdr_verify_name(f->rule),
                (int)f->partition, (long long)f->offset, f->entity, (unsigned long long)f->seq, f->expected,
                f->found);
    }
}

void journal_is_the_only(journal *j, pdr_verify_rule rule, int64_t offset, const char *entity)
{
    size_t found = journal_verify(j);
    if (found != 1 || !journal_found(j, rule, offset, entity)) journal_dump(j);
    cr_assert_eq(found, 1, "%zu findings", found);
    cr_assert(journal_found(j, rule, offset, entity));
}

void journal_is_found(journal *j, pdr_verify_rule rule, int64_t offset, const char *entity)
{
    (void)journal_verify(j);
    if (!journal_found(j, rule, offset, entity)) journal_dump(j);
    cr_assert(journal_found(j, rule, offset, entity));
}
