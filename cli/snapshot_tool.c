#include "cli/snapshot_tool.h"

#include <stdlib.h>

#include "base/mem.h"
#include "journal/app.h"

pdr_code pdr_snapshot_open(pdr_snapshot_tool *t, pdr_error *err)
{
    pdr_code code = pdr_out_open(&t->out, t->json, err);
    if (code == PDR_OK) code = pdr_loaded_app_open_tolerant(&t->app, t->target.app, err);
    if (code != PDR_OK) return code;
    size_t count = t->app.app ? t->app.app->entity_count : 0;
    t->folders = pdr_calloc(count + 1, sizeof(pdr_folder *));
    if (!t->folders) return pdr_fail(err, PDR_NOMEM, "%zu entity types", count);
    for (size_t i = 0; code == PDR_OK && i < count; i++)
        code = pdr_folder_open_tolerant(&t->folders[i], t->app.app->entities[i], NULL, err);
    if (code == PDR_OK) code = pdr_target_open_store(&t->target, &t->store, err);
    return code;
}

int pdr_snapshot_end(pdr_snapshot_tool *t, const pdr_cli_command *what, pdr_code code, pdr_error *err)
{
    code = pdr_out_close(t->out, code, err);
    if (t->store) t->store->ops->close(t->store);
    for (size_t i = 0; t->folders && t->folders[i]; i++)
        pdr_folder_close(t->folders[i]);
    pdr_free(t->folders);
    pdr_loaded_app_close(&t->app);
    return code == PDR_OK ? PDR_EXIT_DONE : pdr_cli_fail(what, err);
}

pdr_bytes pdr_snapshot_type(pdr_bytes key)
{
    const uint8_t *slash = key.size ? memchr(key.data, '/', key.size) : NULL;
    return pdr_bytes_of(key.data, slash ? (size_t)(slash - key.data) : key.size);
}

const pdr_folder *pdr_snapshot_folder(const pdr_snapshot_tool *t, pdr_bytes type)
{
    size_t place = pdr_app_entity_of(t->app.app, type);
    return place == SIZE_MAX ? NULL : t->folders[place];
}

pdr_snapshot_use pdr_snapshot_use_of(const pdr_snapshot_tool *t, pdr_bytes type, uint64_t revision)
{
    if (!t->app.app) return PDR_SNAPSHOT_UNKNOWN;
    const pdr_folder *folder = pdr_snapshot_folder(t, type);
    if (!folder) return PDR_SNAPSHOT_UNUSED;
    size_t count;
    const uint64_t *revisions = pdr_state_chain_revisions(pdr_folder_states(folder), &count);
    if (revision == pdr_folder_revision(folder)) return PDR_SNAPSHOT_OF_TODAY;
    for (size_t i = 0; i < count; i++)
        if (revisions[i] == revision) return PDR_SNAPSHOT_BROUGHT_FORWARD;
    return PDR_SNAPSHOT_UNUSED;
}

const char *pdr_snapshot_use_name(pdr_snapshot_use use)
{
    static const char *const names[] = {"today", "brought forward", "not used", "unknown"};
    return names[use];
}

pdr_code pdr_snapshot_revision(const char *flag, const char *text, uint64_t *revision, pdr_error *err)
{
    size_t size = strlen(text);
    if (size == 0 || size > 16 || strspn(text, "0123456789abcdefABCDEF") != size)
        return pdr_fail(
            err, PDR_INVALID_ARGUMENT,
            "%s %.40s: a revision is 1 to 16 hexadecimal digits; `perdure snapshot list` shows them", flag,
            text);
    *revision = strtoull(text, NULL, 16);
    return PDR_OK;
}
