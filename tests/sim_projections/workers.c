/* Workers of projections in a run, what the operator does to them, and the end when all is calm. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim_projections/views.h"

unsigned pdr_broken_projection_rules; /* read by projections/, compiled here with PDR_BREAKABLE */

enum { MS = 1000 };

static int64_t around(run *r, int64_t average)
{
    return 1 + (int64_t)random_below(r, (uint64_t)average * 2);
}

/* --- Running --- */

static void run_worker(void *context, uint64_t token);

static void wake(view_worker *w, int64_t delay_us)
{
    if (!w->alive) return;
    int64_t at_us = pdr_sim_world_now(w->run->world) + delay_us;
    if (at_us >= w->run_at_us) return;
    w->run_at_us = at_us;
    pdr_sim_world_at(w->run->world, delay_us, run_worker, w, ++w->token);
}

static void wake_by_index(run *r, uint32_t index)
{
    wake(&views_of_run(r)->workers[index - SIDE_NODES], 1 + (int64_t)random_below(r, 50));
}

/* A version that isn't there, or was stopped for another worker's sake, is no finding. */
static void check_projector(view_worker *w, uint32_t which)
{
    pdr_projector_numbers numbers;
    pdr_projector_numbers_get(w->projectors[which], &numbers);
    if (numbers.state != PDR_PROJECTOR_STOPPED || numbers.error.code == PDR_NOT_FOUND) return;
    run_fail(w->run, "liveness", "projection v%u stopped: %s", (unsigned)which + 1, numbers.error.message);
}

static void run_worker(void *context, uint64_t token)
{
    view_worker *w = context;
    run *r = w->run;
    if (token != w->token || !w->alive) return;
    w->run_at_us = INT64_MAX;
    if (one_in(r, 8)) { /* the thread is preempted */
        wake(w, 1 + (int64_t)random_below(r, 2000));
        return;
    }
    size_t done = 0;
    int64_t due_us = INT64_MAX, log_us, views_us;
    for (uint32_t i = 0; i < VIEW_VERSIONS; i++) {
        int64_t due;
        done += pdr_projector_turn(w->projectors[i], &due);
        if (due < due_us) due_us = due;
        check_projector(w, i);
    }
    int64_t now_us = w->env->ops->mono_us(w->env);
    w->restless = done == 0 && due_us <= now_us ? w->restless + 1 : 0;
    if (w->restless > 8) run_fail(r, "liveness", "%s wants turn after turn, and nothing happens", w->name);
    w->log->ops->wait_on(w->log, NULL, 0, &log_us);
    w->views->ops->wait_on(w->views, NULL, 0, &views_us);
    if (done || log_us == 0 || views_us == 0 || due_us <= now_us)
        wake(w, 1 + (int64_t)random_below(r, 50));
    else if (due_us != INT64_MAX)
        wake(w, due_us - now_us);
}

/* --- Life and death --- */

static void add_numbers(run *r, const pdr_projector *projector)
{
    pdr_projector_numbers n;
    pdr_projector_numbers_get(projector, &n);
    r->side_counters[VIEW_STALE] += n.stale;
    r->side_counters[VIEW_UNKNOWN] += n.unknown_outcomes;
    r->side_counters[VIEW_REFUSED] += n.refused;
    r->side_counters[VIEW_FETCHED] += n.fetches;
    r->side_counters[VIEW_AHEAD] += n.ahead;
    r->side_counters[VIEW_DISCARDED] += n.discards;
    r->side_counters[VIEW_SOUGHT] += n.seeks;
}

static void assign_some(view_worker *w)
{
    run *r = w->run;
    for (uint32_t i = 0; i < VIEW_VERSIONS; i++) {
        int32_t list[MAX_PARTITIONS];
        size_t count = 0;
        for (uint32_t p = 0; p < r->plan.partitions; p++)
            if (!one_in(r, 3)) list[count++] = (int32_t)p;
        if (pdr_projector_assign(w->projectors[i], list, count, NULL) != PDR_OK) abort();
    }
    wake(w, 1);
}

