#include "projections/diff.h"

#include <inttypes.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "projections/advance.h"
#include "projections/cell.h"
#include "projections/row_stream.h"

enum { SWITCH_MS = 10000, PAUSE_MS = 100 };

typedef struct diff {
    const pdr_diff_spec *spec;
    pdr_arena *arena;
    pdr_position *held; /* where the held version stands, by partition */
} diff;

static const pdr_version_spec *held_of(const diff *d)
{
    return d->spec->hold_from ? &d->spec->from : &d->spec->to;
}

/* --- what is compared --- */

static const pdr_table *find_table(const pdr_version_spec *version, const char *name)
{
    for (size_t i = 0; i < version->table_count; i++)
        if (strcmp(version->tables[i].name, name) == 0) return &version->tables[i];
    return NULL;
}

static bool is_whole(pdr_column_type type)
{
    return type == PDR_COLUMN_INTEGER || type == PDR_COLUMN_BIGINT;
}

static bool are_alike(const pdr_column *a, const pdr_column *b)
{
    if (is_whole(a->type) && is_whole(b->type)) return true;
    return a->type == b->type && (a->type != PDR_COLUMN_NUMERIC || a->scale == b->scale);
}

static bool keys_are_alike(const pdr_table *a, const pdr_table *b)
{
    if (a->key_count != b->key_count) return false;
    for (size_t i = 0; i < a->key_count; i++)
        if (strcmp(a->columns[i].name, b->columns[i].name) != 0 || !are_alike(&a->columns[i], &b->columns[i]))
            return false;
    return true;
}

static pdr_code pair_columns(diff *d, pdr_diff_table *t, pdr_error *err)
{
    t->columns = pdr_arena_calloc(d->arena, t->from->column_count + 1, sizeof *t->columns);
    if (!t->columns) return pdr_fail(err, PDR_NOMEM, "the columns of table %s", t->name);
    for (size_t i = t->from->key_count; i < t->from->column_count; i++) {
        const pdr_column *a = &t->from->columns[i];
        for (size_t j = t->to->key_count; j < t->to->column_count; j++) {
            const pdr_column *b = &t->to->columns[j];
            if (strcmp(a->name, b->name) != 0) continue;
            t->columns[t->column_count++] = (pdr_diff_column){.name = a->name,
                                                              .type = a->type,
                                                              .scale = a->scale,
                                                              .from = i,
                                                              .to = j,
                                                              .comparable = are_alike(a, b)};
        }
    }
    return PDR_OK;
}

static pdr_code pair_tables(diff *d, pdr_diff_table **out, size_t *count, pdr_error *err)
{
    const pdr_version_spec *from = &d->spec->from, *to = &d->spec->to;
    pdr_diff_table *tables =
        pdr_arena_calloc(d->arena, from->table_count + to->table_count + 1, sizeof *tables);
    if (!tables) return pdr_fail(err, PDR_NOMEM, "the tables of two versions");
    size_t used = 0;
    for (size_t i = 0; i < from->table_count; i++)
        tables[used++] = (pdr_diff_table){.name = from->tables[i].name,
                                          .from = &from->tables[i],
                                          .to = find_table(to, from->tables[i].name)};
    for (size_t i = 0; i < to->table_count; i++)
        if (!find_table(from, to->tables[i].name))
            tables[used++] = (pdr_diff_table){.name = to->tables[i].name, .to = &to->tables[i]};
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < used; i++) {
        pdr_diff_table *t = &tables[i];
        if (!t->from || !t->to) continue;
        t->other_key = !keys_are_alike(t->from, t->to);
        code = pair_columns(d, t, err);
    }
    *out = tables;
    *count = used;
    return code;
}

/* --- rows --- */

bool pdr_diff_column_differs(const pdr_diff_row *row, const pdr_diff_column *column)
{
    return column->comparable &&
           !pdr_cell_equal(column->type, &row->from[column->from], &row->to[column->to]);
}

static int compare_keys(const pdr_diff_table *t, const pdr_cell *a, const pdr_cell *b)
{
    for (size_t i = 0; i < t->from->key_count; i++) {
        int order = pdr_cell_compare(t->from->columns[i].type, &a[i], &b[i]);
        if (order != 0) return order;
    }
    return 0;
}

