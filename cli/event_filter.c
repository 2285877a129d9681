#include "cli/event_filter.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/order.h"
#include "cli/common.h"
#include "cli/help.h"
#include "cli/nearest.h"
#include "journal/schema_load.h"
#include "replay/moment.h"
#include "replay/where.h"

enum { MAX_JSON = 256 * 1024 * 1024, LOAD_TIMEOUT_MS = 30000 };

/* --- what the flags say --- */

static pdr_code read_time(const char *flag, const char *text, int64_t now_us, int64_t *us, pdr_error *err)
{
    if (!text) return PDR_OK;
    pdr_code code = pdr_moment_parse(text, now_us, false, us, err);
    return code == PDR_OK ? PDR_OK : pdr_fail_context(err, code, "%s", flag);
}

pdr_code pdr_event_wish_read(pdr_event_wish *wish, pdr_error *err)
{
    int64_t now_us = pdr_wall_us();
    wish->since_us = INT64_MIN;
    wish->until_us = INT64_MAX;
    pdr_code code = read_time("--since", wish->since, now_us, &wish->since_us, err);
    if (code == PDR_OK) code = read_time("--until", wish->until, now_us, &wish->until_us, err);
    if (code == PDR_OK && wish->since_us > wish->until_us)
        code = pdr_fail(err, PDR_INVALID_ARGUMENT, "--since %.60s is later than --until %.60s", wish->since,
                        wish->until);
    return code;
}

bool pdr_event_wish_has(const pdr_event_wish *wish, const pdr_commit_event *event)
{
    int64_t at = event->header->time_us;
    if (at < wish->since_us || at > wish->until_us) return false;
    if (!wish->entity) return true;
    return pdr_bytes_begin_with(event->record->entry.key, pdr_bytes_of(wish->entity, strlen(wish->entity)));
}

static bool wants_type(const pdr_event_wish *wish, const char *type)
{
    for (int i = 0; i < wish->types.count; i++)
        if (type && pdr_is_named(type, pdr_string_of(wish->types.items[i]))) return true;
    return wish->types.count == 0;
}

/* --- types that there are --- */

typedef struct type_search {
    const char *name;
    bool found;
    pdr_nearest nearest;
} type_search;

static void look_at(type_search *search, const char *type)
{
    const char *dot = strrchr(type, '.');
    search->found |= pdr_is_named(type, pdr_string_of(search->name));
    pdr_nearest_offer(&search->nearest, type);
    if (dot && !strchr(search->name, '.')) pdr_nearest_offer(&search->nearest, dot + 1);
}

static void search_app(type_search *search, const pdr_app *app)
{
    for (size_t i = 0; app && i < app->entity_count; i++)
        for (size_t k = 0; k < app->entities[i]->event_count; k++)
            look_at(search, app->entities[i]->events[k]->name);
}

static void search_book(type_search *search, const pdr_schema_book *book)
{
    for (size_t i = 0; i < pdr_schema_book_count(book); i++) {
        pdr_string name = pdr_schema_book_name(book, pdr_schema_book_at(book, i));
        if (name.data) look_at(search, name.data);
    }
}