static void start_worker(view_worker *w)
{
    run *r = w->run;
    views_run *v = views_of_run(r);
    w->alive = true;
    w->draining = false;
    w->run_at_us = INT64_MAX;
    snprintf(w->name, sizeof w->name, "worker-%u", (unsigned)v->starts++);
    if (pdr_sim_log_open(&w->log, r->world, SIDE_NODES + w->index, NULL) != PDR_OK ||
        pdr_sim_views_open(&w->views, r->world, SIDE_NODES + w->index, false, NULL) != PDR_OK ||
        pdr_sim_env_open(&w->env, r->world, SIDE_NODES + w->index, NULL) != PDR_OK ||
        pdr_schema_book_open(&w->book, NULL) != PDR_OK)
        abort();
    uint32_t revision = r->plan.mixed_revisions ? 1 + (uint32_t)random_below(r, SIM_REVISIONS) : 1;
    for (uint32_t i = 0; i < VIEW_VERSIONS; i++) {
        view_projection_init(&w->projections[i], r, i + 1);
        pdr_projector_spec spec = {.projection = &w->projections[i].base,
                                   .app = sim_app(revision),
                                   .log = w->log,
                                   .views = w->views,
                                   .env = w->env,
                                   .book = w->book,
                                   .partitions = (int32_t)r->plan.partitions,
                                   .worker = w->name,
                                   .settings = v->settings};
        memcpy(spec.journal_id, "simulated-journ", 16);
        if (pdr_projector_open(&w->projectors[i], &spec, NULL) != PDR_OK) abort();
    }
    assign_some(w);
}

static void end_worker(view_worker *w)
{
    if (!w->alive) return;
    w->alive = false;
    w->token++;
    pdr_sim_log_crash(w->log);
    pdr_sim_views_crash(w->views);
    for (uint32_t i = 0; i < VIEW_VERSIONS; i++) {
        add_numbers(w->run, w->projectors[i]);
        pdr_projector_close(w->projectors[i]);
    }
    w->log->ops->close(w->log);
    w->views->ops->close(w->views);
    pdr_sim_env_close(w->env);
    pdr_schema_book_close(w->book);
}

static void start_again(void *context, uint64_t value)
{
    (void)value;
    view_worker *w = context;
    if (!w->alive) start_worker(w);
}

static void trouble_workers(void *context, uint64_t value)
{
    (void)value;
    run *r = context;
    views_run *v = views_of_run(r);
    if (r->calm) return;
    view_worker *w = &v->workers[random_below(r, VIEW_WORKERS)];
    if (w->alive && one_in(r, 3)) {
        r->side_counters[VIEW_WORKER_CRASHES]++;
        end_worker(w);
        pdr_sim_world_at(r->world, around(r, 30 * MS), start_again, w, 0);
    } else if (w->alive && !w->draining && one_in(r, 6)) {
        r->side_counters[VIEW_DRAINS]++;
        w->draining = true;
        for (uint32_t i = 0; i < VIEW_VERSIONS; i++)
            pdr_projector_drain(w->projectors[i]);
        wake(w, 1);
    } else if (w->alive) {
        assign_some(w);
    }
    pdr_sim_world_at(r->world, around(r, 60 * MS), trouble_workers, r, 0);
}

/* --- The operator --- */

typedef struct parked_list {
    pdr_request_row rows[64];
    char entities[64][16];
    size_t count;
} parked_list;

static pdr_code take_parked(void *context, const pdr_dead_letter *letter, pdr_error *err)
{
    (void)err;
    parked_list *list = context;
    if (letter->behind || list->count == 64 || letter->entity.size > 16) return PDR_OK;
    memcpy(list->entities[list->count], letter->entity.data, letter->entity.size);
    list->rows[list->count] =
        (pdr_request_row){.partition = letter->partition,
                          .entity = pdr_bytes_of(list->entities[list->count], letter->entity.size)};
    list->count++;
    return PDR_OK;
}

