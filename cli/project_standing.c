#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/json.h"
#include "cli/project_status.h"
#include "projections/log_ends.h"

/* --- looking --- */

typedef struct taking {
    pdr_project_tool *tool;
    pdr_standing *out;
    size_t room;
} taking;

static pdr_code take_position(void *context, const pdr_position_row *row, pdr_error *err)
{
    taking *t = context;
    pdr_standing *s = t->out;
    if (s->count == t->room) {
        size_t room = t->room ? 2 * t->room : 16;
        pdr_standing_part *parts = pdr_arena_alloc(&t->tool->arena, room * sizeof *parts);
        if (!parts) return pdr_fail(err, PDR_NOMEM, "positions");
        if (s->count) memcpy(parts, s->parts, s->count * sizeof *parts);
        s->parts = parts;
        t->room = room;
    }
    pdr_standing_part *part = &s->parts[s->count++];
    *part = (pdr_standing_part){.row = *row, .end = -1};
    part->row.worker = pdr_arena_string(&t->tool->arena, pdr_string_of(row->worker)).data;
    return part->row.worker ? PDR_OK : pdr_fail(err, PDR_NOMEM, "positions");
}

static pdr_code read_ends(pdr_project_tool *tool, pdr_log *log, int64_t **out, int32_t *count, pdr_error *err)
{
    pdr_log_info info;
    pdr_code code = log->ops->info(log, &info, PDR_TOOL_TIMEOUT_MS, err);
    if (code != PDR_OK) return code;
    size_t partitions = (size_t)info.partitions;
    int32_t *all = pdr_arena_alloc(&tool->arena, partitions * sizeof *all);
    *out = pdr_arena_alloc(&tool->arena, partitions * sizeof **out);
    *count = info.partitions;
    if (!all || !*out) return pdr_fail(err, PDR_NOMEM, "%zu partitions", partitions);
    for (size_t i = 0; i < partitions; i++)
        all[i] = (int32_t)i;
    return pdr_log_ends_read(log, all, partitions, PDR_TOOL_TIMEOUT_MS, *out, err);
}

static void reckon(pdr_standing *s, const int64_t *ends, int32_t partitions)
{
    int64_t now = pdr_wall_us();
    s->lag_known = ends != NULL;
    for (size_t i = 0; i < s->count; i++) {
        pdr_standing_part *part = &s->parts[i];
        if (ends && part->row.partition < partitions) part->end = ends[part->row.partition];
        int64_t passed = part->row.position.offset + 1, time = part->row.event_time_us;
        part->lag = part->end > passed ? (uint64_t)(part->end - passed) : 0;
        if (part->lag && time != INT64_MIN && now > time) part->lag_us = now - time;
        s->lag += part->lag;
        s->parked += part->row.parked;
        s->events += part->row.events;
        if (part->lag_us > s->lag_us) s->lag_us = part->lag_us;
    }
}

/* The ends first: what is committed until the positions are read doesn't count as behind. */
pdr_code pdr_standing_look(pdr_project_tool *tool, pdr_log *log, const pdr_version_list *list,
                           pdr_standing *out, pdr_error *err)
{
    int64_t *ends = NULL;
    int32_t partitions = 0;
    pdr_code code = log ? read_ends(tool, log, &ends, &partitions, err) : PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < list->count; i++) {
        const pdr_version_row *row = &list->rows[i];
        taking t = {.tool = tool, .out = &out[i]};
        out[i] = (pdr_standing){.row = row};
        code =
            tool->views->ops->positions(tool->views, row->projection, row->version, take_position, &t, err);
        if (code == PDR_OK) reckon(&out[i], ends, partitions);
    }
    return code;
}

/* --- text --- */

static pdr_code put_age(pdr_buf *out, int64_t us)
{
    double seconds = us > 0 ? (double)us / 1e6 : 0;
    if (seconds < 120) return pdr_buf_printf(out, "%.1f s", seconds);
    if (seconds < 7200) return pdr_buf_printf(out, "%.0f min", seconds / 60);
    if (seconds < 172800) return pdr_buf_printf(out, "%.0f h", seconds / 3600);
    return pdr_buf_printf(out, "%.0f days", seconds / 86400);
}

static pdr_code put_lag(pdr_buf *out, const pdr_standing *s)
{
    if (!s->lag_known) return pdr_buf_printf(out, "behind by an unknown number (give --journal)");
    if (s->lag == 0) return pdr_buf_printf(out, "nothing behind");
    pdr_code code = pdr_buf_printf(out, "at most %" PRIu64 " behind", s->lag);
    if (code == PDR_OK && s->lag_us) code = pdr_buf_printf(out, " (the newest projected is ");
    if (code == PDR_OK && s->lag_us) code = put_age(out, s->lag_us);
    if (code == PDR_OK && s->lag_us) code = pdr_buf_printf(out, " old)");
    if (code != PDR_OK || s->trend == 0) return code;
    return pdr_buf_printf(out, ", %s by %.0f/s", s->trend > 0 ? "growing" : "shrinking",
                          s->trend > 0 ? s->trend : -s->trend);
}

