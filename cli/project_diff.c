/* perdure project diff: two versions of a projection compared row by row. */
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "cli/project_tool.h"
#include "cli/row_text.h"
#include "journal/system_env.h"
#include "projections/diff.h"

enum { MAX_REPORT = 64 * 1024 * 1024, DEFAULT_SAMPLES = 3, DEFAULT_TIMEOUT_MS = 60000 };

/* A difference kept as it is to be printed. */
typedef struct sample {
    struct sample *next;
    const pdr_diff_table *table;
    pdr_diff_kind kind;
    const char *column; /* of DIFFERENT */
    pdr_string text, json;
} sample;

typedef struct comparing {
    pdr_project_tool tool;
    const char *what;
    pdr_words words;
    int64_t from, to, samples, timeout_ms;
    bool json;
    const char *name;
    const pdr_version_row *from_row, *to_row;
    pdr_diff_spec spec;
    pdr_projector_spec projector;
    pdr_system_env env;
    pdr_diff_table *tables;
    size_t table_count;
    sample *first, **last;
    pdr_buf scratch;
    bool no_memory;
    bool differ;
} comparing;

/* --- samples --- */

static int64_t samples_of(const comparing *c, const pdr_diff_row *row, const char *column)
{
    int64_t count = 0;
    for (const sample *s = c->first; s; s = s->next)
        count += s->table == row->table && s->kind == row->kind &&
                 (s->column == column || (s->column && column && strcmp(s->column, column) == 0));
    return count;
}

static pdr_string keep_text(comparing *c, pdr_code code)
{
    pdr_string text = {(const char *)c->scratch.data, c->scratch.size};
    text = code == PDR_OK ? pdr_arena_string(&c->tool.arena, text) : (pdr_string){NULL, 0};
    if (!text.data) c->no_memory = true;
    pdr_buf_clear(&c->scratch);
    return text;
}

static void add_sample(comparing *c, const pdr_diff_row *row, const pdr_diff_column *column)
{
    const char *name = column ? column->name : NULL;
    if (samples_of(c, row, name) >= c->samples) return;
    sample *s = pdr_arena_calloc(&c->tool.arena, 1, sizeof *s);
    if (!s) {
        c->no_memory = true;
        return;
    }
    *s = (sample){.table = row->table, .kind = row->kind, .column = name};
    const pdr_table *table = row->from ? row->table->from : row->table->to;
    const pdr_cell *cells = row->from ? row->from : row->to;
    for (int json = 0; json < 2; json++) {
        pdr_code code = pdr_put_key(&c->scratch, table, cells, json);
        if (code == PDR_OK && column)
            code = pdr_put_change(&c->scratch, &row->table->from->columns[column->from],
                                  &row->from[column->from], &row->to[column->to], json);
        else if (code == PDR_OK)
            code = pdr_put_rest(&c->scratch, table, cells, json);
        *(json ? &s->json : &s->text) = keep_text(c, code);
    }
    *c->last = s;
    c->last = &s->next;
}

static void take_row(void *context, const pdr_diff_row *row)
{
    comparing *c = context;
    if (row->kind != PDR_DIFF_DIFFERENT) {
        add_sample(c, row, NULL);
        return;
    }
    for (size_t i = 0; i < row->table->column_count; i++)
        if (pdr_diff_column_differs(row, &row->table->columns[i]))
            add_sample(c, row, &row->table->columns[i]);
}

static void show_wait(void *context, const char *for_what)
{
    (void)context;
    pdr_cli_progress("waiting: %s", for_what);
}

/* --- which versions --- */

