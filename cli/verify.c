/* perdure verify: does the journal keep its rules? */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/common.h"
#include "cli/json.h"
#include "cli/out.h"
#include "cli/project_common.h"
#include "perdure/sys/wire.h"
#include "projections/backends.h"
#include "projections/worker_plan.h"
#include "replay/guard.h"
#include "replay/verify_run.h"

enum { DEFAULT_LIMIT = 100, DEFAULT_MEMORY_MB = 1024 };

typedef struct verification {
    pdr_project_target target;
    bool json;
    int64_t limit, memory_mb;
    pdr_loaded_app app;
    pdr_tool *tool;
    pdr_views *views;
    pdr_out *out;
    uint64_t shown;
    pdr_error output; /* why nothing more can be written; code PDR_OK: it can */
    pdr_verify_totals totals;
} verification;

/* --- a finding --- */

static pdr_code put_place(pdr_out *out, const pdr_finding *f)
{
    pdr_code code = PDR_OK;
    if (f->partition >= 0) code = pdr_out_put(out, PDR_COLOUR_PLAIN, "  partition %d", (int)f->partition);
    if (code == PDR_OK && f->offset >= 0)
        code = pdr_out_put(out, PDR_COLOUR_PLAIN, ", offset %" PRId64, f->offset);
    if (code == PDR_OK && f->entity.size)
        code = pdr_out_put(out, PDR_COLOUR_BOLD, "  %.*s", (int)f->entity.size, (const char *)f->entity.data);
    if (code == PDR_OK && f->seq) code = pdr_out_put(out, PDR_COLOUR_PLAIN, "  event %" PRIu64, f->seq);
    return code;
}

static pdr_code put_finding(pdr_out *out, const pdr_finding *f, pdr_error *err)
{
    pdr_code code = pdr_out_put(out, PDR_COLOUR_BAD, "%s", pdr_verify_name(f->rule));
    if (code == PDR_OK) code = put_place(out, f);
    if (code == PDR_OK) code = pdr_out_end(out, err);
    if (code == PDR_OK) code = pdr_out_put(out, PDR_COLOUR_PLAIN, "  must be: %s", f->expected);
    if (code == PDR_OK) code = pdr_out_end(out, err);
    if (code == PDR_OK) code = pdr_out_put(out, PDR_COLOUR_PLAIN, "  it is:   %s", f->found);
    return code == PDR_OK ? pdr_out_end(out, err) : code;
}

static pdr_bytes bytes_of(const char *text)
{
    return pdr_bytes_of(text, strlen(text));
}

static pdr_code put_finding_json(pdr_out *out, const pdr_finding *f, pdr_error *err)
{
    pdr_buf *line = pdr_out_line(out);
    pdr_code code = pdr_buf_printf(line, "{\"invariant\":\"%s\"", pdr_verify_name(f->rule));
    if (code == PDR_OK && f->partition >= 0)
        code = pdr_buf_printf(line, ",\"partition\":%d", (int)f->partition);
    if (code == PDR_OK && f->offset >= 0) code = pdr_buf_printf(line, ",\"offset\":%" PRId64, f->offset);
    if (code == PDR_OK && f->entity.size) code = pdr_buf_printf(line, ",\"entity\":");
    if (code == PDR_OK && f->entity.size)
        code = pdr_wire_utf8(f->entity.data, f->entity.size) ? pdr_json_text(line, f->entity)
                                                             : pdr_json_bytes(line, f->entity);
    if (code == PDR_OK && f->seq) code = pdr_buf_printf(line, ",\"seq\":%" PRIu64, f->seq);
    if (code == PDR_OK) code = pdr_buf_printf(line, ",\"expected\":");
    if (code == PDR_OK) code = pdr_json_text(line, bytes_of(f->expected));
    if (code == PDR_OK) code = pdr_buf_printf(line, ",\"found\":");
    if (code == PDR_OK) code = pdr_json_text(line, bytes_of(f->found));
    if (code == PDR_OK) code = pdr_buf_printf(line, "}");
    return code == PDR_OK ? pdr_out_end(out, err) : code;
}

static void on_finding(void *context, const pdr_finding *finding)
{
    verification *v = context;
    if (v->output.code != PDR_OK || v->shown >= (uint64_t)v->limit) return;
    v->shown++;
    pdr_cli_progress_end();
    pdr_code code =
        v->json ? put_finding_json(v->out, finding, &v->output) : put_finding(v->out, finding, &v->output);
    if (code != PDR_OK && v->output.code == PDR_OK) (void)pdr_fail(&v->output, code, "a finding");
}

