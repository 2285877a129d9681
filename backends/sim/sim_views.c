/* The views seam onto a simulated world: a connection with its operations, their fates, and poll. */
#include <stdlib.h>

#include "backends/sim/sim_internal.h"
#include "base/mem.h"
#include "projections/cell.h"

typedef enum views_fate {
    FATE_DONE,
    FATE_UNAVAILABLE,
    FATE_UNKNOWN_DONE,
    FATE_UNKNOWN_LOST,
    FATE_UNKNOWN_LATE
} views_fate;

typedef struct sim_views {
    pdr_views base;
    pdr_sim_world *world;
    uint32_t node;
    bool honest, dead, closed, polling;
    uint64_t cuts;           /* of the connection; operations of before are lost with it */
    int64_t last_arrival_us; /* operations of one connection are carried out in order */
    int64_t last_answer_us;
    struct views_op *first, **last; /* not yet completed, in order of submission */
} sim_views;

typedef struct views_op {
    struct views_op *next;
    sim_views *views;
    bool is_fetch, arrived, answered, forgotten, carried_out;
    struct views_op *below; /* that a batch rests on; NULL: none */
    views_fate fate;
    uint64_t cuts, tag;
    void *context;
    pdr_view_done done;
    pdr_view_fetched fetched;
    pdr_version_spec spec;
    const char *worker;
    pdr_view_batch batch;
    size_t table;
    const pdr_cell **keys;
    size_t key_count;
    pdr_error error; /* as it was when it was carried out */
    sim_view_outcome outcome;
    const pdr_cell **rows;
    size_t row_count;
} views_op;

static sim_views *of(pdr_views *base)
{
    return (sim_views *)base;
}

static bool fault(sim_views *v, pdr_sim_fault which)
{
    return !v->honest && sim_fault(v->world, which);
}

/* --- At the server --- */

static void find_rows(views_op *op)
{
    pdr_sim_world *world = op->views->world;
    const sim_version *v = sim_version_find(world, op->spec.projection, op->spec.version);
    op->rows = sim_alloc(world, (op->key_count + 1) * sizeof *op->rows);
    if (!v) {
        op->error.code = pdr_fail(&op->error, PDR_BAD_VIEW, "version %u of projection %s isn't there",
                                  op->spec.version, op->spec.projection);
        return;
    }
    for (size_t i = 0; i < op->key_count; i++) {
        size_t at;
        const pdr_cell *row =
            sim_view_find(&v->spec.tables[op->table], &v->tables[op->table], op->keys[i], &at);
        if (row) op->rows[op->row_count++] = row;
    }
}

static void carry_out(views_op *op)
{
    pdr_sim_world *world = op->views->world;
    if (!world->views.initialised)
        op->error.code = pdr_fail(&op->error, PDR_NOT_INITIALISED, "there are no tables of views");
    else if (op->is_fetch)
        find_rows(op);
    else if (op->below && !op->below->carried_out && !world->options.views_follow_nothing)
        op->error.code =
            pdr_fail(&op->error, PDR_STALE, "the batch that this one rests on was not carried out");
    else
        op->error.code = sim_views_apply(world, &op->spec, op->worker, &op->batch, &op->outcome, &op->error);
    op->carried_out = op->error.code == PDR_OK;
    pdr_sim_world_trace(world, "views: node %u %s v%u #%llu: %s%s%s", (unsigned)op->views->node,
                        op->is_fetch ? "fetch" : "batch", (unsigned)op->spec.version,
                        (unsigned long long)op->tag, pdr_code_name(op->error.code),
                        op->error.code == PDR_OK ? "" : ": ",
                        op->error.code == PDR_OK ? "" : op->error.message);
    for (size_t i = 0; !op->is_fetch && i < op->batch.move_count; i++)
        pdr_sim_world_trace(world, "views:   p%d from %lld to %lld, %llu events",
                            (int)op->batch.moves[i].partition, (long long)op->batch.moves[i].from.offset,
                            (long long)op->batch.moves[i].to.offset,
                            (unsigned long long)op->batch.moves[i].events);
}

