#include "tests/contract/log_contract.h"

#include <poll.h>
#include <stdio.h>
#include <time.h>

#include "perdure/arena.h"

enum { LOGS = 4 };

static const pdr_log_subject *subject;
static void *journal;
static pdr_log *logs[LOGS];
static time_t give_up_at;
static pdr_arena kept = PDR_ARENA_INIT((size_t)1 << 30); /* what the probes noted */
static bool in_call;                                     /* an operation is running: no callback may */

static time_t seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* --- the world --- */

void log_world_open(int32_t partitions)
{
    pdr_error err = {0};
    subject = pdr_log_subject_get();
    give_up_at = seconds() + PDR_CONTRACT_GUARD_S;
    cr_assert_eq(subject->create(&journal, partitions, &err), PDR_OK, "%s", err.message);
}

pdr_log *log_world_log(size_t index)
{
    cr_assert_lt(index, LOGS);
    pdr_error err = {0};
    if (!logs[index]) {
        cr_assert_eq(subject->open(journal, &logs[index], &err), PDR_OK, "%s", err.message);
        cr_assert_eq(pdr_log_ops_validate(logs[index]->ops, &err), PDR_OK, "%s", err.message);
    }
    return logs[index];
}

void log_world_close_log(size_t index)
{
    if (logs[index]) logs[index]->ops->close(logs[index]);
    logs[index] = NULL;
}

void log_world_close(void)
{
    for (size_t i = 0; i < LOGS; i++)
        log_world_close_log(i);
    subject->destroy(journal);
    pdr_arena_release(&kept);
}

/* A larger copy of an array; what it had stays in the arena until the end. */
static void *grown(const void *items, size_t count, size_t capacity, size_t size)
{
    void *more = pdr_arena_calloc(&kept, capacity, size);
    cr_assert_not_null(more);
    if (count) memcpy(more, items, count * size);
    return more;
}

bool log_world_can_drop(void)
{
    return pdr_log_subject_get()->drop_below != NULL;
}

void log_world_drop_below(int32_t partition, int64_t offset)
{
    pdr_error err = {0};
    cr_assert_eq(subject->drop_below(journal, partition, offset, &err), PDR_OK, "%s", err.message);
}

static void sleep_on(pdr_log *const *open, size_t count, int64_t most_us)
{
    struct pollfd fds[LOGS * 4];
    int used = 0;
    int64_t due = most_us;
    for (size_t i = 0; i < count; i++) {
        int64_t one;
        used += open[i]->ops->wait_on(open[i], fds + used, 4, &one);
        if (one < due) due = one;
    }
    cr_assert_geq(due, 0);
    poll(fds, (nfds_t)used, (int)((due + 999) / 1000));
}

static bool pump(int64_t most_us)
{
    pdr_log *open[LOGS];
    size_t count = 0, callbacks = 0;
    for (size_t i = 0; i < LOGS; i++) {
        if (!logs[i]) continue;
        open[count++] = logs[i];
        callbacks += logs[i]->ops->poll(logs[i]);
    }
    if (!callbacks && subject->idle) subject->idle(journal, open, count);
    if (!callbacks && !subject->idle) sleep_on(open, count, most_us);
    return seconds() <= give_up_at;
}

bool log_world_pump(void)
{
    return pump(100000);
}

void log_world_linger(void)
{
    for (int i = 0; i < 20; i++)
        cr_assert(pump(5000));
}

/* --- writers --- */

static void on_reports(void *context, const pdr_log_report *reports, size_t count)
{
    writer_probe *probe = context;
    cr_assert(!in_call, "a report came inside a submitting call");
    cr_assert_not_null(probe->writer, "a report came after close");
    cr_assert_gt(count, 0);
    if (probe->count + count > probe->capacity) {
        probe->capacity = (probe->count + count) * 2;
        probe->reports = grown(probe->reports, probe->count, probe->capacity, sizeof *reports);
    }
    memcpy(probe->reports + probe->count, reports, count * sizeof *reports);
    probe->count += count;
    if (probe->on_reports) probe->on_reports(probe);
}

static void on_broken(void *context, const pdr_error *error)
{
    writer_probe *probe = context;
    cr_assert(!in_call);
    cr_assert_neq(error->code, PDR_OK);
    probe->broken++;
}

void probe_writer_open(writer_probe *probe, size_t log, int32_t partition)
{
    static const pdr_log_writer_events events = {.reports = on_reports, .broken = on_broken};
    pdr_error err = {0};
    probe->log = log_world_log(log);
    in_call = true;
    pdr_code code = probe->log->ops->writer_open(probe->log, partition, &events, probe, &probe->writer, &err);
    in_call = false;
    cr_assert_eq(code, PDR_OK, "%s", err.message);
    cr_assert_not_null(probe->writer);
}

void probe_writer_close(writer_probe *probe)
{
    in_call = true;
    probe->log->ops->writer_close(probe->writer);
    in_call = false;
    probe->writer = NULL;
}

pdr_code probe_append_entry(writer_probe *probe, const pdr_log_entry *entry)
{
    in_call = true;
    pdr_code code = probe->log->ops->append(probe->writer, entry, probe->next_tag, NULL);
    in_call = false;
    if (code == PDR_OK) probe->next_tag++;
    return code;
}

