#include "cli/dlq_common.h"

#include <inttypes.h>

#include "cli/json.h"
#include "replay/moment.h"
#include "replay/tally.h"

typedef struct adding {
    pdr_project_tool *tool;
    const pdr_version_row *version;
    const char *entity;
    pdr_letter_list *list;
} adding;

static pdr_code take(void *context, const pdr_dead_letter *letter, pdr_error *err)
{
    adding *a = context;
    pdr_letter_list *list = a->list;
    pdr_arena *arena = &a->tool->arena;
    if (a->entity && !pdr_bytes_equal(letter->entity, pdr_bytes_of(a->entity, strlen(a->entity))))
        return PDR_OK;
    if (list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 64;
        pdr_letter *items = pdr_arena_alloc(arena, room * sizeof *items);
        if (!items) return pdr_fail(err, PDR_TOO_LARGE, "more than %zu dead letters", list->count);
        if (list->count) memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->room = room;
    }
    pdr_letter copy = {
        .letter = *letter, .projection = a->version->projection, .version = a->version->version};
    copy.letter.entity = pdr_arena_bytes(arena, letter->entity);
    copy.letter.reason = pdr_arena_string(arena, pdr_string_of(letter->reason)).data;
    if (!copy.letter.entity.data || !copy.letter.reason)
        return pdr_fail(err, PDR_TOO_LARGE, "more than %zu dead letters", list->count);
    list->items[list->count++] = copy;
    return PDR_OK;
}

/* From the last one to the first, and then which are an entity's first. */
static pdr_code count_later(pdr_letter_list *list, size_t from, pdr_error *err)
{
    pdr_tally entities;
    bool fits = true;
    pdr_tally_init(&entities, sizeof(size_t));
    for (size_t i = list->count; fits && i-- > from;) {
        size_t *seen = pdr_tally_of(&entities, list->items[i].letter.entity);
        fits = seen != NULL;
        if (seen) list->items[i].later = (*seen)++;
    }
    for (size_t i = from; fits && i < list->count; i++) {
        const size_t *all = pdr_tally_find(&entities, list->items[i].letter.entity);
        list->items[i].first = list->items[i].later + 1 == *all;
    }
    pdr_tally_release(&entities);
    return fits ? PDR_OK : pdr_fail(err, PDR_NOMEM, "%zu dead letters", list->count);
}

pdr_code pdr_dlq_add(pdr_project_tool *tool, const pdr_version_row *version, const char *entity,
                     pdr_letter_list *list, pdr_error *err)
{
    adding a = {tool, version, entity, list};
    size_t before = list->count;
    pdr_code code =
        tool->views->ops->dead_letters(tool->views, version->projection, version->version, -1, take, &a, err);
    return code == PDR_OK ? count_later(list, before, err) : code;
}

pdr_code pdr_dlq_put_time(pdr_buf *out, int64_t us)
{
    int64_t second = us / 1000000 - (us % 1000000 < 0);
    return pdr_moment_print(second * 1000000, out);
}

pdr_code pdr_dlq_put_json(pdr_buf *out, const pdr_letter *item)
{
    const pdr_dead_letter *letter = &item->letter;
    pdr_code code = pdr_buf_printf(out,
                                   "{\"projection\":\"%s\",\"version\":%" PRIu32
                                   ",\"partition\":%d,\"offset\":%" PRId64 ",\"entity\":",
                                   item->projection, item->version, (int)letter->partition, letter->offset);
    if (code == PDR_OK) code = pdr_json_text(out, letter->entity);
    if (code == PDR_OK)
        code = pdr_buf_printf(out, ",\"seq\":%" PRIu64 ",\"behind\":%s,\"attempts\":%d,\"first\":\"",
                              letter->seq, letter->behind ? "true" : "false", (int)letter->attempts);
    if (code == PDR_OK) code = pdr_dlq_put_time(out, letter->first_us);
    if (code == PDR_OK) code = pdr_buf_printf(out, "\",\"last\":\"");
    if (code == PDR_OK) code = pdr_dlq_put_time(out, letter->last_us);
    if (code == PDR_OK) code = pdr_buf_printf(out, "\",\"reason\":");
    if (code == PDR_OK) code = pdr_json_text(out, pdr_bytes_of(letter->reason, strlen(letter->reason)));
    return code == PDR_OK ? pdr_buf_printf(out, "}") : code;
}
