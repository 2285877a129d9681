#include "journal/survey.h"

#include <stdlib.h>

#include "base/mem.h"
#include "journal/app.h"
#include "journal/commit_reader.h"
#include "journal/fold.h"
#include "journal/framed.h"
#include "journal/survey_table.h"

enum { SCRATCH = 64 * PDR_MAX_EVENT };

struct pdr_survey {
    const pdr_app *app;
    pdr_schema_book *book;
    pdr_folder **folders; /* one per entity type */
    uint64_t sample;
    int32_t partition;          /* of the record that is being taken */
    pdr_commit_reader *commits; /* one per partition */
    int32_t partitions;
    size_t kind; /* of the newest event: place of its entity type; entity_count: none */
    survey_table table;
    pdr_arena scratch;
    uint64_t records, events;
    const pdr_survey_group **list;
};

/* --- life cycle --- */

void pdr_survey_close(pdr_survey *survey)
{
    if (!survey) return;
    for (int32_t i = 0; i < survey->partitions; i++)
        pdr_commit_reader_release(&survey->commits[i]);
    pdr_free(survey->commits);
    for (size_t i = 0; survey->folders && i < survey->app->entity_count; i++)
        pdr_folder_close(survey->folders[i]);
    pdr_free(survey->folders);
    pdr_schema_book_close(survey->book);
    survey_table_release(&survey->table);
    pdr_arena_release(&survey->scratch);
    pdr_free(survey->list);
    pdr_free(survey);
}

pdr_code pdr_survey_open(pdr_survey **out, const pdr_app *app, uint64_t sample, pdr_error *err)
{
    pdr_survey *survey = pdr_calloc(1, sizeof *survey);
    if (!survey) return pdr_fail(err, PDR_NOMEM, "a survey");
    *survey = (pdr_survey){.app = app, .sample = sample, .scratch = PDR_ARENA_INIT(SCRATCH)};
    survey->folders = pdr_calloc(app->entity_count + 1, sizeof(pdr_folder *));
    pdr_code code =
        survey->folders ? PDR_OK : pdr_fail(err, PDR_NOMEM, "%zu entity types", app->entity_count);
    if (code == PDR_OK) code = pdr_schema_book_open(&survey->book, err);
    for (size_t i = 0; code == PDR_OK && i < app->entity_count; i++)
        code = pdr_folder_open_tolerant(&survey->folders[i], app->entities[i], survey->book, err);
    if (code != PDR_OK) {
        pdr_survey_close(survey);
        survey = NULL;
    }
    *out = survey;
    return code;
}

/* --- which group --- */

static size_t kind_of(pdr_survey *survey, pdr_bytes key)
{
    size_t kind = pdr_app_entity_of(survey->app, key);
    survey->kind = kind == SIZE_MAX ? survey->app->entity_count : kind;
    return survey->kind;
}

/* What the application says of the schema; a log of before versions were kept doesn't say. */
static void describe(pdr_survey_group *group, const pdr_folder *folder)
{
    const pdr_route *route =
        group->framed ? pdr_chain_find(pdr_folder_chain(folder), group->fingerprint) : NULL;
    group->entity_type = pdr_folder_type(folder);
    group->way = !route         ? group->readable_by_older ? PDR_SURVEY_NEWER : PDR_SURVEY_UNKNOWN
                 : route->today ? PDR_SURVEY_TODAY
                                : PDR_SURVEY_STEPS;
    if (!route) return;
    if (!group->name) {
        group->name = route->type->name;
        group->json = route->type->schema;
    }
    if (!group->version) group->version = route->type->version;
}

static void note_prefix(pdr_survey_group *group, pdr_bytes key)
{
    const uint8_t *slash = memchr(key.data, '/', key.size);
    size_t size = slash ? (size_t)(slash - key.data) : key.size;
    if (size >= sizeof group->entity_prefix) size = sizeof group->entity_prefix - 1;
    memcpy(group->entity_prefix, key.data, size);
}

static pdr_code group_of(pdr_survey *survey, const pdr_log_record *record, pdr_survey_group **out,
                         pdr_error *err)
{
    uint64_t fingerprint = 0;
    pdr_bytes datum;
    size_t kind = kind_of(survey, record->entry.key);
    bool framed = pdr_framed_read(&fingerprint, &datum, record->entry.value, survey->book, NULL) == PDR_OK;
    *out = survey_table_find(&survey->table, kind, framed, fingerprint);
    if (*out) return PDR_OK;
    pdr_code code = survey_table_add(&survey->table, kind, framed, fingerprint, out, err);
    if (code != PDR_OK) return code;
    note_prefix(*out, record->entry.key);
    (*out)->way = PDR_SURVEY_UNKNOWN;
    if (kind < survey->app->entity_count) describe(*out, survey->folders[kind]);
    (*out)->first.append_ms = INT64_MAX;
    (*out)->last.append_ms = INT64_MIN;
    return PDR_OK;
}

