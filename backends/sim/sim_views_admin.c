/* Blocking operations on the true views: versions made, dropped, emptied, swapped. */
#include <stdio.h>

#include "backends/sim/sim_internal.h"

static pdr_code refuse_others(pdr_sim_world *world, const pdr_version_spec *spec, bool *there, pdr_error *err)
{
    *there = false;
    for (const sim_version *v = world->views.versions; v; v = v->next) {
        if (strcmp(v->row.projection, spec->projection) != 0) continue;
        if (memcmp(v->spec.journal_id, spec->journal_id, sizeof spec->journal_id) != 0)
            return pdr_fail(err, PDR_WRONG_JOURNAL, "projection %s is of another journal", spec->projection);
        if (v->row.version != spec->version) continue;
        *there = true;
        if (v->row.fingerprint != spec->fingerprint)
            return pdr_fail(err, PDR_CONFLICT,
                            "version %u was made from another definition: give the changed one a higher "
                            "version and run `perdure project rebuild %s`",
                            spec->version, spec->projection);
    }
    return PDR_OK;
}

static bool has_table(const sim_version *v, const char *name)
{
    for (size_t i = 0; i < v->spec.table_count; i++)
        if (strcmp(v->spec.tables[i].name, name) == 0) return true;
    return false;
}

static pdr_code names_are_free(pdr_sim_world *world, const pdr_version_spec *spec, pdr_error *err)
{
    for (const sim_version *v = world->views.versions; v; v = v->next)
        for (size_t i = 0; i < spec->table_count; i++)
            if (strcmp(v->row.projection, spec->projection) != 0 && has_table(v, spec->tables[i].name))
                return pdr_fail(err, PDR_CONFLICT, "projection %s has a table %s already", v->row.projection,
                                spec->tables[i].name);
    return PDR_OK;
}

static bool has_live(const pdr_sim_world *world, const char *projection)
{
    for (const sim_version *v = world->views.versions; v; v = v->next)
        if (v->row.state == PDR_VERSION_LIVE && strcmp(v->row.projection, projection) == 0) return true;
    return false;
}

static void empty(pdr_sim_world *world, sim_version *v)
{
    size_t partitions = (size_t)v->spec.partitions;
    v->positions = sim_alloc(world, partitions * sizeof *v->positions);
    world->views.last_generation++;
    for (size_t i = 0; i < partitions; i++)
        v->positions[i] = (pdr_position_row){.partition = (int32_t)i,
                                             .generation = world->views.last_generation,
                                             .position = PDR_POSITION_START,
                                             .event_time_us = INT64_MIN,
                                             .updated_us = sim_views_now(world),
                                             .worker = ""};
    v->tables = sim_alloc(world, (v->spec.table_count + 1) * sizeof *v->tables);
    v->letter_count = v->request_count = 0;
}

pdr_code sim_views_create(pdr_sim_world *world, const pdr_version_spec *spec, pdr_error *err)
{
    bool there;
    pdr_code code = refuse_others(world, spec, &there, err);
    if (code == PDR_OK && there)
        code = pdr_fail(err, PDR_EXISTS, "projection %s has version %u already", spec->projection,
                        spec->version);
    if (code == PDR_OK) code = names_are_free(world, spec, err);
    if (code != PDR_OK) return code;
    pdr_buf declared = PDR_BUF_INIT(4 * 1024 * 1024);
    code = pdr_view_tables_print(&declared, spec->tables, spec->table_count, err);
    if (code == PDR_OK) code = pdr_buf_append(&declared, "", 1);
    if (code == PDR_OK) {
        sim_version *v = sim_alloc(world, sizeof *v);
        v->spec = sim_copy_spec(world, spec);
        v->row = (pdr_version_row){.projection = v->spec.projection,
                                   .version = spec->version,
                                   .state = has_live(world, spec->projection) ? PDR_VERSION_BUILDING
                                                                              : PDR_VERSION_LIVE,
                                   .fingerprint = spec->fingerprint,
                                   .fault = "",
                                   .declared = sim_copy_text(world, (const char *)declared.data),
                                   .created_us = sim_views_now(world),
                                   .changed_us = sim_views_now(world)};
        empty(world, v);
        sim_version **link = &world->views.versions;
        for (; *link; link = &(*link)->next) {
            int order = strcmp((*link)->row.projection, spec->projection);
            if (order > 0 || (order == 0 && (*link)->row.version > spec->version)) break;
        }
        v->next = *link;
        *link = v;
    }
    pdr_buf_release(&declared);
    return code;
}

