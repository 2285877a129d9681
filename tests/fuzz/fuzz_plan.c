/* Any two schemas and any datum: the plan is refused, or it refuses the datum, or it makes a value that
 * prints; and the model of resolution (tests/support/model_resolve.h) says the same. The first byte says what
 * the others are: two texts and a datum, with a zero byte after each text, or choices of which a pair of
 * schemas and a datum are made. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/made_pair.h"
#include "tests/support/triple.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool truth, const char *claim, const char *more, const char *other)
{
    if (truth) return;
    fprintf(stderr, "broken claim: %s\n  %s\n  %s\n", claim, more, other);
    abort();
}

static const char *text_of(const triple_answer *answer)
{
    return answer->verdict == MODEL_VALUE ? (const char *)answer->text.data : "refused";
}

static void compare(const triple_answer *plan, const triple_answer *expected, const char *why)
{
    if (plan->verdict == MODEL_TOO_DEEP || expected->verdict == MODEL_TOO_DEEP) return;
    bool plan_made = plan->verdict != MODEL_REFUSES_PAIR, pair_fits = expected->verdict != MODEL_REFUSES_PAIR;
    must(plan_made == pair_fits, "the model refuses the same pairs", why, text_of(expected));
    if (!expected->loose)
        must(strcmp(text_of(plan), text_of(expected)) == 0, why, text_of(plan), text_of(expected));
}

static void resolve(const pdr_schema *writer, const made_type *reader, pdr_bytes datum)
{
    pdr_error err = {.message = ""}, why = {.message = ""};
    triple_answer plan = {.text = PDR_BUF_INIT(1 << 20)}, expected = plan;
    pdr_code code = triple_plan(&plan, writer, reader, datum, &why);
    must(code == PDR_OK || code == PDR_TOO_LARGE, "a plan has a verdict", why.message, "");
    if (code == PDR_OK && triple_model(&expected, writer, reader->root, datum, &err) == PDR_OK)
        compare(&plan, &expected, why.message);
    triple_answer_release(&plan);
    triple_answer_release(&expected);
}

static void resolve_texts(const uint8_t *data, size_t size)
{
    const uint8_t *first = memchr(data, 0, size);
    if (!first) return;
    size_t left = size - (size_t)(first + 1 - data);
    const uint8_t *second = memchr(first + 1, 0, left);
    if (!second) return;
    pdr_string writer = {(const char *)data, (size_t)(first - data)};
    pdr_string reader = {(const char *)first + 1, (size_t)(second - first - 1)};
    pdr_schema_set *set = NULL;
    made_type made;
    if (made_type_open(&made, reader, NULL) == PDR_OK &&
        pdr_schema_read(&set, "writer", writer, NULL) == PDR_OK)
        resolve(pdr_schema_set_root(set, 0), &made,
                pdr_bytes_of(second + 1, (size_t)(data + size - second - 1)));
    pdr_schema_set_close(set);
    made_type_close(&made);
}

/* A datum of the writer's, or with a byte changed, or whatever bytes are left. */
static void resolve_datum(const pdr_schema *writer, const made_type *reader, choices *c, unsigned how)
{
    pdr_buf datum = PDR_BUF_INIT(1 << 16);
    if (how < 2 && made_datum(writer, c, &datum)) {
        if (how == 1 && datum.size) datum.data[choose(c, 256) % datum.size] = (uint8_t)choose(c, 256);
        resolve(writer, reader, pdr_buf_bytes(&datum));
    }
    if (how == 2) resolve(writer, reader, pdr_bytes_of(c->at, (size_t)(c->end - c->at)));
    pdr_buf_release(&datum);
}

static void resolve_choices(const uint8_t *data, size_t size)
{
    made_pair pair = MADE_PAIR_INIT;
    pdr_schema_set *set = NULL;
    made_type made;
    choices c = choices_of_bytes(data, size);
    unsigned how = choose(&c, 3);
    if (made_pair_fill(&pair, &c)) {
        pdr_string writer = {(const char *)pair.writer.data, pair.writer.size};
        pdr_string reader = {(const char *)pair.reader.data, pair.reader.size};
        bool good = made_type_open(&made, reader, NULL) == PDR_OK &&
                    pdr_schema_read(&set, "writer", writer, NULL) == PDR_OK;
        must(good, "a made pair has schemas", writer.data, reader.data);
        resolve_datum(pdr_schema_set_root(set, 0), &made, &c, how);
        pdr_schema_set_close(set);
        made_type_close(&made);
    }
    made_pair_release(&pair);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    if (data[0] % 4 == 0)
        resolve_texts(data + 1, size - 1);
    else
        resolve_choices(data + 1, size - 1);
    return 0;
}
