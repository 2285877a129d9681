/* perdure export: a journal's events in a file. */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "cli/export_form.h"
#include "cli/json.h"
#include "cli/nearest.h"
#include "cli/out.h"
#include "replay/export_scan.h"
#include "replay/moment.h"

enum { MAX_TEXT = 1024 * 1024 };

typedef struct exporting {
    pdr_target target;
    const char *entities, *since, *until, *format, *codec;
    bool json;
    pdr_loaded_app app;
    const pdr_export_form *form;
    pdr_choice *choice;
    pdr_buf selection;
    pdr_export_job job;
    int64_t began_us;
} exporting;

/* --- what forms share --- */

bool pdr_export_wants_type(const pdr_export_job *job, const char *type)
{
    if (!job->types) return true;
    for (const char *at = job->types; *at;) {
        size_t size = strcspn(at, ",");
        if (pdr_is_named(type, (pdr_string){at, size})) return true;
        at += size + (at[size] == ',');
    }
    return false;
}

bool pdr_export_wants(const pdr_export_job *job, const char *type, int64_t time_us)
{
    return time_us >= job->since_us && time_us < job->until_us && pdr_export_wants_type(job, type);
}

static bool wants_line(const pdr_export_job *job, const pdr_event_line *line)
{
    return line->parts && pdr_export_wants(job, line->type ? line->type : "", line->header->time_us);
}

pdr_code pdr_export_lines(pdr_export_job *job, pdr_event_lines *lines, pdr_export_put put, int32_t partition,
                          const pdr_commit_event *events, size_t count, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < count; i++) {
        code = pdr_event_lines_read(lines, job->tool, partition, events[i].record, events[i].header, err);
        for (size_t k = 0; code == PDR_OK && k < lines->count; k++)
            if (wants_line(job, &lines->items[k])) code = put(job, &lines->items[k], &events[i], err);
    }
    return code;
}

pdr_code pdr_export_count(pdr_export_job *job, const pdr_commit_event *event, pdr_error *err)
{
    uint64_t *seq;
    pdr_code code = pdr_seq_table_at(&job->entities, event->record->entry.key, &seq, err);
    if (code != PDR_OK) return code;
    *seq = event->header->seq;
    job->events++;
    return PDR_OK;
}

/* --- what was asked for --- */

static pdr_code find_form(exporting *e, pdr_error *err)
{
    static const pdr_export_form *const forms[] = {&pdr_export_exact, &pdr_export_plain, &pdr_export_jsonl,
                                                   &pdr_export_csv};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (strcmp(e->format, forms[i]->name) == 0) e->form = forms[i];
    if (!e->form)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "--format %.100s: exact, plain, jsonl or csv", e->format);
    if (!pdr_container_codec_of(e->codec, &e->job.codec))
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "--codec %.100s: deflate, snappy or null", e->codec);
    if (e->form->whole && (e->job.types || e->since))
        return pdr_fail(err, PDR_INVALID_ARGUMENT,
                        "an exact export has histories from their beginning, in whole commits: --type and "
                        "--since go with the formats plain, jsonl and csv");
    return PDR_OK;
}

static pdr_code read_times(exporting *e, pdr_error *err)
{
    int64_t now = pdr_wall_us();
    e->job.since_us = INT64_MIN;
    e->job.until_us = INT64_MAX;
    pdr_code code = PDR_OK;
    if (e->since) code = pdr_moment_parse(e->since, now, true, &e->job.since_us, err);
    if (code == PDR_OK && e->until) code = pdr_moment_parse(e->until, now, true, &e->job.until_us, err);
    if (code == PDR_OK && e->job.since_us >= e->job.until_us)
        code = pdr_fail(err, PDR_INVALID_ARGUMENT, "--since isn't before --until: nothing lies between");
    return code;
}

static pdr_code note_selection(exporting *e, pdr_error *err)
{
    pdr_buf *out = &e->selection;
    if (!e->entities && !e->until) return PDR_OK;
    pdr_code code = pdr_buf_printf(out, "{");
    if (code == PDR_OK && e->entities) code = pdr_buf_printf(out, "\"entities\":");
    if (code == PDR_OK && e->entities)
        code = pdr_json_text(out, pdr_bytes_of(e->entities, strlen(e->entities)));
    if (code == PDR_OK && e->until) code = pdr_buf_printf(out, "%s\"until\":\"", e->entities ? "," : "");
    if (code == PDR_OK && e->until) code = pdr_moment_print(e->job.until_us, out);
    if (code == PDR_OK) code = pdr_buf_append(out, e->until ? "\"}" : "}", e->until ? 3 : 2);
    if (code != PDR_OK) return pdr_fail(err, code, "what was selected");
    e->job.selection = (const char *)out->data;
    return PDR_OK;
}

