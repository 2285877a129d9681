/* What the store and the views say, before the log is read. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "journal/command.h"
#include "journal/partitioner.h"
#include "replay/verify_core.h"

static bool is_start(pdr_position position)
{
    return position.offset < 0;
}

/* --- rows --- */

static pdr_code add_place(verify_part *part, verify_place_kind kind, pdr_position position, const char *whose,
                          pdr_error *err)
{
    if (is_start(position)) return PDR_OK;
    char *copy = whose ? pdr_strdup(whose) : NULL;
    verify_place *place = whose && !copy ? NULL : verify_list_add(&part->places, sizeof *place);
    if (!place) {
        pdr_free(copy);
        return pdr_fail(err, PDR_NOMEM, "positions of partition %d", (int)part->number);
    }
    *place = (verify_place){kind, position, copy};
    return PDR_OK;
}

pdr_code pdr_verify_row(pdr_verify *verify, int32_t partition, const pdr_partition_row *row, pdr_error *err)
{
    verify_part *part = &verify->parts[partition];
    part->row = *row;
    part->has_row = true;
    if (!part->first) return PDR_OK;
    pdr_code code = add_place(part, PLACE_CHECKPOINT, row->checkpoint, NULL, err);
    return code == PDR_OK ? add_place(part, PLACE_SEEN, row->seen, NULL, err) : code;
}

pdr_code pdr_verify_row_after(pdr_verify *verify, int32_t partition, const pdr_partition_row *row,
                              pdr_error *err)
{
    char seen[VERIFY_POSITION_TEXT], highest[VERIFY_POSITION_TEXT];
    verify_part *part = &verify->parts[partition];
    if (memcmp(row->stamp.store_id, part->row.stamp.store_id, PDR_ID_SIZE) != 0)
        return pdr_fail(err, PDR_UNAVAILABLE, "the store was made anew meanwhile");
    if (row->seen.offset >= part->highest.offset || !part->first) return PDR_OK;
    verify_tell(part, PDR_VERIFY_POSITIONS,
                (verify_where){part->highest.offset, pdr_bytes_of(part->highest_key, part->highest_size), 0},
                "no head rests on a record behind the row's highest (seen)",
                "the head rests on %s; seen is %s", verify_position_text(highest, part->highest),
                verify_position_text(seen, row->seen));
    return PDR_OK;
}

/* --- heads --- */

static const pdr_folder *folder_of(const pdr_verify *verify, pdr_bytes key)
{
    return verify->spec.folder ? verify->spec.folder(verify->spec.folder_context, key) : NULL;
}

static void note_highest(verify_part *part, const pdr_head *head)
{
    if (head->last.offset <= part->highest.offset) return;
    part->highest = head->last;
    part->highest_size = head->key.size;
    memcpy(part->highest_key, head->key.data, head->key.size);
}

size_t verify_count_ids(pdr_bytes packed, uint32_t *count)
{
    pdr_id_entry entry;
    const uint8_t *at = packed.data, *end = packed.data + packed.size;
    for (*count = 0; at < end; ++*count)
        if (!pdr_ids_next(&at, end, &entry)) return *count;
    return SIZE_MAX;
}

static pdr_code keep_head(verify_entity *e, const pdr_head *head, pdr_error *err)
{
    if (head->ids.size > UINT32_MAX || head->state.size > UINT32_MAX)
        return pdr_fail(err, PDR_TOO_LARGE, "a head of %zu bytes", head->ids.size + head->state.size);
    verify_stored *s = e->head = pdr_calloc(1, sizeof *s);
    if (!s) return pdr_fail(err, PDR_NOMEM, "a head");
    s->seq = head->seq;
    s->last = head->last;
    s->ids_size = (uint32_t)head->ids.size;
    (void)verify_count_ids(head->ids, &s->ids_count);
    s->bytes = pdr_memdup(head->ids.data ? head->ids.data : (const uint8_t *)"", head->ids.size);
    return s->bytes ? PDR_OK : pdr_fail(err, PDR_NOMEM, "a head");
}

static pdr_code keep_state(verify_entity *e, const pdr_head *head, pdr_error *err)
{
    verify_stored *s = e->head;
    if (head->state.size > UINT32_MAX)
        return pdr_fail(err, PDR_TOO_LARGE, "a state of %zu bytes", head->state.size);
    uint8_t *bytes = pdr_realloc(s->bytes, s->ids_size + head->state.size + 1);
    if (!bytes) return pdr_fail(err, PDR_NOMEM, "a state");
    s->bytes = bytes;
    if (head->state.size) memcpy(bytes + s->ids_size, head->state.data, head->state.size);
    s->state_size = (uint32_t)head->state.size;
    s->state_seq = head->state_seq;
    s->has_state = true;
    return PDR_OK;
}