static void carry_out_late(void *context, uint64_t value)
{
    (void)value;
    carry_out(context);
}

static void answer_arrives(void *context, uint64_t value)
{
    (void)value;
    views_op *op = context;
    op->answered = true;
    if (!op->views->dead) sim_wake(op->views->world, op->views->node);
}

/* The connection went away under an operation that the server hadn't seen yet. */
static void lose(views_op *op)
{
    op->fate = op->is_fetch ? FATE_UNAVAILABLE : FATE_UNKNOWN_LOST;
    if (op->is_fetch) return;
    uint64_t roll = pdr_sim_world_below(op->views->world, 4);
    if (roll == 0) op->fate = FATE_UNKNOWN_DONE;
    if (roll == 1) op->fate = FATE_UNKNOWN_LATE;
}

static void arrive(views_op *op)
{
    sim_views *v = op->views;
    if (op->arrived) return;
    op->arrived = true;
    if (op->cuts != v->cuts || v->dead) lose(op);
    if (op->fate == FATE_DONE || op->fate == FATE_UNKNOWN_DONE)
        carry_out(op);
    else if (op->fate == FATE_UNKNOWN_LATE)
        pdr_sim_world_at(v->world, sim_late(v->world), carry_out_late, op, 0);
    int64_t at_us = v->world->now_us + sim_wire(v->world);
    if (at_us < v->last_answer_us) at_us = v->last_answer_us;
    v->last_answer_us = at_us;
    pdr_sim_world_at(v->world, at_us - v->world->now_us, answer_arrives, op, 0);
}

static void op_arrives(void *context, uint64_t value)
{
    (void)value;
    arrive(context);
}

/* --- Submission --- */

static views_fate choose_fate(sim_views *v, bool is_fetch)
{
    if (fault(v, PDR_SIM_views_unavailable)) return FATE_UNAVAILABLE;
    if (is_fetch) return FATE_DONE;
    if (fault(v, PDR_SIM_views_unknown_done)) return FATE_UNKNOWN_DONE;
    if (fault(v, PDR_SIM_views_unknown_lost)) return FATE_UNKNOWN_LOST;
    if (fault(v, PDR_SIM_views_unknown_late)) return FATE_UNKNOWN_LATE;
    return FATE_DONE;
}

static pdr_code may_call(sim_views *v, pdr_error *err)
{
    PDR_INVARIANT("views-are-open", !v->closed);
    if (v->dead) return pdr_fail(err, PDR_UNAVAILABLE, "simulated process is dead");
    if (fault(v, PDR_SIM_views_refused))
        return pdr_fail(err, PDR_UNAVAILABLE, "simulated views can't be reached");
    return PDR_OK;
}

static void submit(sim_views *v, views_op *op, void *context, uint64_t tag)
{
    if (fault(v, PDR_SIM_views_cut)) v->cuts++;
    op->views = v;
    op->cuts = v->cuts;
    op->fate = choose_fate(v, op->is_fetch);
    op->context = context;
    op->tag = tag;
    op->outcome = (sim_view_outcome){SIZE_MAX, -1, PDR_POSITION_START};
    *v->last = op;
    v->last = &op->next;
    int64_t at_us = v->world->now_us + sim_wire(v->world);
    if (fault(v, PDR_SIM_views_slow)) at_us += sim_late(v->world);
    if (at_us < v->last_arrival_us) at_us = v->last_arrival_us;
    v->last_arrival_us = at_us;
    pdr_sim_world_at(v->world, at_us - v->world->now_us, op_arrives, op, 0);
}

static pdr_code check_steps(const pdr_version_spec *spec, const pdr_view_batch *batch, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < batch->step_count; i++) {
        const pdr_view_step *step = &batch->steps[i];
        if (step->statement) return pdr_fail(err, PDR_UNSUPPORTED, "simulated views have no statements");
        for (size_t r = 0; code == PDR_OK && r < step->row_count; r++)
            code = pdr_row_change_check(&spec->tables[step->table], &step->rows[r], err);
    }
    return code;
}

