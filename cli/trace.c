/* perdure trace: what followed from a command, across entities. */
#include <inttypes.h>

#include "cli/common.h"
#include "cli/event_line.h"
#include "replay/trace.h"

enum { MAX_MORE = 100, DEEPEST = 40 };

typedef struct tracing {
    pdr_target target;
    const char *id;
    bool json;
    pdr_loaded_app app;
    pdr_tool *tool;
    pdr_trace *trace;
    pdr_event_lines lines;
    pdr_out *out;
} tracing;

static bool watch(void *context, unsigned pass, const pdr_scan_progress *p)
{
    (void)context;
    double percent = p->total ? 100.0 * (double)p->done / (double)p->total : 100;
    pdr_cli_progress("searching, pass %u: %.0f %% of %" PRId64 " records", pass, percent, p->total);
    return pdr_stopped();
}

/* What is caused stands below its cause, further to the right; of a deep chain the depth is a number. */
static pdr_code indent(tracing *t, const pdr_trace_node *node, bool first)
{
    if (!node->depth) return PDR_OK;
    int columns = 2 * (int)(node->depth <= DEEPEST ? node->depth : DEEPEST);
    if (!first) return pdr_out_put(t->out, PDR_COLOUR_DIM, "%*s", columns + 1, "");
    if (node->depth > DEEPEST)
        return pdr_out_put(t->out, PDR_COLOUR_DIM, "%*s%" PRIu32 "- ", columns - 1, "", node->depth);
    return pdr_out_put(t->out, PDR_COLOUR_DIM, "%*s%s ", columns - 2, "", node->last ? "`-" : "|-");
}

static pdr_code put_event(tracing *t, const pdr_trace_node *node, const pdr_held *held, bool first,
                          pdr_error *err)
{
    char room[MAX_MORE];
    pdr_buf more = {(uint8_t *)room, 0, sizeof room, sizeof room};
    pdr_code code = pdr_buf_printf(&more, ",\"depth\":%" PRIu32, node->depth);
    if (code != PDR_OK) return pdr_fail(err, code, "a line of output");
    code = pdr_event_lines_read(&t->lines, t->tool, node->partition, &held->record, &held->header, err);
    for (size_t i = 0; code == PDR_OK && i < t->lines.count; i++) {
        t->lines.items[i].more = pdr_buf_bytes(&more);
        if (!t->json && indent(t, node, first && i == 0) != PDR_OK)
            return pdr_fail(err, PDR_NOMEM, "a line of output");
        code = pdr_event_line_put(&t->lines.items[i], true, t->out, err);
    }
    return code;
}

static pdr_code put_all(tracing *t, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < pdr_trace_count(t->trace); i++) {
        const pdr_trace_node *node = pdr_trace_at(t->trace, i);
        for (size_t k = 0; code == PDR_OK && k < node->count; k++)
            code = put_event(t, node, node->held[k], k == 0, err);
    }
    return code;
}

static pdr_code work(tracing *t, pdr_error *err)
{
    pdr_code code = pdr_loaded_app_open_tolerant(&t->app, t->target.app, err);
    pdr_tool_spec spec = {
        .journal = t->target.journal, .store = t->target.store, .app = t->app.app, .stopped = pdr_stopped};
    if (code == PDR_OK) code = pdr_tool_open(&t->tool, &spec, err);
    if (code == PDR_OK) code = pdr_out_open(&t->out, t->json, err);
    pdr_trace_spec what = {.id = t->id, .watch = watch, .context = t};
    if (code == PDR_OK) code = pdr_trace_open(&t->trace, t->tool, &what, err);
    pdr_cli_progress_end();
    if (code == PDR_OK && !pdr_trace_count(t->trace))
        code =
            pdr_fail(err, PDR_NOT_FOUND,
                     "no event has %.100s as its command's id, or as its correlation or causation id", t->id);
    return code == PDR_OK ? put_all(t, err) : code;
}

static int run(int argc, char **argv)
{
    static tracing t;
    const pdr_flag flags[] = {
        {PDR_FLAG_WORD, "ID", NULL, "", &t.id, 1, 0},
        PDR_JOURNAL_FLAG(t.target),
        PDR_STORE_FLAG(t.target),
        PDR_APP_FLAG(t.target),
        {PDR_FLAG_SWITCH, "--json", NULL, "one JSON object a line, with its depth in the tree", &t.json, 0,
         0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_trace, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_stop_on_signals();
    pdr_event_lines_init(&t.lines);
    pdr_code code = work(&t, &err);
    code = pdr_out_close(t.out, code, &err);
    pdr_trace_close(t.trace);
    pdr_event_lines_release(&t.lines);
    pdr_tool_close(t.tool);
    pdr_loaded_app_close(&t.app);
    return code == PDR_OK ? PDR_EXIT_DONE : pdr_cli_fail(&pdr_cli_trace, &err);
}

const pdr_cli_command pdr_cli_trace = {
    .name = "trace",
    .summary = "what followed from a command, across entities, as a tree",
    .about = "ID is a command's id or a correlation id, as text or in hexadecimal digits. Prints the events "
             "of all commands "
             "with that correlation id, or of that command, and of all commands that they caused (whose "
             "causation id is "
             "the id of one of them), each below its cause.\n\n"
             "  perdure trace payment-4711\n"
             "  perdure trace 00c0ffee5b9d4c1e8a51f0de4b1d0001 --json\n\n"
             "Reads all the log once for each generation of commands, and once more.\n",
    .run = run};
