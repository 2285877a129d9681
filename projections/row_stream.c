#include "projections/row_stream.h"

#include <pthread.h>
#include <signal.h>

#include "base/clock.h"
#include "base/mem.h"
#include "projections/cell.h"

enum { PAGE_ROWS = 1000, PAGE_BYTES = 4 * 1024 * 1024, MAX_PAGE_MEMORY = 256 * 1024 * 1024 };

typedef struct page {
    pdr_arena arena;
    pdr_cell *rows[PAGE_ROWS];
    size_t count;
    bool full; /* it is the taker's */
} page;

struct pdr_row_stream {
    pdr_views *views;
    const pdr_version_spec *spec;
    size_t table;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* under the lock */
    bool at_positions, going, closing, ended;
    pdr_error failure; /* code PDR_OK: none */
    page pages[2];
    /* the scanning thread's, until at_positions */
    pdr_position *positions;
    uint64_t parked;
    size_t filling;
    /* the taker's */
    bool has_page;
    size_t taking, next;
};

/* --- the scanning thread --- */

static pdr_code cancelled(pdr_error *err)
{
    return pdr_fail(err, PDR_CANCELLED, "the scan isn't wanted any more");
}

static pdr_code take_position(void *context, const pdr_position_row *row, pdr_error *err)
{
    pdr_row_stream *s = context;
    if (row->partition < 0 || row->partition >= s->spec->partitions)
        return pdr_fail(err, PDR_CORRUPT, "there is a position of partition %d", (int)row->partition);
    s->positions[row->partition] = row->position;
    s->parked += row->parked;
    return PDR_OK;
}

/* Positions came before the first row, or there is none: show them, wait for leave to go on. */
static pdr_code pass_gate(pdr_row_stream *s, pdr_error *err)
{
    pthread_mutex_lock(&s->lock);
    s->at_positions = true;
    pthread_cond_broadcast(&s->changed);
    while (!s->going && !s->closing)
        pthread_cond_wait(&s->changed, &s->lock);
    bool closing = s->closing;
    pthread_mutex_unlock(&s->lock);
    return closing ? cancelled(err) : PDR_OK;
}

static pdr_code hand_over(pdr_row_stream *s, pdr_error *err)
{
    pthread_mutex_lock(&s->lock);
    s->pages[s->filling].full = true;
    pthread_cond_broadcast(&s->changed);
    s->filling = 1 - s->filling;
    while (s->pages[s->filling].full && !s->closing)
        pthread_cond_wait(&s->changed, &s->lock);
    bool closing = s->closing;
    pthread_mutex_unlock(&s->lock);
    if (closing) return cancelled(err);
    pdr_arena_clear(&s->pages[s->filling].arena);
    s->pages[s->filling].count = 0;
    return PDR_OK;
}

static pdr_code take_row(void *context, const pdr_cell *cells, pdr_error *err)
{
    pdr_row_stream *s = context;
    const pdr_table *table = &s->spec->tables[s->table];
    pdr_code code = s->at_positions ? PDR_OK : pass_gate(s, err);
    if (code != PDR_OK) return code;
    page *p = &s->pages[s->filling];
    pdr_cell *row = pdr_arena_calloc(&p->arena, table->column_count, sizeof *row);
    if (!row) return pdr_fail(err, PDR_NOMEM, "rows of table %s", table->name);
    for (size_t i = 0; code == PDR_OK && i < table->column_count; i++)
        code = pdr_cell_copy(table->columns[i].type, &cells[i], &p->arena, &row[i]);
    if (code != PDR_OK) return pdr_fail(err, code, "rows of table %s", table->name);
    p->rows[p->count++] = row;
    return p->count == PAGE_ROWS || p->arena.used >= PAGE_BYTES ? hand_over(s, err) : PDR_OK;
}

static pdr_code scan(pdr_row_stream *s, pdr_error *err)
{
    pdr_code code = s->views->ops->scan(s->views, s->spec, s->table, take_position, take_row, s, err);
    if (code == PDR_OK && !s->at_positions) code = pass_gate(s, err); /* a table without rows */
    return code;
}

