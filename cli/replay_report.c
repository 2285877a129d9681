#include "cli/replay_report.h"

#include <inttypes.h>

#include "cli/json.h"
#include "perdure/arena.h"
#include "replay/moment.h"

/* --- one deviation --- */

static pdr_code put_time(pdr_buf *out, const char *name, int64_t us)
{
    pdr_code code = pdr_buf_printf(out, ",\"%s\":\"", name);
    if (code == PDR_OK) code = pdr_moment_print(us, out);
    return code == PDR_OK ? pdr_buf_append(out, "\"", 1) : code;
}

static pdr_code put_text(pdr_buf *out, const char *name, pdr_bytes text)
{
    if (!text.size) return PDR_OK;
    pdr_code code = pdr_buf_printf(out, ",\"%s\":", name);
    return code == PDR_OK ? pdr_json_text(out, text) : code;
}

pdr_code pdr_replay_finding_json(const pdr_deviation *f, pdr_buf *out)
{
    pdr_code code = pdr_buf_printf(out, "{\"finding\":\"%s\",\"entity\":", pdr_deviation_word(f->kind));
    if (code == PDR_OK) code = pdr_json_text(out, f->entity);
    if (code == PDR_OK) code = pdr_buf_printf(out, ",\"seq\":%" PRIu64, f->seq);
    if (code == PDR_OK && f->offset >= 0) code = put_time(out, "time", f->time_us);
    if (code == PDR_OK) code = put_text(out, "type", f->type);
    if (code == PDR_OK) code = pdr_buf_printf(out, ",\"partition\":%d", (int)f->partition);
    if (code == PDR_OK && f->offset >= 0) code = pdr_buf_printf(out, ",\"offset\":%" PRId64, f->offset);
    if (code == PDR_OK && f->offset >= 0) code = put_time(out, "appended", f->append_ms * 1000);
    if (code == PDR_OK) code = put_text(out, "why", f->why);
    if (code == PDR_OK && f->changes.data)
        code = pdr_buf_printf(out, ",\"changes\":%.*s", (int)f->changes.size, (const char *)f->changes.data);
    return code == PDR_OK ? pdr_buf_append(out, "}", 1) : code;
}

static pdr_code put_value(pdr_out *out, pdr_colour colour, const pdr_json *value)
{
    enum { ROOM = 200 };
    pdr_buf text = PDR_BUF_INIT(1024 * 1024);
    if (!value) return pdr_out_put(out, PDR_COLOUR_DIM, "nothing");
    pdr_code code = pdr_json_write(value, &text);
    if (code == PDR_OK)
        code = pdr_out_put(out, colour, "%.*s%s", text.size < ROOM ? (int)text.size : ROOM,
                           (const char *)text.data, text.size < ROOM ? "" : "...");
    pdr_buf_release(&text);
    return code;
}

static pdr_code put_changes(pdr_bytes changes, pdr_out *out, pdr_error *err)
{
    enum { SHOWN = 8 };
    pdr_arena arena = PDR_ARENA_INIT(64 * 1024 * 1024);
    pdr_json *json;
    int told = 0;
    pdr_code code =
        pdr_json_parse(&json, &arena, "changes", (pdr_string){(const char *)changes.data, changes.size}, err);
    for (const pdr_json *change = code == PDR_OK ? json->first : NULL; code == PDR_OK && change;
         change = change->next) {
        const pdr_json *path = pdr_json_get(change, "path");
        if (told++ == SHOWN) {
            code = pdr_out_put(out, PDR_COLOUR_DIM, "    and more");
            if (code == PDR_OK) code = pdr_out_end(out, err);
            break;
        }
        code = pdr_out_put(out, PDR_COLOUR_PLAIN, "    %s: ", path ? path->text.data : "");
        if (code == PDR_OK) code = put_value(out, PDR_COLOUR_BAD, pdr_json_get(change, "from"));
        if (code == PDR_OK) code = pdr_out_put(out, PDR_COLOUR_PLAIN, " -> ");
        if (code == PDR_OK) code = put_value(out, PDR_COLOUR_GOOD, pdr_json_get(change, "to"));
        if (code == PDR_OK) code = pdr_out_end(out, err);
    }
    pdr_arena_release(&arena);
    return code;
}