static views_op *batch_before(const sim_views *v, const void *context)
{
    views_op *before = NULL;
    for (views_op *op = v->first; op; op = op->next)
        if (!op->is_fetch && !op->forgotten && op->context == context) before = op;
    return before;
}

static pdr_code views_commit(pdr_views *base, const pdr_version_spec *spec, const char *worker,
                             const pdr_view_batch *batch, pdr_view_done done, void *context, uint64_t tag,
                             pdr_error *err)
{
    sim_views *v = of(base);
    views_op *below = batch->on_top ? batch_before(v, context) : NULL;
    pdr_code code = check_steps(spec, batch, err);
    if (code == PDR_OK && batch->on_top && (!below || batch->move_count == 0))
        code = pdr_fail(err, PDR_INVALID_ARGUMENT, "a batch that moves nothing, or rests on none, is on top");
    if (code == PDR_OK) code = may_call(v, err);
    if (code != PDR_OK) return code;
    views_op *op = sim_alloc(v->world, sizeof *op);
    op->below = below;
    op->spec = sim_copy_spec(v->world, spec);
    op->worker = sim_copy_text(v->world, worker);
    op->batch = sim_copy_batch(v->world, &op->spec, batch);
    op->done = done;
    submit(v, op, context, tag);
    return PDR_OK;
}

static pdr_code views_fetch(pdr_views *base, const pdr_version_spec *spec, size_t table,
                            const pdr_cell *const *keys, size_t count, pdr_view_fetched done, void *context,
                            uint64_t tag, pdr_error *err)
{
    sim_views *v = of(base);
    pdr_code code = may_call(v, err);
    if (code != PDR_OK) return code;
    const pdr_table *t = &spec->tables[table];
    views_op *op = sim_alloc(v->world, sizeof *op);
    op->is_fetch = true;
    op->spec = sim_copy_spec(v->world, spec);
    op->table = table;
    op->key_count = count;
    op->keys = sim_alloc(v->world, (count + 1) * sizeof *op->keys);
    for (size_t i = 0; i < count; i++)
        op->keys[i] = sim_copy_cells(v->world, t->columns, keys[i], t->key_count);
    op->fetched = done;
    submit(v, op, context, tag);
    return PDR_OK;
}

static void views_forget(pdr_views *base, void *context)
{
    for (views_op *op = of(base)->first; op; op = op->next)
        if (op->context == context) op->forgotten = true;
}

/* --- Completion, inside poll --- */

static pdr_code code_of(const views_op *op)
{
    if (op->cuts != op->views->cuts) return op->is_fetch ? PDR_UNAVAILABLE : PDR_UNKNOWN_OUTCOME;
    if (op->fate == FATE_UNAVAILABLE) return PDR_UNAVAILABLE;
    if (op->fate != FATE_DONE) return PDR_UNKNOWN_OUTCOME;
    return op->error.code;
}

/* Rows are given as copies that are overwritten afterwards. */
static void complete_fetch(views_op *op, const pdr_view_rows *told)
{
    const pdr_table *t = &op->spec.tables[op->table];
    size_t size = (told->count * t->column_count + 1) * sizeof(pdr_cell);
    pdr_cell *cells = malloc(size);
    const pdr_cell **rows = malloc((told->count + 1) * sizeof *rows);
    PDR_INVARIANT("simulated-servers-have-memory", cells && rows);
    for (size_t i = 0; i < told->count; i++) {
        rows[i] = cells + i * t->column_count;
        memcpy(cells + i * t->column_count, op->rows[i], t->column_count * sizeof *cells);
    }
    pdr_view_rows copy = *told;
    copy.rows = rows;
    op->fetched(op->context, op->tag, &copy);
    memset(cells, 0xdd, size);
    free(cells);
    free((void *)(uintptr_t)rows);
}

