/* Stories over a journal whose entities' events are known from how it was made. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "replay/ids_like.h"
#include "replay/story.h"
#include "scan_world.h"

enum { MAX_TOLD = 100000 };

typedef struct told {
    uint64_t seqs[MAX_TOLD];
    int64_t offsets[MAX_TOLD];
    size_t count, voids, ends;
    uint64_t stop_at; /* seq at which the callback gives `stop_code`; 0: never */
    pdr_code stop_code;
    bool append; /* once all is told, events are appended, and then followed */
    const char *key;
} told;

static scan_world world;
static told found;

static void close_world(void)
{
    scan_world_close(&world);
}

TestSuite(story, .fini = close_world);

static pdr_code take(void *context, const pdr_story_event *event, pdr_error *err)
{
    told *t = context;
    cr_assert(pdr_bytes_equal(event->record->entry.key, pdr_bytes_of(t->key, strlen(t->key))));
    cr_assert_lt(t->count, MAX_TOLD);
    t->voids += event->is_void;
    if (event->is_void) return PDR_OK;
    t->seqs[t->count] = event->header->seq;
    t->offsets[t->count++] = event->record->offset;
    if (t->stop_at && event->header->seq == t->stop_at) return pdr_fail(err, t->stop_code, "enough");
    return PDR_OK;
}

static made_log *made_of(size_t entity, const made_entity **out)
{
    for (int32_t p = 0; p < WORLD_PARTITIONS; p++) {
        made_log *made = &world.made[p];
        if (entity >= made->entity_count) continue;
        const char *key = made->entities[entity].key;
        if (pdr_tool_partition_of(world.tool, pdr_bytes_of(key, strlen(key))) != p) continue;
        *out = &made->entities[entity];
        return made;
    }
    return NULL;
}

static pdr_code at_end(void *context, pdr_error *err)
{
    told *t = context;
    (void)err;
    if (t->ends++ || !t->append) return t->append && t->ends > 1 && t->count > 0 ? PDR_CANCELLED : PDR_OK;
    for (size_t e = 0; e < MADE_ENTITIES; e++) {
        const made_entity *entity;
        made_log *made = made_of(e, &entity);
        if (!made || strcmp(entity->key, t->key) != 0) continue;
        int64_t from = made->log.end;
        made_fence(made);
        made_send(made, e, 2);
        made_settle(made);
        scan_world_append(&world, (int32_t)(made - world.made), from);
    }
    t->count = 0; /* what was there already has been looked at */
    return PDR_OK;
}

static pdr_code tell(const char *key, pdr_story_spec spec, pdr_story_told *out, pdr_error *err)
{
    pdr_code stop_code = found.stop_code;
    uint64_t stop_at = found.stop_at;
    bool append = found.append;
    found = (told){.key = key, .stop_at = stop_at, .stop_code = stop_code, .append = append};
    spec.entity = pdr_bytes_of(key, strlen(key));
    spec.event = take;
    spec.caught_up = at_end;
    spec.context = &found;
    return pdr_story_run(world.tool, &spec, out, err);
}

static const pdr_story_spec whole = {.to_seq = UINT64_MAX};

static void expect_seqs(const made_entity *entity, uint64_t from, uint64_t to)
{
    cr_assert_eq(found.count, to + 1 - from, "%s: %zu", entity->key, found.count);
    for (size_t i = 0; i < found.count; i++) {
        cr_expect_eq(found.seqs[i], from + i);
        cr_expect_eq(found.offsets[i], entity->events[from + i - 1].offset);
    }
}

static size_t records_with(const made_log *made, const char *key)
{
    size_t count = 0;
    pdr_bytes wanted = pdr_bytes_of(key, strlen(key));
    for (size_t i = 0; i < made->log.count; i++)
        count +=
            made->log.records[i].entry.key.data && pdr_bytes_equal(made->log.records[i].entry.key, wanted);
    return count;
}

/* Runs `claim` for each entity that lives in a partition of the world. */
static size_t for_each(void (*claim)(made_log *made, const made_entity *entity))
{
    size_t count = 0;
    for (size_t e = 0; e < MADE_ENTITIES; e++) {
        const made_entity *entity;
        made_log *made = made_of(e, &entity);
        if (!made || entity->count == 0) continue;
        claim(made, entity);
        count++;
    }
    return count;
}

static void claim_whole(made_log *made, const made_entity *entity)
{
    pdr_error err;
    pdr_story_told out;
    (void)made;
    cr_assert_eq(tell(entity->key, whole, &out, &err), PDR_OK, "%s", err.message);
    expect_seqs(entity, 1, entity->count);
    cr_expect_eq(out.newest_seq, entity->count);
    cr_expect_eq(out.events, entity->count);
    cr_expect_eq(found.voids, 0);
    cr_expect_eq(found.ends, 1);
}