pdr_code pdr_replay_finding_put(const pdr_deviation *f, pdr_out *out, pdr_error *err)
{
    pdr_buf time = PDR_BUF_INIT(64);
    pdr_code code =
        pdr_out_put(out, PDR_COLOUR_BOLD, "  %.*s", (int)f->entity.size, (const char *)f->entity.data);
    if (code == PDR_OK) code = pdr_out_put(out, PDR_COLOUR_PLAIN, " seq %" PRIu64, f->seq);
    if (code == PDR_OK && f->type.size)
        code = pdr_out_put(out, PDR_COLOUR_PLAIN, " %.*s", (int)f->type.size, (const char *)f->type.data);
    if (code == PDR_OK && f->offset >= 0) {
        code = pdr_moment_print(f->time_us, &time);
        if (code == PDR_OK)
            code = pdr_out_put(out, PDR_COLOUR_DIM, "  %.*s, partition %d offset %" PRId64, (int)time.size,
                               (const char *)time.data, (int)f->partition, f->offset);
        pdr_buf_release(&time);
    }
    if (code == PDR_OK) code = pdr_out_end(out, err);
    if (code == PDR_OK && f->why.size) {
        code = pdr_out_put(out, PDR_COLOUR_PLAIN, "    %.*s", (int)f->why.size, (const char *)f->why.data);
        if (code == PDR_OK) code = pdr_out_end(out, err);
    }
    return code == PDR_OK && f->changes.data ? put_changes(f->changes, out, err) : code;
}

/* --- all of it --- */

typedef struct heading {
    const char *one, *many, *advice;
} heading;

static const heading headings[] = {
    [PDR_FOUND_DIFFERS] = {"state differs", "states differ",
                           "the event after which it first does is named: perdure step shows it"},
    [PDR_FOUND_UNREADABLE] = {"entity has an event that this code can't read",
                              "entities have events that this code can't read",
                              "perdure schema check tells which versions there are"},
    [PDR_FOUND_FAILS] = {"entity's handlers fail", "entities' handlers fail", NULL},
    [PDR_FOUND_CRASHES] = {"entity's handlers crash", "entities' handlers crash",
                           "perdure replay --break ENTITY:SEQ under gdb stops right before it"},
    [PDR_FOUND_OLD_FAILS] = {"entity's handlers fail in the code that it is compared with",
                             "entities' handlers fail in the code that they are compared with", NULL},
    [PDR_FOUND_DAMAGED] = {"entity is damaged", "entities are damaged", "perdure verify looks at all of it"},
    [PDR_FOUND_ABSENT] = {"entity has no events", "entities have no events",
                          "perdure entity list tells which there are"},
};

static pdr_code put_groups(const pdr_deviations *deviations, pdr_deviation_kind kind, pdr_out *out,
                           pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < pdr_deviations_group_count(deviations); i++) {
        pdr_deviation_group g = pdr_deviations_group(deviations, i);
        if (g.kind != kind || !g.type.size) continue;
        code = pdr_out_put(out, PDR_COLOUR_PLAIN, "  %" PRIu64 " at %.*s", g.count, (int)g.type.size,
                           (const char *)g.type.data);
        if (code == PDR_OK) code = pdr_out_end(out, err);
    }
    return code;
}

static pdr_code put_kind(const pdr_deviations *deviations, pdr_deviation_kind kind, uint64_t found,
                         pdr_out *out, pdr_error *err)
{
    const heading *h = &headings[kind];
    size_t samples = pdr_deviations_sample_count(deviations, kind);
    pdr_code code = pdr_out_put(out, PDR_COLOUR_BAD, "%" PRIu64 " %s", found, found == 1 ? h->one : h->many);
    if (code == PDR_OK)
        code = pdr_out_put(out, PDR_COLOUR_PLAIN, "%s", samples < found ? "; the first:" : ":");
    if (code == PDR_OK) code = pdr_out_end(out, err);
    for (size_t i = 0; code == PDR_OK && i < samples; i++)
        code = pdr_replay_finding_put(pdr_deviations_sample(deviations, kind, i), out, err);
    if (code == PDR_OK && samples < found) code = pdr_out_put(out, PDR_COLOUR_PLAIN, "  in all:");
    if (code == PDR_OK && samples < found) code = pdr_out_end(out, err);
    if (code == PDR_OK && samples < found) code = put_groups(deviations, kind, out, err);
    if (code != PDR_OK || !h->advice) return code;
    code = pdr_out_put(out, PDR_COLOUR_DIM, "  %s", h->advice);
    return code == PDR_OK ? pdr_out_end(out, err) : code;
}

