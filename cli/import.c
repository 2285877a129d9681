/* perdure import: an exact export written into a journal of its own. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "cli/import_report.h"
#include "cli/out.h"
#include "replay/export_file.h"
#include "replay/seq_table.h"

typedef struct importing {
    pdr_target target;
    const char *name;
    bool json;
    pdr_loaded_app app;
    FILE *file;
    uint64_t size; /* bytes of the file */
    pdr_export_reader *reader;
    pdr_seq_table entities;
    pdr_tool *tool;
    pdr_import *import;
    pdr_import_counts counts;
    int64_t began_us;
} importing;

/* --- the file --- */

static pdr_code read_file(void *context, void *into, size_t size, size_t *got, pdr_error *err)
{
    const importing *m = context;
    *got = fread(into, 1, size, m->file);
    if (*got || !ferror(m->file)) return PDR_OK;
    return pdr_fail_backend(err, PDR_IO, errno, "%.300s: %s", m->name, strerror(errno));
}

static pdr_code open_file(importing *m, pdr_error *err)
{
    struct stat stat_of;
    m->file = fopen(m->name, "re");
    if (!m->file)
        return pdr_fail_backend(err, errno == ENOENT ? PDR_NOT_FOUND : PDR_IO, errno, "%.300s: %s", m->name,
                                strerror(errno));
    if (fstat(fileno(m->file), &stat_of) != 0 || !S_ISREG(stat_of.st_mode))
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "%.300s isn't a file", m->name);
    m->size = (uint64_t)stat_of.st_size;
    return PDR_OK;
}

/* From its beginning. */
static pdr_code open_reader(importing *m, pdr_error *err)
{
    const pdr_byte_source source = {read_file, m};
    pdr_export_reader_close(m->reader);
    m->reader = NULL;
    rewind(m->file);
    pdr_code code = pdr_export_reader_open(&m->reader, &source, err);
    return code == PDR_OK ? PDR_OK : pdr_fail_context(err, code, "%.150s", m->name);
}

static pdr_code watch(const importing *m, const char *doing, pdr_error *err)
{
    double share = m->size ? (double)pdr_export_reader_offset(m->reader) / (double)m->size : 1;
    pdr_cli_progress("%s: %.0f %% of %.150s, %.0f s left", doing, 100 * share, m->name,
                     pdr_cli_seconds_left(m->began_us, share));
    return pdr_stopped() ? pdr_fail(err, PDR_CANCELLED, "it was stopped") : PDR_OK;
}

/* --- first it is read as a whole, so that nothing is written of one that is damaged --- */

static pdr_code check_commit(importing *m, const pdr_exported_event *events, size_t count, pdr_error *err)
{
    uint64_t *seq;
    pdr_bytes entity = pdr_bytes_of(events[0].entity.data, events[0].entity.size);
    pdr_code code = pdr_seq_table_at(&m->entities, entity, &seq, err);
    if (code != PDR_OK) return code;
    if (events[0].seq != *seq + 1)
        return pdr_fail(err, PDR_BAD_DATA, "event %" PRIu64 " of %.*s comes after event %" PRIu64,
                        events[0].seq, (int)(entity.size < 200 ? entity.size : 200), events[0].entity.data,
                        *seq);
    *seq = events[count - 1].seq;
    return PDR_OK;
}

static pdr_code check_file(importing *m, pdr_error *err)
{
    const pdr_exported_event *events;
    size_t count = 1;
    pdr_code code = open_reader(m, err);
    m->began_us = pdr_mono_us();
    while (code == PDR_OK && count) {
        code = pdr_export_reader_next(m->reader, &events, &count, err);
        if (code == PDR_OK && count) code = check_commit(m, events, count, err);
        if (code == PDR_BAD_DATA) return pdr_fail_context(err, code, "%.150s", m->name);
        if (code == PDR_OK) code = watch(m, "checking", err);
    }
    return code;
}

/* --- then it is written --- */

static pdr_code open_target(importing *m, pdr_error *err)
{
    pdr_code code = pdr_loaded_app_open(&m->app, m->target.app, err);
    pdr_tool_spec spec = {.journal = m->target.journal,
                          .store = m->target.store,
                          .app = m->app.app,
                          .needs_store = true,
                          .stopped = pdr_stopped};
    return code == PDR_OK ? pdr_tool_open(&m->tool, &spec, err) : code;
}

static pdr_code write_all(importing *m, pdr_error *err)
{
    pdr_import_spec spec = {.target = m->tool, .book = pdr_export_reader_book(m->reader)};
    memcpy(spec.from, pdr_export_reader_journal(m->reader), sizeof spec.from);
    pdr_code code = pdr_import_open(&m->import, &spec, err);
    const pdr_exported_event *events;
    size_t count = 1;
    m->began_us = pdr_mono_us();
    while (code == PDR_OK && count) {
        code = pdr_export_reader_next(m->reader, &events, &count, err);
        if (code == PDR_OK && count) code = pdr_import_commit(m->import, events, count, err);
        if (code == PDR_OK) code = watch(m, "importing", err);
    }
    return pdr_import_settle(m->import, code, err);
}

static pdr_code work(importing *m, pdr_error *err)
{
    pdr_code code = open_file(m, err);
    if (code == PDR_OK) code = open_target(m, err);
    if (code == PDR_OK) code = check_file(m, err);
    if (code == PDR_OK) code = open_reader(m, err);
    return code == PDR_OK ? write_all(m, err) : code;
}

static int run(int argc, char **argv)
{
    importing m = {.json = false};
    const pdr_flag flags[] = {
        {PDR_FLAG_WORD, "FILE", NULL, "an exact export: perdure export made it", &m.name, 1, 0},
        PDR_JOURNAL_FLAG(m.target),
        PDR_STORE_FLAG(m.target),
        PDR_APP_FLAG(m.target),
        {PDR_FLAG_SWITCH, "--json", NULL, "one JSON object instead of text", &m.json, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_import, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_stop_on_signals();
    (void)signal(SIGXFSZ, SIG_IGN); /* a write tells instead */
    pdr_code code = work(&m, &err);
    if (m.import) pdr_import_counts_of(m.import, &m.counts);
    int result = pdr_import_report(&pdr_cli_import, &m.counts, m.json, m.app.app != NULL,
                                   "the same command goes on with it", code, &err);
    pdr_import_close(m.import);
    pdr_tool_close(m.tool);
    pdr_export_reader_close(m.reader);
    pdr_seq_table_release(&m.entities);
    pdr_loaded_app_close(&m.app);
    if (m.file) (void)fclose(m.file);
    return result;
}

const pdr_cli_command pdr_cli_import = {
    .name = "import",
    .summary = "an exact export, into an empty journal",
    .about =
        "Writes the same history into a journal that perdure init has made: same entities, seqs, commits, "
        "event times, command ids and replies, and each event's bytes and writer schema as they were. "
        "Offsets and terms are the new journal's own; the number of partitions is its own too.\n"
        "\n"
        "The whole file is checked before anything is written. An import that was stopped or killed goes on "
        "where the journal stands: run the same command again. A journal with other events is refused.\n"
        "\n"
        "  perdure init --journal sqlite:home.db\n"
        "  perdure import --journal sqlite:home.db --app ./libloans.so one.avro\n",
    .run = run};