static void tell(const diff *d, const pdr_diff_row *row)
{
    if (d->spec->row) d->spec->row(d->spec->context, row);
}

static void meet_both(const diff *d, pdr_diff_table *t, const pdr_cell *from, const pdr_cell *to)
{
    const pdr_diff_row row = {t, PDR_DIFF_DIFFERENT, from, to};
    bool differs = false;
    for (size_t i = 0; i < t->column_count; i++) {
        if (!pdr_diff_column_differs(&row, &t->columns[i])) continue;
        t->columns[i].different++;
        differs = true;
    }
    if (!differs) return;
    t->different++;
    tell(d, &row);
}

static void meet_one(const diff *d, pdr_diff_table *t, const pdr_cell *from, const pdr_cell *to)
{
    const pdr_diff_row row = {t, from ? PDR_DIFF_ONLY_FROM : PDR_DIFF_ONLY_TO, from, to};
    if (from)
        t->only_from++;
    else
        t->only_to++;
    tell(d, &row);
}

static pdr_code merge(const diff *d, pdr_diff_table *t, pdr_row_stream *from, pdr_row_stream *to,
                      pdr_error *err)
{
    const pdr_cell *a, *b;
    pdr_code code = pdr_row_stream_next(from, &a, err);
    if (code == PDR_OK) code = pdr_row_stream_next(to, &b, err);
    while (code == PDR_OK && (a || b)) {
        int order = !a ? 1 : !b ? -1 : compare_keys(t, a, b);
        if (order == 0)
            meet_both(d, t, a, b);
        else
            meet_one(d, t, order < 0 ? a : NULL, order < 0 ? NULL : b);
        if (order <= 0) {
            t->from_rows++;
            code = pdr_row_stream_next(from, &a, err);
        }
        if (code == PDR_OK && order >= 0) {
            t->to_rows++;
            code = pdr_row_stream_next(to, &b, err);
        }
    }
    return code;
}

/* --- the same positions --- */

static pdr_code take_position(void *context, const pdr_position_row *row, pdr_error *err)
{
    diff *d = context;
    (void)err;
    if (row->partition >= 0 && row->partition < d->spec->from.partitions)
        d->held[row->partition] = row->position;
    return PDR_OK;
}

static pdr_code look_at_held(diff *d, pdr_error *err)
{
    const pdr_version_spec *held = held_of(d);
    pdr_views *control = d->spec->control;
    return control->ops->positions(control, held->projection, held->version, take_position, d, err);
}

static void pause_a_little(const diff *d, const char *for_what)
{
    struct timespec pause = {0, (long)PAUSE_MS * 1000000};
    if (d->spec->waits) d->spec->waits(d->spec->context, for_what);
    (void)nanosleep(&pause, NULL);
}

/* -1: ahead of `other` in no partition. */
static int32_t ahead_in(const diff *d, const pdr_position *other)
{
    for (int32_t i = 0; i < d->spec->from.partitions; i++)
        if (d->held[i].offset > other[i].offset) return i;
    return -1;
}

static int32_t differs_in(const diff *d, const pdr_position *other)
{
    for (int32_t i = 0; i < d->spec->from.partitions; i++)
        if (!pdr_position_equal(d->held[i], other[i])) return i;
    return -1;
}

/* PDR_BUSY: not now, take another snapshot of the other. */
static pdr_code bring_held_to(diff *d, const pdr_position *other, pdr_error *err)
{
    pdr_code code = look_at_held(d, err);
    if (code != PDR_OK || differs_in(d, other) < 0) return code;
    int32_t partition = ahead_in(d, other);
    if (partition >= 0)
        return pdr_fail(err, PDR_BUSY,
                        "version %" PRIu32 " is ahead in partition %d: is a worker of the other at work?",
                        held_of(d)->version, (int)partition);
    if (!d->spec->projector)
        return pdr_fail(err, PDR_BUSY,
                        "version %" PRIu32
                        " stands elsewhere in partition %d, and its definition isn't given, so it "
                        "can't be brought along",
                        held_of(d)->version, (int)differs_in(d, other));
    code = pdr_projector_advance(d->spec->projector, other, d->spec->timeout_ms, err);
    if (code == PDR_STALE) return PDR_BUSY; /* its worker hasn't seen the switch yet */
    return code;
}

