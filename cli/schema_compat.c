/* perdure schema compat: do new versions keep a rule of compatibility? */
#include "base/mem.h"
#include "cli/common.h"
#include "cli/folder.h"
#include "cli/schema_rules.h"

enum { MAX_WORDS = 1024 };

typedef struct compat {
    pdr_words words;
    const char *rule_name;
    pdr_rules rules;
    bool all, kept;
    size_t checked;
} compat;

static pdr_code check_folder(compat *c, const pdr_cli_folder *folder, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; i < pdr_schema_files_count(folder->files) && code == PDR_OK; i++) {
        const pdr_versioned *v = pdr_schema_files_at(folder->files, i);
        if (!c->all && folder->lock && pdr_lock_find(folder->lock, v->event, v->version)) continue;
        code = pdr_rules_check(&c->kept, &c->rules, folder->files, i, err);
        c->checked++;
    }
    return code;
}

static pdr_code check_folders(compat *c, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (int i = 0; i < c->words.count && code == PDR_OK; i++) {
        pdr_cli_folder folder = {.files = NULL};
        code = pdr_cli_folder_open(&folder, c->words.items[i], err);
        if (code == PDR_OK) code = check_folder(c, &folder, err);
        pdr_cli_folder_release(&folder);
    }
    if (code == PDR_OK && c->checked == 0 && !c->rules.json)
        printf("nothing is new: " PDR_LOCK_NAME " has every version; --all checks these too\n");
    return code;
}

/* Each file against those before it on the command line. */
static pdr_code check_files(compat *c, pdr_error *err)
{
    size_t count = (size_t)c->words.count;
    pdr_schema_set **sets = pdr_calloc(count, sizeof *sets);
    const pdr_schema **roots = pdr_calloc(count, sizeof *roots);
    pdr_code code = sets && roots ? PDR_OK : pdr_fail(err, PDR_NOMEM, "out of memory for %zu schemas", count);
    for (size_t i = 0; i < count && code == PDR_OK; i++) {
        code = pdr_cli_read_alone(&sets[i], &roots[i], c->words.items[i], err);
        if (code == PDR_OK && i > 0)
            code = pdr_rules_check_roots(&c->kept, &c->rules, roots, (const char *const *)c->words.items,
                                         i + 1, err);
    }
    for (size_t i = 0; sets && i < count; i++)
        pdr_schema_set_close(sets[i]);
    pdr_free(sets);
    pdr_free(roots);
    return code;
}

static pdr_code work(compat *c, pdr_error *err)
{
    int folders = 0;
    for (int i = 0; i < c->words.count; i++)
        folders += pdr_cli_is_folder(c->words.items[i]);
    if (folders == c->words.count) return check_folders(c, err);
    if (folders) return pdr_fail(err, PDR_INVALID_ARGUMENT, "folders and files can't be mixed");
    if (c->words.count == 1)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "%s is one file: name an older one before it, or a folder",
                        c->words.items[0]);
    return check_files(c, err);
}

static int run(int argc, char **argv)
{
    compat c = {.rule_name = "BACKWARD", .kept = true, .rules = {.verbose = true, .to = stdout}};
    const pdr_flag flags[] = {
        {PDR_FLAG_WORDS, "FOLDER...|FILE...", NULL, NULL, &c.words, 1, MAX_WORDS},
        PDR_RULE_FLAG(c.rule_name, "BACKWARD"),
        {PDR_FLAG_SWITCH, "--all", NULL, "versions that " PDR_LOCK_NAME " has as well", &c.all, 0, 0},
        {PDR_FLAG_SWITCH, "--json", NULL, "one JSON object a line", &c.rules.json, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_schema_compat, flags, argc, argv);
    pdr_error err;
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    if (!pdr_rules_find(&c.rules, c.rule_name)) {
        (void)pdr_fail(&err, PDR_INVALID_ARGUMENT, "--rule %s: there is no such rule", c.rule_name);
        return pdr_cli_fail(&pdr_cli_schema_compat, &err);
    }
    pdr_code code = work(&c, &err);
    if (code != PDR_OK) return pdr_cli_fail(&pdr_cli_schema_compat, &err);
    return c.kept ? PDR_EXIT_DONE : PDR_EXIT_FAILED;
}

const pdr_cli_command pdr_cli_schema_compat = {
    .name = "schema compat",
    .summary = "do new versions of schemas keep a rule of compatibility?",
    .about =
        "In a folder: each version that " PDR_LOCK_NAME
        " doesn't have is checked against the one before it, with\n"
        "_TRANSITIVE against all before it. One that says readableByOlder must be readable by the one before "
        "it,\n"
        "whatever the rule. Files are checked in the order in which they are given, oldest first.\n"
        "Exit code 1: a rule is broken; each problem is told with its path inside the schema that reads.\n"
        "\n"
        "  perdure schema compat schemas/loan --rule FULL\n"
        "  perdure schema compat before.avsc after.avsc\n",
    .run = run};