/* --- reading --- */

static void note_result(pdr_survey_group *group, const pdr_type *type)
{
    for (size_t i = 0; i < group->result_count; i++)
        if (group->results[i] == type) return;
    if (group->result_count < PDR_SURVEY_MAX_RESULTS) group->results[group->result_count++] = type;
}

static pdr_code read_event(pdr_survey *survey, pdr_survey_group *group, const pdr_commit_event *event,
                           pdr_error *err)
{
    pdr_event_list read;
    pdr_arena_clear(&survey->scratch);
    pdr_code code = pdr_folder_read(survey->folders[survey->kind], event->record->entry.value,
                                    event->header->seq, event->header->time_us, &survey->scratch, &read, err);
    if (code != PDR_OK) return code;
    if (read.count == 0) group->dropped++;
    for (size_t i = 0; i < read.count; i++)
        note_result(group, pdr_event_list_at(&read, i)->type);
    return PDR_OK;
}

static bool is_before(const pdr_survey *survey, const pdr_log_record *record, const pdr_survey_place *place)
{
    return survey->partition < place->partition ||
           (survey->partition == place->partition && record->offset < place->offset);
}

/* `why` NULL: the same as before. */
static void note_failure(const pdr_survey *survey, pdr_survey_group *group, const pdr_commit_event *event,
                         const pdr_error *why)
{
    if (group->failed++ && !is_before(survey, event->record, &group->bad)) return;
    pdr_bytes key = event->record->entry.key;
    group->bad = (pdr_survey_place){survey->partition, event->record->offset, event->record->append_ms};
    memcpy(group->bad_entity, key.data, key.size);
    group->bad_entity[key.size] = '\0';
    group->bad_seq = event->header->seq;
    if (why) group->why = *why;
}

/* Nothing of the group can be read, whatever its events hold: one error says it for all. Where schemas are
 * resolved it may be one branch or symbol that can't. */
static bool is_hopeless(const pdr_survey *survey, const pdr_survey_group *group)
{
    if (!group->failed || group->why.code != PDR_UNKNOWN_SCHEMA) return false;
    if (group->way != PDR_SURVEY_STEPS) return group->way == PDR_SURVEY_UNKNOWN;
    return pdr_chain_find(pdr_folder_chain(survey->folders[survey->kind]), group->fingerprint)->fault;
}

static pdr_code try_event(pdr_survey *survey, pdr_survey_group *group, const pdr_commit_event *event,
                          pdr_error *err)
{
    pdr_error why;
    pdr_code code;
    group->tried++;
    if (is_hopeless(survey, group)) {
        note_failure(survey, group, event, NULL);
        return PDR_OK;
    }
    if (group->entity_type)
        code = read_event(survey, group, event, &why);
    else
        code = pdr_fail(&why, PDR_UNKNOWN_TYPE, "the application declares no entity type \"%s\"",
                        group->entity_prefix);
    if (PDR_LIKELY(code == PDR_OK)) return PDR_OK;
    if (code == PDR_NOMEM) {
        if (err) *err = why;
        return code;
    }
    note_failure(survey, group, event, &why);
    return PDR_OK;
}

static bool is_earlier(const pdr_survey_place *a, const pdr_survey_place *b)
{
    if (a->append_ms != b->append_ms) return a->append_ms < b->append_ms;
    return a->partition != b->partition ? a->partition < b->partition : a->offset < b->offset;
}

static void note(const pdr_survey *survey, pdr_survey_group *group, const pdr_log_record *record)
{
    pdr_survey_place here = {survey->partition, record->offset, record->append_ms};
    if (is_earlier(&here, &group->first)) group->first = here;
    if (is_earlier(&group->last, &here)) group->last = here;
    group->count++;
}

static pdr_code take_commit(void *context, const pdr_commit_event *events, size_t number, pdr_position before,
                            pdr_error *err)
{
    pdr_survey *survey = context;
    pdr_code code = PDR_OK;
    (void)before;
    survey->events += number;
    for (size_t i = 0; code == PDR_OK && i < number; i++) {
        pdr_survey_group *group = NULL;
        code = group_of(survey, events[i].record, &group, err);
        if (code != PDR_OK) return code;
        bool wanted = survey->sample == 1 || group->count % survey->sample == 0;
        note(survey, group, events[i].record);
        if (wanted) code = try_event(survey, group, &events[i], err);
    }
    return code;
}