/* A type that the application doesn't know would give an empty file without a word. */
static pdr_code check_types(const exporting *e, pdr_error *err)
{
    const pdr_app *app = pdr_tool_app(e->job.tool);
    for (const char *at = e->job.types; app && at && *at;) {
        char name[PDR_SCHEMA_MAX_NAME + 1];
        size_t size = strcspn(at, ",");
        bool known = false;
        (void)snprintf(name, sizeof name, "%.*s", (int)size, at);
        pdr_export_job alone = {.types = name};
        for (size_t i = 0; i < app->entity_count; i++)
            for (size_t k = 0; k < app->entities[i]->event_count; k++)
                if (pdr_export_wants_type(&alone, app->entities[i]->events[k]->name)) known = true;
        if (!known) return pdr_fail(err, PDR_NOT_FOUND, "the application declares no event %.200s", name);
        at += size + (at[size] == ',');
    }
    return PDR_OK;
}

/* --- the work --- */

static bool watch(void *context, const pdr_export_progress *p)
{
    const exporting *e = context;
    double seconds = (double)(pdr_mono_us() - e->began_us) / 1e6;
    pdr_cli_progress("exporting partition %d of %d: %" PRIu64 " events, %.0f events/s, %.0f s left",
                     (int)p->partition + 1, (int)p->partitions, e->job.events,
                     seconds > 0 ? (double)e->job.events / seconds : 0,
                     pdr_cli_seconds_left(e->began_us, pdr_export_share(p)));
    return pdr_stopped();
}

static pdr_code on_commit(void *context, int32_t partition, const pdr_commit_event *events, size_t count,
                          pdr_error *err)
{
    exporting *e = context;
    return e->form->commit(&e->job, partition, events, count, err);
}

static pdr_code open_tool(exporting *e, pdr_error *err)
{
    pdr_tool_spec spec = {.journal = e->target.journal,
                          .store = e->target.store,
                          .app = e->form->whole ? NULL : e->app.app,
                          .stopped = pdr_stopped};
    if (e->form->needs_app && !e->app.app)
        return pdr_fail(err, PDR_INVALID_ARGUMENT,
                        "the format %s shows events as the application has them today: give --app, or set "
                        "PERDURE_APP",
                        e->form->name);
    pdr_code code = pdr_tool_open(&e->job.tool, &spec, err);
    if (code == PDR_OK) code = check_types(e, err);
    return code == PDR_OK ? pdr_export_journal_id(e->job.tool, e->job.journal, err) : code;
}

static pdr_code work(exporting *e, pdr_error *err)
{
    pdr_code code = read_times(e, err);
    if (code == PDR_OK) code = find_form(e, err);
    if (code == PDR_OK && e->entities) code = pdr_choice_open(&e->choice, e->entities, err);
    if (code == PDR_OK) code = note_selection(e, err);
    if (code == PDR_OK) code = pdr_loaded_app_open_tolerant(&e->app, e->target.app, err);
    if (code == PDR_OK) code = open_tool(e, err);
    if (code == PDR_OK) code = e->form->begin(&e->job, err);
    e->began_us = pdr_mono_us();
    pdr_export_scan scan = {
        .tool = e->job.tool, .entities = e->choice, .commit = on_commit, .context = e, .watch = watch};
    if (code == PDR_OK) code = pdr_export_scan_run(&scan, err);
    return code == PDR_OK ? e->form->finish(&e->job, err) : code;
}

/* Entities of which something was exported: those that only were looked at have no seq. */
static uint64_t entities_of(const pdr_export_job *job)
{
    uint64_t count = 0;
    for (size_t i = 0; job->entities.slots && i <= job->entities.mask; i++)
        if (job->entities.slots[i].seq) count++;
    return count;
}

