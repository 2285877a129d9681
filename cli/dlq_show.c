/* perdure dlq show: an entity's parked events as they lie in the log, and what today's code makes of them. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/dlq_common.h"
#include "cli/json.h"
#include "cli/row_text.h"
#include "projections/dry_run.h"

enum { MAX_REPORT = 64 * 1024 * 1024, DEFAULT_EVENTS = 10 };

typedef struct showing {
    pdr_project_tool tool;
    pdr_words words;
    const char *name, *entity;
    int64_t version, max;
    bool json;
    const pdr_version_row *row;
    pdr_projection *projection; /* NULL: its definition isn't given */
    pdr_buf out;
    bool stopped; /* an event failed: those behind it would not be tried */
} showing;

/* --- which --- */

static pdr_code read_words(showing *s, pdr_error *err)
{
    pdr_code code = pdr_tool_open_app(&s->tool, err);
    for (int i = 0; code == PDR_OK && i < s->words.count; i++) {
        const char *word = s->words.items[i];
        const pdr_projection *read;
        size_t size = strlen(word);
        if (size > 4 && strcmp(word + size - 4, ".sql") == 0) {
            code = pdr_tool_read_file(&s->tool, word, &read, err);
            if (code == PDR_OK && !s->name) s->name = read->name;
        } else if (!s->name) {
            s->name = word;
        } else if (!s->entity) {
            s->entity = word;
        } else {
            code = pdr_fail(err, PDR_INVALID_ARGUMENT, "unexpected: %.100s", word);
        }
    }
    if (code == PDR_OK && (!s->name || !s->entity))
        code = pdr_fail(err, PDR_INVALID_ARGUMENT, "give the projection (NAME or FILE.sql) and ENTITY");
    return code;
}

static pdr_code open_run(showing *s, pdr_dry_run **out, pdr_error *err)
{
    pdr_code code = pdr_tool_find(&s->tool, s->name, s->row->version, &s->projection, err);
    if (code != PDR_OK) return code;
    pdr_dry_run_spec spec = {.projection = s->projection,
                             .app = s->tool.app.app,
                             .log = s->tool.log,
                             .views = s->tool.views,
                             .book = s->tool.book,
                             .version = {.projection = s->name,
                                         .version = s->row->version,
                                         .fingerprint = s->row->fingerprint,
                                         .partitions = s->tool.info.partitions},
                             .timeout_ms = PDR_TOOL_TIMEOUT_MS};
    memcpy(spec.version.journal_id, s->tool.journal_id, sizeof spec.version.journal_id);
    if (s->projection) {
        spec.version.tables = s->projection->tables;
        spec.version.table_count = s->projection->table_count;
    }
    return pdr_dry_run_open(out, &spec, err);
}

/* --- what is printed --- */

static pdr_code put_value(pdr_buf *out, const pdr_event *event)
{
    return event->type->print ? event->type->print(event->value, out) : pdr_buf_printf(out, "null");
}

static pdr_code put_today_json(pdr_buf *out, const pdr_dry_event *event)
{
    pdr_code code = pdr_buf_printf(out, ",\"events\":[");
    for (size_t i = 0; code == PDR_OK && event->today && i < event->today->count; i++) {
        const pdr_event *today = pdr_event_list_at(event->today, i);
        code = pdr_buf_printf(out, "%s{\"type\":\"%s\",\"value\":", i ? "," : "", today->type->name);
        if (code == PDR_OK) code = put_value(out, today);
        if (code == PDR_OK) code = pdr_buf_printf(out, "}");
    }
    return code == PDR_OK ? pdr_buf_printf(out, "]") : code;
}

static const char *outcome_of(const showing *s, const pdr_dry_event *event)
{
    if (event->code != PDR_OK) return "fails";
    if (!s->projection) return "unknown";
    return s->stopped ? "waits" : "would be projected";
}

static pdr_code put_json(showing *s, const pdr_letter *letter, const pdr_dry_event *event, bool first)
{
    pdr_buf *out = &s->out;
    pdr_code code = pdr_buf_printf(out, "%s{\"letter\":", first ? "" : ",\n ");
    if (code == PDR_OK) code = pdr_dlq_put_json(out, letter);
    if (code == PDR_OK) code = pdr_buf_printf(out, ",\"time\":\"");
    if (code == PDR_OK) code = pdr_dlq_put_time(out, event->time_us);
    if (code == PDR_OK) code = pdr_buf_printf(out, "\"");
    if (code == PDR_OK) code = put_today_json(out, event);
    if (code == PDR_OK) code = pdr_buf_printf(out, ",\"outcome\":\"%s\",\"why\":", outcome_of(s, event));
    if (code == PDR_OK && event->code == PDR_OK)
        code = pdr_buf_printf(out, "null");
    else if (code == PDR_OK)
        code = pdr_json_text(out, pdr_bytes_of(event->why.message, strlen(event->why.message)));
    return code == PDR_OK ? pdr_buf_printf(out, "}") : code;
}