static bool is_todays(const pdr_verify *verify, const pdr_head *head)
{
    const pdr_folder *folder = folder_of(verify, head->key);
    return head->state.data && folder && head->revision == pdr_folder_revision(folder);
}

static bool has_sound_state(const pdr_verify *verify, const pdr_head *head)
{
    return is_todays(verify, head) && head->state_seq <= head->seq && head->state_seq > 0;
}

static pdr_code take_head(verify_part *part, uint64_t hash, const pdr_head *head, pdr_error *err)
{
    verify_entity *e = verify_find(part, head->key, hash);
    pdr_code code = PDR_OK;
    if (!e) e = verify_add(part, head->key, hash);
    if (!e) return pdr_fail(err, PDR_NOMEM, "%zu entities", part->count);
    if (!e->head) code = keep_head(e, head, err);
    if (code == PDR_OK && has_sound_state(part->verify, head)) code = keep_state(e, head, err);
    verify_account(part, e);
    return code == PDR_OK ? verify_make_room(part, err) : code;
}

/* What is wrong whatever the log says; once for each entity, and once for each of its states. */
static void look_at(verify_part *part, int32_t stored, const pdr_head *head)
{
    pdr_verify *verify = part->verify;
    bool same = pdr_bytes_equal(head->key, pdr_bytes_of(verify->last_key, verify->last_size));
    if (!same && stored != part->number)
        verify_tell(part, PDR_VERIFY_PARTITION, (verify_where){-1, head->key, head->seq},
                    "the head's partition is that of murmur2 of its id", "it is stored in partition %d",
                    (int)stored);
    if (!same) note_highest(part, head);
    verify->last_size = head->key.size;
    memcpy(verify->last_key, head->key.data, head->key.size);
    if (head->state.data && !is_todays(verify, head)) part->totals.other_states++;
    if (is_todays(verify, head) && !has_sound_state(verify, head))
        verify_tell(part, PDR_VERIFY_SNAPSHOTS, (verify_where){-1, head->key, head->state_seq},
                    "a state is folded up to one of its entity's events", "the head's seq is %" PRIu64,
                    head->seq);
}

/* A head goes to where its events must be, wherever its row says that they are. */
pdr_code pdr_verify_head(pdr_verify *verify, int32_t partition, const pdr_head *head, pdr_error *err)
{
    if (head->key.size == 0 || head->key.size > PDR_LOG_MAX_KEY) {
        if (verify->parts[0].first)
            verify_tell(&verify->parts[0], PDR_VERIFY_HEADS, VERIFY_NOWHERE,
                        "a head has an entity id of 1 to 512 bytes", "one has %zu bytes", head->key.size);
        return PDR_OK;
    }
    uint64_t hash = pdr_key_hash(head->key);
    verify_part *part = &verify->parts[pdr_partition_of(head->key, verify->spec.partitions)];
    if (part->first) look_at(part, partition, head);
    if (!part->wanted || !verify_in_pass(part, hash)) return PDR_OK;
    return take_head(part, hash, head, err);
}

/* --- views --- */

pdr_code pdr_verify_position(pdr_verify *verify, int32_t partition, pdr_position position, const char *whose,
                             pdr_error *err)
{
    verify_part *part = &verify->parts[partition];
    return part->first ? add_place(part, PLACE_VIEW, position, whose, err) : PDR_OK;
}

pdr_code pdr_verify_dead_letter(pdr_verify *verify, const pdr_verify_letter *letter, pdr_error *err)
{
    verify_part *part = &verify->parts[letter->partition];
    if (!part->first) return PDR_OK;
    char *whose = pdr_strdup(letter->whose);
    verify_letter *l = whose ? verify_list_add(&part->letters, sizeof *l) : NULL;
    if (!l) {
        pdr_free(whose);
        return pdr_fail(err, PDR_NOMEM, "dead letters of partition %d", (int)letter->partition);
    }
    size_t size = letter->entity.size < sizeof l->key ? letter->entity.size : sizeof l->key;
    *l = (verify_letter){
        .offset = letter->offset, .seq = letter->seq, .whose = whose, .key_size = (uint32_t)size};
    if (size) memcpy(l->key, letter->entity.data, size);
    return add_place(part, PLACE_BEFORE, letter->before, letter->whose, err);
}

static int order_of_places(const void *left, const void *right)
{
    const verify_place *a = left, *b = right;
    return (a->position.offset > b->position.offset) - (a->position.offset < b->position.offset);
}

static int order_of_letters(const void *left, const void *right)
{
    const verify_letter *a = left, *b = right;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

void verify_sort_places(verify_part *part)
{
    if (part->sorted) return;
    if (part->places.count)
        qsort(part->places.items, part->places.count, sizeof(verify_place), order_of_places);
    if (part->letters.count)
        qsort(part->letters.items, part->letters.count, sizeof(verify_letter), order_of_letters);
    part->sorted = true;
}