Test(story, tells_each_event_that_counts_once_and_in_order)
{
    size_t count = 0;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        scan_world_open(&world, seed, 300);
        count += for_each(claim_whole);
        if (seed < 3) scan_world_close(&world);
    }
    cr_expect_gt(count, 3);
}

static void claim_part(made_log *made, const made_entity *entity)
{
    pdr_error err;
    pdr_story_spec part = {.after_seq = entity->count / 3, .to_seq = entity->count / 3 * 2};
    (void)made;
    if (part.to_seq <= part.after_seq) return;
    cr_assert_eq(tell(entity->key, part, NULL, &err), PDR_OK, "%s", err.message);
    expect_seqs(entity, part.after_seq + 1, part.to_seq);
}

Test(story, begins_and_ends_where_it_is_told_to)
{
    scan_world_open(&world, 5, 300);
    cr_expect_gt(for_each(claim_part), 0);
}

static uint64_t voids_seen;

static void claim_voids(made_log *made, const made_entity *entity)
{
    pdr_error err;
    pdr_story_told out;
    pdr_story_spec spec = {.to_seq = UINT64_MAX, .voids = true};
    cr_assert_eq(tell(entity->key, spec, &out, &err), PDR_OK, "%s", err.message);
    expect_seqs(entity, 1, entity->count);
    cr_expect_eq(found.voids, records_with(made, entity->key) - entity->count);
    cr_expect_eq(out.voids, found.voids);
    voids_seen += found.voids;
}

Test(story, tells_each_record_that_does_not_count_once_if_asked)
{
    scan_world_open(&world, 4, 400);
    for_each(claim_voids);
    cr_expect_gt(voids_seen, 0);
}

static void claim_ends(made_log *made, const made_entity *entity)
{
    pdr_error err;
    (void)made;
    found.stop_at = entity->count / 2 + 1;
    found.stop_code = PDR_CANCELLED;
    cr_expect_eq(tell(entity->key, whole, NULL, &err), PDR_OK);
    cr_expect_eq(found.count, found.stop_at);
    found.stop_code = PDR_BAD_HANDLER;
    cr_expect_eq(tell(entity->key, whole, NULL, &err), PDR_BAD_HANDLER);
    cr_expect_str_eq(err.message, "enough");
}

Test(story, ends_when_its_listener_has_had_enough_and_fails_as_it_does)
{
    scan_world_open(&world, 6, 200);
    cr_expect_gt(for_each(claim_ends), 0);
}

Test(story, of_an_entity_without_events_is_no_failure)
{
    pdr_error err;
    pdr_story_told out;
    size_t count = 1;
    pdr_buf like = PDR_BUF_INIT(1000);
    scan_world_open(&world, 6, 100);
    cr_assert_eq(tell("nobody/1", whole, &out, &err), PDR_OK, "%s", err.message);
    cr_expect_eq(out.newest_seq, 0);
    cr_expect_eq(found.count, 0);
    cr_expect_eq(pdr_ids_like(world.tool, pdr_bytes_of("x", 1), 3, &like, &count, &err), PDR_OK);
    cr_expect_eq(count, 0, "there is no store that knows any");
    pdr_buf_release(&like);
}

static void claim_follows(made_log *made, const made_entity *entity)
{
    pdr_error err;
    pdr_story_spec spec = {.to_seq = UINT64_MAX, .follow = true};
    uint64_t before = entity->count;
    (void)made;
    found.append = true;
    cr_assert_eq(tell(entity->key, spec, NULL, &err), PDR_OK, "%s", err.message);
    cr_assert_eq(entity->count, before + 2);
    expect_seqs(entity, before + 1, before + 2);
}

Test(story, follows_what_is_appended_later)
{
    scan_world_open(&world, 8, 200);
    cr_expect_gt(for_each(claim_follows), 0);
}

static bool stop(void)
{
    return true;
}

Test(story, stops_with_its_tool)
{
    pdr_error err;
    scan_world_open(&world, 8, 200);
    pdr_tool_close(world.tool);
    pdr_tool_spec spec = {.journal = world.url, .stopped = stop};
    cr_assert_eq(pdr_tool_open(&world.tool, &spec, &err), PDR_OK, "%s", err.message);
    cr_expect_eq(tell(world.made[0].entities[0].key, whole, NULL, &err), PDR_CANCELLED);
}
