#include "cli/event_raw.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/json.h"
#include "journal/framed.h"

/* Who wrote it, as far as that can be told. */
typedef struct written {
    uint64_t fingerprint;
    const char *name; /* NULL: nobody knows its schema */
    uint32_t version;
    const pdr_route *route; /* NULL: the application doesn't declare it */
} written;

static pdr_code find_writer(pdr_tool *tool, const pdr_event_raw *raw, written *out, pdr_error *err)
{
    pdr_writer writer;
    pdr_error why;
    pdr_bytes datum;
    const pdr_folder *folder = pdr_tool_folder(tool, raw->record->entry.key);
    *out = (written){0};
    pdr_code code = pdr_tool_writer(tool, raw->partition, raw->record, raw->header, &writer, &why);
    if (code == PDR_CANCELLED || code == PDR_NOMEM) {
        if (err) *err = why;
        return code;
    }
    if (code != PDR_OK) {
        bool framed = pdr_framed_read(&out->fingerprint, &datum, raw->record->entry.value,
                                      pdr_tool_book(tool), NULL) == PDR_OK;
        if (!framed) out->fingerprint = 0;
        return PDR_OK;
    }
    *out = (written){writer.fingerprint, writer.name, writer.version, NULL};
    if (folder) out->route = pdr_chain_find(pdr_folder_chain(folder), writer.fingerprint);
    return PDR_OK;
}

/* --- the way through upcasters --- */

enum { MAX_STEPS = PDR_MAX_UPCAST_STEPS };

typedef struct route_list {
    const pdr_route *steps[MAX_STEPS];
    size_t count;
} route_list;

static bool is_result(const pdr_type *type, const pdr_event_list *events)
{
    for (size_t i = 0; events && i < events->count; i++)
        if (pdr_event_list_at(events, i)->type == type) return true;
    return false;
}

/* A step whose way ends at none of the events that it became didn't run. */
static bool leads_there(const pdr_route *route, const pdr_event_list *events)
{
    if (route->today) return is_result(route->type, events);
    if (!route->step || events->count == 0) return route->step && events->count == 0;
    for (size_t i = 0; i < route->step->to_count; i++)
        if (leads_there(route->to[i], events)) return true;
    return false;
}

static void follow(route_list *w, const pdr_route *route, const pdr_event_list *events)
{
    if (!route || route->today || !route->step || w->count == MAX_STEPS || !leads_there(route, events))
        return;
    for (size_t i = 0; i < w->count; i++)
        if (w->steps[i] == route) return;
    w->steps[w->count++] = route;
    for (size_t i = 0; i < route->step->to_count; i++)
        follow(w, route->to[i], events);
}

static const char *how_of(const pdr_upcaster *step)
{
    return step->to_count == 0 ? "dropped" : step->upcast ? "code" : "resolution";
}

/* --- JSON --- */

static pdr_code put_label(pdr_buf *out, const char *name, uint32_t version)
{
    return version ? pdr_buf_printf(out, "\"%s@%" PRIu32 "\"", name, version)
                   : pdr_buf_printf(out, "\"%s\"", name);
}

static pdr_code put_step(pdr_buf *out, const pdr_upcaster *step)
{
    pdr_code code = pdr_buf_printf(out, "{\"from\":");
    if (code == PDR_OK) code = put_label(out, step->from->name, step->from->version);
    if (code == PDR_OK) code = pdr_buf_printf(out, ",\"to\":[");
    for (size_t i = 0; code == PDR_OK && i < step->to_count; i++) {
        if (i) code = pdr_buf_append(out, ",", 1);
        if (code == PDR_OK) code = put_label(out, step->to[i]->name, step->to[i]->version);
    }
    return code == PDR_OK ? pdr_buf_printf(out, "],\"how\":\"%s\"}", how_of(step)) : code;
}

/* What newer code wrote is read by Avro's rules into what is known of it. */
static pdr_code put_newer(pdr_buf *out, const written *w, const pdr_event_list *events)
{
    const pdr_type *type = pdr_event_list_at(events, 0)->type;
    pdr_code code = pdr_buf_printf(out, "{\"from\":");
    if (code == PDR_OK) code = put_label(out, w->name, w->version);
    if (code == PDR_OK) code = pdr_buf_printf(out, ",\"to\":[");
    if (code == PDR_OK) code = put_label(out, type->name, type->version);
    return code == PDR_OK ? pdr_buf_printf(out, "],\"how\":\"resolution\"}") : code;
}

