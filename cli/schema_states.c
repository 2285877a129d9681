/* Which of the store's snapshots today's code can use. */
#include "base/mem.h"
#include "cli/schema_check.h"
#include "journal/app.h"
#include "journal/fold.h"

typedef struct tally {
    pdr_snapshots *out;
    const pdr_app *app;
    pdr_folder **folders;
    pdr_arena arena;
    /* The entity whose states are being told, and the best that was seen of it. */
    uint8_t key[PDR_MAX_ENTITY_ID];
    size_t key_size;
    pdr_snapshot best;
} tally;

static const pdr_folder *folder_of(const tally *t, pdr_bytes key)
{
    size_t place = pdr_app_entity_of(t->app, key);
    return place == SIZE_MAX ? NULL : t->folders[place];
}

static bool is_read(const pdr_folder *folder, uint64_t revision)
{
    size_t count;
    const uint64_t *revisions = pdr_state_chain_revisions(pdr_folder_states(folder), &count);
    for (size_t i = 0; i < count; i++)
        if (revisions[i] == revision) return true;
    return false;
}

static pdr_snapshot judge(tally *t, const pdr_head *head)
{
    void *value;
    const pdr_folder *folder = folder_of(t, head->key);
    if (!folder) return PDR_SNAPSHOT_UNKNOWN;
    if (!head->state.data) return PDR_SNAPSHOT_NONE;
    if (!is_read(folder, head->revision)) return PDR_SNAPSHOT_OTHER;
    pdr_arena_clear(&t->arena);
    if (pdr_state_chain_read(pdr_folder_states(folder), head->revision, head->state, &t->arena, &value,
                             NULL) != PDR_OK)
        return PDR_SNAPSHOT_DAMAGED;
    return head->revision == pdr_folder_revision(folder) ? PDR_SNAPSHOT_FITS : PDR_SNAPSHOT_UPCAST;
}

/* All states of an entity come one after the other; the best one says what becomes of it. */
static pdr_code row(void *context, int32_t partition, const pdr_head *head, pdr_error *err)
{
    tally *t = context;
    (void)partition;
    if (head->key.size > sizeof t->key)
        return pdr_fail(err, PDR_CORRUPT, "the store has an entity id of %zu bytes", head->key.size);
    pdr_snapshot is = judge(t, head);
    bool same = t->out->entities && pdr_bytes_equal(head->key, pdr_bytes_of(t->key, t->key_size));
    if (same && is >= t->best) return PDR_OK;
    if (same) t->out->counts[t->best]--;
    if (!same) t->out->entities++;
    t->out->counts[is]++;
    t->best = is;
    t->key_size = head->key.size;
    memcpy(t->key, head->key.data, head->key.size);
    if (t->out->entities % 1024 == 0)
        pdr_cli_progress("checking snapshots: %llu entities", (unsigned long long)t->out->entities);
    return PDR_OK;
}

static pdr_code open_folders(tally *t, pdr_error *err)
{
    pdr_code code = PDR_OK;
    t->folders = pdr_calloc(t->app->entity_count + 1, sizeof(pdr_folder *));
    if (!t->folders) return pdr_fail(err, PDR_NOMEM, "%zu entity types", t->app->entity_count);
    for (size_t i = 0; code == PDR_OK && i < t->app->entity_count; i++)
        code = pdr_folder_open_tolerant(&t->folders[i], t->app->entities[i], NULL, err);
    return code;
}

pdr_code pdr_snapshots_count(pdr_snapshots *out, pdr_store *store, const pdr_app *app, pdr_error *err)
{
    tally t = {.out = out, .app = app, .arena = PDR_ARENA_INIT(PDR_MAX_STATE * (size_t)4)};
    *out = (pdr_snapshots){.looked = true};
    pdr_code code = open_folders(&t, err);
    if (code == PDR_OK) code = store->ops->dump(store, row, &t, err);
    for (size_t i = 0; t.folders && i < app->entity_count; i++)
        pdr_folder_close(t.folders[i]);
    pdr_free(t.folders);
    pdr_arena_release(&t.arena);
    return code;
}