/* To standard error where standard output is the export. */
static void report(const exporting *e)
{
    const pdr_export_job *job = &e->job;
    FILE *to = strcmp(job->target, "-") == 0 ? stderr : stdout;
    pdr_cli_progress_end();
    if (e->json) {
        fprintf(to,
                "{\"format\":\"%s\",\"entities\":%" PRIu64 ",\"events\":%" PRIu64 ",\"bytes\":%" PRIu64
                ",\"unreadable\":%" PRIu64 "}\n",
                e->form->name, entities_of(job), job->events, job->bytes, job->unreadable);
        return;
    }
    if (to == stderr) return;
    fprintf(to, "%" PRIu64 " events of %" PRIu64 " entities, %" PRIu64 " bytes: %s\n", job->events,
            entities_of(job), job->bytes, job->target);
    if (job->unreadable)
        fprintf(to, "%" PRIu64 " events can't be read by this application: %s\n", job->unreadable,
                e->form->shows_unreadable ? "they are exported as they were written" : "they are left out");
}

static int ended(exporting *e, pdr_code code, const pdr_error *err)
{
    if (code == PDR_CANCELLED && pdr_stopped() && !pdr_cli_reader_gone()) {
        pdr_cli_progress_end();
        fprintf(stderr, "stopped: nothing was written under the name %s; begin again for all of it\n",
                e->job.target);
        return PDR_EXIT_STOPPED;
    }
    if (code == PDR_EXISTS)
        return pdr_cli_refuse(&pdr_cli_export, err->message, "choose another name, or replace it by --force");
    if (code != PDR_OK) return pdr_cli_fail(&pdr_cli_export, err);
    report(e);
    return e->job.unreadable ? PDR_EXIT_FAILED : PDR_EXIT_DONE;
}

static int run(int argc, char **argv)
{
    exporting e = {.format = "exact", .codec = "deflate", .selection = PDR_BUF_INIT(MAX_TEXT)};
    const pdr_flag flags[] = {
        {PDR_FLAG_WORD, "FILE", NULL, "what is made; - is standard output; a folder for the format plain",
         &e.job.target, 1, 0},
        PDR_JOURNAL_FLAG(e.target),
        PDR_STORE_FLAG(e.target),
        PDR_APP_FLAG(e.target),
        {PDR_FLAG_TEXT, "--format", "exact|plain|jsonl|csv", "exact if not given; see above", &e.format, 0,
         0},
        {PDR_FLAG_TEXT, "--codec", "deflate|snappy|null", "of Avro files; deflate if not given", &e.codec, 0,
         0},
        {PDR_FLAG_TEXT, "--entities", "LIST",
         "only these: ids, beginnings of ids with * behind them, or @FILE with one a line; commas between",
         &e.entities, 0, 0},
        {PDR_FLAG_TEXT, "--type", "LIST", "only events of these types, in full or without the namespace",
         &e.job.types, 0, 0},
        {PDR_FLAG_TEXT, "--since", "TIME", "only events from this time on", &e.since, 0, 0},
        {PDR_FLAG_TEXT, "--until", "TIME", "only events before this time", &e.until, 0, 0},
        {PDR_FLAG_SWITCH, "--force", NULL, "replace a file that is there", &e.job.force, 0, 0},
        {PDR_FLAG_SWITCH, "--json", NULL, "the summary as one JSON object", &e.json, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_export, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_stop_on_signals();
    pdr_code code = work(&e, &err);
    if (e.form) e.form->end(&e.job);
    int result = ended(&e, code, &err);
    pdr_tool_close(e.job.tool);
    pdr_loaded_app_close(&e.app);
    pdr_choice_close(e.choice);
    pdr_seq_table_release(&e.job.entities);
    pdr_buf_release(&e.selection);
    return result;
}

const pdr_cli_command pdr_cli_export = {
    .name = "export",
    .summary = "a journal's events, in a file",
    .about =
        "Reads the log beside running owners and writes what counts into a file, which gets its name only "
        "when it is whole. The formats:\n"
        "\n"
        "  exact   an Avro container file with all that perdure import needs to make the same history\n"
        "  plain   a folder with an Avro container file per event type, in that event's own schema\n"
        "  jsonl   a line of JSON per event\n"
        "  csv     a row per event, a column per field\n"
        "\n"
        "plain and csv show events as the application has them today; jsonl does so if there is one. Times "
        "are event times.\n"
        "\n"
        "  perdure export --journal sqlite:bank.db bank.avro\n"
        "  perdure export --entities loan/173688 one.avro\n"
        "  perdure export --format csv --type OfferCreated --since 2012-01-01 - | head\n",
    .run = run};
