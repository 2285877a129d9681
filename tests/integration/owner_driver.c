/* An owner for the claims about takeovers. A command's number is its id, so any process may send it again as
 * long as its account's window of 64 ids reaches back to it: for 262,144 numbers.
 *
 *   owner_driver drive URL STORE FIRST LAST
 *
 * sends commands FIRST to LAST, 1,000 in flight. Prints `open` once every partition serves, `ack ID PARTITION
 * OFFSET` for each command that made its event now, `again ID` for a known one, `deposed` when it ends
 * because an answer says NOT_OWNER.
 *
 *   owner_driver read URL STORE
 *
 * prints `event PARTITION OFFSET ID ENTITY SEQ` for every event that counts. Lines of the journal's own log
 * go to standard error. Exit code 0: done; 1: failed; 2: wrong use; 3: deposed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bank_app.h"

enum { PARTITIONS = 2, ENTITIES = 4096, WINDOW = 1000, OPEN_MS = 120000, READ_MS = 10000, DEPOSED = 3 };

typedef struct driver driver;

typedef struct slot {
    driver *driver;
    struct slot *next; /* of those to send again, or free */
    unsigned long long id;
} slot;

struct driver {
    pdr_journal *journal;
    unsigned long long next, last;
    slot slots[WINDOW], *free, *again;
    unsigned in_flight;
    bool deposed;
    pdr_code failed;
};

static void log_line(void *context, int level, const char *message)
{
    (void)context;
    fprintf(stderr, "log %d %s\n", level, message);
}

static int failure(const pdr_error *err)
{
    fprintf(stderr, "owner_driver: %s\n  %s\n", err->message, pdr_code_advice(err->code));
    return 1;
}

/* --- driving --- */

static void answered(void *context, const pdr_reply *reply)
{
    slot *s = context, **list = &s->driver->free;
    driver *d = s->driver;
    d->in_flight--;
    if (reply->code == PDR_OK && reply->repeated)
        printf("again %llu\n", s->id);
    else if (reply->code == PDR_OK)
        printf("ack %llu %d %lld\n", s->id, (int)reply->partition, (long long)reply->position.offset);
    else if (reply->code == PDR_NOT_OWNER)
        d->deposed = true;
    else if (pdr_code_retry(reply->code))
        list = &d->again;
    else
        d->failed = reply->code;
    s->next = *list;
    *list = s;
}

static pdr_code send_slot(slot *s, pdr_error *err)
{
    char entity[32], id[24];
    int entity_size = snprintf(entity, sizeof entity, "account/%llu", s->id % ENTITIES);
    int id_size = snprintf(id, sizeof id, "%llu", s->id);
    bank_deposit deposit = {1};
    pdr_request_spec spec = {.entity = {entity, (size_t)entity_size},
                             .type = &bank_deposit_type,
                             .command = &deposit,
                             .id = pdr_bytes_of(id, (size_t)id_size)};
    pdr_code code = pdr_send(s->driver->journal, &spec, answered, s, err);
    if (code == PDR_OK) s->driver->in_flight++;
    return code;
}

/* What failed for the moment goes first. false: nothing can be sent now. */
static bool send_one(driver *d, pdr_code *code, pdr_error *err)
{
    slot *s = d->again ? d->again : d->next <= d->last ? d->free : NULL;
    if (!s) return false;
    slot **list = d->again ? &d->again : &d->free, *rest = s->next;
    if (!d->again) s->id = d->next;
    *code = send_slot(s, err);
    if (*code != PDR_OK) {
        if (pdr_code_retry(*code)) *code = PDR_OK;
        return false;
    }
    if (list == &d->free) d->next++;
    *list = rest;
    return true;
}

static pdr_code drive(driver *d, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; i < WINDOW; i++) {
        d->slots[i] = (slot){.driver = d, .next = d->free};
        d->free = &d->slots[i];
    }
    while (!d->deposed && !d->failed && (d->next <= d->last || d->in_flight || d->again)) {
        while (send_one(d, &code, err))
            continue;
        if (code != PDR_OK) return code;
        (void)pdr_poll(d->journal, 20);
        (void)fflush(stdout);
    }
    return d->failed ? pdr_fail(err, d->failed, "a command failed for good") : PDR_OK;
}

static int run_drive(pdr_options *options, driver *d, pdr_error *err)
{
    pdr_code code = pdr_journal_open(&d->journal, options, err);
    if (code == PDR_NOT_INITIALISED || code == PDR_NOT_FOUND) {
        code = pdr_journal_init(options, PARTITIONS, err);
        if (code == PDR_OK) code = pdr_journal_open(&d->journal, options, err);
    }
    if (code == PDR_OK) code = pdr_journal_wait(d->journal, OPEN_MS, err);
    if (code == PDR_OK) {
        printf("open\n");
        (void)fflush(stdout);
        code = drive(d, err);
    }
    if (code == PDR_OK && d->deposed) {
        printf("deposed\n");
        (void)fflush(stdout);
        _exit(DEPOSED); /* closing would go on claiming what is another's */
    }
    pdr_journal_close(d->journal);
    return code == PDR_OK ? 0 : failure(err);
}

/* --- reading --- */

static pdr_code read_partition(pdr_journal *journal, int32_t partition, pdr_error *err)
{
    pdr_reader *reader = NULL;
    const pdr_logged_event *event = NULL;
    pdr_code code = pdr_reader_open(&reader, journal, partition, PDR_POSITION_START, err);
    while (code == PDR_OK) {
        code = pdr_reader_next(reader, &event, READ_MS, err);
        if (code != PDR_OK || !event) break;
        printf("event %d %lld %.*s %.*s %llu\n", (int)partition, (long long)event->offset,
               (int)event->id.size, (const char *)event->id.data, (int)event->entity.size, event->entity.data,
               (unsigned long long)event->seq);
    }
    pdr_reader_close(reader);
    return code;
}

static int run_read(pdr_options *options, pdr_error *err)
{
    pdr_journal *journal = NULL;
    options->own_nothing = true;
    pdr_code code = pdr_journal_open(&journal, options, err);
    for (int32_t i = 0; code == PDR_OK && i < pdr_journal_partitions(journal); i++)
        code = read_partition(journal, i, err);
    pdr_journal_close(journal);
    return code == PDR_OK ? 0 : failure(err);
}

int main(int argc, char **argv)
{
    static driver d;
    pdr_error err;
    pdr_options options = PDR_OPTIONS_INIT;
    options.app = &bank_app;
    options.workers = 1;
    options.log_line = log_line;
    if (argc >= 4) {
        options.journal = argv[2];
        options.store = argv[3];
    }
    if (argc == 4 && strcmp(argv[1], "read") == 0) return run_read(&options, &err);
    if (argc == 6 && strcmp(argv[1], "drive") == 0) {
        d.next = strtoull(argv[4], NULL, 10);
        d.last = strtoull(argv[5], NULL, 10);
        return run_drive(&options, &d, &err);
    }
    fprintf(stderr, "usage: owner_driver drive URL STORE FIRST LAST, or owner_driver read URL STORE\n");
    return 2;
}
