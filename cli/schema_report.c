/* The report of `perdure schema check`, as text and as JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "cli/json.h"
#include "cli/schema_check.h"

#define TRY(call)                                                                                            \
    do {                                                                                                     \
        pdr_code try_code = (call);                                                                          \
        if (try_code != PDR_OK) return try_code;                                                             \
    } while (0)

enum { TIME_ROOM = 40 };

static const char *name_of(const pdr_survey_group *g)
{
    if (!g->framed) return "(not an event of this library)";
    return g->name ? g->name : "(unknown)";
}

/* "2026-11-21T12:00:00.000Z" */
static const char *time_text(int64_t ms, char room[TIME_ROOM])
{
    time_t seconds = (time_t)(ms / 1000 - (ms % 1000 < 0));
    int rest = (int)(ms % 1000 + (ms % 1000 < 0 ? 1000 : 0));
    struct tm tm;
    char date[32];
    if (!gmtime_r(&seconds, &tm) || strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm) == 0) return "-";
    (void)snprintf(room, TIME_ROOM, "%s.%03dZ", date, rest);
    return room;
}

static const char *const ways[] = {[PDR_SURVEY_TODAY] = "today",
                                   [PDR_SURVEY_STEPS] = "upcast",
                                   [PDR_SURVEY_NEWER] = "newer",
                                   [PDR_SURVEY_UNKNOWN] = "unknown"};

static const char *const snapshot_names[] = {[PDR_SNAPSHOT_FITS] = "usable",
                                             [PDR_SNAPSHOT_UPCAST] = "upcast",
                                             [PDR_SNAPSHOT_OTHER] = "other_revision",
                                             [PDR_SNAPSHOT_DAMAGED] = "damaged",
                                             [PDR_SNAPSHOT_NONE] = "none",
                                             [PDR_SNAPSHOT_UNKNOWN] = "unknown_type"};

static uint64_t rebuilt(const pdr_snapshots *s)
{
    return s->counts[PDR_SNAPSHOT_OTHER] + s->counts[PDR_SNAPSHOT_DAMAGED] + s->counts[PDR_SNAPSHOT_NONE];
}

/* --- text --- */

static pdr_code put_version(pdr_buf *out, const char *name, uint32_t version)
{
    TRY(pdr_buf_printf(out, "%s", name));
    return version ? pdr_buf_printf(out, " version %" PRIu32, version) : PDR_OK;
}

static pdr_code put_place(pdr_buf *out, const char *what, const pdr_survey_place *place)
{
    char room[TIME_ROOM];
    return pdr_buf_printf(out, "  %s at partition %d, offset %" PRId64 ", %s\n", what, (int)place->partition,
                          place->offset, time_text(place->append_ms, room));
}

/* "read as loans.OfferSent version 2, loans.OfferLogged version 1" */
static pdr_code put_results(pdr_buf *out, const pdr_survey_group *g)
{
    if (g->way == PDR_SURVEY_TODAY) return pdr_buf_printf(out, "read as it is");
    if (g->result_count == 0) return pdr_buf_printf(out, g->dropped ? "dropped" : "not read");
    TRY(pdr_buf_printf(out,
                       g->way == PDR_SURVEY_NEWER ? "newer than the application, read as " : "upcast to "));
    for (size_t i = 0; i < g->result_count; i++) {
        TRY(pdr_buf_printf(out, i ? ", " : ""));
        TRY(put_version(out, g->results[i]->name, g->results[i]->version));
    }
    return g->dropped ? pdr_buf_printf(out, "; %" PRIu64 " dropped", g->dropped) : PDR_OK;
}

static pdr_code put_fault(pdr_buf *out, const pdr_survey_group *g)
{
    TRY(pdr_buf_printf(out,
                       "  NOT READ: %" PRIu64 " of the %" PRIu64
                       " that were tried; the first is %s, seq %" PRIu64 ", at partition %d, offset %" PRId64
                       "\n",
                       g->failed, g->tried, g->bad_entity, g->bad_seq, (int)g->bad.partition, g->bad.offset));
    return pdr_buf_printf(out, "    %s: %s\n    %s\n", pdr_code_text(g->why.code), g->why.message,
                          pdr_code_advice(g->why.code));
}

