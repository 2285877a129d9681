/* perdure bisect: the first event after which an entity's state is so. */
#include <inttypes.h>

#include "cli/bisect_codes.h"
#include "cli/commands.h"
#include "cli/entity_command.h"
#include "cli/state_changes.h"
#include "replay/where.h"

typedef struct bisect {
    pdr_entity_command base;
    const char *filter;
    pdr_texts apps;
    pdr_where *where;
    pdr_folding folding;
    pdr_state_pair pair;
    bool found;
} bisect;

/* --- looking for it --- */

static pdr_code holds(bisect *b, bool *so, pdr_error *err)
{
    pdr_error why;
    pdr_code code = pdr_where_holds(b->where, pdr_buf_bytes(&b->pair.after), so, &why);
    if (code == PDR_BAD_DATA)
        return pdr_fail(err, PDR_INVALID_ARGUMENT,
                        "--where fails on the state after event %" PRIu64 ": %.300s", b->folding.seq,
                        why.message);
    if (code != PDR_OK && err) *err = why;
    return code;
}

static pdr_code take(void *context, const pdr_story_event *event, pdr_error *err)
{
    bisect *b = context;
    pdr_code code = pdr_folding_take(&b->folding, event, err);
    if (code == PDR_OK) code = pdr_state_pair_next(&b->pair, &b->folding, err);
    if (code == PDR_OK) code = holds(b, &b->found, err);
    if (code != PDR_OK || !b->found) return code;
    pdr_changed changed = {.tool = b->base.tool,
                           .partition = event->partition,
                           .record = event->record,
                           .header = event->header,
                           .events = &b->folding.events,
                           .pair = &b->pair};
    code = pdr_changed_put(&changed, b->base.out, err);
    return code == PDR_OK ? PDR_CANCELLED : code; /* that is all */
}

static pdr_code look(bisect *b, pdr_error *err)
{
    pdr_story_told told;
    pdr_story_spec spec = {
        .entity = pdr_entity_command_id(&b->base), .to_seq = UINT64_MAX, .event = take, .context = b};
    pdr_code code = pdr_state_pair_next(&b->pair, &b->folding, err);
    if (code == PDR_OK) code = pdr_entity_command_story(&b->base, &spec, &told, err);
    if (code != PDR_OK || b->found) return code;
    if (told.newest_seq == 0) return pdr_entity_command_unknown(&b->base, err);
    return pdr_fail(err, PDR_NOT_FOUND, "it holds after none of the %" PRIu64 " events of %.150s",
                    told.newest_seq, b->base.entity);
}

/* --- the command --- */

static pdr_code work(bisect *b, pdr_error *err)
{
    if (b->apps.count == 2 && !b->filter)
        return pdr_bisect_codes(&pdr_cli_bisect, &b->base, b->apps.items[0], err);
    if (b->apps.count == 2)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "give one --app with --where, or two without");
    if (!b->base.entity || !b->filter)
        return pdr_fail(
            err, PDR_INVALID_ARGUMENT,
            "give ENTITY and --where FILTER, what the state is to be like; or --app OLD --app NEW, "
            "two versions of the code");
    pdr_code code = pdr_where_open(&b->where, b->filter, err);
    if (code == PDR_OK) code = pdr_entity_command_open(&b->base, true, err);
    if (code == PDR_OK)
        code = pdr_folding_init(&b->folding, b->base.tool, pdr_entity_command_id(&b->base), err);
    return code == PDR_OK ? look(b, err) : code;
}

static int run(int argc, char **argv)
{
    bisect b = {.found = false};
    const pdr_flag flags[] = {
        {PDR_FLAG_WORD, "[ENTITY]", NULL, "", &b.base.entity, 0, 0},
        PDR_JOURNAL_FLAG(b.base.target),
        PDR_STORE_FLAG(b.base.target),
        {PDR_FLAG_TEXTS, "--app", "FILE",
         "shared object of the application; default $PERDURE_APP. Two: the older version, then the newer",
         &b.apps, 0, 2},
        {PDR_FLAG_TEXT, "--where", "FILTER", "what the state is to be like, in jq's language", &b.filter, 0,
         0},
        {PDR_FLAG_SWITCH, "--json", NULL, "JSON, one object a line", &b.base.json, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_bisect, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    if (b.apps.count) b.base.target.app = b.apps.items[b.apps.count - 1];
    pdr_state_pair_init(&b.pair);
    pdr_code code = work(&b, &err);
    pdr_where_close(b.where);
    pdr_state_pair_release(&b.pair);
    pdr_folding_release(&b.folding);
    return pdr_entity_command_end(&b.base, &pdr_cli_bisect, code, &err);
}

const pdr_cli_command pdr_cli_bisect = {
    .name = "bisect",
    .summary = "the first event after which a state is so, or two versions disagree",
    .about =
        "Folds the entity's events with today's code and stops at the first one after which the filter holds "
        "over the state: that event, and what it changed. The filter is in jq's language; it holds if the "
        "first thing that it gives is neither false nor null. Exit code 1: it holds after none.\n"
        "\n"
        "  perdure bisect loan/173688 --where '.status == \"DECLINED\"'\n"
        "  perdure bisect loan/173688 --where '.offers | length > 1'\n"
        "\n"
        "With two applications, the older first, it is the first event after which their states of the "
        "entity "
        "differ, or at which one of them fails; without ENTITY the earliest of all entities. Exit code 1: "
        "they "
        "agree.\n"
        "\n"
        "  perdure bisect loan/173688 --app old.so --app new.so\n",
    .run = run};
