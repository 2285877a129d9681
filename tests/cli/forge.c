/* Appends one record to a journal's log that no owner would write: forge URL PARTITION KIND. Prints where it
 * lies and what it is, as a JSON object. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "journal/backends.h"
#include "journal/commit_reader.h"

enum { TIMEOUT_MS = 30000 };

typedef struct forger {
    pdr_log *log;
    int32_t partition;
    pdr_commit_reader reader;
    bool ended, reported;
    pdr_log_report report;
    /* The newest event that counts, and its entity. */
    pdr_header last;
    uint8_t key[PDR_LOG_MAX_KEY], id[PDR_MAX_COMMAND_ID], value[4096], bytes[PDR_MAX_HEADER];
    size_t key_size, value_size;
    int64_t offset;
    pdr_header fence;
    uint8_t address[PDR_MAX_ADDRESS];
} forger;

static void die(const char *what, const pdr_error *err)
{
    fprintf(stderr, "forge: %s: %s\n", what, err ? err->message : "");
    exit(1);
}

/* --- reading --- */

static pdr_code on_commit(void *context, const pdr_commit_event *events, size_t count, pdr_position before,
                          pdr_error *err)
{
    forger *f = context;
    const pdr_commit_event *e = &events[count - 1];
    (void)before;
    (void)err;
    f->last = *e->header;
    f->offset = e->record->offset;
    memcpy(f->key, e->record->entry.key.data, e->record->entry.key.size);
    f->key_size = e->record->entry.key.size;
    memcpy(f->id, e->header->id.data, e->header->id.size);
    f->last.id.data = f->id;
    f->last.has_reply = false;
    f->last.reply = f->last.correlation = f->last.causation = pdr_bytes_of(NULL, 0);
    f->value_size =
        e->record->entry.value.size < sizeof f->value ? e->record->entry.value.size : sizeof f->value;
    memcpy(f->value, e->record->entry.value.data, f->value_size);
    return PDR_OK;
}

static pdr_code on_other(void *context, pdr_verdict verdict, const pdr_log_record *record,
                         const pdr_header *header, pdr_error *err)
{
    forger *f = context;
    (void)record;
    (void)err;
    if (verdict != PDR_VERDICT_FENCE) return PDR_OK;
    f->fence = *header;
    memcpy(f->address, header->address.data, header->address.size);
    f->fence.address.data = f->address;
    return PDR_OK;
}

static const pdr_commit_sink sink = {on_commit, on_other};

static void records(void *context, const pdr_log_record *given, size_t count)
{
    forger *f = context;
    pdr_error err;
    for (size_t i = 0; i < count; i++)
        if (pdr_commit_reader_take(&f->reader, &given[i], &err) != PDR_OK) die("reading", &err);
}

static void end(void *context, int64_t at)
{
    (void)at;
    ((forger *)context)->ended = true;
}

static void failed(void *context, const pdr_error *err)
{
    (void)context;
    die("reading", err);
}

static void reports(void *context, const pdr_log_report *given, size_t count)
{
    forger *f = context;
    if (!count) return;
    f->report = given[0];
    f->reported = true;
}

static void turn(forger *f, const bool *done)
{
    int64_t until = pdr_deadline_us(TIMEOUT_MS);
    while (!*done) {
        struct pollfd fds[16];
        int64_t us = INT64_MAX;
        if (f->log->ops->poll(f->log)) continue;
        if (pdr_mono_us() > until) die("no answer in time", NULL);
        int count = f->log->ops->wait_on(f->log, fds, 16, &us);
        (void)poll(fds, (nfds_t)count, us < 20000 ? (int)(us / 1000) : 20);
    }
}

static void read_partition(forger *f)
{
    static const pdr_log_reader_events events = {records, end, failed};
    pdr_log_reader *reader;
    pdr_error err;
    pdr_commit_reader_init(&f->reader, PDR_POSITION_START, &sink, f);
    if (f->log->ops->reader_open(f->log, f->partition, 0, &events, f, &reader, &err) != PDR_OK)
        die("reading", &err);
    turn(f, &f->ended);
    f->log->ops->reader_close(reader);
    pdr_commit_reader_release(&f->reader);
    if (f->last.seq == 0) die("the partition has no events", NULL);
}

/* --- writing --- */

