/* Any bytes as a datum through any of some hundred plans: refused, or a value that prints, and the model of
 * resolution (tests/support/model_resolve.h) says the same. The first byte chooses the plan. */
#include <stdio.h>
#include <stdlib.h>

#include "schemas/plan_inside.h"
#include "tests/support/made_pair.h"
#include "tests/support/triple.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PLANS = 256 };

/* Made once, and kept until the program ends. */
static struct {
    pdr_schema_set *writers;
    made_type reader;
    pdr_plan *plan;
} all[PLANS];

static void must(bool truth, const char *claim, const char *more, const char *other)
{
    if (truth) return;
    fprintf(stderr, "broken claim: %s\n  %s\n  %s\n", claim, more, other);
    abort();
}

/* False: this pair can't be read. */
static bool open_pair(size_t i, const made_pair *pair)
{
    pdr_string writer = {(const char *)pair->writer.data, pair->writer.size};
    pdr_string reader = {(const char *)pair->reader.data, pair->reader.size};
    bool good = made_type_open(&all[i].reader, reader, NULL) == PDR_OK &&
                pdr_schema_read(&all[i].writers, "writer", writer, NULL) == PDR_OK &&
                plan_open(&all[i].plan, pdr_schema_set_root(all[i].writers, 0), all[i].reader.root,
                          &all[i].reader.type, NULL) == PDR_OK;
    if (good) return true;
    made_type_close(&all[i].reader);
    pdr_schema_set_close(all[i].writers);
    all[i].writers = NULL;
    return false;
}

static void open_all(void)
{
    made_pair pair = MADE_PAIR_INIT;
    choices c = choices_of_seed(3);
    for (size_t i = 0; i < PLANS;)
        if (made_pair_fill(&pair, &c) && open_pair(i, &pair)) i++;
    made_pair_release(&pair);
}

static void compare(const triple_answer *plan, const triple_answer *expected, const char *why)
{
    bool limits = plan->verdict == MODEL_TOO_DEEP || expected->verdict == MODEL_TOO_DEEP;
    if (limits || expected->loose) return;
    must((plan->verdict == MODEL_VALUE) == (expected->verdict == MODEL_VALUE), "the model refuses the same",
         why, (const char *)expected->text.data);
    if (plan->verdict != MODEL_VALUE) return;
    const char *ours = (const char *)plan->text.data, *theirs = (const char *)expected->text.data;
    must(strcmp(ours, theirs) == 0, "the model reads the same", ours, theirs);
}

static bool asks_the_model(const uint8_t *data, size_t size)
{
    unsigned sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += data[i];
    return sum % 16 == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!all[0].plan) open_all();
    if (size == 0) return 0;
    size_t i = data[0] % PLANS;
    pdr_bytes datum = pdr_bytes_of(data + 1, size - 1);
    pdr_error why = {.message = ""}, err = {.message = ""};
    triple_answer plan = {.text = PDR_BUF_INIT(1 << 20)}, expected = plan;
    must(triple_decode(&plan, all[i].plan, &all[i].reader, datum, &why) == PDR_OK, "a datum has a verdict",
         why.message, "");
    const pdr_schema *writer = pdr_schema_set_root(all[i].writers, 0), *reader = all[i].reader.root;
    if (asks_the_model(data, size) && triple_model(&expected, writer, reader, datum, &err) == PDR_OK)
        compare(&plan, &expected, why.message);
    triple_answer_release(&plan);
    triple_answer_release(&expected);
    return 0;
}