static pdr_code put_group(pdr_buf *out, const pdr_survey_group *g)
{
    TRY(put_version(out, name_of(g), g->version));
    TRY(pdr_buf_printf(out, ", fingerprint %016" PRIx64 ", of %s: %" PRIu64 " event%s, ", g->fingerprint,
                       g->entity_prefix, g->count, g->count == 1 ? "" : "s"));
    TRY(put_results(out, g));
    TRY(pdr_buf_printf(out, "\n"));
    TRY(put_place(out, "first", &g->first));
    TRY(put_place(out, "last ", &g->last));
    return g->failed ? put_fault(out, g) : PDR_OK;
}

static pdr_code put_snapshots(pdr_buf *out, const pdr_snapshots *s)
{
    if (!s->looked) return pdr_buf_printf(out, "snapshots: no --store, none looked at\n");
    TRY(pdr_buf_printf(out, "snapshots: %" PRIu64 " entities, %" PRIu64 " usable, ", s->entities,
                       s->counts[PDR_SNAPSHOT_FITS]));
    if (s->counts[PDR_SNAPSHOT_UPCAST])
        TRY(pdr_buf_printf(out, "%" PRIu64 " to be upcast, ", s->counts[PDR_SNAPSHOT_UPCAST]));
    TRY(pdr_buf_printf(out, "%" PRIu64 " to be rebuilt", rebuilt(s)));
    if (s->counts[PDR_SNAPSHOT_DAMAGED])
        TRY(pdr_buf_printf(out, " (%" PRIu64 " of them damaged)", s->counts[PDR_SNAPSHOT_DAMAGED]));
    if (s->counts[PDR_SNAPSHOT_UNKNOWN])
        TRY(pdr_buf_printf(out, ", %" PRIu64 " of unknown entity types", s->counts[PDR_SNAPSHOT_UNKNOWN]));
    return pdr_buf_printf(out, "\n");
}

static pdr_code put_verdict(pdr_buf *out, const pdr_schema_findings *f)
{
    size_t bad = 0;
    for (size_t i = 0; i < f->group_count; i++)
        bad += f->groups[i]->failed > 0;
    if (!bad && f->sample == 1) return pdr_buf_printf(out, "the application reads every event of this log\n");
    if (!bad)
        return pdr_buf_printf(out, "the application reads every event that was tried, one in %" PRIu64 "\n",
                              f->sample);
    return pdr_buf_printf(out, "the application does NOT read %zu of the %zu versions in this log\n", bad,
                          f->group_count);
}

pdr_code pdr_schema_report_text(const pdr_schema_findings *f, pdr_buf *out)
{
    for (size_t i = 0; i < f->group_count; i++)
        TRY(put_group(out, f->groups[i]));
    TRY(pdr_buf_printf(out, "log %s: %d partitions, %" PRIu64 " records, %" PRIu64 " events in %zu versions",
                       f->journal, (int)f->partitions, f->totals.records, f->totals.events, f->group_count));
    if (f->totals.voids || f->totals.foreigns || f->totals.malformeds)
        TRY(pdr_buf_printf(out, "; void %" PRIu64 ", foreign %" PRIu64 ", malformed %" PRIu64,
                           f->totals.voids, f->totals.foreigns, f->totals.malformeds));
    TRY(pdr_buf_printf(out, "\n"));
    TRY(put_snapshots(out, &f->snapshots));
    return put_verdict(out, f);
}

/* --- JSON --- */

static pdr_code json_text(pdr_buf *out, const char *key, const char *text)
{
    TRY(pdr_buf_printf(out, "\"%s\":", key));
    return text ? pdr_json_text(out, pdr_bytes_of(text, strlen(text))) : pdr_buf_printf(out, "null");
}

static pdr_code json_place(pdr_buf *out, const char *key, const pdr_survey_place *place)
{
    char room[TIME_ROOM];
    return pdr_buf_printf(out, ",\"%s\":{\"partition\":%d,\"offset\":%" PRId64 ",\"time\":\"%s\"}", key,
                          (int)place->partition, place->offset, time_text(place->append_ms, room));
}

static pdr_code json_version(pdr_buf *out, uint32_t version)
{
    if (!version) return pdr_buf_printf(out, ",\"version\":null");
    return pdr_buf_printf(out, ",\"version\":%" PRIu32, version);
}