static int64_t append(forger *f, const pdr_log_entry *entry)
{
    static const pdr_log_writer_events events = {reports, failed};
    pdr_log_writer *writer;
    pdr_error err;
    if (f->log->ops->writer_open(f->log, f->partition, &events, f, &writer, &err) != PDR_OK)
        die("writing", &err);
    f->reported = false;
    if (f->log->ops->append(writer, entry, 1, &err) != PDR_OK) die("writing", &err);
    turn(f, &f->reported);
    f->log->ops->writer_close(writer);
    if (f->report.code != PDR_OK || f->report.offset < 0) die("the append failed", NULL);
    return f->report.offset;
}

/* The next event of the entity, as its owner would write it. */
static pdr_header next(const forger *f)
{
    static const uint8_t id[] = "forged";
    pdr_header h = f->last;
    h.term = f->reader.walk.term;
    h.number = f->reader.walk.count + 1;
    h.seq = f->last.seq + 1;
    h.index = 0;
    h.count = 1;
    h.back_offset = f->offset;
    h.back_seq = f->last.seq;
    h.id = pdr_bytes_of(id, sizeof id - 1);
    return h;
}

static bool is(const char *kind, const char *name)
{
    return strcmp(kind, name) == 0;
}

static bool spoil_event(const forger *f, const char *kind, pdr_header *h, pdr_log_entry *entry)
{
    if (is(kind, "term"))
        h->term.incarnation ^= 1;
    else if (is(kind, "repeat"))
        h->number--;
    else if (is(kind, "gap"))
        h->seq += 1;
    else if (is(kind, "twice"))
        h->seq--, h->back_offset = -1, h->back_seq = 0;
    else if (is(kind, "backlink"))
        h->back_offset--;
    else if (is(kind, "framing"))
        entry->value = pdr_bytes_of("{\"by\":\"hand\"}", 13);
    else if (is(kind, "schema"))
        h->schema += 1000;
    else if (is(kind, "datum"))
        entry->value.size = 10;
    else if (is(kind, "id"))
        h->id = f->last.id;
    else if (is(kind, "commit"))
        h->index = 1, h->count = 2;
    else if (is(kind, "partition"))
        entry->key = pdr_bytes_of("loan/elsewhere", 14), h->seq = 1, h->back_offset = -1, h->back_seq = 0;
    else
        return is(kind, "sound") || is(kind, "malformed") || is(kind, "format");
    return true;
}

static bool spoil_fence(const char *kind, pdr_header *h)
{
    h->term = (pdr_term){-1, h->term.incarnation + 1};
    if (is(kind, "journal"))
        h->journal_id[0] ^= 1;
    else if (is(kind, "partitions"))
        h->partitions++;
    else
        return is(kind, "fence");
    return true;
}

static int64_t forge(forger *f, const char *kind, pdr_log_entry *entry, pdr_header *h)
{
    pdr_buf bytes = PDR_BUF_INIT(PDR_MAX_HEADER);
    *h = next(f);
    *entry = (pdr_log_entry){.key = pdr_bytes_of(f->key, f->key_size),
                             .value = pdr_bytes_of(f->value, f->value_size)};
    if (!spoil_event(f, kind, h, entry)) {
        *h = f->fence;
        *entry = (pdr_log_entry){.key = {NULL, 0}};
        if (!spoil_fence(kind, h)) die("there is no such kind", NULL);
    }
    if (pdr_header_encode(h, &bytes) != PDR_OK) die("the header can't be made", NULL);
    if (is(kind, "malformed")) bytes.size--;
    if (is(kind, "format")) bytes.data[0] = 9;
    entry->header = pdr_buf_bytes(&bytes);
    int64_t offset = append(f, entry);
    pdr_buf_release(&bytes);
    return offset;
}

int main(int argc, char **argv)
{
    static forger f;
    pdr_backends backends;
    pdr_error err;
    pdr_log_entry entry;
    pdr_header h;
    if (argc != 4) die("forge URL PARTITION KIND", NULL);
    memset(&backends, 0, sizeof backends);
    f.partition = atoi(argv[2]);
    if (pdr_url_parse_journal(&backends.log, argv[1], &err) != PDR_OK ||
        pdr_backends_log_open(&backends, &f.log, &err) != PDR_OK)
        die(argv[1], &err);
    read_partition(&f);
    int64_t offset = forge(&f, argv[3], &entry, &h);
    printf("{\"partition\":%d,\"offset\":%lld,\"entity\":\"%.*s\",\"seq\":%llu}\n", (int)f.partition,
           (long long)offset, (int)entry.key.size, entry.key.size ? (const char *)entry.key.data : "",
           (unsigned long long)h.seq);
    f.log->ops->close(f.log);
    pdr_backends_release(&backends);
    return 0;
}