static bool watch(void *context, const pdr_verify_progress *p)
{
    verification *v = context;
    const char *again = p->pass > 1 ? ", another pass" : "";
    if (!p->reading_log)
        pdr_cli_progress("reading the store: %" PRIu64 " heads%s", p->heads, again);
    else
        pdr_cli_progress("verifying: %" PRId64 " of %" PRId64 " records, %d of %d partitions done%s",
                         p->log.done, p->log.total, (int)p->log.partitions_done, (int)p->log.partitions,
                         again);
    return pdr_stopped() || v->output.code != PDR_OK;
}

/* --- the report --- */

static pdr_code put_counts(const verification *v, pdr_error *err)
{
    const pdr_verify_totals *t = &v->totals;
    pdr_code code =
        pdr_out_put(v->out, PDR_COLOUR_PLAIN,
                    "%" PRIu64 " records, %" PRIu64 " events of %" PRIu64 " entities in %d partitions",
                    t->records, t->events, t->entities, (int)pdr_tool_partitions(v->tool));
    if (code == PDR_OK) code = pdr_out_end(v->out, err);
    if (code == PDR_OK && pdr_tool_store(v->tool)) {
        code = pdr_out_put(v->out, PDR_COLOUR_PLAIN,
                           "%" PRIu64 " heads and %" PRIu64 " states compared, %" PRIu64
                           " positions, %" PRIu64 " dead letters",
                           t->heads, t->states, t->positions, t->letters);
        if (code == PDR_OK) code = pdr_out_end(v->out, err);
    }
    uint64_t voids = t->late + t->repeats + t->holes + t->torn + t->foreign + t->malformed;
    if (code != PDR_OK || !voids) return code;
    code = pdr_out_put(v->out, PDR_COLOUR_PLAIN,
                       "%" PRIu64 " records don't count: %" PRIu64 " of terms that were over, %" PRIu64
                       " repeats, %" PRIu64 " behind missing ones, %" PRIu64 " of commits cut off, %" PRIu64
                       " of strangers, %" PRIu64 " malformed",
                       voids, t->late, t->repeats, t->holes, t->torn, t->foreign, t->malformed);
    return code == PDR_OK ? pdr_out_end(v->out, err) : code;
}

static pdr_code put_line(const verification *v, uint64_t count, const char *what, pdr_error *err)
{
    if (!count) return PDR_OK;
    pdr_code code = pdr_out_put(v->out, PDR_COLOUR_DIM, "not looked at: %" PRIu64 " %s", count, what);
    return code == PDR_OK ? pdr_out_end(v->out, err) : code;
}

static pdr_code put_gaps(const verification *v, pdr_error *err)
{
    const pdr_verify_totals *t = &v->totals;
    pdr_code code = PDR_OK;
    if (!pdr_tool_store(v->tool)) {
        code = pdr_out_put(v->out, PDR_COLOUR_DIM,
                           "not looked at: the store; no URL names one that is initialised");
        if (code == PDR_OK) code = pdr_out_end(v->out, err);
    }
    const char *unread =
        v->app.app ? "events by code, of types that the application doesn't declare, and their states"
                   : "events by the application's code, and the states: give --app";
    if (code == PDR_OK) code = put_line(v, t->unread, unread, err);
    if (code == PDR_OK && v->app.app) code = put_line(v, t->other_states, "states of other revisions", err);
    if (code == PDR_OK)
        code = put_line(v, t->incomparable, "states of entities whose events can't be folded", err);
    return code == PDR_OK ? put_line(v, t->unlinked, "backlinks, too far back", err) : code;
}

static pdr_code put_verdict(const verification *v, pdr_error *err)
{
    const pdr_verify_totals *t = &v->totals;
    uint64_t findings = pdr_verify_findings(t);
    pdr_code code;
    if (!findings) {
        code = pdr_out_put(v->out, PDR_COLOUR_GOOD, "all rules are kept");
        return code == PDR_OK ? pdr_out_end(v->out, err) : code;
    }
    code = pdr_out_put(v->out, PDR_COLOUR_BAD, "%" PRIu64 " findings", findings);
    for (size_t i = 0, told = 0; code == PDR_OK && i < PDR_VERIFY_RULES; i++)
        if (t->findings[i])
            code = pdr_out_put(v->out, PDR_COLOUR_PLAIN, "%s %s %" PRIu64, told++ ? "," : ":",
                               pdr_verify_name((pdr_verify_rule)i), t->findings[i]);
    if (code == PDR_OK && findings > v->shown)
        code = pdr_out_put(v->out, PDR_COLOUR_DIM, "; %" PRIu64 " shown, see --limit", v->shown);
    return code == PDR_OK ? pdr_out_end(v->out, err) : code;
}

