/* perdure schema register: new versions into the lock file, if they keep the rules. */
#include <inttypes.h>

#include "cli/common.h"
#include "cli/folder.h"
#include "cli/registry.h"
#include "cli/schema_rules.h"

typedef struct registering {
    pdr_words words;
    const char *rule_name;
    pdr_rules rules;
    bool json, kept;
    pdr_cli_folder folder;
    pdr_cli_registry registry;
} registering;

static bool is_new(const registering *r, const pdr_versioned *v)
{
    return !r->folder.lock || !pdr_lock_find(r->folder.lock, v->event, v->version);
}

static pdr_code check(registering *r, pdr_error *err)
{
    pdr_code code = PDR_OK;
    if (r->folder.lock) code = pdr_lock_check(r->folder.lock, r->folder.files, r->folder.path, err);
    for (size_t i = 0; i < pdr_schema_files_count(r->folder.files) && code == PDR_OK; i++)
        if (is_new(r, pdr_schema_files_at(r->folder.files, i)))
            code = pdr_rules_check(&r->kept, &r->rules, r->folder.files, i, err);
    return code;
}

static pdr_code write(const registering *r, pdr_error *err)
{
    char path[PDR_SCHEMA_MAX_PATH + 32];
    pdr_buf text = PDR_BUF_INIT(PDR_LOCK_MAX_TEXT);
    (void)snprintf(path, sizeof path, "%s/%s", r->folder.path, PDR_LOCK_NAME);
    pdr_code code = pdr_lock_write(r->folder.files, r->folder.path, &text, err);
    if (code == PDR_OK) code = pdr_cli_write_file(path, &text, err);
    pdr_buf_release(&text);
    return code;
}

static void report(const registering *r)
{
    size_t added = 0;
    for (size_t i = 0; i < pdr_schema_files_count(r->folder.files); i++) {
        const pdr_versioned *v = pdr_schema_files_at(r->folder.files, i);
        if (!is_new(r, v)) continue;
        if (r->json)
            printf("{\"event\":\"%s\",\"version\":%" PRIu32 ",\"fingerprint\":\"%016" PRIx64 "\"}\n",
                   v->event, v->version, v->fingerprint);
        else
            printf("registered: %s version %" PRIu32 "\n", v->event, v->version);
        added++;
    }
    if (added == 0 && !r->json) printf("nothing is new: " PDR_LOCK_NAME " has every version\n");
}

static int work(registering *r, pdr_error *err)
{
    pdr_code code = pdr_cli_folder_open(&r->folder, r->words.items[0], err);
    if (code == PDR_OK) code = check(r, err);
    if (code == PDR_OK && !r->kept) return PDR_EXIT_FAILED;
    if (code == PDR_OK && r->registry.url)
        code = pdr_cli_registry_put(&r->registry, r->folder.files, r->json, err);
    if (code == PDR_OK) code = write(r, err);
    if (code != PDR_OK) return pdr_cli_fail(&pdr_cli_schema_register, err);
    report(r);
    return PDR_EXIT_DONE;
}

static int run(int argc, char **argv)
{
    registering r = {.kept = true, .rules = {.to = stderr}};
    const pdr_flag flags[] = {
        {PDR_FLAG_WORDS, "FOLDER", NULL, NULL, &r.words, 1, 1},
        PDR_RULE_FLAG(r.rule_name, "none"),
        PDR_REGISTRY_FLAGS(r.registry),
        {PDR_FLAG_SWITCH, "--json", NULL, "one JSON object a line", &r.json, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_schema_register, flags, argc, argv);
    pdr_error err;
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    if (!pdr_rules_find(&r.rules, r.rule_name)) {
        (void)pdr_fail(&err, PDR_INVALID_ARGUMENT, "--rule %s: there is no such rule", r.rule_name);
        return pdr_cli_fail(&pdr_cli_schema_register, &err);
    }
    if (pdr_cli_registry_check(&r.registry, &err) != PDR_OK)
        return pdr_cli_fail(&pdr_cli_schema_register, &err);
    int exit_code = work(&r, &err);
    pdr_cli_folder_release(&r.folder);
    return exit_code;
}

const pdr_cli_command pdr_cli_schema_register = {
    .name = "schema register",
    .summary = "new versions of schemas into the lock file",
    .about =
        "Adds the versions in FOLDER that " PDR_LOCK_NAME
        " doesn't have: from then on the build refuses to see them\n"
        "changed or deleted. Nothing is added if one breaks the rule, if one that says readableByOlder "
        "can't be read\n"
        "by the version before it, or if a released one was changed. Run it before a version is first "
        "deployed.\n"
        "With --registry a schema registry gets every version first; if it refuses one, nothing is added "
        "to the lock file.\n"
        "\n"
        "  perdure schema register schemas/loan --rule BACKWARD\n",
    .run = run};