static pdr_code put_head(const pdr_replay *r, bool stopped, pdr_out *out, pdr_error *err)
{
    const pdr_deviations_counts *c = pdr_deviations_counts_of(r->deviations);
    pdr_code code = pdr_out_put(out, PDR_COLOUR_PLAIN,
                                "%" PRIu64 " events folded, %d of %d partitions read to their ends",
                                c->events, (int)r->partitions_read, (int)r->partitions_all);
    if (code == PDR_OK && !stopped)
        code = pdr_out_put(out, PDR_COLOUR_DIM, ", %.1f s, %.0f events/s", r->seconds,
                           r->seconds > 0 ? (double)c->events / r->seconds : 0);
    if (code == PDR_OK) code = pdr_out_end(out, err);
    if (code != PDR_OK || stopped) return code;
    code = pdr_out_put(out, PDR_COLOUR_PLAIN, "%" PRIu64 " entities", c->entities);
    if (code == PDR_OK && (r->snapshots || r->against))
        code = pdr_out_put(out, PDR_COLOUR_PLAIN, ", %" PRIu64 " compared", c->compared);
    if (code == PDR_OK && c->uncompared)
        code = pdr_out_put(out, PDR_COLOUR_PLAIN, ", %" PRIu64 " had nothing to compare with", c->uncompared);
    if (code == PDR_OK && c->checked)
        code = pdr_out_put(out, PDR_COLOUR_PLAIN, ", %" PRIu64 " folded twice", c->checked);
    return code == PDR_OK ? pdr_out_end(out, err) : code;
}

static pdr_code put_people(const pdr_replay *r, bool stopped, pdr_out *out, pdr_error *err)
{
    const pdr_deviations_counts *c = pdr_deviations_counts_of(r->deviations);
    pdr_code code = put_head(r, stopped, out, err);
    for (size_t kind = 0; code == PDR_OK && kind < PDR_FOUND_KINDS; kind++)
        if (c->found[kind])
            code = put_kind(r->deviations, (pdr_deviation_kind)kind, c->found[kind], out, err);
    if (code != PDR_OK || stopped || !pdr_deviations_is_clean(r->deviations)) return code;
    code = pdr_out_put(out, PDR_COLOUR_GOOD, "%s",
                       r->snapshots || r->against ? "nothing differs, nothing fails" : "nothing fails");
    return code == PDR_OK ? pdr_out_end(out, err) : code;
}

static pdr_code put_summary(const pdr_replay *r, bool stopped, pdr_buf *out)
{
    const pdr_deviations_counts *c = pdr_deviations_counts_of(r->deviations);
    pdr_code code = pdr_buf_printf(
        out,
        "{\"summary\":true,\"finished\":%s,\"events\":%" PRIu64 ",\"entities\":%" PRIu64
        ",\"compared\":%" PRIu64 ",\"uncompared\":%" PRIu64 ",\"folded_twice\":%" PRIu64
        ",\"partitions\":%d,\"partitions_read\":%d,\"seconds\":%.3f,\"lost_processes\":%u,\"resumed\":%s",
        stopped ? "false" : "true", c->events, c->entities, c->compared, c->uncompared, c->checked,
        (int)r->partitions_all, (int)r->partitions_read, r->seconds, r->restarts,
        r->resumed ? "true" : "false");
    for (size_t i = 0; code == PDR_OK && i < PDR_FOUND_KINDS; i++)
        code =
            pdr_buf_printf(out, ",\"%s\":%" PRIu64, pdr_deviation_word((pdr_deviation_kind)i), c->found[i]);
    if (code == PDR_OK) code = pdr_buf_printf(out, ",\"at\":[");
    for (size_t i = 0; code == PDR_OK && i < pdr_deviations_group_count(r->deviations); i++) {
        pdr_deviation_group g = pdr_deviations_group(r->deviations, i);
        code =
            pdr_buf_printf(out, "%s{\"finding\":\"%s\",\"type\":", i ? "," : "", pdr_deviation_word(g.kind));
        if (code == PDR_OK) code = pdr_json_text(out, g.type);
        if (code == PDR_OK) code = pdr_buf_printf(out, ",\"entities\":%" PRIu64 "}", g.count);
    }
    return code == PDR_OK ? pdr_buf_printf(out, "]}") : code;
}

static pdr_code put_json(const pdr_replay *r, bool stopped, pdr_out *out, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (size_t kind = 0; kind < PDR_FOUND_KINDS; kind++)
        for (size_t i = 0;
             code == PDR_OK && i < pdr_deviations_sample_count(r->deviations, (pdr_deviation_kind)kind);
             i++) {
            code = pdr_replay_finding_json(pdr_deviations_sample(r->deviations, (pdr_deviation_kind)kind, i),
                                           pdr_out_line(out));
            if (code == PDR_OK) code = pdr_out_end(out, err);
        }
    if (code == PDR_OK) code = put_summary(r, stopped, pdr_out_line(out));
    return code == PDR_OK ? pdr_out_end(out, err) : code;
}

pdr_code pdr_replay_report(const pdr_replay *r, bool stopped, pdr_out *out, pdr_error *err)
{
    return pdr_out_is_json(out) ? put_json(r, stopped, out, err) : put_people(r, stopped, out, err);
}
