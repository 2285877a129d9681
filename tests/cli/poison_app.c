/* The loans application with a projection in C that fails on one application's third event, as long as
 * PERDURE_TEST_POISON names that entity. */
#include <stdlib.h>
#include <string.h>

#include "loan.h"
#include "perdure/projection.h"

enum { POISONED_SEQ = 3 };

static const pdr_entity_type *const entities[] = {&loans_entity};
const pdr_app pdr_application = {sizeof(pdr_app), PDR_ABI_VERSION, "loans", entities, 1};

static const pdr_column columns[] = {
    {.name = "application", .type = PDR_COLUMN_TEXT, .not_null = true, .initial = {.null = true}},
    {.name = "events", .type = PDR_COLUMN_BIGINT, .not_null = true, .initial = {.as.integer = 0}},
    {.name = "seqs", .type = PDR_COLUMN_BIGINT, .not_null = true, .initial = {.as.integer = 0}},
};
static const pdr_table table = {.name = "tallies", .columns = columns, .column_count = 3, .key_count = 1};

static void handle(void *context, const pdr_projected *event, pdr_writer *out)
{
    const char *poisoned = getenv("PERDURE_TEST_POISON");
    const pdr_cell key = {.as.bytes = {(const uint8_t *)event->entity.data, event->entity.size}};
    (void)context;
    if (poisoned && event->event.seq == POISONED_SEQ && strlen(poisoned) == event->entity.size &&
        memcmp(poisoned, event->entity.data, event->entity.size) == 0)
        pdr_write_fail(out, "poisoned on purpose");
    pdr_write(out, 0, &key, 1, PDR_CELL_ADD, (pdr_cell){.as.integer = 1});
    pdr_write(out, 0, &key, 2, PDR_CELL_ADD, (pdr_cell){.as.integer = (int64_t)event->event.seq});
}

static const pdr_projection_type tallies = {.abi_size = sizeof(pdr_projection_type),
                                            .name = "tallies",
                                            .version = 1,
                                            .tables = &table,
                                            .table_count = 1,
                                            .handle = handle};
static const pdr_projection_type *const items[] = {&tallies};
extern const pdr_projection_list pdr_application_projections;
const pdr_projection_list pdr_application_projections = {sizeof(pdr_projection_list), items, 1};