static pdr_code put_report_json(const verification *v, bool stopped, pdr_error *err)
{
    const pdr_verify_totals *t = &v->totals;
    pdr_buf *line = pdr_out_line(v->out);
    pdr_code code = pdr_buf_printf(
        line,
        "{\"findings\":%" PRIu64 ",\"whole\":%s,\"records\":%" PRIu64 ",\"events\":%" PRIu64
        ",\"commits\":%" PRIu64 ",\"entities\":%" PRIu64 ",\"fences\":%" PRIu64 ",\"schemas\":%" PRIu64
        ",\"marks\":%" PRIu64 ",\"heads\":%" PRIu64 ",\"states\":%" PRIu64 ",\"positions\":%" PRIu64
        ",\"dead_letters\":%" PRIu64,
        pdr_verify_findings(t), stopped ? "false" : "true", t->records, t->events, t->commits, t->entities,
        t->fences, t->schemas, t->marks, t->heads, t->states, t->positions, t->letters);
    if (code == PDR_OK)
        code = pdr_buf_printf(line,
                              ",\"void\":{\"late\":%" PRIu64 ",\"repeats\":%" PRIu64 ",\"holes\":%" PRIu64
                              ",\"torn\":%" PRIu64 ",\"foreign\":%" PRIu64 ",\"malformed\":%" PRIu64 "}",
                              t->late, t->repeats, t->holes, t->torn, t->foreign, t->malformed);
    if (code == PDR_OK)
        code = pdr_buf_printf(line,
                              ",\"not_looked_at\":{\"events\":%" PRIu64 ",\"other_states\":%" PRIu64
                              ",\"states\":%" PRIu64 ",\"backlinks\":%" PRIu64
                              ",\"store\":%s},\"by_invariant\":{",
                              t->unread, t->other_states, t->incomparable, t->unlinked,
                              pdr_tool_store(v->tool) ? "false" : "true");
    for (size_t i = 0; code == PDR_OK && i < PDR_VERIFY_RULES; i++)
        code = pdr_buf_printf(line, "%s\"%s\":%" PRIu64, i ? "," : "", pdr_verify_name((pdr_verify_rule)i),
                              t->findings[i]);
    if (code == PDR_OK) code = pdr_buf_printf(line, "}}");
    return code == PDR_OK ? pdr_out_end(v->out, err) : code;
}

static pdr_code put_report(const verification *v, bool stopped, pdr_error *err)
{
    if (v->json) return put_report_json(v, stopped, err);
    pdr_code code = put_counts(v, err);
    if (code == PDR_OK) code = put_gaps(v, err);
    return code == PDR_OK && !(stopped && !pdr_verify_findings(&v->totals)) ? put_verdict(v, err) : code;
}

/* --- the command --- */

static bool is_named(const char *flag, const char *variable)
{
    const char *value = getenv(variable);
    return flag || (value && *value);
}

/* Views that nobody named are looked at where there are any. */
static pdr_code open_views(verification *v, pdr_error *err)
{
    bool named = is_named(v->target.views, "PERDURE_VIEWS");
    pdr_url url;
    memset(&url, 0, sizeof url);
    pdr_code code = pdr_views_url(&url, v->target.views, v->target.base.store, v->target.base.journal, err);
    if (code == PDR_OK && pdr_url_is_missing_file(&url))
        code = pdr_fail(err, PDR_NOT_INITIALISED, "%.300s: no such file", url.path);
    if (code == PDR_OK) code = pdr_views_of_url(&v->views, &url, "", err);
    pdr_url_release(&url);
    if (code == PDR_OK || named) return code;
    v->views = NULL;
    return PDR_OK;
}

static pdr_code is_there(void *context, const pdr_version_row *row, pdr_error *err)
{
    (void)context;
    (void)row;
    return pdr_fail(err, PDR_CANCELLED, "one is enough");
}

static pdr_code leave_absent_views(verification *v, pdr_error *err)
{
    if (!v->views) return PDR_OK;
    pdr_code code = v->views->ops->versions(v->views, NULL, is_there, NULL, err);
    if (code == PDR_CANCELLED || code == PDR_OK) return PDR_OK;
    if (code != PDR_NOT_INITIALISED || is_named(v->target.views, "PERDURE_VIEWS")) return code;
    v->views->ops->close(v->views);
    v->views = NULL;
    return PDR_OK;
}