static pdr_code pick(comparing *c, const pdr_version_list *list, pdr_error *err)
{
    pdr_code code = pdr_version_pick(list, c->name, c->from, &c->from_row, err);
    if (code != PDR_OK) return code;
    if (c->to) {
        code = pdr_version_pick(list, c->name, c->to, &c->to_row, err);
    } else {
        for (size_t i = 0; i < list->count; i++)
            if (&list->rows[i] != c->from_row) c->to_row = &list->rows[i];
        if (!c->to_row)
            return pdr_fail(err, PDR_NOT_FOUND,
                            "projection %.100s has only version %" PRIu32 ": nothing to compare", c->name,
                            c->from_row->version);
    }
    if (code == PDR_OK && c->from_row == c->to_row)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "version %" PRIu32 " can't be compared with itself",
                        c->from_row->version);
    return code;
}

static pdr_code make_version(comparing *c, const pdr_version_row *row, pdr_version_spec *out, pdr_error *err)
{
    *out = (pdr_version_spec){.projection = c->name,
                              .version = row->version,
                              .fingerprint = row->fingerprint,
                              .partitions = c->tool.info.partitions};
    memcpy(out->journal_id, c->tool.journal_id, sizeof out->journal_id);
    pdr_code code =
        pdr_view_tables_parse(&out->tables, &out->table_count, &c->tool.arena, row->declared, err);
    return code == PDR_OK ? code : pdr_fail_context(err, code, "version %" PRIu32, row->version);
}

/* The definition of the version that is held: without it, it can't be brought along. */
static pdr_code find_definition(comparing *c, const pdr_version_row *held, pdr_error *err)
{
    pdr_projection *projection;
    pdr_code code = pdr_tool_find(&c->tool, c->name, held->version, &projection, err);
    if (code != PDR_OK || !projection) return code;
    if (projection->fingerprint != held->fingerprint)
        return pdr_fail(err, PDR_CONFLICT,
                        "version %" PRIu32 " was made from another definition than the one given",
                        held->version);
    pdr_system_env_init(&c->env, NULL, NULL); /* a position that its worker moved once more is no news */
    c->projector = (pdr_projector_spec){.projection = projection,
                                        .app = c->tool.app.app,
                                        .log = c->tool.log,
                                        .views = c->tool.views,
                                        .env = &c->env.env,
                                        .book = c->tool.book,
                                        .partitions = c->tool.info.partitions,
                                        .worker = "perdure project diff",
                                        .settings = c->tool.values.projector};
    memcpy(c->projector.journal_id, c->tool.journal_id, sizeof c->projector.journal_id);
    c->spec.projector = &c->projector;
    return PDR_OK;
}

static pdr_code read_definitions(comparing *c, pdr_error *err)
{
    pdr_code code = pdr_tool_open_app(&c->tool, err);
    for (int i = 0; code == PDR_OK && i < c->words.count; i++) {
        const pdr_projection *read;
        if (!pdr_tool_is_file(c->words.items[i])) {
            if (c->name && strcmp(c->name, c->words.items[i]) != 0)
                return pdr_fail(err, PDR_INVALID_ARGUMENT, "%.100s and %.100s are two projections", c->name,
                                c->words.items[i]);
            c->name = c->words.items[i];
            continue;
        }
        code = pdr_tool_read_file(&c->tool, c->words.items[i], &read, err);
        if (code == PDR_OK && c->name && strcmp(c->name, read->name) != 0)
            return pdr_fail(err, PDR_INVALID_ARGUMENT, "%.100s and %.100s are two projections", c->name,
                            read->name);
        if (code == PDR_OK) c->name = read->name;
    }
    return code;
}