static pdr_code put_text(showing *s, const pdr_letter *letter, const pdr_dry_event *event)
{
    pdr_buf *out = &s->out;
    const pdr_dead_letter *l = &letter->letter;
    pdr_code code = pdr_buf_printf(out, "seq %" PRIu64 ", partition %d offset %" PRId64 ", ", l->seq,
                                   (int)l->partition, l->offset);
    if (code == PDR_OK) code = pdr_dlq_put_time(out, event->time_us);
    if (code == PDR_OK && l->behind) code = pdr_buf_printf(out, ", behind");
    if (code == PDR_OK && !l->behind)
        code = pdr_buf_printf(out, ", %d attempts: %s", (int)l->attempts, l->reason);
    if (code == PDR_OK) code = pdr_buf_printf(out, "\n");
    for (size_t i = 0; code == PDR_OK && event->today && i < event->today->count; i++) {
        const pdr_event *today = pdr_event_list_at(event->today, i);
        code = pdr_buf_printf(out, "  %s ", today->type->name);
        if (code == PDR_OK) code = put_value(out, today);
        if (code == PDR_OK) code = pdr_buf_printf(out, "\n");
    }
    if (code == PDR_OK) code = pdr_buf_printf(out, "  today: %s", outcome_of(s, event));
    if (code == PDR_OK && event->code != PDR_OK) code = pdr_buf_printf(out, ": %s", event->why.message);
    return code == PDR_OK ? pdr_buf_printf(out, "\n") : code;
}

static const char *const modes[] = {"", "=", "+", "greatest of it and", "least of it and"};
static const char *const json_modes[] = {"keep", "set", "add", "greatest", "least"};

static pdr_code put_change(pdr_buf *out, const pdr_table *table, const pdr_row_change *row, bool json)
{
    bool first = true;
    pdr_code code = pdr_put_key(out, table, row->key, json);
    if (code == PDR_OK && row->remove) return pdr_buf_printf(out, json ? ",\"remove\":true" : ": removed");
    if (code == PDR_OK) code = pdr_buf_printf(out, json ? ",\"changes\":[" : ": ");
    for (size_t i = 0; code == PDR_OK && i < table->column_count - table->key_count; i++) {
        const pdr_column *column = &table->columns[table->key_count + i];
        if (row->modes[i] == PDR_CELL_KEEP) continue;
        const char *between = first ? "" : json ? "," : ", ";
        code = json ? pdr_buf_printf(out, "%s{\"column\":\"%s\",\"mode\":\"%s\",\"value\":", between,
                                     column->name, json_modes[row->modes[i]])
                    : pdr_buf_printf(out, "%s%s %s ", between, column->name, modes[row->modes[i]]);
        if (code == PDR_OK) code = pdr_put_cell(out, column, &row->cells[i], json);
        if (code == PDR_OK && json) code = pdr_buf_printf(out, "}");
        first = false;
    }
    return code == PDR_OK && json ? pdr_buf_printf(out, "]") : code;
}

static pdr_code put_step(showing *s, const pdr_view_step *step, bool *first)
{
    pdr_buf *out = &s->out;
    pdr_code code = PDR_OK;
    if (step->statement) {
        code = pdr_buf_printf(
            out, s->json ? "%s{\"statement\":" : "%s  statement: ", *first || !s->json ? "" : ",");
        *first = false;
        pdr_bytes sql = pdr_bytes_of(step->statement, strlen(step->statement));
        if (code == PDR_OK)
            code = s->json ? pdr_json_text(out, sql) : pdr_buf_append(out, sql.data, sql.size);
        return code == PDR_OK ? pdr_buf_printf(out, s->json ? "}" : "\n") : code;
    }
    const pdr_table *table = &s->projection->tables[step->table];
    for (size_t i = 0; code == PDR_OK && i < step->row_count; i++) {
        code = s->json ? pdr_buf_printf(out, "%s{\"table\":\"%s\",", *first ? "" : ",", table->name)
                       : pdr_buf_printf(out, "  %s ", table->name);
        *first = false;
        if (code == PDR_OK) code = put_change(out, table, &step->rows[i], s->json);
        if (code == PDR_OK) code = pdr_buf_printf(out, s->json ? "}" : "\n");
    }
    return code;
}

