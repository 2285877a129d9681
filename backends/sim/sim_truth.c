/* The true log of a partition: what "in the log" means in this world. */
#include "backends/sim/sim_internal.h"

pdr_log_entry sim_copy_entry(pdr_sim_world *world, const pdr_log_entry *entry)
{
    return (pdr_log_entry){
        .key = sim_copy_bytes(world, entry->key),
        .value = sim_copy_bytes(world, entry->value),
        .header = sim_copy_bytes(world, entry->header),
        .schema = sim_copy_bytes(world, entry->schema),
        .trace = sim_copy_bytes(world, entry->trace),
    };
}

static int64_t append_one(pdr_sim_world *world, int32_t partition, const pdr_log_entry *entry)
{
    sim_truth *truth = &world->truths[partition];
    if (sim_fault(world, PDR_SIM_offset_skipped)) truth->end++;
    pdr_log_record *record = sim_alloc(world, sizeof *record);
    record->offset = truth->end++;
    record->append_ms = 1700000000000 + world->now_us / 1000;
    record->entry = *entry;
    truth->records = sim_grow(world, truth->records, truth->count, &truth->capacity, sizeof(void *));
    truth->records[truth->count++] = record;
    if (world->options.hooks.appended)
        world->options.hooks.appended(world->options.hooks.context, partition, record);
    return record->offset;
}

/* What people write into a topic that isn't theirs: no header of ours, or a damaged copy of one. */
static void append_stranger(pdr_sim_world *world, int32_t partition, const pdr_log_entry *like,
                            bool malformed)
{
    pdr_log_entry entry = {.value = sim_copy_bytes(world, pdr_bytes_of("strange", 7))};
    if (pdr_sim_world_below(world, 2)) entry.key = like->key;
    if (malformed && like->header.size) {
        pdr_bytes header = like->header;
        /* Within the fixed fields: a header cut where its optional fields begin would be whole. */
        size_t keep = (size_t)pdr_sim_world_below(world, header.size < 12 ? header.size : 12);
        if (pdr_sim_world_below(world, 2)) { /* cut short */
            entry.header = pdr_bytes_of(header.data, keep);
        } else { /* bytes left over */
            uint8_t *longer = sim_alloc(world, header.size + 1);
            memcpy(longer, header.data, header.size);
            longer[header.size] = 0x5a;
            entry.header = pdr_bytes_of(longer, header.size + 1);
        }
    }
    append_one(world, partition, &entry);
}

int64_t sim_truth_append(pdr_sim_world *world, int32_t partition, const pdr_log_entry *entry)
{
    if (sim_fault(world, PDR_SIM_stranger)) append_stranger(world, partition, entry, false);
    if (sim_fault(world, PDR_SIM_stranger_malformed)) append_stranger(world, partition, entry, true);
    int64_t offset = append_one(world, partition, entry);
    for (sim_reader *reader = world->truths[partition].readers; reader;)
        reader = sim_reader_nudge(reader);
    return offset;
}

size_t sim_truth_find(const sim_truth *truth, int64_t offset)
{
    size_t low = 0, high = truth->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (truth->records[middle]->offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int64_t pdr_sim_log_end(const pdr_sim_world *world, int32_t partition)
{
    return world->truths[partition].end;
}