static pdr_code prepare(comparing *c, pdr_error *err)
{
    pdr_version_list list;
    pdr_code code = read_definitions(c, err);
    if (code == PDR_OK) code = pdr_tool_open_views(&c->tool, err);
    if (code == PDR_OK) code = pdr_tool_versions(&c->tool, c->name, &list, err);
    if (code == PDR_OK) code = pick(c, &list, err);
    if (code == PDR_OK) code = pdr_tool_open_journal(&c->tool, err);
    if (code == PDR_OK) code = make_version(c, c->from_row, &c->spec.from, err);
    if (code == PDR_OK) code = make_version(c, c->to_row, &c->spec.to, err);
    if (code != PDR_OK) return code;
    c->spec.hold_from = c->to_row->state == PDR_VERSION_LIVE;
    const pdr_version_row *held = c->spec.hold_from ? c->from_row : c->to_row;
    c->spec.was_paused = held->paused;
    c->spec.control = c->tool.views;
    c->spec.timeout_ms = (int)c->timeout_ms;
    c->spec.row = take_row;
    c->spec.waits = show_wait;
    c->spec.context = c;
    code = find_definition(c, held, err);
    if (code == PDR_OK) code = pdr_tool_views(&c->tool, &c->spec.from_views, err);
    return code == PDR_OK ? pdr_tool_views(&c->tool, &c->spec.to_views, err) : code;
}

/* --- the report --- */

static const char *const json_kinds[] = {"only_from", "only_to", "different"};

static bool differs(const pdr_diff_table *t)
{
    bool differ = !t->from || !t->to || t->other_key || t->only_from || t->only_to || t->different;
    if (!t->from || !t->to) return differ;
    differ = differ || t->from->column_count != t->to->column_count ||
             t->column_count + t->from->key_count != t->from->column_count;
    for (size_t i = 0; i < t->column_count; i++)
        differ = differ || !t->columns[i].comparable;
    return differ;
}

static bool has_column(const pdr_diff_table *t, const char *name)
{
    for (size_t i = 0; i < t->column_count; i++)
        if (strcmp(t->columns[i].name, name) == 0) return true;
    return false;
}

/* Columns after the key that only one side has. */
static pdr_code put_single_columns(pdr_buf *out, const pdr_diff_table *t, const pdr_table *side,
                                   const char *format)
{
    pdr_code code = PDR_OK;
    for (size_t i = side->key_count; code == PDR_OK && i < side->column_count; i++)
        if (!has_column(t, side->columns[i].name)) code = pdr_buf_printf(out, format, side->columns[i].name);
    return code;
}

static pdr_code put_samples(comparing *c, pdr_buf *out, const pdr_diff_table *t, pdr_diff_kind kind,
                            const char *column)
{
    pdr_code code = PDR_OK;
    for (const sample *s = c->first; code == PDR_OK && s; s = s->next)
        if (s->table == t && s->kind == kind && (!column || strcmp(column, s->column) == 0))
            code = pdr_buf_printf(out, "    %.*s\n", (int)s->text.size, s->text.data);
    return code;
}

static pdr_code put_rows_text(comparing *c, pdr_buf *out, const pdr_diff_table *t)
{
    pdr_code code = PDR_OK;
    const uint64_t counts[] = {t->only_from, t->only_to};
    for (int kind = PDR_DIFF_ONLY_FROM; code == PDR_OK && kind <= PDR_DIFF_ONLY_TO; kind++) {
        if (counts[kind] == 0) continue;
        code = pdr_buf_printf(out, "  %" PRIu64 " rows only in version %" PRIu32 "\n", counts[kind],
                              kind == PDR_DIFF_ONLY_FROM ? c->spec.from.version : c->spec.to.version);
        if (code == PDR_OK) code = put_samples(c, out, t, (pdr_diff_kind)kind, NULL);
    }
    for (size_t i = 0; code == PDR_OK && i < t->column_count; i++) {
        const pdr_diff_column *column = &t->columns[i];
        if (!column->comparable) {
            code =
                pdr_buf_printf(out, "  column %s is declared as another type: not compared\n", column->name);
            continue;
        }
        if (column->different == 0) continue;
        code = pdr_buf_printf(out, "  %" PRIu64 " rows with another %s\n", column->different, column->name);
        if (code == PDR_OK) code = put_samples(c, out, t, PDR_DIFF_DIFFERENT, column->name);
    }
    return code;
}

