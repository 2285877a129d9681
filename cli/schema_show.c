/* perdure schema show: one schema, as JSON. */
#include <inttypes.h>
#include <stdlib.h>

#include "cli/json.h"
#include "cli/nearest.h"
#include "cli/schema_catalog.h"
#include "schemas/json.h"

enum { MAX_TEXT = 256 * 1024 * 1024, MAX_TREE = 256 * 1024 * 1024 };

typedef struct wanted {
    const char *text;
    pdr_string name;  /* data NULL: a fingerprint */
    uint32_t version; /* 0: the newest */
    uint64_t fingerprint;
} wanted;

/* "loans.OfferSent", "OfferSent@2", or 16 hexadecimal digits. */
static pdr_code parse(wanted *out, const char *text, pdr_error *err)
{
    *out = (wanted){.text = text};
    if (!text)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "which schema? a type, a type@version or a fingerprint");
    if (strlen(text) == 16 && strspn(text, "0123456789abcdefABCDEF") == 16) {
        out->fingerprint = strtoull(text, NULL, 16);
        return PDR_OK;
    }
    const char *at = strchr(text, '@');
    out->name = (pdr_string){text, at ? (size_t)(at - text) : strlen(text)};
    if (!at) return PDR_OK;
    size_t digits = strspn(at + 1, "0123456789");
    unsigned long version = digits && digits < 10 ? strtoul(at + 1, NULL, 10) : 0;
    if (at[1 + digits] || version == 0 || out->name.size == 0)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "\"%.200s\" is no type@version: a version is 1, 2, 3, ...",
                        text);
    out->version = (uint32_t)version;
    return PDR_OK;
}

static bool fits(const wanted *w, const pdr_schema_entry *entry)
{
    if (!w->name.data) return entry->fingerprint == w->fingerprint;
    return entry->name && pdr_is_named(entry->name, w->name) && (!w->version || entry->version == w->version);
}

/* The newest that fits. Two types of one short name are a question back. */
static pdr_code choose(const pdr_schema_catalog *c, const wanted *w, const pdr_schema_entry **out,
                       pdr_error *err)
{
    const pdr_schema_entry *found = NULL;
    for (size_t i = 0; i < c->count; i++) {
        const pdr_schema_entry *entry = &c->entries[i];
        if (!fits(w, entry)) continue;
        if (found && w->name.data && strcmp(found->name, entry->name) != 0)
            return pdr_fail(err, PDR_INVALID_ARGUMENT, "\"%.100s\" is %.100s or %.100s: give the full name",
                            w->text, found->name, entry->name);
        if (!found || entry->version > found->version) found = entry;
    }
    *out = found;
    if (found) return PDR_OK;
    return pdr_fail(err, PDR_NOT_FOUND, "nothing that is given has a schema %.200s", w->text);
}

/* A log may hold what is no schema: then its bytes as they are. */
static pdr_code pretty(const pdr_schema_entry *entry, pdr_buf *out, pdr_error *err)
{
    pdr_arena arena = PDR_ARENA_INIT(MAX_TREE);
    pdr_json *json;
    pdr_code code = pdr_json_parse(&json, &arena, "schema", pdr_string_of(entry->json), NULL);
    if (code == PDR_OK)
        code = pdr_json_pretty(out, json);
    else if (code != PDR_NOMEM)
        code = pdr_buf_printf(out, "%s\n", entry->json);
    pdr_arena_release(&arena);
    return code == PDR_OK ? code : pdr_fail(err, code, "the schema's text");
}

static pdr_code work(const pdr_target *target, const wanted *w, pdr_error *err)
{
    pdr_schema_catalog catalog;
    const pdr_schema_entry *entry = NULL;
    pdr_buf out = PDR_BUF_INIT(MAX_TEXT);
    pdr_code code = pdr_schema_catalog_open(&catalog, target, err);
    if (code == PDR_OK) code = choose(&catalog, w, &entry, err);
    if (code == PDR_OK) code = pretty(entry, &out, err);
    if (code == PDR_OK) code = pdr_cli_print(&out, err);
    pdr_buf_release(&out);
    pdr_schema_catalog_release(&catalog);
    return code;
}

static int run(int argc, char **argv)
{
    pdr_target target = {NULL, NULL, NULL};
    const char *which = NULL;
    wanted w;
    const pdr_flag flags[] = {
        {PDR_FLAG_WORD, "SCHEMA", NULL,
         "loans.OfferSent, OfferSent@2, or a fingerprint of 16 hexadecimal digits", &which, 0, 0},
        PDR_APP_FLAG(target),
        {PDR_FLAG_TEXT, "--store", "URL", "look in this store's table as well", &target.store, 0, 0},
        {PDR_FLAG_TEXT, "--journal", "URL", "look in this log, which is read whole, as well", &target.journal,
         0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_schema_show, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_code code = parse(&w, which, &err);
    if (code == PDR_OK) code = work(&target, &w, &err);
    return code == PDR_OK ? PDR_EXIT_DONE : pdr_cli_fail(&pdr_cli_schema_show, &err);
}

const pdr_cli_command pdr_cli_schema_show = {
    .name = "schema show",
    .summary = "one schema as JSON",
    .about = "The schema as it stands in the application, else in the log or the store's table. A type "
             "without a version\n"
             "means its newest one.\n"
             "\n"
             "  perdure schema show OfferSent@2 --app loans_app.so\n",
    .run = run};
