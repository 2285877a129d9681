#include "loading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "activity.h"
#include "seqs.h"

enum { PROGRESS_US = 100000, POLL_EVERY = 128, NO_ROW = 0, PAUSE_MS = 50 };

/* One command in flight. */
typedef struct slot {
    struct loader *loader;
    struct slot *next; /* free ones */
    uint64_t row;
} slot;

typedef struct loader {
    const loans_loading *given;
    loans_counts *counts;
    loans_csv *csv;
    slot *slots, *free;
    uint64_t in_flight;
    loans_seqs seqs;       /* events that each application must have at this place of the file */
    uint64_t next;         /* the first row that is to be sent */
    uint64_t seen;         /* the last row that was ever read */
    uint64_t first_failed; /* the earliest row that failed for the moment; NO_ROW: none */
    pdr_error failure;     /* why it did; or why a row failed for good */
    bool hopeless;
    uint8_t *refused; /* a bit per row: it makes no event */
    size_t refused_size;
    int64_t told_us;
    bool progressed;    /* a row was answered well since `patient_us` */
    int64_t patient_us; /* when it last was clear that rows go through */
    int64_t paced_us;   /* when new rows began; 0: not yet */
    uint64_t paced;     /* rows sent since then */
} loader;

static int64_t clock_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void tell(loader *l, bool last)
{
    int64_t now_us = clock_us();
    if (!l->given->progress || (!last && now_us - l->told_us < PROGRESS_US)) return;
    l->told_us = now_us;
    l->given->progress(l->given->context, l->counts);
}

static void complain(const loader *l, const char *message)
{
    if (l->given->complaint) l->given->complaint(l->given->context, message);
}

/* --- answers --- */

static void failed(loader *l, uint64_t row, pdr_code code, const pdr_error *why)
{
    /* A conflict: an earlier row of the application isn't there yet; that one failed too. */
    if (!pdr_code_retry(code) && code != PDR_CONFLICT) l->hopeless = true;
    if (l->first_failed != NO_ROW && row > l->first_failed) return;
    l->first_failed = row;
    l->failure = why ? *why : (pdr_error){.code = code};
    (void)pdr_fail_context(&l->failure, code, "row %llu", (unsigned long long)row);
}

static bool is_refused(const loader *l, uint64_t row)
{
    return row / 8 < l->refused_size && (l->refused[row / 8] & (1u << (row % 8)));
}

static bool mark_refused(loader *l, uint64_t row)
{
    if (row / 8 >= l->refused_size) {
        size_t size = (size_t)(row / 8 + 1) * 2;
        uint8_t *grown = realloc(l->refused, size);
        if (!grown) return false;
        memset(grown + l->refused_size, 0, size - l->refused_size);
        l->refused = grown;
        l->refused_size = size;
    }
    l->refused[row / 8] |= (uint8_t)(1u << (row % 8));
    return true;
}

/* The entity saw exactly the rows before this one and refuses it: for good. */
static void refused(loader *l, uint64_t row, const pdr_reply *reply)
{
    char text[400];
    if (!mark_refused(l, row)) {
        failed(l, row, PDR_NOMEM, NULL);
        return;
    }
    (void)snprintf(text, sizeof text, "row %llu is refused: %.*s", (unsigned long long)row,
                   (int)reply->answer.size, (const char *)reply->answer.data);
    l->counts->refused++;
    l->progressed = true;
    complain(l, text);
}

static void answered(void *context, const pdr_reply *reply)
{
    slot *s = context;
    loader *l = s->loader;
    l->in_flight--;
    l->counts->answered++;
    if (reply->code == PDR_REFUSED)
        refused(l, s->row, reply);
    else if (reply->code != PDR_OK)
        failed(l, s->row, reply->code, reply->error);
    else if (reply->repeated)
        l->counts->repeated++;
    else
        l->counts->fresh++;
    if (reply->code == PDR_OK) l->progressed = true;
    s->next = l->free;
    l->free = s;
}

/* --- sending --- */

static void wait(loader *l, int timeout_ms)
{
    (void)pdr_poll(l->given->journal, timeout_ms);
    tell(l, false);
}

/* Nothing has gone through for so long that it is time to say so. */
static bool out_of_patience(loader *l)
{
    int64_t now_us = clock_us();
    if (l->progressed) l->patient_us = now_us;
    l->progressed = false;
    return now_us - l->patient_us > (int64_t)l->given->retry_ms * 1000;
}

/* New rows go at the given rate; rows sent again don't count. */
static void pace(loader *l)
{
    if (!l->given->rate || !l->counts->fresh) return;
    if (!l->paced_us) l->paced_us = clock_us();
    while ((uint64_t)(clock_us() - l->paced_us) * l->given->rate < l->paced * 1000000)
        wait(l, 1);
    l->paced++;
}

/* `seq`: events that the application must have. A row that overtook another one on a bad day would otherwise
 * be decided against the wrong state. */