static pdr_code put_table_text(comparing *c, pdr_buf *out, const pdr_diff_table *t)
{
    uint32_t from = c->spec.from.version, to = c->spec.to.version;
    if (!t->from || !t->to)
        return pdr_buf_printf(out, "%s: only version %" PRIu32 " has this table\n", t->name,
                              t->from ? from : to);
    if (t->other_key)
        return pdr_buf_printf(out, "%s: the keys are declared in two ways, rows can't be compared\n",
                              t->name);
    pdr_code code =
        pdr_buf_printf(out,
                       "%s: %" PRIu64 " rows in version %" PRIu32 ", %" PRIu64 " in version %" PRIu32
                       "; %" PRIu64 " differ\n",
                       t->name, t->from_rows, from, t->to_rows, to, t->only_from + t->only_to + t->different);
    char line[64];
    snprintf(line, sizeof line, "  only version %" PRIu32 " has column %%s\n", from);
    if (code == PDR_OK) code = put_single_columns(out, t, t->from, line);
    snprintf(line, sizeof line, "  only version %" PRIu32 " has column %%s\n", to);
    if (code == PDR_OK) code = put_single_columns(out, t, t->to, line);
    if (code == PDR_OK && (t->from_parked || t->to_parked))
        code = pdr_buf_printf(
            out, "  parked events: %" PRIu64 " and %" PRIu64 "; rows of their entities stand still\n",
            t->from_parked, t->to_parked);
    return code == PDR_OK ? put_rows_text(c, out, t) : code;
}

static pdr_code put_table_json(comparing *c, pdr_buf *out, const pdr_diff_table *t, bool first)
{
    bool comma = false;
    pdr_code code = pdr_buf_printf(
        out,
        "%s{\"table\":\"%s\",\"in_from\":%s,\"in_to\":%s,\"same_key\":%s,\"from_rows\":%" PRIu64
        ",\"to_rows\":%" PRIu64 ",\"only_from\":%" PRIu64 ",\"only_to\":%" PRIu64 ",\"different\":%" PRIu64
        ",\"from_parked\":%" PRIu64 ",\"to_parked\":%" PRIu64 ",\"columns\":{",
        first ? "" : ",\n ", t->name, t->from ? "true" : "false", t->to ? "true" : "false",
        t->other_key ? "false" : "true", t->from_rows, t->to_rows, t->only_from, t->only_to, t->different,
        t->from_parked, t->to_parked);
    for (size_t i = 0; code == PDR_OK && i < t->column_count; i++) {
        const pdr_diff_column *column = &t->columns[i];
        code = column->comparable
                   ? pdr_buf_printf(out, "%s\"%s\":%" PRIu64, i ? "," : "", column->name, column->different)
                   : pdr_buf_printf(out, "%s\"%s\":null", i ? "," : "", column->name);
    }
    if (code == PDR_OK) code = pdr_buf_printf(out, "},\"single_columns\":[");
    if (code == PDR_OK && t->from && t->to && !t->other_key) {
        pdr_buf names = PDR_BUF_INIT(MAX_REPORT);
        code = put_single_columns(&names, t, t->from, ",\"%s\"");
        if (code == PDR_OK) code = put_single_columns(&names, t, t->to, ",\"%s\"");
        if (code == PDR_OK && names.size > 0) code = pdr_buf_append(out, names.data + 1, names.size - 1);
        pdr_buf_release(&names);
    }
    if (code == PDR_OK) code = pdr_buf_printf(out, "],\"samples\":[");
    for (const sample *s = c->first; code == PDR_OK && s; s = s->next) {
        if (s->table != t) continue;
        code = pdr_buf_printf(out, "%s{\"kind\":\"%s\",%.*s}", comma ? "," : "", json_kinds[s->kind],
                              (int)s->json.size, s->json.data);
        comma = true;
    }
    return code == PDR_OK ? pdr_buf_printf(out, "]}") : code;
}