static pdr_code put_part(pdr_buf *out, const pdr_standing *s, const pdr_standing_part *part, int64_t wall_us)
{
    char end[24] = "?", lag[24] = "?";
    if (s->lag_known) {
        snprintf(end, sizeof end, "%" PRId64, part->end);
        snprintf(lag, sizeof lag, "%" PRIu64, part->lag);
    }
    pdr_code code =
        pdr_buf_printf(out, "  %9" PRId32 " %12" PRId64 " %12s %10s %7" PRIu64 "  ", part->row.partition,
                       part->row.position.offset, end, lag, part->row.parked);
    if (code == PDR_OK && !part->row.worker[0]) return pdr_buf_printf(out, "nobody yet\n");
    if (code == PDR_OK) code = pdr_buf_printf(out, "%s, ", part->row.worker);
    if (code == PDR_OK) code = put_age(out, wall_us - part->row.updated_us);
    return code == PDR_OK ? pdr_buf_printf(out, " ago\n") : code;
}

pdr_code pdr_standing_text(pdr_buf *out, const pdr_standing *s, int64_t wall_us)
{
    const pdr_version_row *row = s->row;
    pdr_code code =
        pdr_buf_printf(out, "%s v%" PRIu32 ": %s%s%s; %" PRIu64 " events projected, ", row->projection,
                       row->version, pdr_version_state_name(row->state), row->paused ? ", paused" : "",
                       row->fault[0] ? ", stopped" : "", s->events);
    if (code == PDR_OK) code = put_lag(out, s);
    if (code == PDR_OK) code = pdr_buf_printf(out, "; %" PRIu64 " parked\n", s->parked);
    if (code == PDR_OK && row->fault[0]) code = pdr_buf_printf(out, "  stopped by: %s\n", row->fault);
    if (code == PDR_OK)
        code = pdr_buf_printf(out, "  %9s %12s %12s %10s %7s  %s\n", "partition", "position", "log's end",
                              "behind", "parked", "moved by");
    for (size_t i = 0; code == PDR_OK && i < s->count; i++)
        code = put_part(out, s, &s->parts[i], wall_us);
    return code;
}

/* --- JSON --- */

static pdr_code put_part_json(pdr_buf *out, const pdr_standing *s, const pdr_standing_part *part)
{
    const pdr_position_row *row = &part->row;
    pdr_code code =
        pdr_buf_printf(out,
                       "{\"partition\":%" PRId32 ",\"offset\":%" PRId64 ",\"events\":%" PRIu64
                       ",\"parked\":%" PRIu64 ",\"updated_us\":%" PRId64 ",\"worker\":",
                       row->partition, row->position.offset, row->events, row->parked, row->updated_us);
    if (code == PDR_OK) code = pdr_json_text(out, pdr_bytes_of(row->worker, strlen(row->worker)));
    if (code == PDR_OK && row->event_time_us != INT64_MIN)
        code = pdr_buf_printf(out, ",\"event_time_us\":%" PRId64, row->event_time_us);
    if (code == PDR_OK && s->lag_known)
        code = pdr_buf_printf(out, ",\"log_end\":%" PRId64 ",\"lag_events\":%" PRIu64 ",\"lag_seconds\":%.6f",
                              part->end, part->lag, (double)part->lag_us / 1e6);
    return code == PDR_OK ? pdr_buf_printf(out, "}") : code;
}

pdr_code pdr_standing_json(pdr_buf *out, const pdr_standing *s)
{
    const pdr_version_row *row = s->row;
    pdr_code code = pdr_buf_printf(out,
                                   "{\"projection\":\"%s\",\"version\":%" PRIu32
                                   ",\"state\":\"%s\",\"paused\":%s,\"events\":%" PRIu64
                                   ",\"parked\":%" PRIu64 ",\"fault\":",
                                   row->projection, row->version, pdr_version_state_name(row->state),
                                   row->paused ? "true" : "false", s->events, s->parked);
    if (code == PDR_OK)
        code = row->fault[0] ? pdr_json_text(out, pdr_bytes_of(row->fault, strlen(row->fault)))
                             : pdr_buf_printf(out, "null");
    if (code == PDR_OK && s->lag_known)
        code = pdr_buf_printf(
            out, ",\"lag_events\":%" PRIu64 ",\"lag_seconds\":%.6f,\"lag_events_per_second\":%.3f", s->lag,
            (double)s->lag_us / 1e6, s->trend);
    if (code == PDR_OK) code = pdr_buf_printf(out, ",\"partitions\":[");
    for (size_t i = 0; code == PDR_OK && i < s->count; i++) {
        if (i) code = pdr_buf_printf(out, ",");
        if (code == PDR_OK) code = put_part_json(out, s, &s->parts[i]);
    }
    return code == PDR_OK ? pdr_buf_printf(out, "]}") : code;
}