static pdr_code put_steps(pdr_buf *out, const pdr_event_raw *raw, const written *w)
{
    route_list way = {.count = 0};
    pdr_code code = pdr_buf_printf(out, ",\"upcasters\":[");
    if (raw->events && w->route) follow(&way, w->route, raw->events);
    if (code == PDR_OK && raw->events && raw->events->count && !w->route && w->name)
        code = put_newer(out, w, raw->events);
    for (size_t i = 0; code == PDR_OK && i < way.count; i++) {
        if (i) code = pdr_buf_append(out, ",", 1);
        if (code == PDR_OK) code = put_step(out, way.steps[i]->step);
    }
    return code == PDR_OK ? pdr_buf_append(out, "]", 1) : code;
}

static pdr_code put_written(pdr_buf *out, const written *w)
{
    pdr_code code = pdr_buf_printf(out, ",\"written\":{");
    if (code == PDR_OK && w->name) code = pdr_buf_printf(out, "\"type\":\"%s\",", w->name);
    if (code == PDR_OK && w->version) code = pdr_buf_printf(out, "\"version\":%" PRIu32 ",", w->version);
    if (code != PDR_OK) return code;
    return pdr_buf_printf(out, "\"fingerprint\":\"%016" PRIx64 "\"}", w->fingerprint);
}

static pdr_code put_raw(pdr_buf *out, const pdr_event_raw *raw, const written *w)
{
    pdr_code code = pdr_buf_printf(out, ",\"raw\":{\"value\":");
    if (code == PDR_OK) code = pdr_json_hex(out, raw->record->entry.value);
    if (code == PDR_OK) code = pdr_buf_printf(out, ",\"header\":");
    if (code == PDR_OK) code = pdr_json_hex(out, raw->record->entry.header);
    if (code == PDR_OK) code = put_written(out, w);
    if (code == PDR_OK) code = put_steps(out, raw, w);
    return code == PDR_OK ? pdr_buf_append(out, "}", 1) : code;
}

pdr_code pdr_event_raw_json(pdr_tool *tool, const pdr_event_raw *raw, pdr_buf *out, pdr_error *err)
{
    written w;
    pdr_code code = find_writer(tool, raw, &w, err);
    if (code != PDR_OK) return code;
    code = put_raw(out, raw, &w);
    return code == PDR_OK ? code : pdr_fail(err, code, "an event's bytes");
}

/* --- for people --- */

static pdr_code say_steps(pdr_out *out, const pdr_event_raw *raw, const written *w)
{
    route_list way = {.count = 0};
    pdr_code code = PDR_OK;
    if (raw->events && w->route) follow(&way, w->route, raw->events);
    for (size_t i = 0; code == PDR_OK && i < way.count; i++) {
        const pdr_upcaster *step = way.steps[i]->step;
        code = pdr_out_put(out, PDR_COLOUR_PLAIN, "%s%s@%" PRIu32 " -(%s)->", i ? "; " : ", then ",
                           step->from->name, step->from->version, how_of(step));
        for (size_t t = 0; code == PDR_OK && t < step->to_count; t++)
            code =
                pdr_out_put(out, PDR_COLOUR_PLAIN, " %s@%" PRIu32, step->to[t]->name, step->to[t]->version);
    }
    return code;
}

static pdr_code say_bytes(pdr_out *out, const char *name, pdr_bytes bytes, pdr_error *err)
{
    pdr_code code = pdr_out_put(out, PDR_COLOUR_DIM, "        %s ", name);
    if (code == PDR_OK) code = pdr_json_hex(pdr_out_line(out), bytes);
    return code == PDR_OK ? pdr_out_end(out, err) : pdr_fail(err, code, "an event's bytes");
}

pdr_code pdr_event_raw_put(pdr_tool *tool, const pdr_event_raw *raw, pdr_out *out, pdr_error *err)
{
    written w;
    pdr_code code = find_writer(tool, raw, &w, err);
    if (code != PDR_OK) return code;
    code = pdr_out_put(out, PDR_COLOUR_PLAIN, "        written as %s", w.name ? w.name : "an unknown schema");
    if (code == PDR_OK && w.version) code = pdr_out_put(out, PDR_COLOUR_PLAIN, "@%" PRIu32, w.version);
    if (code == PDR_OK) code = pdr_out_put(out, PDR_COLOUR_DIM, " (%016" PRIx64 ")", w.fingerprint);
    if (code == PDR_OK) code = say_steps(out, raw, &w);
    if (code == PDR_OK)
        code = pdr_out_put(out, PDR_COLOUR_DIM, "  partition %d offset %" PRId64, (int)raw->partition,
                           raw->record->offset);
    if (code != PDR_OK) return pdr_fail(err, code, "an event's bytes");
    code = pdr_out_end(out, err);
    if (code == PDR_OK) code = say_bytes(out, "value ", raw->record->entry.value, err);
    return code == PDR_OK ? say_bytes(out, "header", raw->record->entry.header, err) : code;
}
