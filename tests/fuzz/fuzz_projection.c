/* Any text as a declarative projection: it is refused with its place, or it takes events and gives changes of
 * rows. */
#include <stdio.h>
#include <stdlib.h>

#include "projections/projection.h"
#include "tests/support/viewed_app.h"
#include "viewed.gen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool truth, const char *claim)
{
    if (truth) return;
    fprintf(stderr, "broken claim: %s\n", claim);
    abort();
}

/* Rows that an event wants don't exist. */
static void fetch(pdr_rows *rows, size_t table_count)
{
    pdr_rows_undo(rows);
    for (size_t t = 0; t < table_count; t++)
        must(pdr_rows_fetched(rows, t, NULL, 0, NULL) == PDR_OK, "nothing is fetched");
}

static void project(pdr_projection *projection, const pdr_type *type, const void *value, uint64_t seq,
                    pdr_rows *rows)
{
    pdr_projected event = {.entity = pdr_string_of("order/7"),
                           .event = {.type = type, .value = value, .seq = seq, .time_us = 1},
                           .parts = 1};
    pdr_error err = {.message = ""};
    pdr_code code = PDR_BUSY;
    for (int turn = 0; code == PDR_BUSY && turn < 100; turn++) {
        must(pdr_rows_begin(rows, (uint32_t)seq, NULL) == PDR_OK, "an event begins");
        code = projection->ops->project(projection, &event, rows, &err);
        if (code == PDR_BUSY) fetch(rows, projection->table_count);
    }
    if (code == PDR_OK) return;
    must(code == PDR_BAD_DATA || code == PDR_STALE || code == PDR_TOO_LARGE || code == PDR_BAD_HANDLER,
         "an event fails for a reason of its own");
    must(err.message[0], "an error has a message");
    pdr_rows_undo(rows);
}

static void play(pdr_projection *projection)
{
    const pdr_view_step *steps;
    size_t count;
    pdr_rows *rows;
    viewed_opened opened;
    viewed_closed closed = {.pieces = 3};
    viewed_opened_type.init(&opened);
    must(pdr_rows_open(&rows, projection->tables, projection->table_count, 1 << 20, NULL) == PDR_OK,
         "rows of its tables");
    for (uint64_t seq = 1; seq < 4; seq++) {
        project(projection, &viewed_opened_type, &opened, seq, rows);
        project(projection, &viewed_closed_type, &closed, seq, rows);
    }
    pdr_code code = pdr_rows_take(rows, &steps, &count, NULL);
    must(code == PDR_OK || code == PDR_TOO_LARGE, "the batch can be taken");
    pdr_rows_close(rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pdr_projection *projection = NULL;
    pdr_error err = {.message = ""};
    pdr_string text = {(const char *)data, size};
    pdr_code code = pdr_projection_read(&projection, "fuzz.sql", text, &viewed_app, &err);
    if (code != PDR_OK) {
        must(code == PDR_BAD_PROJECTION || code == PDR_TOO_LARGE || code == PDR_NOMEM, "a file is refused");
        must(!strncmp(err.message, "fuzz.sql:", 9), "an error names the file");
        return 0;
    }
    play(projection);
    pdr_projection_close(projection);
    return 0;
}