static pdr_code put_report(comparing *c, pdr_buf *out)
{
    pdr_code code = c->json ? pdr_buf_printf(out,
                                             "{\"projection\":\"%s\",\"from\":%" PRIu32 ",\"to\":%" PRIu32
                                             ",\"differ\":%s,\"tables\":[",
                                             c->name, c->spec.from.version, c->spec.to.version,
                                             c->differ ? "true" : "false")
                            : PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < c->table_count; i++)
        code =
            c->json ? put_table_json(c, out, &c->tables[i], i == 0) : put_table_text(c, out, &c->tables[i]);
    if (code != PDR_OK) return code;
    if (c->json) return pdr_buf_printf(out, "]}\n");
    return pdr_buf_printf(out,
                          c->differ ? "versions %" PRIu32 " and %" PRIu32 " of %s differ\n"
                                    : "versions %" PRIu32 " and %" PRIu32 " of %s are equal\n",
                          c->spec.from.version, c->spec.to.version, c->name);
}

static pdr_code report(comparing *c, pdr_error *err)
{
    if (c->no_memory) return pdr_fail(err, PDR_NOMEM, "the samples");
    for (size_t i = 0; i < c->table_count; i++)
        c->differ = c->differ || differs(&c->tables[i]);
    pdr_buf out = PDR_BUF_INIT(MAX_REPORT);
    return pdr_cli_print_made(&out, put_report(c, &out), "the report", err);
}

static int run(int argc, char **argv)
{
    comparing c = {
        .samples = DEFAULT_SAMPLES, .timeout_ms = DEFAULT_TIMEOUT_MS, .scratch = PDR_BUF_INIT(MAX_REPORT)};
    c.last = &c.first;
    const pdr_flag flags[] = {
        {PDR_FLAG_WORDS, "NAME|FILE...", NULL, "", &c.words, 1, PDR_TOOL_MAX_FILES},
        {PDR_FLAG_NUMBER, "--from", "N", "one version; default the live one", &c.from, 1, UINT32_MAX},
        {PDR_FLAG_NUMBER, "--to", "N", "the other; default the newest besides", &c.to, 1, UINT32_MAX},
        {PDR_FLAG_NUMBER, "--samples", "N", "rows shown of each kind of difference; default 3", &c.samples, 0,
         10000},
        {PDR_FLAG_NUMBER, "--timeout", "MS",
         "for both to stand at the same positions, per table; default 60000", &c.timeout_ms, 0, 86400000},
        PDR_TOOL_FLAGS(c.tool),
        {PDR_FLAG_SWITCH, "--json", NULL, "one JSON object instead of text", &c.json, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_project_diff, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_code code = prepare(&c, &err);
    if (code == PDR_OK) code = pdr_diff_run(&c.spec, &c.tool.arena, &c.tables, &c.table_count, &err);
    if (code == PDR_OK) code = report(&c, &err);
    if (c.spec.from_views) c.spec.from_views->ops->close(c.spec.from_views);
    if (c.spec.to_views) c.spec.to_views->ops->close(c.spec.to_views);
    pdr_buf_release(&c.scratch);
    pdr_tool_release(&c.tool);
    if (code != PDR_OK) return pdr_cli_fail(&pdr_cli_project_diff, &err);
    return c.differ ? PDR_EXIT_FAILED : PDR_EXIT_DONE;
}

const pdr_cli_command pdr_cli_project_diff = {
    .name = "project diff",
    .summary = "compare two versions of a projection row by row",
    .about = "Both are read at the same positions, each in one snapshot "
             "per table. The version that isn't live is held "
             "meanwhile\n"
             "(`perdure project resume` lets it go if this is killed) "
             "and brought to the other's positions, for which its "
             "definition\n"
             "is needed: its FILE, or the application's if it is in C. "
             "The live one never waits. Exit code 1: they differ.\n"
             "\n"
             "  perdure project diff projections/applications.sql --from 1 --to 2\n",
    .run = run};