static pdr_code check_types(const pdr_event_wish *wish, pdr_tool *tool, pdr_error *err)
{
    for (int i = 0; i < wish->types.count; i++) {
        type_search search = {.name = wish->types.items[i], .nearest = {.wanted = wish->types.items[i]}};
        search_app(&search, pdr_tool_app(tool));
        search_book(&search, pdr_tool_book(tool));
        if (search.found) continue;
        const char *near = search.nearest.found;
        return pdr_fail(err, PDR_NOT_FOUND, "no event type is called %.100s%s%.100s%s", search.name,
                        near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    }
    return PDR_OK;
}

pdr_code pdr_event_wish_check(const pdr_event_wish *wish, pdr_tool *tool, pdr_error *err)
{
    pdr_code code = check_types(wish, tool, err);
    if (code != PDR_NOT_FOUND) return code;
    pdr_store *store = pdr_tool_store(tool);
    if (store) {
        code = pdr_schema_book_load(pdr_tool_book(tool), store, LOAD_TIMEOUT_MS, err);
        if (code == PDR_OK) code = check_types(wish, tool, err);
    }
    return code == PDR_NOT_FOUND && !pdr_tool_app(tool) ? PDR_OK : code;
}

pdr_code pdr_event_wish_met(const pdr_event_wish *wish, pdr_tool *tool, pdr_error *err)
{
    return check_types(wish, tool, err);
}

/* --- what went wrong --- */

static bool is_before(const pdr_event_trouble *a, const pdr_event_trouble *b)
{
    return a->partition != b->partition ? a->partition < b->partition : a->offset < b->offset;
}

void pdr_event_trouble_add(pdr_event_trouble *into, const pdr_event_trouble *trouble)
{
    uint64_t count = into->count + trouble->count;
    if (trouble->count && (!into->count || is_before(trouble, into))) *into = *trouble;
    into->count = count;
}

void pdr_event_trouble_note(pdr_event_trouble *trouble, int32_t partition, const pdr_commit_event *event,
                            const char *why)
{
    pdr_bytes key = event->record->entry.key;
    pdr_event_trouble one = {
        .count = 1, .partition = partition, .offset = event->record->offset, .seq = event->header->seq};
    if (trouble->count && !is_before(&one, trouble)) {
        trouble->count++;
        return;
    }
    snprintf(one.entity, sizeof one.entity, "%.*s", (int)key.size, (const char *)key.data);
    snprintf(one.why, sizeof one.why, "%s", why);
    pdr_event_trouble_add(trouble, &one);
}

void pdr_event_trouble_tell(const pdr_event_trouble *trouble, const pdr_cli_command *command,
                            const char *what)
{
    if (!trouble->count) return;
    pdr_cli_progress_end();
    fprintf(stderr,
            "%s %s: %s %" PRIu64 " %s; the first is %s, seq %" PRIu64 " (partition %d, offset %" PRId64
            "): %s\n",
            pdr_cli_program(), command->name, what, trouble->count, trouble->count == 1 ? "event" : "events",
            trouble->entity, trouble->seq, (int)trouble->partition, trouble->offset, trouble->why);
}

/* --- an event's way through --- */

pdr_code pdr_event_filter_init(pdr_event_filter *filter, const pdr_event_wish *wish, pdr_error *err)
{
    memset(filter, 0, sizeof *filter);
    filter->wish = wish;
    filter->json = (pdr_buf)PDR_BUF_INIT(MAX_JSON);
    pdr_event_lines_init(&filter->lines);
    if (!wish->where) return PDR_OK;
    pdr_code code = pdr_where_open(&filter->where, wish->where, err);
    return code == PDR_OK ? PDR_OK : pdr_fail_context(err, code, "--where");
}

void pdr_event_filter_release(pdr_event_filter *filter)
{
    if (!filter->wish) return;
    pdr_where_close(filter->where);
    pdr_event_lines_release(&filter->lines);
    pdr_buf_release(&filter->json);
}

static pdr_code where_holds(pdr_event_filter *f, const pdr_event_line *line, bool *holds, pdr_error *err)
{
    *holds = true;
    if (!f->where) return PDR_OK;
    pdr_error why;
    pdr_buf_clear(&f->json);
    pdr_code code = pdr_event_line_json(line, &f->json);
    if (code != PDR_OK) return pdr_fail(err, code, "an event's JSON");
    code = pdr_where_holds(f->where, pdr_buf_bytes(&f->json), holds, &why);
    if (code == PDR_OK) return PDR_OK;
    if (code != PDR_BAD_DATA) {
        if (err) *err = why;
        return code;
    }
    pdr_commit_event event = {line->record, line->header};
    pdr_event_trouble_note(&f->failed, line->partition, &event, why.message);
    return PDR_OK;
}

pdr_code pdr_event_filter_take(pdr_event_filter *filter, int32_t partition, const pdr_commit_event *event,
                               pdr_error *err)
{
    filter->found_count = 0;
    if (!pdr_event_wish_has(filter->wish, event)) return PDR_OK;
    pdr_event_lines *lines = &filter->lines;
    pdr_code code = pdr_event_lines_read(lines, filter->tool, partition, event->record, event->header, err);
    for (size_t i = 0; code == PDR_OK && i < lines->count; i++) {
        const pdr_event_line *line = &lines->items[i];
        bool holds;
        if (line->problem) pdr_event_trouble_note(&filter->unreadable, partition, event, line->problem);
        if (!wants_type(filter->wish, line->type)) continue;
        code = where_holds(filter, line, &holds, err);
        if (code == PDR_OK && holds) filter->found[filter->found_count++] = line;
    }
    return code;
}