static bool are_equal(const diff *d, const pdr_position *a, const pdr_position *b)
{
    for (int32_t i = 0; i < d->spec->from.partitions; i++)
        if (!pdr_position_equal(a[i], b[i])) return false;
    return true;
}

/* One try: the streams stand at the same positions, or PDR_BUSY. */
static pdr_code try_table(diff *d, pdr_diff_table *t, pdr_error *err)
{
    const pdr_diff_spec *spec = d->spec;
    pdr_row_stream *from = NULL, *to = NULL;
    size_t from_index = (size_t)(t->from - spec->from.tables), to_index = (size_t)(t->to - spec->to.tables);
    const pdr_position *from_at, *to_at;
    pdr_code code;
    if (spec->hold_from) {
        code = pdr_row_stream_open(&to, spec->to_views, &spec->to, to_index, err);
        if (code == PDR_OK) code = pdr_row_stream_positions(to, &to_at, &t->to_parked, err);
        if (code == PDR_OK) code = bring_held_to(d, to_at, err);
        if (code == PDR_OK) code = pdr_row_stream_open(&from, spec->from_views, &spec->from, from_index, err);
        if (code == PDR_OK) code = pdr_row_stream_positions(from, &from_at, &t->from_parked, err);
    } else {
        code = pdr_row_stream_open(&from, spec->from_views, &spec->from, from_index, err);
        if (code == PDR_OK) code = pdr_row_stream_positions(from, &from_at, &t->from_parked, err);
        if (code == PDR_OK) code = bring_held_to(d, from_at, err);
        if (code == PDR_OK) code = pdr_row_stream_open(&to, spec->to_views, &spec->to, to_index, err);
        if (code == PDR_OK) code = pdr_row_stream_positions(to, &to_at, &t->to_parked, err);
    }
    if (code == PDR_OK && !are_equal(d, from_at, to_at))
        code = pdr_fail(err, PDR_BUSY, "another worker moves version %" PRIu32, held_of(d)->version);
    if (code == PDR_OK) {
        pdr_row_stream_go(from);
        pdr_row_stream_go(to);
        code = merge(d, t, from, to, err);
    }
    pdr_row_stream_close(from);
    pdr_row_stream_close(to);
    return code;
}

static pdr_code compare_table(diff *d, pdr_diff_table *t, pdr_error *err)
{
    int64_t until = pdr_deadline_us(d->spec->timeout_ms);
    pdr_code code;
    pdr_error why;
    while ((code = try_table(d, t, &why)) == PDR_BUSY) {
        if (pdr_mono_us() >= until)
            return pdr_fail(err, PDR_TIMEOUT,
                            "the versions didn't come to the same positions within %d ms: %s",
                            d->spec->timeout_ms, why.message);
        pause_a_little(d, why.message);
    }
    if (code != PDR_OK && err) *err = why;
    return code;
}

static pdr_code compare_all(diff *d, pdr_diff_table *tables, size_t count, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < count; i++)
        if (tables[i].from && tables[i].to && !tables[i].other_key) code = compare_table(d, &tables[i], err);
    return code;
}

pdr_code pdr_diff_run(const pdr_diff_spec *spec, pdr_arena *arena, pdr_diff_table **tables, size_t *count,
                      pdr_error *err)
{
    diff d = {.spec = spec, .arena = arena};
    pdr_views *control = spec->control;
    const pdr_version_spec *held = held_of(&d);
    pdr_error ignored;
    pdr_code code = pair_tables(&d, tables, count, err);
    d.held = pdr_arena_calloc(arena, (size_t)spec->from.partitions, sizeof *d.held);
    if (code == PDR_OK && !d.held) code = pdr_fail(err, PDR_NOMEM, "positions");
    if (code != PDR_OK) return code;
    bool hold = spec->projector && !spec->was_paused;
    if (hold) code = control->ops->set_paused(control, held->projection, held->version, true, SWITCH_MS, err);
    if (code == PDR_OK) code = compare_all(&d, *tables, *count, err);
    if (!hold) return code;
    pdr_code freed = control->ops->set_paused(control, held->projection, held->version, false, SWITCH_MS,
                                              code == PDR_OK ? err : &ignored);
    return code == PDR_OK ? freed : code;
}
