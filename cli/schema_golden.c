/* perdure schema golden: makes the payloads and results of versions that have none yet, or checks all. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "actors/golden.h"
#include "base/mem.h"
#include "cli/common.h"
#include "cli/folder.h"
#include "schemas/framing.h"
#include "schemas/sample.h"
#include "schemas/type.h"

enum { MAX_SCRATCH = 256 * 1024 * 1024 };

typedef struct golden {
    pdr_loaded_app app;
    const char *file; /* of the application */
    const char *out;
    bool check, force;
    pdr_folder *folder;
    const char *entity;
    pdr_arena scratch;
    pdr_buf payload, result;
    size_t payloads, results; /* made */
} golden;

static bool is_there(const char *path, const char *ending)
{
    char file[PDR_GOLDEN_PATH];
    struct stat found;
    (void)snprintf(file, sizeof file, "%.*s%s", PDR_GOLDEN_PATH - 8, path, ending);
    return stat(file, &found) == 0;
}

static pdr_code write_file(const char *path, const char *ending, const pdr_buf *text, pdr_error *err)
{
    char file[PDR_GOLDEN_PATH];
    (void)snprintf(file, sizeof file, "%.*s%s", PDR_GOLDEN_PATH - 8, path, ending);
    return pdr_cli_write_file(file, text, err);
}

static pdr_code sample(golden *g, const pdr_type *type, unsigned variant, pdr_error *err)
{
    pdr_arena_clear(&g->scratch);
    pdr_buf_clear(&g->payload);
    if (!type->layout)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "%s has no layout to make a payload from",
                        pdr_type_label_of(type).text);
    void *value = pdr_arena_alloc(&g->scratch, type->size);
    if (!value) return pdr_fail(err, PDR_NOMEM, "a sample value");
    pdr_code code = pdr_sample_fill(type->layout, variant, &g->scratch, value, err);
    if (code != PDR_OK) return code;
    code = pdr_frame_write(&g->payload, type->fingerprint);
    if (code != PDR_OK) return pdr_fail(err, code, "a payload");
    return type->encode(value, &g->payload, err);
}

/* The result of the payload that is in memory. */
static pdr_code make_result(golden *g, const char *path, pdr_error *err)
{
    pdr_buf_clear(&g->result);
    pdr_code code = pdr_golden_result(g->folder, pdr_buf_bytes(&g->payload), &g->scratch, &g->result, err);
    return code == PDR_OK ? code : pdr_fail_context(err, code, "%.150s.bin", path);
}

static pdr_code make_payload(golden *g, const pdr_type *type, unsigned number, const char *path,
                             pdr_error *err)
{
    pdr_code code = sample(g, type, number - 1, err);
    if (code == PDR_OK) code = make_result(g, path, err);
    if (code == PDR_OK) code = write_file(path, ".json", &g->result, err);
    if (code == PDR_OK) code = write_file(path, ".bin", &g->payload, err);
    if (code != PDR_OK) return code;
    printf("%s.bin\n", path);
    g->payloads++;
    g->results++;
    return PDR_OK;
}

static pdr_code redo_result(golden *g, const char *path, pdr_error *err)
{
    char file[PDR_GOLDEN_PATH];
    (void)snprintf(file, sizeof file, "%.*s.bin", PDR_GOLDEN_PATH - 8, path);
    pdr_buf_clear(&g->payload);
    pdr_code code = pdr_golden_read(file, &g->payload, err);
    if (code == PDR_OK) code = make_result(g, path, err);
    if (code == PDR_OK) code = write_file(path, ".json", &g->result, err);
    if (code != PDR_OK) return code;
    printf("%s.json\n", path);
    g->results++;
    return PDR_OK;
}

/* A version that has a payload keeps those that it has. */
static pdr_code make_version(golden *g, const pdr_type *type, pdr_error *err)
{
    char path[PDR_GOLDEN_PATH];
    pdr_code code = pdr_golden_path(path, g->out, g->entity, type, 1, err);
    if (code != PDR_OK) return code;
    bool fresh = !is_there(path, ".bin");
    unsigned variants = fresh && type->layout ? pdr_sample_variants(type->layout) : 1;
    for (unsigned number = 1; code == PDR_OK; number++) {
        code = pdr_golden_path(path, g->out, g->entity, type, number, err);
        if (code != PDR_OK || (fresh ? number > variants : !is_there(path, ".bin"))) break;
        if (fresh)
            code = make_payload(g, type, number, path, err);
        else if (g->force || !is_there(path, ".json"))
            code = redo_result(g, path, err);
    }
    return code;
}