pdr_code probe_append(writer_probe *probe)
{
    char key[32], value[120];
    int key_size = snprintf(key, sizeof key, "entity/%llu", (unsigned long long)probe->next_tag % 100);
    int value_size = snprintf(value, sizeof value, "%0100llu", (unsigned long long)probe->next_tag);
    pdr_log_entry entry = {.key = pdr_bytes_of(key, (size_t)key_size),
                           .value = pdr_bytes_of(value, (size_t)value_size),
                           .header = pdr_bytes_of("header", 6)};
    return probe_append_entry(probe, &entry);
}

void probe_append_many(writer_probe *probe, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(probe_append(probe), PDR_OK);
}

void probe_write(writer_probe *probe, size_t count)
{
    size_t before = probe->count;
    probe_append_many(probe, count);
    PUMP_UNTIL(probe->count >= before + count);
    for (size_t i = before; i < probe->count; i++)
        cr_assert_eq(probe->reports[i].code, PDR_OK);
}

void probe_renew(writer_probe *probe)
{
    pdr_error err = {0};
    in_call = true;
    pdr_code code = probe->log->ops->writer_renew(probe->writer, &err);
    in_call = false;
    cr_assert_eq(code, PDR_OK, "%s", err.message);
}

/* --- readers --- */

static pdr_bytes copy_of(pdr_bytes bytes)
{
    if (!bytes.data) return bytes;
    pdr_bytes copy = pdr_arena_bytes(&kept, bytes);
    cr_assert_not_null(copy.data);
    return copy;
}

static void keep(reader_probe *probe, const pdr_log_record *record)
{
    if (probe->count == probe->capacity) {
        probe->capacity = probe->capacity ? probe->capacity * 2 : 64;
        probe->records = grown(probe->records, probe->count, probe->capacity, sizeof *record);
    }
    pdr_log_record *to = &probe->records[probe->count++];
    *to = *record;
    to->entry.key = copy_of(record->entry.key);
    to->entry.value = copy_of(record->entry.value);
    to->entry.header = copy_of(record->entry.header);
    to->entry.schema = copy_of(record->entry.schema);
    to->entry.trace = copy_of(record->entry.trace);
}

static void on_records(void *context, const pdr_log_record *records, size_t count)
{
    reader_probe *probe = context;
    cr_assert(!in_call, "records came inside a submitting call");
    cr_assert_not_null(probe->reader, "records came after close");
    cr_assert_gt(count, 0);
    for (size_t i = 0; i < count; i++) {
        bool rising = probe->count == 0 || records[i].offset > probe->records[probe->count - 1].offset;
        cr_assert(rising, "offset %lld came late or twice", (long long)records[i].offset);
        keep(probe, &records[i]);
    }
    if (count > probe->largest_batch) probe->largest_batch = count;
    if (probe->on_records) probe->on_records(probe);
}

static void on_end(void *context, int64_t end)
{
    reader_probe *probe = context;
    cr_assert(!in_call, "end came inside a submitting call");
    cr_assert_not_null(probe->reader, "end came after close");
    cr_assert_geq(end, probe->end, "end went back from %lld to %lld", (long long)probe->end, (long long)end);
    if (probe->count) cr_assert_gt(end, probe->records[probe->count - 1].offset);
    if (!probe->ends) probe->count_at_first_end = probe->count;
    probe->end = end;
    probe->ends++;
    if (probe->on_end) probe->on_end(probe);
}

static void on_failed(void *context, const pdr_error *error)
{
    reader_probe *probe = context;
    cr_assert(!in_call);
    cr_assert_neq(error->code, PDR_OK);
    cr_assert_eq(probe->failure.code, PDR_OK, "failed twice");
    probe->failure = *error;
}

void probe_reader_open(reader_probe *probe, size_t log, int32_t partition, int64_t from)
{
    static const pdr_log_reader_events events = {.records = on_records, .end = on_end, .failed = on_failed};
    pdr_error err = {0};
    probe->log = log_world_log(log);
    probe->end = -1;
    in_call = true;
    pdr_code code =
        probe->log->ops->reader_open(probe->log, partition, from, &events, probe, &probe->reader, &err);
    in_call = false;
    cr_assert_eq(code, PDR_OK, "%s", err.message);
    cr_assert_not_null(probe->reader);
}

void probe_reader_close(reader_probe *probe)
{
    in_call = true;
    probe->log->ops->reader_close(probe->reader);
    in_call = false;
    probe->reader = NULL;
}

void probe_expect(const reader_probe *probe, size_t count, uint64_t first_tag, int64_t offset)
{
    cr_assert_eq(probe->failure.code, PDR_OK, "%s", probe->failure.message);
    cr_assert_eq(probe->count, count, "%zu records came, wanted %zu", probe->count, count);
    for (size_t i = 0; i < count; i++) {
        char value[120];
        int size = snprintf(value, sizeof value, "%0100llu", (unsigned long long)(first_tag + i));
        pdr_bytes wanted = pdr_bytes_of(value, (size_t)size);
        cr_assert_eq(probe->records[i].offset, offset + (int64_t)i);
        cr_assert(pdr_bytes_equal(probe->records[i].entry.value, wanted), "record %zu isn't the one", i);
    }
}
