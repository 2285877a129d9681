/* Reads the whole log, folds every application and prints what two runs must have in common. Only reads:
 * owners may go on beside it. */
#include <stdio.h>
#include <stdlib.h>

#include "flags.h"
#include "tally.h"

enum { MAX_ROWS = 1 << 24, MAX_LISTED = 10 };

typedef struct loan {
    struct loan *next;
    pdr_fold *fold;
    uint64_t seq;
    char id[64];
} loan;

enum { BUCKETS = 1 << 16 };

typedef struct check {
    const char *journal_url, *store_url;
    bool json;
    pdr_options options;
    loans_tally tally;
    loan *buckets[BUCKETS];
    uint8_t *rows; /* a bit per row number seen as a command id */
    uint64_t faults;
    uint64_t hash;
} check;

static const char about[] =
    "usage: loans_check [FLAGS]\n"
    "\n"
    "Reads every partition, folds every application and prints events, entities, the outcomes, and a hash of "
    "the\n"
    "final states, so that two runs can be compared. Every event must have its place in its application's "
    "order\n"
    "and a row of its own. Exit code 0: they do; 1: a fault, or it failed; 2: a flag is wrong.\n";

static uint64_t fnv(uint64_t hash, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

#define FNV_START UINT64_C(0xcbf29ce484222325)

static void fault(check *c, const pdr_logged_event *event, const char *what)
{
    if (c->faults++ < MAX_LISTED)
        fprintf(stderr, "loans_check: %.*s seq %llu (partition %d, offset %lld): %s\n",
                (int)event->entity.size, event->entity.data, (unsigned long long)event->seq,
                (int)event->partition, (long long)event->offset, what);
}

/* The command id is the row's number: each row makes one event. */
static void check_row(check *c, const pdr_logged_event *event)
{
    char text[24];
    if (event->id.size == 0 || event->id.size >= sizeof text) {
        fault(c, event, "no row's number");
        return;
    }
    memcpy(text, event->id.data, event->id.size);
    text[event->id.size] = '\0';
    unsigned long long row = strtoull(text, NULL, 10);
    if (row == 0 || row >= MAX_ROWS)
        fault(c, event, "no row's number");
    else if (c->rows[row / 8] & (1u << (row % 8)))
        fault(c, event, "its row made an event before");
    else
        c->rows[row / 8] |= (uint8_t)(1u << (row % 8));
}

static pdr_code find(check *c, pdr_string id, loan **out, pdr_error *err)
{
    loan **at = &c->buckets[fnv(FNV_START, id.data, id.size) % BUCKETS];
    for (; *at; at = &(*at)->next)
        if (strlen((*at)->id) == id.size && memcmp((*at)->id, id.data, id.size) == 0) {
            *out = *at;
            return PDR_OK;
        }
    loan *fresh = id.size < sizeof fresh->id ? calloc(1, sizeof *fresh) : NULL;
    if (!fresh) return pdr_fail(err, PDR_NOMEM, "%.*s", (int)id.size, id.data);
    memcpy(fresh->id, id.data, id.size);
    *out = *at = fresh;
    return pdr_fold_open(&fresh->fold, &loans_entity, err);
}

static pdr_code visit(void *context, const pdr_logged_event *event, pdr_error *err)
{
    check *c = context;
    loan *l = NULL;
    pdr_code code = find(c, event->entity, &l, err);
    if (code != PDR_OK) return code;
    loans_tally_add(&c->tally, event);
    if (event->part == 0) check_row(c, event);
    if (event->seq != l->seq + (event->part == 0)) fault(c, event, "out of its order");
    l->seq = event->seq;
    if (!event->type) fault(c, event, "of no declared type");
    return event->type ? pdr_fold_apply(l->fold, event, err) : PDR_OK;
}

/* The sum doesn't depend on the order in which applications come. */
static pdr_code hash_states(check *c, pdr_error *err)
{
    pdr_buf packed = PDR_BUF_INIT(PDR_MAX_STATE);
    pdr_code code = PDR_OK;
    for (size_t i = 0; i < BUCKETS; i++)
        for (const loan *l = c->buckets[i]; code == PDR_OK && l; l = l->next) {
            pdr_buf_clear(&packed);
            code = loans_application_encode(pdr_fold_state(l->fold), &packed, err);
            uint64_t hash = fnv(fnv(FNV_START, l->id, strlen(l->id)), &l->seq, sizeof l->seq);
            c->hash += fnv(hash, packed.data, packed.size);
        }
    pdr_buf_release(&packed);
    return code;
}

static pdr_code run(check *c, pdr_error *err)
{
    pdr_journal *journal = NULL;
    c->rows = calloc(MAX_ROWS / 8, 1);
    if (!c->rows) return pdr_fail(err, PDR_NOMEM, "%d rows", MAX_ROWS);
    c->options.own_nothing = true;
    pdr_code code = pdr_journal_open(&journal, &c->options, err);
    if (code == PDR_OK) code = loans_read_all(journal, visit, c, err);
    if (code == PDR_OK) code = hash_states(c, err);
    pdr_journal_close(journal);
    return code;
}

static void release(check *c)
{
    for (size_t i = 0; i < BUCKETS; i++)
        while (c->buckets[i]) {
            loan *l = c->buckets[i];
            c->buckets[i] = l->next;
            pdr_fold_close(l->fold);
            free(l);
        }
    free(c->rows);
    free(c);
}

static int report(const check *c, pdr_code code, const pdr_error *err)
{
    static const char *const forms[] = {
        "events %llu\nentities %llu\napproved %llu\ndeclined %llu\ncancelled %llu\nstates %016llx\nfaults "
        "%llu\n",
        "{\"events\":%llu,\"entities\":%llu,\"approved\":%llu,\"declined\":%llu,\"cancelled\":%llu,"
        "\"states\":\"%016llx\",\"faults\":%llu}\n"};
    if (code != PDR_OK) {
        fprintf(stderr, "loans_check: %s\n  %s\n", err->message, pdr_code_advice(code));
        return 1;
    }
    const loans_tally *t = &c->tally;
    printf(forms[c->json], (unsigned long long)t->events, (unsigned long long)t->entities,
           (unsigned long long)t->approved, (unsigned long long)t->declined, (unsigned long long)t->cancelled,
           (unsigned long long)c->hash, (unsigned long long)c->faults);
    return c->faults ? 1 : 0;
}

int main(int argc, char **argv)
{
    check *c = calloc(1, sizeof *c);
    if (!c) return 1;
    pdr_options_init(&c->options);
    const loans_flag flags[] = {
        LOANS_JOURNAL_FLAGS(*c),
        {"--json", NULL, "one object instead of lines", NULL, NULL, &c->json},
        {NULL, NULL, NULL, NULL, NULL, NULL},
    };
    int code = loans_flags_parse(flags, about, argc, argv);
    if (code) {
        release(c);
        return code == 1 ? 0 : 2;
    }
    pdr_error err;
    loans_options(&c->options, c->journal_url, c->store_url);
    pdr_code done = run(c, &err);
    code = report(c, done, &err);
    release(c);
    return code;
}