static pdr_code send_now(loader *l, const loans_row *row, const loans_command *command, uint64_t seq,
                         pdr_error *err)
{
    char entity[32], id[24];
    int entity_size = snprintf(entity, sizeof entity, "loan/%s", row->application);
    int id_size = snprintf(id, sizeof id, "%llu", (unsigned long long)row->number);
    pdr_request_spec spec = {.entity = {entity, (size_t)entity_size},
                             .type = command->type,
                             .command = &command->as,
                             .id = pdr_bytes_of(id, (size_t)id_size),
                             .has_expected_seq = true,
                             .expected_seq = seq};
    slot *s = l->free;
    s->row = row->number;
    pdr_code code = pdr_send(l->given->journal, &spec, answered, s, err);
    if (code != PDR_OK) return code;
    l->free = s->next;
    l->in_flight++;
    l->counts->sent++;
    return PDR_OK;
}

/* Until it is taken: a journal that is busy or recovering will take it later. */
static pdr_code send_row(loader *l, const loans_row *row, const loans_command *command, uint64_t seq,
                         pdr_error *err)
{
    pace(l);
    for (;;) {
        while (!l->free)
            wait(l, PAUSE_MS);
        pdr_code code = send_now(l, row, command, seq, err);
        if (code == PDR_OK || !pdr_code_retry(code) || out_of_patience(l)) return code;
        wait(l, code == PDR_BUSY ? 1 : PAUSE_MS);
    }
}

/* A line that can't be sent: counted once, however often the file is read. */
static void malformed(loader *l, uint64_t row, const pdr_error *err)
{
    if (row <= l->seen) return;
    l->counts->malformed++;
    complain(l, err->message);
}

static pdr_code take_row(loader *l, const loans_row *row, pdr_error *err)
{
    loans_command command;
    uint64_t *count;
    pdr_code code = loans_command_of(row, &command, err);
    if (code != PDR_OK) {
        malformed(l, row->number, err);
        return PDR_OK;
    }
    if (is_refused(l, row->number)) return PDR_OK;
    code = loans_seqs_of(&l->seqs, row->application, &count, err);
    if (code != PDR_OK) return code;
    uint64_t seq = (*count)++;
    if (row->number < l->next) return PDR_OK;
    code = send_row(l, row, &command, seq, err);
    if (row->number % POLL_EVERY == 0) wait(l, 0);
    return code;
}

/* Rows from `next` on, until the file's end, or until one fails for the moment. */
static pdr_code send_rows(loader *l, pdr_error *err)
{
    loans_row row;
    bool end;
    while (l->first_failed == NO_ROW) {
        pdr_code code = loans_csv_next(l->csv, &row, &end, err);
        if (code != PDR_OK && code != PDR_BAD_DATA) return code;
        if (code == PDR_OK && (end || (l->given->stop_after && row.number > l->given->stop_after)))
            return PDR_OK;
        if (code == PDR_BAD_DATA)
            malformed(l, row.number, err);
        else
            code = take_row(l, &row, err);
        if (code != PDR_OK && code != PDR_BAD_DATA) return code;
        if (row.number > l->seen) l->counts->rows = l->seen = row.number;
    }
    return PDR_OK;
}

/* Everything sent is answered; rows that failed for the moment, and all after them, go again. */
static pdr_code load(loader *l, pdr_error *err)
{
    for (;;) {
        pdr_code code = send_rows(l, err);
        while (l->in_flight)
            wait(l, PAUSE_MS);
        if (code != PDR_OK || l->first_failed == NO_ROW) return code;
        if (l->hopeless || out_of_patience(l)) {
            if (err) *err = l->failure;
            return l->failure.code;
        }
        l->next = l->first_failed;
        l->first_failed = NO_ROW;
        loans_seqs_clear(&l->seqs);
        l->counts->retries++;
        wait(l, PAUSE_MS);
        code = loans_csv_rewind(l->csv, err);
        if (code != PDR_OK) return code;
    }
}

static pdr_code open_slots(loader *l, pdr_error *err)
{
    l->slots = calloc(l->given->window, sizeof *l->slots);
    if (!l->slots) return pdr_fail(err, PDR_NOMEM, "%llu slots", (unsigned long long)l->given->window);
    for (uint64_t i = 0; i < l->given->window; i++) {
        l->slots[i] = (slot){.loader = l, .next = l->free};
        l->free = &l->slots[i];
    }
    return PDR_OK;
}

pdr_code loans_load(const loans_loading *loading, loans_counts *counts, pdr_error *err)
{
    loader l = {.given = loading, .counts = counts, .next = 1, .patient_us = clock_us()};
    pdr_error ours;
    if (!err) err = &ours; /* complaints are made of it */
    memset(counts, 0, sizeof *counts);
    pdr_code code = loans_csv_open(&l.csv, loading->path, err);
    if (code == PDR_OK) code = open_slots(&l, err);
    if (code == PDR_OK) code = load(&l, err);
    if (code == PDR_OK) tell(&l, true);
    loans_csv_close(l.csv);
    loans_seqs_release(&l.seqs);
    free(l.refused);
    free(l.slots);
    return code;
}
