#include "scan_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backends/sqlite/sqlite_log.h"

#define MUST(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                  \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

/* --- making it --- */

static size_t reported;

static void on_reports(void *context, const pdr_log_report *reports, size_t count)
{
    (void)context;
    for (size_t i = 0; i < count; i++)
        MUST(reports[i].code == PDR_OK && reports[i].offset == (int64_t)reports[i].tag);
    reported += count;
}

static const pdr_log_writer_events writer_events = {on_reports, NULL};

void scan_world_append(scan_world *world, int32_t partition, int64_t from)
{
    static const pdr_log_entry foreign = {.value = {(const uint8_t *)"x", 1}};
    const made_log *made = &world->made[partition];
    pdr_log *log;
    pdr_log_writer *writer;
    MUST(pdr_sqlite_log_open(&log, world->file, NULL) == PDR_OK);
    MUST(log->ops->writer_open(log, partition, &writer_events, NULL, &writer, NULL) == PDR_OK);
    for (int64_t offset = from; offset < made->log.end; offset++) {
        const pdr_log_record *record = array_log_at(&made->log, offset);
        const pdr_log_entry *entry = record ? &record->entry : &foreign;
        while (log->ops->append(writer, entry, (uint64_t)offset, NULL) == PDR_QUEUE_FULL)
            log->ops->poll(log);
    }
    for (reported = 0; reported < (size_t)(made->log.end - from);)
        log->ops->poll(log);
    log->ops->writer_close(writer);
    log->ops->close(log);
}

void scan_world_open(scan_world *world, uint64_t seed, size_t steps)
{
    pdr_error err;
    memset(world, 0, sizeof *world);
    world->stop_at = -1;
    strcpy(world->folder, "/tmp/perdure-scan-XXXXXX");
    MUST(mkdtemp(world->folder));
    snprintf(world->file, sizeof world->file, "%s/log.db", world->folder);
    snprintf(world->url, sizeof world->url, "sqlite:%s", world->file);
    MUST(pdr_sqlite_log_create(world->file, "scan", WORLD_PARTITIONS, &err) == PDR_OK);
    for (int32_t p = 0; p < WORLD_PARTITIONS; p++) {
        made_log *made = &world->made[p];
        made_init(made, seed + (uint64_t)p);
        made_weights weights = {4, 5, 2, 1, (unsigned)(seed + (uint64_t)p) % 3, 4, 6};
        if (p != 1) made_run(made, &weights, steps * (size_t)(p + 1));
        scan_world_append(world, p, 0);
    }
    pdr_tool_spec spec = {.journal = world->url, .store = world->url, .timeout_ms = 20000};
    if (pdr_tool_open(&world->tool, &spec, &err) == PDR_OK) return;
    fprintf(stderr, "%s\n", err.message);
    abort();
}

void scan_world_close(scan_world *world)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    pdr_tool_close(world->tool);
    for (int i = 0; i < 3; i++) {
        char path[100];
        snprintf(path, sizeof path, "%s%s", world->file, suffixes[i]);
        unlink(path);
    }
    rmdir(world->folder);
    scan_world_forget(world);
    for (int32_t p = 0; p < WORLD_PARTITIONS; p++)
        made_release(&world->made[p]);
}

/* --- what is told --- */

void scan_world_forget(scan_world *world)
{
    for (int32_t p = 0; p < WORLD_PARTITIONS; p++) {
        free(world->told[p].offsets);
        world->told[p] = (scan_told){.at = PDR_POSITION_START, .last = PDR_POSITION_START};
    }
    world->looks = 0;
}

static void note_thread(scan_told *told, unsigned thread)
{
    told->moved |= told->begun && told->thread != thread;
    told->begun = true;
    told->thread = thread;
}

static pdr_code saw_commit(void *context, unsigned thread, int32_t partition, const pdr_commit_event *events,
                           size_t count, pdr_position at, pdr_error *err)
{
    scan_world *world = context;
    scan_told *told = &world->told[partition];
    note_thread(told, thread);
    for (size_t i = 0; i < count; i++) {
        int64_t offset = events[i].record->offset;
        if (partition == world->stop_partition && offset == world->stop_at)
            return pdr_fail(err, world->stop_code, "the sink had enough at %lld", (long long)offset);
        if (told->count == told->capacity) {
            told->capacity = 2 * told->capacity + 64;
            told->offsets = realloc(told->offsets, told->capacity * sizeof *told->offsets);
            MUST(told->offsets);
        }
        told->offsets[told->count++] = offset;
    }
    told->last = at;
    return PDR_OK;
}

static pdr_code saw_other(void *context, unsigned thread, int32_t partition, pdr_verdict verdict,
                          const pdr_log_record *record, const pdr_header *header, pdr_error *err)
{
    (void)record;
    (void)header;
    (void)err;
    scan_told *told = &((scan_world *)context)->told[partition];
    note_thread(told, thread);
    told->others++;
    told->voids += verdict == PDR_VERDICT_VOID;
    return PDR_OK;
}

static pdr_code saw_end(void *context, unsigned thread, int32_t partition, pdr_position at, pdr_error *err)
{
    (void)err;
    scan_told *told = &((scan_world *)context)->told[partition];
    note_thread(told, thread);
    told->ended++;
    told->at = at;
    return PDR_OK;
}

const pdr_scan_sink scan_world_sink = {.commit = saw_commit, .other = saw_other, .ended = saw_end};

bool scan_world_watch(void *context, const pdr_scan_progress *progress)
{
    scan_world *world = context;
    MUST(progress->done <= progress->total && progress->partitions_done <= progress->partitions);
    return ++world->looks == world->looks_allowed;
}

pdr_code scan_world_run(scan_world *world, unsigned threads, const pdr_position *from, pdr_error *err)
{
    scan_world_forget(world);
    pdr_scan_spec spec = {.from = from,
                          .threads = threads,
                          .sink = &scan_world_sink,
                          .context = world,
                          .watch = scan_world_watch};
    return pdr_scan_run(world->tool, &spec, err);
}

/* --- what counts --- */

static int by_offset(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static bool is_right(const made_log *made, const scan_told *told, int64_t after)
{
    size_t count = 0, room = 0;
    for (size_t e = 0; e < made->entity_count; e++)
        room += made->entities[e].count;
    int64_t *offsets = malloc((room + 1) * sizeof *offsets);
    MUST(offsets);
    for (size_t e = 0; e < made->entity_count; e++)
        for (size_t i = 0; i < made->entities[e].count; i++)
            if (made->entities[e].events[i].offset > after)
                offsets[count++] = made->entities[e].events[i].offset;
    qsort(offsets, count, sizeof *offsets, by_offset);
    bool same =
        count == told->count && (!count || memcmp(offsets, told->offsets, count * sizeof *offsets) == 0);
    free(offsets);
    return same;
}

bool scan_world_is_right(const scan_world *world, const pdr_position *from)
{
    for (int32_t p = 0; p < WORLD_PARTITIONS; p++) {
        const scan_told *told = &world->told[p];
        if (!is_right(&world->made[p], told, from ? from[p].offset : -1)) return false;
        if (told->moved || told->ended != 1) return false;
    }
    return true;
}
