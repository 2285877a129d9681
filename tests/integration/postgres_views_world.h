/* What the claims about views on PostgreSQL stand on: a schema of their own, versions of a projection,
 * batches whose sums must equal the positions. */
#ifndef PDR_TESTS_POSTGRES_VIEWS_WORLD_H
#define PDR_TESTS_POSTGRES_VIEWS_WORLD_H

#include "backends/postgres/postgres_views.h"
#include "projections/cell.h"
#include "tests/contract/contract.h"
#include "tests/integration/postgres_world.h"

enum { MAX_VIEWS = 4, COLUMNS = 3, TABLES = 2 };
extern pdr_views *opened[MAX_VIEWS];
extern const pdr_column columns[COLUMNS];
extern const pdr_table tables[TABLES];

void views_open(void); /* and version 1 is made, at opened[0] */
void views_close(void);
/* NULL url: the server's own. 0: the default time. */
pdr_views *views_at(const char *url, int wait_ms, int limit_ms);
pdr_version_spec spec_of(uint32_t version);
void made(uint32_t version);
void load_generations(uint32_t version); /* after a reset, or when it was made elsewhere */

typedef struct ended {
    int times;
    pdr_code code;
    pdr_error error;
    pdr_position position;
    size_t count;
} ended;

void note(void *context, uint64_t tag, const pdr_view_result *result); /* context: ended[tag + 1] */
void note_rows(void *context, uint64_t tag, const pdr_view_rows *rows);
pdr_position position(int64_t offset);
/* Partition p goes from `from` to from + 1, and adds 1 to the sum of row "p" and of `rows` shared rows. */
void begin_batch(ended *e, pdr_views *views, uint32_t version, int32_t partition, int64_t from, size_t rows);
void begin_on_top(ended piled[2], pdr_views *views, int64_t from,
                  size_t rows); /* of partition 0, on piled[0] */
void poll_once(pdr_views *views, int most_ms);
void until_ended(pdr_views *views, const ended *e);
ended batch(pdr_views *views, int32_t partition, int64_t from, size_t rows);
int64_t offset_now(pdr_views *views); /* of partition 0, asked until the server answers */
/* Each batch adds 1: a sum that isn't the count of moves was written twice, or not. */
void rows_equal_positions(void);

#endif
