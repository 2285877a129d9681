/* perdure doctor: can a journal be worked with from here, and if not, what is to be done? */
#include "cli/doctor.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "cli/json.h"
#include "cli/out.h"

/* --- what was found --- */

static doctor_line *add_line(doctor *d)
{
    if (d->count == d->capacity) {
        size_t capacity = d->capacity ? 2 * d->capacity : 16;
        doctor_line *lines = pdr_realloc(d->lines, capacity * sizeof *lines);
        if (!lines) {
            d->out_of_memory = true;
            return NULL;
        }
        d->lines = lines;
        d->capacity = capacity;
    }
    return &d->lines[d->count++];
}

static void end_in_one_line(char *text)
{
    for (char *c = text; *c; c++)
        if (*c == '\n') *c = ' ';
    size_t size = strlen(text);
    while (size && text[size - 1] == ' ')
        text[--size] = '\0';
}

void doctor_say(doctor *d, const char *check, doctor_status status, const char *advice, const char *what, ...)
{
    doctor_line *line = add_line(d);
    if (!line) return;
    va_list arguments;
    va_start(arguments, what);
    line->check = check;
    line->status = status;
    (void)vsnprintf(line->what, sizeof line->what, what, arguments);
    (void)snprintf(line->advice, sizeof line->advice, "%s", advice);
    va_end(arguments);
    end_in_one_line(line->what);
}

void doctor_fail(doctor *d, const char *check, const pdr_error *err)
{
    bool passes = pdr_code_class(err->code) == PDR_CLASS_TRANSIENT;
    doctor_say(d, check, passes ? DOCTOR_AWAY : DOCTOR_WRONG, pdr_code_advice(err->code), "%s: %s",
               pdr_code_text(err->code), err->message);
}

int doctor_timeout(const doctor *d)
{
    return (int)d->plan.settings.open_timeout_ms;
}

/* --- looking --- */

static pdr_code read_settings(doctor *d, pdr_error *err)
{
    pdr_options options = PDR_OPTIONS_INIT;
    pdr_code code = pdr_setting_list_init(&d->setting_list, d->settings, err);
    if (code != PDR_OK) return code;
    options.journal = d->target.base.journal;
    options.store = d->target.base.store;
    options.own_nothing = true;
    options.settings = d->setting_list.items;
    options.setting_count = d->setting_list.count;
    return pdr_plan_init(&d->plan, &options, err);
}

static void look_at_application(doctor *d)
{
    pdr_error err;
    if (pdr_loaded_app_open(&d->app, d->target.base.app, &err) != PDR_OK)
        doctor_fail(d, "application", &err);
    else if (d->app.app)
        doctor_say(d, "application", DOCTOR_FINE, "", "%.100s, %zu entity types, with all upcasters",
                   d->app.app->name, d->app.app->entity_count);
}

/* PDR_OK, or the command line is wrong. */
static pdr_code look(doctor *d, pdr_error *err)
{
    pdr_code code = read_settings(d, err);
    if (code != PDR_OK) return code;
    doctor_look_at_versions(d);
    doctor_say(d, "settings", DOCTOR_FINE, "",
               d->settings ? "all that were given are known and in range" : "defaults");
    look_at_application(d);
    doctor_look_at_files(d);
    doctor_look_at_log(d);
    doctor_look_at_store(d);
    doctor_look_at_postgres(d);
    doctor_look_at_schemas(d);
    doctor_look_at_views(d);
    return d->out_of_memory ? pdr_fail(err, PDR_NOMEM, "what was found") : PDR_OK;
}

/* --- telling --- */

static const char *const words[] = {"ok", "note", "wrong", "away"};
static const pdr_colour colours[] = {PDR_COLOUR_GOOD, PDR_COLOUR_CHANGED, PDR_COLOUR_BAD, PDR_COLOUR_BAD};

static pdr_bytes bytes_of(const char *text)
{
    return pdr_bytes_of(text, strlen(text));
}

static pdr_code put_json(pdr_out *out, const doctor_line *line, pdr_error *err)
{
    pdr_buf *to = pdr_out_line(out);
    pdr_code code =
        pdr_buf_printf(to, "{\"check\":\"%s\",\"status\":\"%s\",\"what\":", line->check, words[line->status]);
    if (code == PDR_OK) code = pdr_json_text(to, bytes_of(line->what));
    if (code == PDR_OK && *line->advice) code = pdr_buf_printf(to, ",\"advice\":");
    if (code == PDR_OK && *line->advice) code = pdr_json_text(to, bytes_of(line->advice));
    if (code == PDR_OK) code = pdr_buf_printf(to, "}");
    return code == PDR_OK ? pdr_out_end(out, err) : code;
}

