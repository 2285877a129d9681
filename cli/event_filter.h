/* Which events a command shows: the flags --type, --entity, --since, --until and --where, and an event's way
 * through them. */
#ifndef PDR_CLI_EVENT_FILTER_H
#define PDR_CLI_EVENT_FILTER_H

#include "cli/event_line.h"
#include "cli/flags.h"
#include "journal/commit_reader.h"

/* As the flags have it; zeroed first. */
typedef struct pdr_event_wish {
    pdr_texts types;
    const char *entity, *where, *since, *until; /* NULL: not given */
    /* Of pdr_event_wish_read. */
    int64_t since_us, until_us;
} pdr_event_wish;

#define PDR_EVENT_TYPE_FLAG(w)                                                                               \
    {                                                                                                        \
        PDR_FLAG_TEXTS, "--type", "NAME",                                                                    \
            "only events of this type: loans.OfferSent, or OfferSent; may be given several times",           \
            &(w).types, 0, PDR_MAX_TEXTS                                                                     \
    }
#define PDR_EVENT_ENTITY_FLAG(w)                                                                             \
    {                                                                                                        \
        PDR_FLAG_TEXT, "--entity", "PREFIX", "only entities whose ids begin so", &(w).entity, 0, 0           \
    }
#define PDR_EVENT_WHERE_FLAG(w)                                                                              \
    {                                                                                                        \
        PDR_FLAG_TEXT, "--where", "FILTER",                                                                  \
            "only events for which this holds, in jq's language, over the object that --json prints",        \
            &(w).where, 0, 0                                                                                 \
    }
#define PDR_EVENT_SINCE_FLAG(w)                                                                              \
    {                                                                                                        \
        PDR_FLAG_TEXT, "--since", "TIME",                                                                    \
            "only events of this time or later: 2011-10-01, 2011-10-01T12:30, @SECONDS, or 2h, 3d ago",      \
            &(w).since, 0, 0                                                                                 \
    }
#define PDR_EVENT_UNTIL_FLAG(w)                                                                              \
    {                                                                                                        \
        PDR_FLAG_TEXT, "--until", "TIME", "only events of this time or earlier", &(w).until, 0, 0            \
    }

/* Read its times. PDR_INVALID_ARGUMENT. */
PDR_CHECKED pdr_code pdr_event_wish_read(pdr_event_wish *wish, pdr_error *err);
/* Is the event's own time, and its entity, wished for? */
bool pdr_event_wish_has(const pdr_event_wish *wish, const pdr_commit_event *event);
/* Is each type known to the application or to the store? PDR_NOT_FOUND says what was meant perhaps.
 * Without an application the log may tell of more: see pdr_event_wish_met. */
PDR_CHECKED pdr_code pdr_event_wish_check(const pdr_event_wish *wish, pdr_tool *tool, pdr_error *err);
/* The same once the whole log was read. */
PDR_CHECKED pdr_code pdr_event_wish_met(const pdr_event_wish *wish, pdr_tool *tool, pdr_error *err);

/* An event at which something went wrong. */
typedef struct pdr_event_trouble {
    uint64_t count;
    int32_t partition; /* of the first: lowest partition, then offset */
    int64_t offset;
    uint64_t seq;
    char entity[PDR_MAX_ENTITY_ID + 1];
    char why[300];
} pdr_event_trouble;

void pdr_event_trouble_add(pdr_event_trouble *into, const pdr_event_trouble *trouble);
void pdr_event_trouble_note(pdr_event_trouble *trouble, int32_t partition, const pdr_commit_event *event,
                            const char *why);
/* To standard error, unless there was none: "WHAT 12 events; the first is loan/1, seq 3 (partition 0, offset
 * 5): why". */
void pdr_event_trouble_tell(const pdr_event_trouble *trouble, const pdr_cli_command *command,
                            const char *what);

/* One thread's. Zeroed first; release it in any case. */
typedef struct pdr_event_filter {
    const pdr_event_wish *wish;
    pdr_tool *tool;
    struct pdr_where *where; /* NULL: none */
    pdr_event_lines lines;
    pdr_buf json;
    const pdr_event_line *found[PDR_MAX_UPCAST_EVENTS];
    size_t found_count;
    pdr_event_trouble failed;     /* --where failed there */
    pdr_event_trouble unreadable; /* the application can't read it; it was looked at as it was written */
} pdr_event_filter;

/* PDR_INVALID_ARGUMENT: --where isn't jq. The wish is borrowed. */
PDR_CHECKED pdr_code pdr_event_filter_init(pdr_event_filter *filter, const pdr_event_wish *wish,
                                           pdr_error *err);
void pdr_event_filter_release(pdr_event_filter *filter);
/* Which of the events that a stored one is today pass: `found`, borrowed until the next. What an event itself
 * is to blame for is no failure. PDR_NOMEM, PDR_CANCELLED, ... */
PDR_CHECKED pdr_code pdr_event_filter_take(pdr_event_filter *filter, int32_t partition,
                                           const pdr_commit_event *event, pdr_error *err);

#endif