static pdr_code not_found(const char *projection, uint32_t version, pdr_error *err)
{
    return pdr_fail(err, PDR_NOT_FOUND, "projection %s has no version %u", projection, version);
}

pdr_code sim_views_drop(pdr_sim_world *world, const char *projection, uint32_t version, bool live_too,
                        pdr_error *err)
{
    const sim_version *found = sim_version_find(world, projection, version);
    if (!live_too && !found) return not_found(projection, version, err);
    if (!live_too && found->row.state == PDR_VERSION_LIVE)
        return pdr_fail(err, PDR_CONFLICT, "version %u is the live one", version);
    bool any = false;
    for (sim_version **link = &world->views.versions; *link;) {
        sim_version *v = *link;
        bool goes = strcmp(v->row.projection, projection) == 0 && (live_too || v->row.version == version);
        any = any || goes;
        if (goes)
            *link = v->next;
        else
            link = &v->next;
    }
    return any ? PDR_OK : not_found(projection, version, err);
}

pdr_code sim_views_reset(pdr_sim_world *world, const pdr_version_spec *spec, pdr_error *err)
{
    bool there;
    pdr_code code = refuse_others(world, spec, &there, err);
    if (code == PDR_OK && !there) code = not_found(spec->projection, spec->version, err);
    if (code != PDR_OK) return code;
    sim_version *v = sim_version_find(world, spec->projection, spec->version);
    empty(world, v);
    v->row.fault = "";
    v->row.changed_us = sim_views_now(world);
    return PDR_OK;
}

static pdr_code may_swap(const sim_version *v, const sim_version *live, bool force, pdr_error *err)
{
    for (int32_t p = 0; live && p < v->spec.partitions; p++)
        if (v->positions[p].position.offset < live->positions[p].position.offset)
            return pdr_fail(err, PDR_CONFLICT, "version %u is behind the live one in partition %d",
                            v->row.version, (int)p);
    if (!force && v->letter_count)
        return pdr_fail(err, PDR_CONFLICT, "version %u has %zu parked events, the first of %.*s",
                        v->row.version, v->letter_count, (int)v->letters[0].entity.size,
                        (const char *)v->letters[0].entity.data);
    if (!force && v->row.fault[0])
        return pdr_fail(err, PDR_CONFLICT, "version %u is stopped: %s", v->row.version, v->row.fault);
    return PDR_OK;
}

pdr_code sim_views_swap(pdr_sim_world *world, const char *projection, uint32_t version, bool force,
                        pdr_error *err)
{
    sim_version *v = sim_version_find(world, projection, version), *live = NULL;
    if (!v) return not_found(projection, version, err);
    for (sim_version *other = world->views.versions; other; other = other->next)
        if (other->row.state == PDR_VERSION_LIVE && strcmp(other->row.projection, projection) == 0)
            live = other;
    if (live == v) return PDR_OK;
    pdr_code code = may_swap(v, live, force, err);
    if (code != PDR_OK) return code;
    if (live) live->row.state = PDR_VERSION_FORMER;
    v->row.state = PDR_VERSION_LIVE;
    v->row.changed_us = sim_views_now(world);
    return PDR_OK;
}

pdr_code sim_views_positions(pdr_sim_world *world, const char *projection, uint32_t version,
                             pdr_position_each each, void *context, pdr_error *err)
{
    const sim_version *v = sim_version_find(world, projection, version);
    pdr_code code = PDR_OK;
    for (int32_t p = 0; v && code == PDR_OK && p < v->spec.partitions; p++) {
        pdr_position_row row = v->positions[p];
        for (size_t i = 0; i < v->letter_count; i++)
            row.parked += v->letters[i].partition == p;
        code = each(context, &row, err);
    }
    return code;
}

bool pdr_sim_views_read(const pdr_sim_world *world, const char *view, size_t *rows, char *columns,
                        size_t size)
{
    for (const sim_version *v = world->views.versions; v; v = v->next) {
        for (size_t i = 0; v->row.state == PDR_VERSION_LIVE && i < v->spec.table_count; i++) {
            const pdr_table *t = &v->spec.tables[i];
            size_t used = 0;
            if (strcmp(t->name, view) != 0) continue;
            *rows = v->tables[i].count;
            for (size_t c = 0; c < t->column_count && used < size; c++)
                used +=
                    (size_t)snprintf(columns + used, size - used, "%s%s", c ? "," : "", t->columns[c].name);
            return true;
        }
    }
    return false;
}
