/* perdure dlq list: which events are parked, and why. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/dlq_common.h"
#include "cli/json.h"

enum { MAX_REPORT = 256 * 1024 * 1024 };

typedef struct listing {
    pdr_project_tool tool;
    const char *name, *entity; /* NULL: all */
    int64_t version;           /* 0: all */
    bool json;
} listing;

/* One line per entity: its first event and why; those behind it as a number. */
static pdr_code put_text(pdr_buf *out, const pdr_letter_list *list)
{
    size_t entities = 0;
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < list->count; i++) {
        const pdr_letter *item = &list->items[i];
        if (item->letter.behind) continue;
        entities++;
        code = pdr_buf_printf(
            out, "%s v%" PRIu32 " %.*s from seq %" PRIu64 " on, partition %d offset %" PRId64 ", ",
            item->projection, item->version, (int)item->letter.entity.size,
            (const char *)item->letter.entity.data, item->letter.seq, (int)item->letter.partition,
            item->letter.offset);
        if (code == PDR_OK)
            code = pdr_buf_printf(out, "%zu behind it, %d attempts, last ", item->later,
                                  (int)item->letter.attempts);
        if (code == PDR_OK) code = pdr_dlq_put_time(out, item->letter.last_us);
        if (code == PDR_OK) code = pdr_buf_printf(out, "\n  %s\n", item->letter.reason);
    }
    return code == PDR_OK ? pdr_buf_printf(out, "%zu parked events of %zu entities\n", list->count, entities)
                          : code;
}

static pdr_code put_json(pdr_buf *out, const pdr_letter_list *list)
{
    pdr_code code = pdr_buf_printf(out, "[");
    for (size_t i = 0; code == PDR_OK && i < list->count; i++) {
        if (i) code = pdr_buf_printf(out, ",\n ");
        if (code == PDR_OK) code = pdr_dlq_put_json(out, &list->items[i]);
    }
    return code == PDR_OK ? pdr_buf_printf(out, "]\n") : code;
}

static pdr_code gather(listing *l, pdr_letter_list *letters, pdr_error *err)
{
    pdr_version_list versions;
    const pdr_version_row *row;
    pdr_code code = pdr_tool_open_views(&l->tool, err);
    if (code == PDR_OK && l->version && !l->name)
        code = pdr_fail(err, PDR_INVALID_ARGUMENT, "--version needs a projection's NAME");
    if (code == PDR_OK) code = pdr_tool_versions(&l->tool, l->name, &versions, err);
    if (code == PDR_OK && l->version) code = pdr_version_pick(&versions, l->name, l->version, &row, err);
    for (size_t i = 0; code == PDR_OK && i < versions.count; i++)
        if (!l->version || versions.rows[i].version == (uint32_t)l->version)
            code = pdr_dlq_add(&l->tool, &versions.rows[i], l->entity, letters, err);
    return code;
}

static pdr_code work(listing *l, pdr_error *err)
{
    pdr_letter_list letters = {NULL, 0, 0};
    pdr_code code = gather(l, &letters, err);
    if (code != PDR_OK) return code;
    pdr_buf out = PDR_BUF_INIT(MAX_REPORT);
    pdr_code made = l->json ? put_json(&out, &letters) : put_text(&out, &letters);
    return pdr_cli_print_made(&out, made, "the list", err);
}

static int run(int argc, char **argv)
{
    listing l = {.name = NULL};
    const pdr_flag flags[] = {
        {PDR_FLAG_WORD, "[NAME]", NULL, "of this projection only", &l.name, 0, 0},
        {PDR_FLAG_NUMBER, "--version", "N", "of this version only; default all", &l.version, 1, UINT32_MAX},
        {PDR_FLAG_TEXT, "--entity", "ENTITY", "of this entity only: loan/173688", &l.entity, 0, 0},
        PDR_TOOL_FLAGS(l.tool),
        {PDR_FLAG_SWITCH, "--json", NULL, "a JSON array of all events instead of a line per entity", &l.json,
         0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_dlq_list, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_code code = work(&l, &err);
    pdr_tool_release(&l.tool);
    return code == PDR_OK ? PDR_EXIT_DONE : pdr_cli_fail(&pdr_cli_dlq_list, &err);
}

const pdr_cli_command pdr_cli_dlq_list = {.name = "dlq list",
                                          .summary = "events that could not be projected, and why",
                                          .about = "Parked events by projection and entity: where they lie "
                                                   "in the log, how often they were tried, why they "
                                                   "failed. All\n"
                                                   "later events of such an entity wait behind its first "
                                                   "one. Dead letters are places: the events are in "
                                                   "the log.\n"
                                                   "\n"
                                                   "  perdure dlq list applications\n",
                                          .run = run};