/* The same of those that are parked behind one that isn't there any more. */
static pdr_code take_any(void *context, const pdr_dead_letter *letter, pdr_error *err)
{
    pdr_dead_letter first = *letter;
    first.behind = false;
    return take_parked(context, &first, err);
}

static void request_some(run *r, uint32_t version)
{
    views_run *v = views_of_run(r);
    parked_list list = {.count = 0};
    if (v->honest->ops->dead_letters(v->honest, "simulated", version, -1, take_parked, &list, NULL) !=
            PDR_OK ||
        list.count == 0)
        return;
    pdr_request_row *row = &list.rows[random_below(r, list.count)];
    row->kind = one_in(r, 2) ? PDR_REQUEST_SKIP : PDR_REQUEST_RETRY;
    (void)!v->honest->ops->request(v->honest, "simulated", version, row, 0, NULL);
}

static void make_second(run *r)
{
    views_run *v = views_of_run(r);
    pdr_version_spec spec = view_spec(r, 2);
    if (v->honest->ops->create(v->honest, &spec, 0, NULL) != PDR_OK) return;
    v->there[1] = true;
    r->side_counters[VIEW_REBUILDS]++;
}

static void swap_some(run *r)
{
    views_run *v = views_of_run(r);
    uint32_t to = 1 + (uint32_t)random_below(r, 2);
    if (!v->there[to - 1]) return;
    pdr_code code = v->honest->ops->swap(v->honest, "simulated", to, one_in(r, 2), 0, NULL);
    r->side_counters[code == PDR_OK ? VIEW_SWAPS : VIEW_SWAPS_REFUSED]++;
}

static void drop_or_reset(run *r)
{
    views_run *v = views_of_run(r);
    uint32_t which = 1 + (uint32_t)random_below(r, 2);
    pdr_version_spec spec = view_spec(r, which);
    if (!v->there[which - 1]) return;
    if (one_in(r, 2) && v->honest->ops->drop(v->honest, "simulated", which, false, 0, NULL) == PDR_OK) {
        v->there[which - 1] = false;
        forget_skipped(r, which);
    } else if (v->honest->ops->reset(v->honest, &spec, 0, NULL) == PDR_OK) {
        forget_skipped(r, which);
        r->side_counters[VIEW_RESETS]++;
    }
}

static void operate(void *context, uint64_t value)
{
    (void)value;
    run *r = context;
    views_run *v = views_of_run(r);
    uint32_t which = 1 + (uint32_t)random_below(r, 2);
    if (r->calm) return;
    switch (random_below(r, 8)) {
    case 0:
        (void)!v->honest->ops->set_paused(v->honest, "simulated", which, true, 0, NULL);
        r->side_counters[VIEW_PAUSES]++;
        break;
    case 1: make_second(r); break;
    case 2: swap_some(r); break;
    case 3:
        if (one_in(r, 3)) drop_or_reset(r);
        break;
    case 4:
    case 5: (void)!v->honest->ops->set_paused(v->honest, "simulated", which, false, 0, NULL); break;
    default: request_some(r, which);
    }
    pdr_sim_world_at(r->world, around(r, 60 * MS), operate, r, 0);
}

/* --- What the database tells --- */

typedef struct request_look {
    const pdr_view_batch *batch;
    run *run;
    uint32_t version;
} request_look;

static pdr_code take_request(void *context, const pdr_request_row *row, pdr_error *err)
{
    (void)err;
    const request_look *look = context;
    const pdr_view_batch *batch = look->batch;
    if (batch->request_count == 0 || batch->requests_done[0] != row->id) return PDR_OK;
    bool skip = row->kind == PDR_REQUEST_SKIP;
    look->run->side_counters[skip ? VIEW_SKIPPED : VIEW_RETRIED]++;
    for (size_t i = 0; skip && i < batch->unpark_count; i++)
        note_skipped(look->run, look->version, batch->unpark[i].partition, batch->unpark[i].offset);
    return PDR_OK;
}

