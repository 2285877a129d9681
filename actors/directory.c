#include "actors/directory.h"

#include "actors/waiter.h"
#include "base/mem.h"
#include "journal/sleep.h"

typedef struct pdr_directory_entry {
    int64_t looked_at; /* monotonic; 0: never */
    bool found;
    char address[PDR_MAX_ADDRESS + 1];
} entry;

enum { FRESH_US = 1000000, MAX_SLEEP_US = 10000 };

void pdr_directory_init(pdr_directory *directory, const pdr_backends *backends, int32_t partitions)
{
    *directory = (pdr_directory){.backends = backends, .partitions = partitions};
    int failed = pthread_mutex_init(&directory->lock, NULL);
    PDR_INVARIANT("mutexes-open", failed == 0);
}

static void disconnect(pdr_directory *directory)
{
    if (directory->store) directory->store->ops->close(directory->store);
    if (directory->log) directory->log->ops->close(directory->log);
    directory->store = NULL;
    directory->log = NULL;
}

void pdr_directory_release(pdr_directory *directory)
{
    if (!directory->backends) return;
    disconnect(directory);
    pdr_free(directory->entries);
    pthread_mutex_destroy(&directory->lock);
}

/* --- one look --- */

typedef struct look {
    pdr_directory *directory;
    int32_t partition;
    entry *to;
    pdr_log_reader *reader;
    int64_t fence; /* offset */
    bool done;
    pdr_error error; /* code PDR_OK: none */
} look;

static void end_with(look *l, const pdr_error *error)
{
    l->done = true;
    if (error) l->error = *error;
}

static void saw_records(void *context, const pdr_log_record *records, size_t count)
{
    look *l = context;
    pdr_header header;
    if (l->done || !count) return;
    bool is_fence = records[0].offset == l->fence && records[0].entry.header.data &&
                    pdr_header_parse(records[0].entry.header, &header) == PDR_PARSED &&
                    header.kind == PDR_RECORD_FENCE;
    if (is_fence && header.address.size <= PDR_MAX_ADDRESS) {
        l->to->found = true;
        memcpy(l->to->address, header.address.data, header.address.size);
        l->to->address[header.address.size] = '\0';
    }
    end_with(l, NULL);
}

static void saw_end(void *context, int64_t end)
{
    (void)end;
    end_with(context, NULL);
}

static void saw_failure(void *context, const pdr_error *error)
{
    end_with(context, error);
}

static const pdr_log_reader_events events = {saw_records, saw_end, saw_failure};

static void loaded(void *context, uint64_t tag, const pdr_store_result *result)
{
    (void)tag;
    look *l = context;
    pdr_log *log = l->directory->log;
    pdr_error err;
    l->fence = result->row.stamp.term.offset;
    if (result->code != PDR_OK)
        end_with(l, result->error);
    else if (l->fence < 0)
        end_with(l, NULL);
    else if (log->ops->reader_open(log, l->partition, l->fence, &events, l, &l->reader, &err) != PDR_OK)
        end_with(l, &err);
}

static pdr_code carry_out(look *l, int64_t until, pdr_error *err)
{
    pdr_directory *directory = l->directory;
    pdr_store *store = directory->store;
    pdr_log *log = directory->log;
    pdr_code code = store->ops->load(store, l->partition, loaded, l, 0, err);
    if (code != PDR_OK) return code;
    while (!l->done && pdr_mono_us() < until)
        if (store->ops->poll(store) + log->ops->poll(log) == 0) pdr_sleep_on(log, store, MAX_SLEEP_US);
    log->ops->reader_close(l->reader);
    store->ops->forget(store, l);
    if (!l->done) return pdr_fail(err, PDR_TIMEOUT, "the owner of partition %d", (int)l->partition);
    if (l->error.code == PDR_OK) return PDR_OK;
    if (err) *err = l->error;
    return l->error.code;
}

static pdr_code connect(pdr_directory *directory, pdr_error *err)
{
    pdr_code code = PDR_OK;
    if (!directory->log) code = pdr_backends_log_open(directory->backends, &directory->log, err);
    if (code == PDR_OK && !directory->store)
        code = pdr_backends_store_open(directory->backends, &directory->store, err);
    return code;
}

static pdr_code look_now(pdr_directory *directory, int32_t partition, int64_t until, entry *to,
                         pdr_error *err)
{
    look l = {.directory = directory, .partition = partition, .to = to};
    to->found = false;
    pdr_code code = connect(directory, err);
    if (code == PDR_OK) code = carry_out(&l, until, err);
    to->looked_at = code == PDR_OK ? pdr_mono_us() : 0;
    if (code != PDR_OK) disconnect(directory);
    return code;
}

static pdr_code look_locked(pdr_directory *directory, int32_t partition, int64_t until, char *address,
                            pdr_error *err)
{
    if (!directory->entries) directory->entries = pdr_calloc((size_t)directory->partitions, sizeof(entry));
    if (!directory->entries) return pdr_fail(err, PDR_NOMEM, "the directory of owners");
    entry *known = &directory->entries[partition];
    pdr_code code = PDR_OK;
    if (!known->looked_at || pdr_mono_us() - known->looked_at > FRESH_US)
        code = look_now(directory, partition, until, known, err);
    if (code != PDR_OK) return code;
    if (!known->found) return pdr_fail(err, PDR_NOT_FOUND, "partition %d never had an owner", (int)partition);
    memcpy(address, known->address, sizeof known->address);
    return PDR_OK;
}

pdr_code pdr_directory_look(pdr_directory *directory, int32_t partition, int timeout_ms,
                            char address[PDR_MAX_ADDRESS + 1], pdr_error *err)
{
    int64_t until = pdr_deadline_us(timeout_ms);
    pthread_mutex_lock(&directory->lock);
    pdr_code code = look_locked(directory, partition, until, address, err);
    pthread_mutex_unlock(&directory->lock);
    return code;
}