static void complete(views_op *op)
{
    pdr_error error = op->error;
    pdr_code code = code_of(op);
    if (code != op->error.code) error.code = pdr_fail(&error, code, "simulated views");
    if (op->is_fetch) {
        pdr_view_rows rows = {.code = code,
                              .error = code == PDR_OK ? NULL : &error,
                              .count = code == PDR_OK ? op->row_count : 0};
        complete_fetch(op, &rows);
        return;
    }
    pdr_view_result result = {.code = code,
                              .error = code == PDR_OK ? NULL : &error,
                              .step = op->outcome.step,
                              .partition = op->outcome.partition,
                              .position = op->outcome.position};
    op->done(op->context, op->tag, &result);
}

static size_t views_poll(pdr_views *base)
{
    sim_views *v = of(base);
    PDR_INVARIANT("poll-is-not-nested", !v->polling && !v->closed);
    if (v->dead) return 0;
    v->polling = true;
    size_t calls = 0, max = 1 + pdr_sim_world_below(v->world, 4);
    while (calls < max && !v->dead && v->first && v->first->answered) {
        views_op *op = v->first;
        v->first = op->next;
        if (!v->first) v->last = &v->first;
        if (op->forgotten) continue;
        complete(op);
        calls++;
    }
    v->polling = false;
    if (!calls) sim_poll_steps(v->world);
    return calls;
}

static int views_wait_on(pdr_views *base, struct pollfd *fds, int max, int64_t *due_us)
{
    (void)fds;
    (void)max;
    const sim_views *v = of(base);
    *due_us = sim_due_us(v->world, v->first && v->first->answered);
    return 0;
}

/* --- Blocking operations: what was submitted before them is carried out first --- */

static pdr_code enter(pdr_views *base, pdr_error *err)
{
    sim_views *v = of(base);
    pdr_code code = may_call(v, err);
    for (views_op *op = v->first; op && code == PDR_OK; op = op->next)
        arrive(op);
    if (code == PDR_OK && !v->world->views.initialised)
        code = pdr_fail(err, PDR_NOT_INITIALISED, "there are no tables of views");
    return code;
}

static pdr_code views_init(pdr_views *base, int timeout_ms, pdr_error *err)
{
    (void)timeout_ms;
    pdr_code code = may_call(of(base), err);
    if (code == PDR_OK) of(base)->world->views.initialised = true;
    return code;
}

static pdr_code views_create(pdr_views *base, const pdr_version_spec *spec, int timeout_ms, pdr_error *err)
{
    (void)timeout_ms;
    pdr_code code = enter(base, err);
    return code == PDR_OK ? sim_views_create(of(base)->world, spec, err) : code;
}

static pdr_code views_drop(pdr_views *base, const char *projection, uint32_t version, bool live_too,
                           int timeout_ms, pdr_error *err)
{
    (void)timeout_ms;
    pdr_code code = enter(base, err);
    return code == PDR_OK ? sim_views_drop(of(base)->world, projection, version, live_too, err) : code;
}

static pdr_code views_reset(pdr_views *base, const pdr_version_spec *spec, int timeout_ms, pdr_error *err)
{
    (void)timeout_ms;
    pdr_code code = enter(base, err);
    return code == PDR_OK ? sim_views_reset(of(base)->world, spec, err) : code;
}

static pdr_code views_swap(pdr_views *base, const char *projection, uint32_t version, bool force, int lock_ms,
                           pdr_error *err)
{
    (void)lock_ms;
    pdr_code code = enter(base, err);
    return code == PDR_OK ? sim_views_swap(of(base)->world, projection, version, force, err) : code;
}

static pdr_code find(pdr_views *base, const char *projection, uint32_t version, sim_version **out,
                     pdr_error *err)
{
    pdr_code code = enter(base, err);
    if (code != PDR_OK) return code;
    *out = sim_version_find(of(base)->world, projection, version);
    if (!*out) return pdr_fail(err, PDR_NOT_FOUND, "projection %s has no version %u", projection, version);
    (*out)->row.changed_us = sim_views_now(of(base)->world);
    return PDR_OK;
}