static pdr_code take_other(void *context, pdr_verdict verdict, const pdr_log_record *record,
                           const pdr_header *header, pdr_error *err)
{
    pdr_survey *survey = context;
    if (verdict != PDR_VERDICT_SCHEMA) return PDR_OK;
    pdr_bytes json = record->entry.schema;
    pdr_string text = {(const char *)json.data, json.size};
    pdr_code code = survey_table_learn(&survey->table, header->schema_fingerprint, json, err);
    if (code != PDR_OK) return code;
    int32_t id = header->registry_id > 0 ? header->registry_id : PDR_BOOK_NO_ID;
    code = pdr_schema_book_add(survey->book, header->schema_fingerprint, text, id, err);
    /* A schema that is none, an id that stands for two: then its events can't be read, which is a finding. */
    return code == PDR_BAD_SCHEMA || code == PDR_CONFLICT ? PDR_OK : code;
}

static const pdr_commit_sink sink = {take_commit, take_other};

pdr_code pdr_survey_begin(pdr_survey *survey, int32_t partitions, pdr_error *err)
{
    survey->commits = pdr_calloc((size_t)partitions, sizeof *survey->commits);
    if (!survey->commits) return pdr_fail(err, PDR_NOMEM, "%d partitions", (int)partitions);
    survey->partitions = partitions;
    for (int32_t i = 0; i < partitions; i++)
        pdr_commit_reader_init(&survey->commits[i], PDR_POSITION_START, &sink, survey);
    return PDR_OK;
}

pdr_code pdr_survey_take(pdr_survey *survey, int32_t partition, const pdr_log_record *record, pdr_error *err)
{
    survey->records++;
    survey->partition = partition;
    pdr_code code = pdr_commit_reader_take(&survey->commits[partition], record, err);
    if (PDR_LIKELY(code == PDR_OK)) return PDR_OK;
    return pdr_fail_context(err, code, "partition %d", (int)partition);
}

/* --- what was found --- */

static int order_of_texts(const char *a, const char *b)
{
    if (!a || !b) return (a != NULL) - (b != NULL);
    return strcmp(a, b);
}

static int order(const void *left, const void *right)
{
    const pdr_survey_group *a = *(const pdr_survey_group *const *)left;
    const pdr_survey_group *b = *(const pdr_survey_group *const *)right;
    int by = order_of_texts(a->entity_type ? a->entity_type->name : NULL,
                            b->entity_type ? b->entity_type->name : NULL);
    if (!by) by = order_of_texts(a->name, b->name);
    if (!by) by = (a->version > b->version) - (a->version < b->version);
    return by ? by : (a->fingerprint > b->fingerprint) - (a->fingerprint < b->fingerprint);
}

pdr_code pdr_survey_groups(pdr_survey *survey, const pdr_survey_group *const **out, size_t *count,
                           pdr_error *err)
{
    const pdr_survey_group **list = pdr_calloc(survey->table.count + 1, sizeof(pdr_survey_group *));
    if (!list) return pdr_fail(err, PDR_NOMEM, "%zu groups", survey->table.count);
    size_t n = 0;
    for (size_t i = 0; survey->table.slots && i <= survey->table.mask; i++)
        if (survey->table.slots[i].group) list[n++] = survey->table.slots[i].group;
    qsort(list, n, sizeof(pdr_survey_group *), order);
    pdr_free(survey->list);
    survey->list = list;
    *out = list;
    *count = n;
    return PDR_OK;
}

bool pdr_survey_next_schema(const pdr_survey *survey, size_t *cursor, pdr_survey_schema *out)
{
    const survey_table *table = &survey->table;
    for (; table->schemas && *cursor <= table->schema_mask; ++*cursor) {
        const survey_schema *s = table->schemas[*cursor];
        if (!s) continue;
        *out = (pdr_survey_schema){s->fingerprint, s->name, s->version, s->readable_by_older, s->json};
        ++*cursor;
        return true;
    }
    return false;
}

pdr_survey_totals pdr_survey_totals_of(const pdr_survey *survey)
{
    pdr_survey_totals totals = {.records = survey->records, .events = survey->events};
    for (int32_t i = 0; i < survey->partitions; i++) {
        totals.voids += survey->commits[i].voids;
        totals.foreigns += survey->commits[i].foreigns;
        totals.malformeds += survey->commits[i].malformeds;
    }
    return totals;
}

bool pdr_survey_is_readable(const pdr_survey *survey)
{
    for (size_t i = 0; survey->table.slots && i <= survey->table.mask; i++)
        if (survey->table.slots[i].group && survey->table.slots[i].group->failed) return false;
    return true;
}
