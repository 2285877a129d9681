/* perdure snapshot list: which revisions of states the store has, and how many of each. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/order.h"
#include "cli/json.h"
#include "cli/snapshot_tool.h"

enum { MAX_GROUPS = 100000, MAX_NAME = 1024 };

/* The states of one type and revision; or, `none`, the entities of a type that have no state at all. */
typedef struct group {
    pdr_bytes type; /* in the arena */
    uint64_t revision, states, bytes, largest, behind;
    bool none;
} group;

typedef struct listing {
    pdr_snapshot_tool base;
    const char *type;
    group *groups;
    size_t count, capacity, last; /* last: the one that was found last */
    pdr_arena arena;
} listing;

/* --- counting --- */

static bool fits(const group *g, pdr_bytes type, const pdr_head *head)
{
    bool none = !head->state.data;
    return g->none == none && (none || g->revision == head->revision) && pdr_bytes_equal(g->type, type);
}

static pdr_code add_group(listing *l, pdr_bytes type, const pdr_head *head, pdr_error *err)
{
    if (l->count == l->capacity) {
        size_t capacity = l->capacity ? 2 * l->capacity : 16;
        group *grown = capacity <= MAX_GROUPS ? pdr_realloc(l->groups, capacity * sizeof *grown) : NULL;
        if (!grown) return pdr_fail(err, PDR_NOMEM, "%zu revisions", l->count);
        l->groups = grown;
        l->capacity = capacity;
    }
    group *g = &l->groups[l->count];
    *g = (group){
        .type = pdr_arena_bytes(&l->arena, type), .revision = head->revision, .none = !head->state.data};
    if (!g->type.data) return pdr_fail(err, PDR_NOMEM, "%zu revisions", l->count);
    l->last = l->count++;
    return PDR_OK;
}

static pdr_code count(void *context, int32_t partition, const pdr_head *head, pdr_error *err)
{
    (void)partition;
    listing *l = context;
    pdr_bytes type = pdr_snapshot_type(head->key);
    if (pdr_stopped()) return pdr_fail(err, PDR_CANCELLED, "stopped");
    if (l->type && !pdr_bytes_equal(type, pdr_bytes_of(l->type, strlen(l->type)))) return PDR_OK;
    if (l->last >= l->count || !fits(&l->groups[l->last], type, head)) {
        for (l->last = 0; l->last < l->count && !fits(&l->groups[l->last], type, head);)
            l->last++;
        pdr_code code = l->last < l->count ? PDR_OK : add_group(l, type, head, err);
        if (code != PDR_OK) return code;
    }
    group *g = &l->groups[l->last];
    g->states++;
    g->bytes += head->state.size;
    if (head->state.size > g->largest) g->largest = head->state.size;
    if (!g->none && head->state_seq < head->seq) g->behind++;
    return PDR_OK;
}

/* --- showing --- */

static pdr_code put_json(listing *l, const group *g, pdr_error *err)
{
    pdr_buf *line = pdr_out_line(l->base.out);
    pdr_snapshot_use use = pdr_snapshot_use_of(&l->base, g->type, g->revision);
    pdr_code code = pdr_buf_printf(line, "{\"type\":");
    if (code == PDR_OK) code = pdr_json_text(line, g->type);
    if (code == PDR_OK && g->none)
        code = pdr_buf_printf(line, ",\"revision\":null,\"entities\":%" PRIu64 "}", g->states);
    else if (code == PDR_OK)
        code = pdr_buf_printf(line,
                              ",\"revision\":\"%016" PRIx64 "\",\"use\":\"%s\",\"states\":%" PRIu64
                              ",\"bytes\":%" PRIu64 ",\"largest\":%" PRIu64 ",\"behind\":%" PRIu64 "}",
                              g->revision, pdr_snapshot_use_name(use), g->states, g->bytes, g->largest,
                              g->behind);
    return code == PDR_OK ? pdr_out_end(l->base.out, err) : pdr_fail(err, code, "the list");
}