static void *run(void *context)
{
    pdr_row_stream *s = context;
    pdr_error err;
    pdr_code code = scan(s, &err);
    pthread_mutex_lock(&s->lock);
    if (code == PDR_OK)
        s->pages[s->filling].full = true;
    else
        s->failure = err;
    s->ended = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* --- open and close --- */

static void release(pdr_row_stream *s)
{
    for (size_t i = 0; i < 2; i++)
        pdr_arena_release(&s->pages[i].arena);
    pdr_free(s->positions);
    pdr_free(s);
}

static pdr_code start(pdr_row_stream *s, pdr_error *err)
{
    sigset_t all, before; /* the caller's signals are its own threads' */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&s->thread, NULL, run, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed ? pdr_fail_backend(err, PDR_UNAVAILABLE, failed, "no thread") : PDR_OK;
}

pdr_code pdr_row_stream_open(pdr_row_stream **out, pdr_views *views, const pdr_version_spec *spec,
                             size_t table, pdr_error *err)
{
    pdr_row_stream *s = pdr_calloc(1, sizeof *s);
    if (!s) return pdr_fail(err, PDR_NOMEM, "a scan");
    s->views = views;
    s->spec = spec;
    s->table = table;
    for (size_t i = 0; i < 2; i++)
        s->pages[i].arena = (pdr_arena)PDR_ARENA_INIT(MAX_PAGE_MEMORY);
    s->positions = pdr_calloc((size_t)spec->partitions, sizeof *s->positions);
    pdr_code code = s->positions ? pdr_cond_open(&s->changed, err) : pdr_fail(err, PDR_NOMEM, "a scan");
    if (code != PDR_OK) {
        release(s);
        return code;
    }
    for (int32_t i = 0; i < spec->partitions; i++)
        s->positions[i] = PDR_POSITION_START;
    int failed = pthread_mutex_init(&s->lock, NULL);
    PDR_INVARIANT("mutexes-open", failed == 0);
    code = start(s, err);
    if (code == PDR_OK) {
        *out = s;
        return PDR_OK;
    }
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->changed);
    release(s);
    return code;
}

void pdr_row_stream_close(pdr_row_stream *s)
{
    if (!s) return;
    pthread_mutex_lock(&s->lock);
    s->closing = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->changed);
    release(s);
}

/* --- the taker --- */

static pdr_code failure_of(const pdr_row_stream *s, pdr_error *err)
{
    if (s->failure.code != PDR_OK && err) *err = s->failure;
    return s->failure.code;
}

pdr_code pdr_row_stream_positions(pdr_row_stream *s, const pdr_position **positions, uint64_t *parked,
                                  pdr_error *err)
{
    pthread_mutex_lock(&s->lock);
    while (!s->at_positions && !s->ended)
        pthread_cond_wait(&s->changed, &s->lock);
    pdr_code code = failure_of(s, err);
    pthread_mutex_unlock(&s->lock);
    *positions = s->positions;
    *parked = s->parked;
    return code;
}

void pdr_row_stream_go(pdr_row_stream *s)
{
    pthread_mutex_lock(&s->lock);
    s->going = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

/* The page that is being taken was taken whole: give it back, wait for the other. *more false: there is none.
 */
static pdr_code turn_page(pdr_row_stream *s, bool *more, pdr_error *err)
{
    pthread_mutex_lock(&s->lock);
    if (s->has_page) {
        s->pages[s->taking].full = false;
        s->taking = 1 - s->taking;
        s->next = 0;
        pthread_cond_broadcast(&s->changed);
    }
    while (!s->pages[s->taking].full && !s->ended)
        pthread_cond_wait(&s->changed, &s->lock);
    *more = s->pages[s->taking].full;
    s->has_page = *more;
    pdr_code code = failure_of(s, err);
    pthread_mutex_unlock(&s->lock);
    return code;
}

pdr_code pdr_row_stream_next(pdr_row_stream *s, const pdr_cell **cells, pdr_error *err)
{
    pdr_code code = PDR_OK;
    bool more = true;
    *cells = NULL;
    while (code == PDR_OK && more && (!s->has_page || s->next == s->pages[s->taking].count))
        code = turn_page(s, &more, err);
    if (code == PDR_OK && more) *cells = s->pages[s->taking].rows[s->next++];
    return code;
}