static pdr_code put_steps(showing *s, pdr_dry_run *run, pdr_error *err)
{
    const pdr_view_step *steps;
    size_t count;
    bool first = true;
    pdr_code code = pdr_dry_run_steps(run, &steps, &count, err);
    if (code != PDR_OK) return code;
    if (s->json) code = pdr_buf_printf(&s->out, "],\"writes\":[");
    if (!s->json && count > 0) code = pdr_buf_printf(&s->out, "a retry would write:\n");
    for (size_t i = 0; code == PDR_OK && i < count; i++)
        code = put_step(s, &steps[i], &first);
    if (code == PDR_OK && s->json) code = pdr_buf_printf(&s->out, "]}\n");
    return code == PDR_OK ? code : pdr_fail(err, code, "the report");
}

/* --- the command --- */

/* Behind one that fails nothing is tried: a retry wouldn't either. */
static pdr_code show_all(showing *s, const pdr_letter_list *letters, pdr_dry_run *run, pdr_error *err)
{
    pdr_code code = s->json ? pdr_buf_printf(&s->out, "{\"events\":[") : PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < letters->count && i < (size_t)s->max && !s->stopped; i++) {
        pdr_dry_event event;
        code = pdr_dry_run_next(run, &letters->items[i].letter, &event, err);
        if (code != PDR_OK) return code;
        code = s->json ? put_json(s, &letters->items[i], &event, i == 0)
                       : put_text(s, &letters->items[i], &event);
        s->stopped = event.code != PDR_OK;
    }
    if (code != PDR_OK) return pdr_fail(err, code, "the report");
    return put_steps(s, run, err);
}

static pdr_code work(showing *s, pdr_error *err)
{
    pdr_version_list versions;
    pdr_letter_list letters = {NULL, 0, 0};
    pdr_dry_run *run = NULL;
    pdr_code code = read_words(s, err);
    if (code == PDR_OK) code = pdr_tool_open_views(&s->tool, err);
    if (code == PDR_OK) code = pdr_tool_versions(&s->tool, s->name, &versions, err);
    if (code == PDR_OK) code = pdr_version_pick(&versions, s->name, s->version, &s->row, err);
    if (code == PDR_OK) code = pdr_dlq_add(&s->tool, s->row, s->entity, &letters, err);
    if (code == PDR_OK && letters.count == 0)
        code = pdr_fail(err, PDR_NOT_FOUND, "version %" PRIu32 " of %.100s has no parked event of %.200s",
                        s->row->version, s->name, s->entity);
    if (code == PDR_OK) code = pdr_tool_open_journal(&s->tool, err);
    if (code == PDR_OK) code = open_run(s, &run, err);
    if (code == PDR_OK) code = show_all(s, &letters, run, err);
    if (code == PDR_OK && !s->json && !s->projection)
        code =
            pdr_buf_printf(&s->out, "its definition isn't given, so nothing was tried: name its FILE.sql\n");
    if (code == PDR_OK) code = pdr_cli_print(&s->out, err);
    pdr_dry_run_close(run);
    return code;
}

static int run(int argc, char **argv)
{
    showing s = {.max = DEFAULT_EVENTS, .out = PDR_BUF_INIT(MAX_REPORT)};
    const pdr_flag flags[] = {
        {PDR_FLAG_WORDS, "NAME|FILE.sql ENTITY", NULL, "", &s.words, 2, PDR_TOOL_MAX_FILES},
        {PDR_FLAG_NUMBER, "--version", "N", "default the live one", &s.version, 1, UINT32_MAX},
        {PDR_FLAG_NUMBER, "--events", "N", "at most so many of its parked events; default 10", &s.max, 1,
         1000000},
        PDR_TOOL_FLAGS(s.tool),
        {PDR_FLAG_SWITCH, "--json", NULL, "one JSON object instead of text", &s.json, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_dlq_show, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_code code = work(&s, &err);
    pdr_buf_release(&s.out);
    pdr_tool_release(&s.tool);
    return code == PDR_OK ? PDR_EXIT_DONE : pdr_cli_fail(&pdr_cli_dlq_show, &err);
}

const pdr_cli_command pdr_cli_dlq_show = {
    .name = "dlq show",
    .summary = "an entity's parked events, and what today's code makes of them",
    .about =
        "Reads each from its place in the log, prints it decoded, and runs it through today's upcasters and "
        "projection: what a\n"
        "retry would write, or why it would fail. Writes nothing. What only the database itself refuses (a "
        "constraint of its\n"
        "own) isn't found.\n"
        "\n"
        "  perdure dlq show projections/applications.sql loan/173688\n",
    .run = run};
