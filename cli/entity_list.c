/* perdure entity list: which entities there are. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/order.h"
#include "cli/common.h"
#include "cli/help.h"
#include "cli/json.h"
#include "cli/nearest.h"
#include "cli/out.h"
#include "replay/entities.h"
#include "replay/guard.h"
#include "replay/moment.h"
#include "replay/where.h"
#include "schemas/print.h"

enum { MAX_STATE = 256 * 1024 * 1024 };

typedef struct row {
    pdr_bytes id;
    const pdr_entity_row *entity;
} row;

typedef enum order { BY_ID, BY_SEQ, BY_TIME, BY_SIZE } order;

typedef struct listing {
    pdr_target target;
    const char *type, *prefix, *order_name, *filter;
    int64_t limit; /* 0: none */
    bool from_log, json;
    order order;
    pdr_buf begins; /* what ids have to begin with */
    pdr_loaded_app app;
    pdr_tool *tool;
    pdr_where *where;
    pdr_entities *entities;
    row *rows;
    size_t count;
    pdr_buf state; /* of the one that is looked at, as JSON */
    pdr_out *out;
    uint64_t failed; /* --where failed */
    pdr_error why;
    char first_failed[PDR_MAX_ENTITY_ID + 1];
} listing;

/* --- which --- */

static pdr_code read_order(listing *l, pdr_error *err)
{
    static const char *const names[] = {"id", "seq", "last-time", "size"};
    for (size_t i = 0; i < 4; i++) {
        if (l->order_name && strcmp(l->order_name, names[i]) != 0) continue;
        l->order = (order)i;
        return PDR_OK;
    }
    return pdr_fail(err, PDR_INVALID_ARGUMENT, "--order takes id, seq, last-time or size, not %.60s",
                    l->order_name);
}

/* An application knows all types that there are. */
static pdr_code check_type(const listing *l, pdr_error *err)
{
    pdr_nearest nearest = {.wanted = l->type};
    const pdr_app *app = l->app.app;
    for (size_t i = 0; app && l->type && i < app->entity_count; i++) {
        if (strcmp(app->entities[i]->name, l->type) == 0) return PDR_OK;
        pdr_nearest_offer(&nearest, app->entities[i]->name);
    }
    if (!app || !l->type) return PDR_OK;
    return pdr_fail(err, PDR_NOT_FOUND, "the application has no entity type %.100s%s%.100s%s", l->type,
                    nearest.found ? "; did you mean " : "", nearest.found ? nearest.found : "",
                    nearest.found ? "?" : "");
}

/* "loan/", or "loan/17" of a type and a prefix without it. */
static pdr_code set_beginning(listing *l, pdr_error *err)
{
    const char *prefix = l->prefix ? l->prefix : "";
    pdr_code code = PDR_OK;
    if (l->type) {
        size_t size = strlen(l->type);
        bool has_type = strncmp(prefix, l->type, size) == 0 && prefix[size] == '/';
        if (!has_type) code = pdr_buf_printf(&l->begins, "%s/", l->type);
    }
    if (code == PDR_OK) code = pdr_buf_append(&l->begins, prefix, strlen(prefix));
    if (code == PDR_TOO_LARGE)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "no id is longer than %d bytes", PDR_MAX_ENTITY_ID);
    return code == PDR_OK ? PDR_OK : pdr_fail(err, code, "a prefix");
}

static pdr_code print_state(listing *l, const row *r, pdr_error *err)
{
    const pdr_folder *folder = pdr_tool_folder(l->tool, r->id);
    pdr_buf_clear(&l->state);
    if (!folder || !r->entity->state.value) return PDR_OK;
    pdr_code code =
        pdr_layout_show(pdr_folder_type(folder)->state->layout, r->entity->state.value, &l->state);
    return code == PDR_OK
               ? PDR_OK
               : pdr_fail(err, code, "the state of %.*s", (int)r->id.size, (const char *)r->id.data);
}

static pdr_code is_wanted(listing *l, const row *r, bool *wanted, pdr_error *err)
{
    pdr_error why;
    *wanted = !l->where;
    if (*wanted || r->entity->bad) return PDR_OK;
    pdr_code code = print_state(l, r, err);
    if (code != PDR_OK || !l->state.size) return code;
    code = pdr_where_holds(l->where, pdr_buf_bytes(&l->state), wanted, &why);
    if (code == PDR_OK) return PDR_OK;
    if (code != PDR_BAD_DATA) {
        if (err) *err = why;
        return code;
    }
    if (!l->failed++) {
        l->why = why;
        snprintf(l->first_failed, sizeof l->first_failed, "%.*s", (int)r->id.size, (const char *)r->id.data);
    }
    return PDR_OK;
}

/* --- order --- */