static pdr_code views_set_paused(pdr_views *base, const char *projection, uint32_t version, bool paused,
                                 int timeout_ms, pdr_error *err)
{
    (void)timeout_ms;
    sim_version *v;
    pdr_code code = find(base, projection, version, &v, err);
    if (code == PDR_OK) v->row.paused = paused;
    return code;
}

static pdr_code views_set_throttle(pdr_views *base, const char *projection, uint32_t version,
                                   uint32_t per_second, int timeout_ms, pdr_error *err)
{
    (void)timeout_ms;
    sim_version *v;
    if (per_second > INT32_MAX)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "a throttle of %u a second", per_second);
    pdr_code code = find(base, projection, version, &v, err);
    if (code == PDR_OK) v->row.throttle = per_second;
    return code;
}

static pdr_code views_set_fault(pdr_views *base, const char *projection, uint32_t version, const char *fault_,
                                int timeout_ms, pdr_error *err)
{
    (void)timeout_ms;
    sim_version *v;
    pdr_code code = find(base, projection, version, &v, err);
    if (code != PDR_OK) return code;
    pdr_arena arena = PDR_ARENA_INIT(1024 * 1024);
    const char *text = fault_ ? fault_ : "";
    v->row.fault =
        sim_copy_text(of(base)->world, pdr_view_text(&arena, pdr_bytes_of(text, strlen(text))).data);
    pdr_arena_release(&arena);
    return PDR_OK;
}

static pdr_code views_versions(pdr_views *base, const char *projection, pdr_version_each each, void *context,
                               pdr_error *err)
{
    pdr_code code = enter(base, err);
    for (sim_version *v = of(base)->world->views.versions; v && code == PDR_OK; v = v->next)
        if (!projection || strcmp(v->row.projection, projection) == 0) code = each(context, &v->row, err);
    return code;
}

static pdr_code views_positions(pdr_views *base, const char *projection, uint32_t version,
                                pdr_position_each each, void *context, pdr_error *err)
{
    pdr_code code = enter(base, err);
    return code == PDR_OK ? sim_views_positions(of(base)->world, projection, version, each, context, err)
                          : code;
}

static pdr_code views_dead_letters(pdr_views *base, const char *projection, uint32_t version,
                                   int32_t partition, pdr_dead_letter_each each, void *context,
                                   pdr_error *err)
{
    pdr_code code = enter(base, err);
    const sim_version *v = code == PDR_OK ? sim_version_find(of(base)->world, projection, version) : NULL;
    for (size_t i = 0; v && code == PDR_OK && i < v->letter_count; i++)
        if (partition < 0 || v->letters[i].partition == partition) code = each(context, &v->letters[i], err);
    return code;
}

static pdr_code views_request(pdr_views *base, const char *projection, uint32_t version,
                              const pdr_request_row *request, int timeout_ms, pdr_error *err)
{
    (void)timeout_ms;
    sim_version *v;
    pdr_sim_world *world = of(base)->world;
    pdr_code code = find(base, projection, version, &v, err);
    if (code != PDR_OK) return code;
    v->requests = sim_grow(world, v->requests, v->request_count, &v->request_capacity, sizeof *v->requests);
    pdr_request_row *row = &v->requests[v->request_count++];
    *row = *request;
    row->id = ++world->views.last_request;
    row->entity = sim_copy_bytes(world, request->entity);
    return PDR_OK;
}

static pdr_code views_requests(pdr_views *base, const char *projection, uint32_t version, int32_t partition,
                               pdr_request_each each, void *context, pdr_error *err)
{
    pdr_code code = enter(base, err);
    const sim_version *v = code == PDR_OK ? sim_version_find(of(base)->world, projection, version) : NULL;
    for (size_t i = 0; v && code == PDR_OK && i < v->request_count; i++)
        if (partition < 0 || v->requests[i].partition == partition)
            code = each(context, &v->requests[i], err);
    return code;
}