static pdr_code open_all(verification *v, pdr_error *err)
{
    pdr_code code = pdr_loaded_app_open_tolerant(&v->app, v->target.base.app, err);
    pdr_tool_spec spec = {.journal = v->target.base.journal,
                          .store = v->target.base.store,
                          .app = v->app.app,
                          .needs_store = is_named(v->target.base.store, "PERDURE_STORE"),
                          .stopped = pdr_stopped};
    if (code == PDR_OK) code = pdr_tool_open(&v->tool, &spec, err);
    if (code == PDR_OK && v->app.app) code = pdr_guard_install(err);
    if (code == PDR_OK) code = open_views(v, err);
    if (code == PDR_OK) code = leave_absent_views(v, err);
    return code == PDR_OK ? pdr_out_open(&v->out, v->json, err) : code;
}

static pdr_code work(verification *v, pdr_error *err)
{
    pdr_error later = {.code = PDR_OK};
    pdr_code code = open_all(v, err);
    if (code != PDR_OK) return code;
    pdr_verify_run_spec spec = {.views = v->views,
                                .memory = (size_t)v->memory_mb * 1024 * 1024,
                                .finding = on_finding,
                                .watch = watch,
                                .context = v};
    code = pdr_verify_run(v->tool, &spec, &v->totals, err);
    pdr_cli_progress_end();
    if (v->output.code != PDR_OK) {
        *err = v->output;
        return v->output.code;
    }
    if (code != PDR_OK && code != PDR_CANCELLED) return code;
    pdr_code put = put_report(v, code != PDR_OK, &later);
    if (put == PDR_OK) return code;
    if (later.code == PDR_OK) (void)pdr_fail(&later, put, "the report");
    *err = later;
    return put;
}

static void release(verification *v)
{
    if (v->views) v->views->ops->close(v->views);
    pdr_tool_close(v->tool);
    pdr_loaded_app_close(&v->app);
}

/* What was found until then stands above. */
static int say_stopped(const verification *v)
{
    pdr_cli_progress_end();
    fprintf(stderr,
            "perdure verify: stopped after %" PRIu64 " records; it begins anew when it is run again\n",
            v->totals.records);
    return PDR_EXIT_STOPPED;
}

static int run(int argc, char **argv)
{
    verification v = {.limit = DEFAULT_LIMIT, .memory_mb = DEFAULT_MEMORY_MB};
    const pdr_flag flags[] = {
        PDR_JOURNAL_FLAG(v.target.base),
        PDR_STORE_FLAG(v.target.base),
        PDR_VIEWS_FLAG(v.target),
        PDR_APP_FLAG(v.target.base),
        {PDR_FLAG_NUMBER, "--limit", "N", "findings that are shown, 100 if not given; all are counted",
         &v.limit, 0, INT64_MAX},
        {PDR_FLAG_NUMBER, "--memory", "MB",
         "for entities and states, 1024 if not given; more passes if it is short", &v.memory_mb, 1,
         1024 * 1024},
        {PDR_FLAG_SWITCH, "--json", NULL, "a JSON object per finding, and one with the totals", &v.json, 0,
         0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_verify, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_stop_on_signals();
    pdr_code code = work(&v, &err);
    code = pdr_out_close(v.out, code, &err);
    bool damaged = pdr_verify_findings(&v.totals) > 0;
    release(&v);
    if (code == PDR_CANCELLED && pdr_stopped()) return say_stopped(&v);
    if (code != PDR_OK) return pdr_cli_fail(&pdr_cli_verify, &err);
    return damaged ? PDR_EXIT_DAMAGED : PDR_EXIT_DONE;
}

const pdr_cli_command pdr_cli_verify = {
    .name = "verify",
    .summary = "does the journal keep its rules? Every invariant that log and store show",
    .about =
        "Reads the store, then the whole log up to where it ends after that, so that owners may be at work, "
        "and "
        "looks whether every invariant holds: terms and records that don't count, seqs, backlinks, whole "
        "commits, "
        "framing, schemas, heads and states against the log's events, checkpoints, positions of views, dead "
        "letters. "
        "Each finding has its place: partition, offset, entity and event, what must be there and what is. A "
        "partition "
        "in which a record stops every reader is read up to that record, the others to their ends.\n\n"
        "With --app today's code reads every event, and each state of its revision is compared with the fold "
        "of the "
        "entity's events. Nothing is changed.\n\n"
        "Exit code 0: all rules are kept. 5: at least one isn't. What each finding means and what to do: "
        "docs/operations.md.\n\n"
        "  perdure verify --journal kafka://localhost:9092/loans --store postgres://localhost/loans --app "
        "libloans.so\n",
    .run = run};