/* All but ids: the greatest first. */
static int compare(const void *a, const void *b, void *context)
{
    const row *x = a, *y = b;
    const pdr_entity_row *p = x->entity, *q = y->entity;
    int difference = 0;
    switch (*(const order *)context) {
    case BY_ID: break;
    case BY_SEQ: difference = (p->seq < q->seq) - (p->seq > q->seq); break;
    case BY_TIME: difference = (p->last_us < q->last_us) - (p->last_us > q->last_us); break;
    case BY_SIZE: difference = (p->bytes < q->bytes) - (p->bytes > q->bytes); break;
    }
    return difference ? difference : pdr_bytes_order(x->id, y->id);
}

static pdr_code choose(listing *l, pdr_error *err)
{
    size_t all = pdr_entities_count(l->entities);
    l->rows = pdr_alloc((all + 1) * sizeof *l->rows);
    if (!l->rows) return pdr_fail(err, PDR_NOMEM, "%zu entities", all);
    for (size_t i = 0; i < all; i++)
        l->rows[i].entity = pdr_entities_at(l->entities, i, &l->rows[i].id);
    qsort_r(l->rows, all, sizeof *l->rows, compare, &l->order);
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < all && (!l->limit || l->count < (size_t)l->limit); i++) {
        bool wanted;
        code = is_wanted(l, &l->rows[i], &wanted, err);
        if (code == PDR_OK && wanted) l->rows[l->count++] = l->rows[i];
    }
    return code;
}

/* --- printing --- */

static pdr_code put_json(listing *l, const row *r, pdr_error *err)
{
    pdr_buf *line = pdr_out_line(l->out);
    const pdr_entity_row *e = r->entity;
    pdr_code code = pdr_buf_printf(line, "{\"entity\":");
    if (code == PDR_OK) code = pdr_json_text(line, r->id);
    if (code == PDR_OK)
        code = pdr_buf_printf(line, ",\"seq\":%" PRIu64 ",\"partition\":%d,\"offset\":%" PRId64, e->seq,
                              (int)e->partition, e->offset);
    if (pdr_entities_from_log(l->entities)) {
        if (code == PDR_OK) code = pdr_buf_printf(line, ",\"bytes\":%" PRIu64 ",\"last\":\"", e->bytes);
        if (code == PDR_OK) code = pdr_moment_print(e->last_us, line);
        if (code == PDR_OK) code = pdr_buf_append(line, "\"", 1);
    }
    if (code == PDR_OK && l->where) code = print_state(l, r, err);
    if (code == PDR_OK && l->where) code = pdr_buf_printf(line, ",\"state\":");
    if (code == PDR_OK && l->where) code = pdr_buf_append(line, l->state.data, l->state.size);
    return code == PDR_OK ? pdr_buf_append(line, "}", 1) : code;
}

static pdr_code put_text(listing *l, const row *r, int width)
{
    const pdr_entity_row *e = r->entity;
    pdr_buf *line = pdr_out_line(l->out);
    pdr_code code =
        pdr_out_put(l->out, PDR_COLOUR_BOLD, "%-*.*s", width, (int)r->id.size, (const char *)r->id.data);
    if (code == PDR_OK) code = pdr_buf_printf(line, "  %8" PRIu64 " events", e->seq);
    if (code == PDR_OK && pdr_entities_from_log(l->entities)) {
        code = pdr_buf_printf(line, "  %10" PRIu64 " bytes  ", e->bytes);
        if (code == PDR_OK) code = pdr_moment_print(e->last_us, line);
    }
    if (code == PDR_OK)
        code = pdr_out_put(l->out, PDR_COLOUR_DIM, "  partition %d offset %" PRId64, (int)e->partition,
                           e->offset);
    return code;
}

static pdr_code put_all(listing *l, pdr_error *err)
{
    size_t widest = 0;
    for (size_t i = 0; i < l->count; i++)
        if (l->rows[i].id.size > widest) widest = l->rows[i].id.size;
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < l->count; i++) {
        code = l->json ? put_json(l, &l->rows[i], err) : put_text(l, &l->rows[i], (int)widest);
        code = code == PDR_OK ? pdr_out_end(l->out, err) : pdr_fail(err, code, "a line of output");
    }
    return code;
}

/* --- the command --- */

static bool watch(void *context, const pdr_scan_progress *p)
{
    (void)context;
    double percent = p->total ? 100.0 * (double)p->done / (double)p->total : 100;
    pdr_cli_progress("reading the log: %.0f %% of %" PRId64 " records", percent, p->total);
    return pdr_stopped();
}