static pdr_code put_text(listing *l, const group *g, pdr_error *err)
{
    static const pdr_colour colours[] = {PDR_COLOUR_GOOD, PDR_COLOUR_CHANGED, PDR_COLOUR_DIM,
                                         PDR_COLOUR_PLAIN};
    pdr_out *out = l->base.out;
    pdr_snapshot_use use = pdr_snapshot_use_of(&l->base, g->type, g->revision);
    pdr_code code = pdr_out_put(out, PDR_COLOUR_BOLD, "%.*s", (int)g->type.size, (const char *)g->type.data);
    if (code == PDR_OK && g->none) {
        code = pdr_out_put(out, PDR_COLOUR_PLAIN, "  %" PRIu64 " entities without a state", g->states);
        return code == PDR_OK ? pdr_out_end(out, err) : pdr_fail(err, code, "the list");
    }
    if (code == PDR_OK) code = pdr_out_put(out, PDR_COLOUR_PLAIN, "  %016" PRIx64 "  ", g->revision);
    if (code == PDR_OK && use != PDR_SNAPSHOT_UNKNOWN)
        code = pdr_out_put(out, colours[use], "%-15s  ", pdr_snapshot_use_name(use));
    if (code == PDR_OK)
        code =
            pdr_out_put(out, PDR_COLOUR_PLAIN, "%" PRIu64 " states, %" PRIu64 " bytes, the largest %" PRIu64,
                        g->states, g->bytes, g->largest);
    if (code == PDR_OK && g->behind)
        code = pdr_out_put(out, PDR_COLOUR_DIM, "; %" PRIu64 " behind their newest event", g->behind);
    return code == PDR_OK ? pdr_out_end(out, err) : pdr_fail(err, code, "the list");
}

static int by_type_and_revision(const void *a, const void *b)
{
    const group *x = a, *y = b;
    int order = pdr_bytes_order(x->type, y->type);
    if (order) return order;
    if (x->none != y->none) return x->none ? 1 : -1;
    return x->revision < y->revision ? -1 : x->revision > y->revision;
}

static pdr_code work(listing *l, pdr_error *err)
{
    pdr_store_meta meta;
    pdr_code code = pdr_snapshot_open(&l->base, err);
    if (code == PDR_OK) code = l->base.store->ops->meta(l->base.store, &meta, PDR_SNAPSHOT_TIMEOUT_MS, err);
    if (code == PDR_OK) pdr_stop_on_signals();
    if (code == PDR_OK) code = l->base.store->ops->dump(l->base.store, count, l, err);
    if (l->count) qsort(l->groups, l->count, sizeof *l->groups, by_type_and_revision);
    for (size_t i = 0; code == PDR_OK && i < l->count; i++)
        code = l->base.json ? put_json(l, &l->groups[i], err) : put_text(l, &l->groups[i], err);
    return code;
}

static int run(int argc, char **argv)
{
    listing l = {.arena = PDR_ARENA_INIT((size_t)MAX_GROUPS * MAX_NAME)};
    const pdr_flag flags[] = {
        {PDR_FLAG_TEXT, "--type", "TYPE", "entities of this type only", &l.type, 0, 0},
        PDR_SNAPSHOT_FLAGS(l.base),
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_snapshot_list, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_code code = work(&l, &err);
    pdr_free(l.groups);
    pdr_arena_release(&l.arena);
    return pdr_snapshot_end(&l.base, &pdr_cli_snapshot_list, code, &err);
}

const pdr_cli_command pdr_cli_snapshot_list = {
    .name = "snapshot list",
    .summary = "which revisions of states the store has, how many and how large",
    .about = "A state is what an entity's events come to, kept so that its history needn't be read each "
             "time. Each is of "
             "a revision: that of the code that made it. One line for each type and revision; with --app "
             "also what "
             "that application makes of it: today (its own), brought forward (by its state upcasters), or "
             "not used.\n"
             "\n"
             "  perdure snapshot list --type loan\n",
    .run = run};