static pdr_code put_text(pdr_out *out, const doctor_line *line, pdr_error *err)
{
    pdr_code code = pdr_out_put(out, colours[line->status], "%-6s", words[line->status]);
    if (code == PDR_OK) code = pdr_out_put(out, PDR_COLOUR_BOLD, "%-13s", line->check);
    if (code == PDR_OK) code = pdr_out_put(out, PDR_COLOUR_PLAIN, "%s", line->what);
    if (code == PDR_OK) code = pdr_out_end(out, err);
    if (code != PDR_OK || !*line->advice) return code;
    code = pdr_out_put(out, PDR_COLOUR_PLAIN, "%-19swhat to do: %s", "", line->advice);
    return code == PDR_OK ? pdr_out_end(out, err) : code;
}

static size_t count(const doctor *d, doctor_status status)
{
    size_t n = 0;
    for (size_t i = 0; i < d->count; i++)
        n += d->lines[i].status == status;
    return n;
}

static pdr_code put_verdict(const doctor *d, pdr_out *out, pdr_error *err)
{
    size_t wrong = count(d, DOCTOR_WRONG), away = count(d, DOCTOR_AWAY);
    pdr_code code;
    if (d->json)
        code = pdr_buf_printf(pdr_out_line(out), "{\"ok\":%zu,\"notes\":%zu,\"wrong\":%zu,\"away\":%zu}",
                              count(d, DOCTOR_FINE), count(d, DOCTOR_NOTE), wrong, away);
    else if (wrong + away)
        code = pdr_out_put(out, PDR_COLOUR_BAD, "%zu wrong, %zu away", wrong, away);
    else
        code = pdr_out_put(out, PDR_COLOUR_GOOD, "nothing is wrong");
    return code == PDR_OK ? pdr_out_end(out, err) : code;
}

static pdr_code tell(const doctor *d, pdr_error *err)
{
    pdr_out *out;
    pdr_code code = pdr_out_open(&out, d->json, err);
    if (code != PDR_OK) return code;
    if (err) err->code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < d->count; i++)
        code = d->json ? put_json(out, &d->lines[i], err) : put_text(out, &d->lines[i], err);
    if (code == PDR_OK) code = put_verdict(d, out, err);
    if (code != PDR_OK && err && err->code == PDR_OK) (void)pdr_fail(err, code, "what was found");
    return pdr_out_close(out, code, err);
}

/* --- the command --- */

static void release(doctor *d)
{
    pdr_schema_book_close(d->book);
    if (d->store) d->store->ops->close(d->store);
    if (d->log) d->log->ops->close(d->log);
    pdr_plan_release(&d->plan);
    pdr_setting_list_release(&d->setting_list);
    pdr_loaded_app_close(&d->app);
    pdr_free(d->partitions);
    pdr_free(d->lines);
}

static int run(int argc, char **argv)
{
    doctor d;
    memset(&d, 0, sizeof d);
    const pdr_flag flags[] = {
        PDR_JOURNAL_FLAG(d.target.base),
        PDR_STORE_FLAG(d.target.base),
        PDR_VIEWS_FLAG(d.target),
        PDR_APP_FLAG(d.target.base),
        {PDR_FLAG_TEXT, "--settings", "LIST",
         "NAME=VALUE,NAME=VALUE: those that the program runs with (docs/settings.md)", &d.settings, 0, 0},
        {PDR_FLAG_SWITCH, "--json", NULL,
         "a JSON object per thing that was looked at, and one with the counts", &d.json, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_doctor, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_code code = look(&d, &err);
    if (code == PDR_OK) code = tell(&d, &err);
    int verdict = count(&d, DOCTOR_WRONG)  ? PDR_EXIT_FAILED
                  : count(&d, DOCTOR_AWAY) ? PDR_EXIT_LATER
                                           : PDR_EXIT_DONE;
    release(&d);
    return code == PDR_OK ? verdict : pdr_cli_fail(&pdr_cli_doctor, &err);
}

const pdr_cli_command pdr_cli_doctor = {
    .name = "doctor",
    .summary = "can the journal be worked with from here? What is wrong, and what to do",
    .about = "Looks at what a journal rests on and says what is wrong and what to do: settings, versions, "
             "whether log, store "
             "and views can be reached, the safety of the topic's settings, clocks, rights (nothing is "
             "written to try them), "
             "how much a takeover would have to read, projections that are stopped or behind, schemas that "
             "the application "
             "doesn't read, room on the disk.\n\n"
             "It doesn't read the log: perdure verify does.\n\n"
             "Exit code 0: nothing is wrong. 1: something is. 3: a server can't be reached.\n\n"
             "  perdure doctor --journal kafka://localhost:9092/loans --store postgres://localhost/loans "
             "--app libloans.so\n",
    .run = run};