static pdr_code open_all(listing *l, pdr_error *err)
{
    pdr_code code = read_order(l, err);
    if (code == PDR_OK && l->filter) {
        code = pdr_where_open(&l->where, l->filter, err);
        if (code != PDR_OK) return pdr_fail_context(err, code, "--where");
    }
    if (code == PDR_OK) code = pdr_loaded_app_open_tolerant(&l->app, l->target.app, err);
    if (code == PDR_OK && l->where && !l->app.app)
        code =
            pdr_fail(err, PDR_INVALID_ARGUMENT,
                     "--where looks at states, which need the application: give --app, or set PERDURE_APP");
    if (code == PDR_OK) code = check_type(l, err);
    if (code == PDR_OK) code = set_beginning(l, err);
    pdr_tool_spec spec = {
        .journal = l->target.journal, .store = l->target.store, .app = l->app.app, .stopped = pdr_stopped};
    if (code == PDR_OK) code = pdr_tool_open(&l->tool, &spec, err);
    return code == PDR_OK ? pdr_out_open(&l->out, l->json, err) : code;
}

static pdr_code work(listing *l, pdr_error *err)
{
    pdr_code code = open_all(l, err);
    pdr_entities_spec spec = {.prefix = pdr_buf_bytes(&l->begins),
                              .from_log = l->from_log || l->order == BY_TIME || l->order == BY_SIZE,
                              .states = l->where != NULL,
                              .watch = watch,
                              .context = l};
    if (code == PDR_OK && l->where) code = pdr_guard_install(err); /* `apply` may crash */
    if (code == PDR_OK) code = pdr_entities_open(&l->entities, l->tool, &spec, err);
    pdr_cli_progress_end();
    if (code == PDR_OK) code = choose(l, err);
    return code == PDR_OK ? put_all(l, err) : code;
}

/* What was wrong with single entities; gives the exit code. */
static int tell_troubles(const listing *l)
{
    pdr_entities_bad bad = l->entities ? pdr_entities_bad_of(l->entities) : (pdr_entities_bad){.count = 0};
    if (bad.count)
        fprintf(stderr, "%s entity list: %" PRIu64 " %s no state and %s left out; the first: %s\n",
                pdr_cli_program(), bad.count, bad.count == 1 ? "entity has" : "entities have",
                bad.count == 1 ? "is" : "are", bad.first.message);
    if (l->failed)
        fprintf(stderr, "%s entity list: --where failed at %" PRIu64 " %s; the first is %s: %s\n",
                pdr_cli_program(), l->failed, l->failed == 1 ? "entity" : "entities", l->first_failed,
                l->why.message);
    return bad.count || l->failed ? PDR_EXIT_FAILED : PDR_EXIT_DONE;
}

static void close_all(listing *l)
{
    pdr_entities_close(l->entities);
    pdr_free(l->rows);
    pdr_where_close(l->where);
    pdr_buf_release(&l->state);
    pdr_buf_release(&l->begins);
    pdr_tool_close(l->tool);
    pdr_loaded_app_close(&l->app);
}

static int run(int argc, char **argv)
{
    static listing l = {.begins = PDR_BUF_INIT(PDR_MAX_ENTITY_ID), .state = PDR_BUF_INIT(MAX_STATE)};
    const pdr_flag flags[] = {
        {PDR_FLAG_TEXT, "--type", "TYPE", "only entities of this type", &l.type, 0, 0},
        {PDR_FLAG_TEXT, "--prefix", "PREFIX", "only entities whose ids begin so", &l.prefix, 0, 0},
        {PDR_FLAG_TEXT, "--where", "FILTER",
         "only those whose state is so, in jq's language; reads all the log", &l.filter, 0, 0},
        {PDR_FLAG_TEXT, "--order", "id|seq|last-time|size",
         "by id if not given; the others greatest first. last-time and size read all the log", &l.order_name,
         0, 0},
        {PDR_FLAG_NUMBER, "--limit", "N", "only the first N", &l.limit, 1, INT64_MAX},
        {PDR_FLAG_SWITCH, "--from-log", NULL, "read all the log instead of the store: bytes and times too",
         &l.from_log, 0, 0},
        PDR_JOURNAL_FLAG(l.target),
        PDR_STORE_FLAG(l.target),
        PDR_APP_FLAG(l.target),
        {PDR_FLAG_SWITCH, "--json", NULL, "one JSON object a line", &l.json, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_entity_list, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_stop_on_signals();
    pdr_code code = work(&l, &err);
    code = pdr_out_close(l.out, code, &err);
    int troubles = tell_troubles(&l);
    close_all(&l);
    return code == PDR_OK ? troubles : pdr_cli_fail(&pdr_cli_entity_list, &err);
}

const pdr_cli_command pdr_cli_entity_list = {
    .name = "entity list",
    .summary = "which entities there are, by id, length, age, size, or state",
    .about =
        "Lists the entities that the store knows, brought up to date by what the log has past the store's "
        "checkpoints; or, with --from-log and for what the store can't tell, those of all the log.\n\n"
        "  perdure entity list --type loan --order seq --limit 10\n"
        "  perdure entity list --where '.status == \"DECLINED\" and .amount_cents > 5000000' --json\n\n"
        "--where is over the state's object, as perdure state prints it.\n",
    .run = run};
