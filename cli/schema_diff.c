/* perdure schema diff: what differs between two schemas, or in a folder since its last registration. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/common.h"
#include "cli/folder.h"
#include "cli/json.h"
#include "schemas/diff.h"

typedef struct differing {
    pdr_words words;
    bool json;
    /* of the version at hand, in a folder */
    const pdr_versioned *version;
    size_t unregistered;
} differing;

/* ---- changes ---- */

static pdr_code put(pdr_buf *line, const char *key, const char *text)
{
    pdr_code code = pdr_buf_printf(line, "\"%s\":", key);
    if (code != PDR_OK) return code;
    if (!text) return pdr_buf_printf(line, "null,");
    code = pdr_json_text(line, (pdr_bytes){(const uint8_t *)text, strlen(text)});
    return code == PDR_OK ? pdr_buf_printf(line, ",") : code;
}

static pdr_code change_json(const differing *d, const pdr_change *change, pdr_buf *line)
{
    pdr_code code = pdr_buf_printf(line, "{");
    if (code == PDR_OK && d->version) code = put(line, "event", d->version->event);
    if (code == PDR_OK && d->version)
        code = pdr_buf_printf(line, "\"version\":%" PRIu32 ",", d->version->version);
    if (code == PDR_OK) code = put(line, "path", change->path);
    if (code == PDR_OK) code = put(line, "change", pdr_change_name(change->kind));
    if (code == PDR_OK) code = put(line, "what", change->what);
    if (code == PDR_OK) code = put(line, "before", change->before);
    if (code == PDR_OK) code = put(line, "after", change->after);
    if (code != PDR_OK) return code;
    line->data[line->size - 1] = '}';
    return PDR_OK;
}

static pdr_code print_change(const differing *d, const pdr_change *change)
{
    pdr_buf line = PDR_BUF_INIT(PDR_SCHEMA_MAX_MEMORY);
    pdr_code code = d->json ? change_json(d, change, &line) : pdr_change_write(change, &line);
    if (code == PDR_OK)
        printf("%s%.*s\n", d->version && !d->json ? "  " : "", (int)line.size, (const char *)line.data);
    pdr_buf_release(&line);
    return code;
}

static pdr_code print_changes(const differing *d, const pdr_schema_diff *diff, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (const pdr_change *c = diff->first; c && code == PDR_OK; c = c->next)
        code = print_change(d, c);
    return code == PDR_OK ? PDR_OK : pdr_fail(err, code, "a change as text: %s", pdr_code_text(code));
}

/* ---- two files ---- */

static pdr_code compare_files(const differing *d, pdr_error *err)
{
    pdr_schema_set *sets[2] = {NULL, NULL};
    const pdr_schema *roots[2];
    pdr_schema_diff *diff = NULL;
    pdr_code code = PDR_OK;
    for (int i = 0; i < 2 && code == PDR_OK; i++)
        code = pdr_cli_read_alone(&sets[i], &roots[i], d->words.items[i], err);
    if (code == PDR_OK) code = pdr_schema_diff_open(&diff, roots[0], roots[1], err);
    if (code == PDR_OK) code = print_changes(d, diff, err);
    if (code == PDR_OK && diff->count == 0 && !d->json) printf("no difference\n");
    pdr_schema_diff_close(diff);
    pdr_schema_set_close(sets[0]);
    pdr_schema_set_close(sets[1]);
    return code;
}

/* ---- a folder ---- */

static void print_status(const differing *d, const char *event, uint32_t version, const char *status)
{
    if (d->json)
        printf("{\"event\":\"%s\",\"version\":%" PRIu32 ",\"status\":\"%s\"}\n", event, version, status);
    else
        printf("%s version %" PRIu32 ": %s\n", event, version, status);
}

static pdr_code compare(const differing *d, const char *status, const pdr_schema *before, pdr_error *err)
{
    pdr_schema_diff *diff;
    pdr_code code = pdr_schema_diff_open(&diff, before, d->version->root, err);
    if (code != PDR_OK) return code;
    if (diff->count || strcmp(status, "new") == 0) {
        print_status(d, d->version->event, d->version->version,
                     strcmp(status, "new") != 0 && diff->docs == diff->count ? "docs changed" : status);
        code = print_changes(d, diff, err);
    }
    pdr_schema_diff_close(diff);
    return code;
}

static pdr_code compare_version(differing *d, const pdr_cli_folder *folder, size_t index, pdr_error *err)
{
    const pdr_versioned *v = d->version = pdr_schema_files_at(folder->files, index);
    const pdr_lock_entry *released = folder->lock ? pdr_lock_find(folder->lock, v->event, v->version) : NULL;
    if (released) return compare(d, "changed", released->root, err);
    d->unregistered++;
    if (v->version > 1) return compare(d, "new", pdr_schema_files_at(folder->files, index - 1)->root, err);
    print_status(d, v->event, v->version, "new");
    return PDR_OK;
}

static bool is_there(const pdr_schema_files *files, const pdr_lock_entry *entry)
{
    for (size_t i = 0; i < pdr_schema_files_count(files); i++) {
        const pdr_versioned *v = pdr_schema_files_at(files, i);
        if (v->version == entry->version && strcmp(v->event, entry->event) == 0) return true;
    }
    return false;
}

static pdr_code compare_folder(differing *d, pdr_error *err)
{
    pdr_cli_folder folder = {.files = NULL};
    pdr_code code = pdr_cli_folder_open(&folder, d->words.items[0], err);
    for (size_t i = 0; code == PDR_OK && i < pdr_schema_files_count(folder.files); i++)
        code = compare_version(d, &folder, i, err);
    for (size_t i = 0; code == PDR_OK && folder.lock && i < pdr_lock_count(folder.lock); i++) {
        const pdr_lock_entry *entry = pdr_lock_at(folder.lock, i);
        if (!is_there(folder.files, entry)) print_status(d, entry->event, entry->version, "missing");
    }
    if (code == PDR_OK && d->unregistered && !d->json)
        printf("%zu new; `perdure schema register %s` adds what is new to " PDR_LOCK_NAME "\n",
               d->unregistered, folder.path);
    pdr_cli_folder_release(&folder);
    return code;
}

static int run(int argc, char **argv)
{
    differing d = {.version = NULL};
    const pdr_flag flags[] = {
        {PDR_FLAG_WORDS, "FOLDER|BEFORE AFTER", NULL, NULL, &d.words, 1, 2},
        {PDR_FLAG_SWITCH, "--json", NULL, "one JSON object a line", &d.json, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_schema_diff, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_code code = d.words.count == 1 ? compare_folder(&d, &err) : compare_files(&d, &err);
    return code == PDR_OK ? PDR_EXIT_DONE : pdr_cli_fail(&pdr_cli_schema_diff, &err);
}

const pdr_cli_command pdr_cli_schema_diff = {
    .name = "schema diff",
    .summary = "what differs between two schemas, or since they were registered",
    .about =
        "Of two files: every difference, defaults, logical types, aliases and docs included, with its path.\n"
        "Of a folder: what " PDR_LOCK_NAME " doesn't have yet, each against the version before it, and what "
        "isn't as\n"
        "it was registered. It judges nothing: `perdure schema compat` does. Exit code 0 also if there are\n"
        "differences.\n"
        "\n"
        "  perdure schema diff schemas/loan\n"
        "  perdure schema diff before.avsc after.avsc\n",
    .run = run};