static pdr_code views_scan(pdr_views *base, const pdr_version_spec *spec, size_t table,
                           pdr_position_each positions, pdr_view_row_each each, void *context, pdr_error *err)
{
    pdr_code code = enter(base, err);
    if (code != PDR_OK) return code;
    pdr_sim_world *world = of(base)->world;
    const sim_version *v = sim_version_find(world, spec->projection, spec->version);
    if (!v)
        return pdr_fail(err, PDR_BAD_VIEW, "version %u of projection %s isn't there", spec->version,
                        spec->projection);
    sim_view_table then = v->tables[table]; /* a batch makes new ones */
    if (positions)
        code = sim_views_positions(world, spec->projection, spec->version, positions, context, err);
    for (size_t i = 0; code == PDR_OK && i < then.count; i++)
        code = each(context, then.rows[i], err);
    return code;
}

static bool same_column(const pdr_column *a, const pdr_column *b)
{
    return strcmp(a->name, b->name) == 0 && a->type == b->type && a->precision == b->precision &&
           a->scale == b->scale;
}

static pdr_code verify_table(const pdr_table *there, const pdr_table *declared, pdr_error *err)
{
    for (size_t c = 0; c < declared->column_count; c++)
        if (c >= there->column_count || !same_column(&there->columns[c], &declared->columns[c]))
            return pdr_fail(err, PDR_BAD_VIEW, "table %s has no column %s of type %s", declared->name,
                            declared->columns[c].name, pdr_column_type_name(declared->columns[c].type));
    if (there->key_count == declared->key_count) return PDR_OK;
    return pdr_fail(err, PDR_BAD_VIEW, "table %s has another key", declared->name);
}

static pdr_code views_verify(pdr_views *base, const pdr_version_spec *spec, int timeout_ms, pdr_error *err)
{
    (void)timeout_ms;
    pdr_code code = enter(base, err);
    if (code != PDR_OK) return code;
    const sim_version *v = sim_version_find(of(base)->world, spec->projection, spec->version);
    for (size_t i = 0; code == PDR_OK && i < spec->table_count; i++) {
        if (!v || i >= v->spec.table_count)
            return pdr_fail(err, PDR_BAD_VIEW, "table %s__v%u isn't there", spec->tables[i].name,
                            spec->version);
        code = verify_table(&v->spec.tables[i], &spec->tables[i], err);
    }
    return code;
}

/* --- Open and close --- */

static void views_close(pdr_views *base)
{
    sim_views *v = of(base);
    PDR_INVARIANT("views-are-closed-once", !v->closed && !v->polling);
    v->closed = v->dead = true;
}

void pdr_sim_views_crash(pdr_views *base)
{
    of(base)->dead = true;
}

static const pdr_views_ops views_ops = {
    .name = "sim",
    .pipelined = true,
    .close = views_close,
    .init = views_init,
    .create = views_create,
    .drop = views_drop,
    .reset = views_reset,
    .swap = views_swap,
    .set_paused = views_set_paused,
    .set_throttle = views_set_throttle,
    .set_fault = views_set_fault,
    .versions = views_versions,
    .positions = views_positions,
    .dead_letters = views_dead_letters,
    .request = views_request,
    .requests = views_requests,
    .scan = views_scan,
    .verify = views_verify,
    .fetch = views_fetch,
    .commit = views_commit,
    .forget = views_forget,
    .poll = views_poll,
    .wait_on = views_wait_on,
};

pdr_code pdr_sim_views_open(pdr_views **out, pdr_sim_world *world, uint32_t node, bool honest, pdr_error *err)
{
    (void)err; /* opening can't fail; the signature is that of the other backends */
    sim_views *v = sim_alloc(world, sizeof *v);
    *v = (sim_views){.base = {&views_ops}, .world = world, .node = node, .honest = honest};
    v->last = &v->first;
    *out = &v->base;
    return PDR_OK;
}