static pdr_code make_folder(const char *path, pdr_error *err)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST) return PDR_OK;
    return pdr_fail_backend(err, PDR_FATAL, errno, "%.300s: %s", path, strerror(errno));
}

static pdr_code make_entity(golden *g, const pdr_entity_type *type, pdr_error *err)
{
    char path[PDR_GOLDEN_PATH];
    g->entity = type->name;
    (void)snprintf(path, sizeof path, "%.2000s/%.2000s", g->out, type->name);
    pdr_code code = make_folder(path, err);
    if (code == PDR_OK) code = pdr_folder_open(&g->folder, type, NULL, err);
    if (code != PDR_OK) return code;
    const pdr_chain *chain = pdr_folder_chain(g->folder);
    for (size_t i = 0; code == PDR_OK && i <= chain->mask; i++)
        if (chain->slots[i].type) code = make_version(g, chain->slots[i].type, err);
    pdr_folder_close(g->folder);
    return code;
}

static pdr_code make(golden *g, pdr_error *err)
{
    pdr_code code = make_folder(g->out, err);
    for (size_t i = 0; code == PDR_OK && i < g->app.app->entity_count; i++)
        code = make_entity(g, g->app.app->entities[i], err);
    if (code == PDR_OK) printf("%zu payloads and %zu results made\n", g->payloads, g->results);
    return code;
}

static pdr_code check(golden *g, pdr_error *err)
{
    size_t payloads;
    pdr_code code = pdr_golden_check(g->app.app, g->out, &payloads, err);
    if (code == PDR_OK) printf("%zu payloads are read as they were when they were frozen\n", payloads);
    return code;
}

static pdr_code work(golden *g, pdr_error *err)
{
    pdr_code code = pdr_loaded_app_open(&g->app, g->file, err);
    if (code == PDR_OK) code = pdr_loaded_app_needed(&g->app, err);
    if (code != PDR_OK) return code;
    return g->check ? check(g, err) : make(g, err);
}

static int run(int argc, char **argv)
{
    golden g = {.out = "golden",
                .scratch = PDR_ARENA_INIT(MAX_SCRATCH),
                .payload = PDR_BUF_INIT(2 * PDR_MAX_EVENT),
                .result = PDR_BUF_INIT(PDR_GOLDEN_MAX_FILE)};
    const pdr_flag flags[] = {
        {PDR_FLAG_TEXT, "--app", "FILE", "shared object of the application; default $PERDURE_APP", &g.file, 0,
         0},
        {PDR_FLAG_TEXT, "--out", "FOLDER", "where the corpus lies; default \"golden\"", &g.out, 0, 0},
        {PDR_FLAG_SWITCH, "--check", NULL, "make nothing; read every payload and compare", &g.check, 0, 0},
        {PDR_FLAG_SWITCH, "--force", NULL, "make results anew that are there; payloads are never touched",
         &g.force, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_schema_golden, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_code code = work(&g, &err);
    pdr_arena_release(&g.scratch);
    pdr_buf_release(&g.payload);
    pdr_buf_release(&g.result);
    pdr_loaded_app_close(&g.app);
    return code == PDR_OK ? PDR_EXIT_DONE : pdr_cli_fail(&pdr_cli_schema_golden, &err);
}

const pdr_cli_command pdr_cli_schema_golden = {
    .name = "schema golden",
    .summary = "a frozen payload of every version, and what it is read as",
    .about = "Makes what is missing: for each version of each event a payload or more, with sample values, "
             "and the\n"
             "events of today that it is read as. Commit them; pdr_test_upcasters and --check compare. What "
             "is there\n"
             "is never changed, but for results with --force: when an upcaster was changed on purpose.\n"
             "\n"
             "  perdure schema golden --app loans_app.so --out golden --check\n",
    .run = run};