static pdr_code json_results(pdr_buf *out, const pdr_survey_group *g)
{
    TRY(pdr_buf_printf(out, ",\"read\":\"%s\",\"becomes\":[", ways[g->way]));
    for (size_t i = 0; i < g->result_count; i++) {
        TRY(pdr_buf_printf(out, i ? ",{" : "{"));
        TRY(json_text(out, "type", g->results[i]->name));
        TRY(json_version(out, g->results[i]->version));
        TRY(pdr_buf_printf(out, "}"));
    }
    return pdr_buf_printf(out, "],\"dropped\":%" PRIu64, g->dropped);
}

static pdr_code json_fault(pdr_buf *out, const pdr_survey_group *g)
{
    TRY(pdr_buf_printf(out, ",\"tried\":%" PRIu64 ",\"failed\":%" PRIu64, g->tried, g->failed));
    if (!g->failed) return PDR_OK;
    TRY(json_place(out, "failed_first", &g->bad));
    TRY(pdr_buf_printf(out, ","));
    TRY(json_text(out, "failed_entity", g->bad_entity));
    TRY(pdr_buf_printf(out, ",\"failed_seq\":%" PRIu64 ",\"code\":\"%s\",", g->bad_seq,
                       pdr_code_name(g->why.code)));
    TRY(json_text(out, "why", g->why.message));
    TRY(pdr_buf_printf(out, ","));
    return json_text(out, "advice", pdr_code_advice(g->why.code));
}

static pdr_code json_group(pdr_buf *out, const pdr_survey_group *g)
{
    TRY(pdr_buf_printf(out, "{"));
    TRY(json_text(out, "entity_type", g->entity_prefix));
    TRY(pdr_buf_printf(out, ","));
    TRY(json_text(out, "type", g->framed ? g->name : NULL));
    TRY(json_version(out, g->version));
    if (g->framed) TRY(pdr_buf_printf(out, ",\"fingerprint\":\"%016" PRIx64 "\"", g->fingerprint));
    if (!g->framed) TRY(pdr_buf_printf(out, ",\"fingerprint\":null"));
    TRY(pdr_buf_printf(out, ",\"readable_by_older\":%s,\"events\":%" PRIu64,
                       g->readable_by_older ? "true" : "false", g->count));
    TRY(json_place(out, "first", &g->first));
    TRY(json_place(out, "last", &g->last));
    TRY(json_results(out, g));
    TRY(json_fault(out, g));
    return pdr_buf_printf(out, "}");
}

static pdr_code json_snapshots(pdr_buf *out, const pdr_snapshots *s)
{
    if (!s->looked) return pdr_buf_printf(out, ",\"snapshots\":null");
    TRY(pdr_buf_printf(out, ",\"snapshots\":{\"entities\":%" PRIu64, s->entities));
    for (int i = 0; i < PDR_SNAPSHOT_KINDS; i++)
        TRY(pdr_buf_printf(out, ",\"%s\":%" PRIu64, snapshot_names[i], s->counts[i]));
    return pdr_buf_printf(out, ",\"to_be_rebuilt\":%" PRIu64 "}", rebuilt(s));
}

pdr_code pdr_schema_report_json(const pdr_schema_findings *f, pdr_buf *out)
{
    TRY(pdr_buf_printf(out, "{"));
    TRY(json_text(out, "journal", f->journal));
    TRY(pdr_buf_printf(out,
                       ",\"partitions\":%d,\"records\":%" PRIu64 ",\"events\":%" PRIu64 ",\"void\":%" PRIu64
                       ",\"foreign\":%" PRIu64 ",\"malformed\":%" PRIu64 ",\"sample\":%" PRIu64
                       ",\"seconds\":%.3f,\"versions\":[",
                       (int)f->partitions, f->totals.records, f->totals.events, f->totals.voids,
                       f->totals.foreigns, f->totals.malformeds, f->sample, f->seconds));
    for (size_t i = 0; i < f->group_count; i++) {
        TRY(pdr_buf_printf(out, i ? "," : ""));
        TRY(json_group(out, f->groups[i]));
    }
    TRY(pdr_buf_printf(out, "]"));
    TRY(json_snapshots(out, &f->snapshots));
    return pdr_buf_printf(out, ",\"readable\":%s}\n", f->readable ? "true" : "false");
}