static void viewed(void *context, const pdr_version_spec *spec, const pdr_view_batch *batch)
{
    run *r = context;
    views_run *v = views_of_run(r);
    request_look look = {batch, r, spec->version};
    r->side_counters[VIEW_BATCHES]++;
    for (size_t i = 0; i < batch->park_count; i++) {
        const pdr_dead_letter *letter = &batch->park[i];
        r->side_counters[letter->behind ? VIEW_BEHIND : VIEW_PARKED]++;
        if (strstr(letter->reason, "refuses the row")) r->side_counters[VIEW_FOUND_BAD]++;
    }
    if (v->honest->ops->requests(v->honest, "simulated", spec->version, -1, take_request, &look, NULL) !=
        PDR_OK)
        abort();
    if (!r->failed) check_views(r, spec->version);
}

static void set_options(pdr_sim_options *options)
{
    options->hooks.viewed = viewed;
    options->hooks.view_poison = view_poison;
    options->views_compare_nothing = !PDR_PROJECTION_RULE(POSITION);
    options->views_compare_no_generation = !PDR_PROJECTION_RULE(GENERATION);
    options->views_follow_nothing = !PDR_PROJECTION_RULE(FOLLOW);
}

/* --- Start, calm, end --- */

static void make_settings(run *r, pdr_projector_settings *s)
{
    *s = (pdr_projector_settings){.batch_events = 1 + random_below(r, 30),
                                  .batch_bytes = 200 + random_below(r, 20000),
                                  .batch_wait_us = (int64_t)random_below(r, 20 * MS),
                                  .read_ahead_bytes = 300 + random_below(r, 20000),
                                  .attempts = 1 + (int32_t)random_below(r, 3),
                                  .parked_max = 100000,
                                  .retry_min_us = 2 * MS,
                                  .retry_max_us = 60 * MS};
    if (one_in(r, 8)) s->throttle = 50 + (uint32_t)random_below(r, 300);
}

static const struct {
    pdr_sim_fault fault;
    uint32_t per_million;
} troubles[] = {{PDR_SIM_views_refused, 10000},      {PDR_SIM_views_unavailable, 15000},
                {PDR_SIM_views_unknown_done, 15000}, {PDR_SIM_views_unknown_lost, 15000},
                {PDR_SIM_views_unknown_late, 20000}, {PDR_SIM_views_slow, 40000},
                {PDR_SIM_views_cut, 10000}};

static void start(run *r)
{
    views_run *v = calloc(1, sizeof *v);
    if (!v) abort();
    r->side = v;
    v->skipped_room = 1 << 20;
    make_settings(r, &v->settings);
    for (size_t i = 0; i < sizeof troubles / sizeof *troubles; i++)
        r->plan.profile.chance[troubles[i].fault] = one_in(r, 3) ? 0 : troubles[i].per_million;
    pdr_sim_world_set_profile(r->world, &r->plan.profile);
    pdr_version_spec spec = view_spec(r, 1);
    if (pdr_sim_views_open(&v->honest, r->world, SIDE_NODES + VIEW_WORKERS, true, NULL) != PDR_OK ||
        v->honest->ops->init(v->honest, 0, NULL) != PDR_OK ||
        v->honest->ops->create(v->honest, &spec, 0, NULL) != PDR_OK)
        abort();
    v->there[0] = true;
    for (uint32_t i = 0; i < VIEW_WORKERS; i++) {
        v->workers[i] = (view_worker){.run = r, .index = i};
        start_worker(&v->workers[i]);
    }
    pdr_sim_world_at(r->world, around(r, 60 * MS), trouble_workers, r, 0);
    pdr_sim_world_at(r->world, around(r, 60 * MS), operate, r, 0);
}

/* Whoever is parked is tried again. */
static void retry_all(void *context, uint64_t value)
{
    (void)value;
    run *r = context;
    views_run *v = views_of_run(r);
    for (uint32_t version = 1; version <= VIEW_VERSIONS; version++) {
        parked_list list = {.count = 0};
        if (!v->there[version - 1]) continue;
        if (v->honest->ops->dead_letters(v->honest, "simulated", version, -1, take_any, &list, NULL) !=
            PDR_OK)
            abort();
        if (list.count == 0) continue;
        if (v->honest->ops->request(v->honest, "simulated", version, &list.rows[random_below(r, list.count)],
                                    0, NULL) != PDR_OK)
            abort();
    }
    pdr_sim_world_at(r->world, 300 * MS, retry_all, r, 0);
}

static void calm(run *r)
{
    views_run *v = views_of_run(r);
    v->healed = true;
    for (uint32_t i = 0; i < VIEW_VERSIONS; i++)
        (void)!v->honest->ops->set_paused(v->honest, "simulated", i + 1, false, 0, NULL);
    for (uint32_t i = 0; i < VIEW_WORKERS; i++) {
        view_worker *w = &v->workers[i];
        if (w->draining) end_worker(w);
        if (!w->alive) start_worker(w);
        for (uint32_t version = 0; version < VIEW_VERSIONS; version++) {
            int32_t list[MAX_PARTITIONS];
            size_t count = 0;
            for (uint32_t p = i; p < r->plan.partitions; p += VIEW_WORKERS)
                list[count++] = (int32_t)p;
            if (pdr_projector_assign(w->projectors[version], list, count, NULL) != PDR_OK) abort();
        }
        wake(w, 1);
    }
    pdr_sim_world_at(r->world, 300 * MS, retry_all, r, 0);
}

typedef struct end_look {
    run *run;
    bool done;
} end_look;

static pdr_code look_at_end(void *context, const pdr_position_row *row, pdr_error *err)
{
    (void)err;
    end_look *look = context;
    const model *m = look->run->model;
    for (uint32_t e = (uint32_t)row->partition; e < ENTITIES; e += look->run->plan.partitions) {
        size_t count = m->entities[e].count;
        if (count && m->entities[e].events[count - 1].commit_end > row->position.offset) look->done = false;
    }
    if (row->parked) look->done = false;
    return PDR_OK;
}

static bool has_settled(run *r)
{
    views_run *v = views_of_run(r);
    end_look look = {r, true};
    for (uint32_t version = 1; version <= VIEW_VERSIONS; version++)
        if (v->there[version - 1] &&
            v->honest->ops->positions(v->honest, "simulated", version, look_at_end, &look, NULL) != PDR_OK)
            abort();
    if (look.done)
        for (uint32_t version = 1; version <= VIEW_VERSIONS; version++)
            if (v->there[version - 1]) check_views(r, version);
    return look.done;
}

static void stop(run *r)
{
    views_run *v = views_of_run(r);
    if (!v) return;
    for (uint32_t i = 0; i < VIEW_WORKERS; i++)
        end_worker(&v->workers[i]);
    v->honest->ops->close(v->honest);
    for (uint32_t version = 1; version <= VIEW_VERSIONS; version++)
        forget_skipped(r, version);
    free(v);
    r->side = NULL;
}

static const char *const counter_words[] = {
#define VIEW_COUNTER_WORD(name, words) words,
    VIEW_COUNTER_MAP(VIEW_COUNTER_WORD)
#undef VIEW_COUNTER_WORD
};

static const char *const rule_words[] = {
#define VIEW_RULE_WORD(name, word) word,
    PDR_PROJECTION_RULE_MAP(VIEW_RULE_WORD)
#undef VIEW_RULE_WORD
};

static const side projections = {.options = set_options,
                                 .start = start,
                                 .calm = calm,
                                 .has_settled = has_settled,
                                 .stop = stop,
                                 .wake = wake_by_index,
                                 .counter_count = VIEW_COUNTERS,
                                 .counter_words = counter_words,
                                 .rule_count = PDR_PROJECTION_RULE_COUNT,
                                 .rule_words = rule_words,
                                 .broken = &pdr_broken_projection_rules};
const side *const sim_side = &projections;
