/* Triples of schema resolution, as tests/support/triple.h has them.
 *
 *   triples make SEED COUNT   prints COUNT of them without answers; the same seed, the same lines
 *   triples check FILE        compares perdure with the answers in FILE: prints what differs and isn't
 * listed, then how many there were of each kind; exit code 1 if anything differs */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "schemas/resolve.h"
#include "tests/support/made_pair.h"
#include "tests/support/triple.h"

enum { DATA_PER_PAIR = 3, MAX_LINE = 2000 };

static void print_changes(const made_pair *pair)
{
    const char *between = "";
    for (size_t i = 0; i < MADE_CHANGE_COUNT; i++) {
        if (pair->changes[i] == 0) continue;
        printf("%s%s", between, made_change_names[i]);
        between = ",";
    }
    if (!*between) printf("-");
}

static bool append_datum(const pdr_schema *writer, choices *c, pdr_buf *out)
{
    pdr_buf datum = PDR_BUF_INIT(1 << 16);
    bool fine = made_datum(writer, c, &datum) && datum.size < MAX_LINE / 4;
    if (fine && out->size) fine = pdr_buf_append(out, " ", 1) == PDR_OK;
    if (fine && datum.size == 0) fine = pdr_buf_append(out, "-", 1) == PDR_OK;
    for (size_t i = 0; fine && i < datum.size; i++)
        fine = pdr_buf_printf(out, "%02x", datum.data[i]) == PDR_OK;
    pdr_buf_release(&datum);
    return fine;
}

/* How many triples it printed; -1: the writer's schema is none. */
static int print_pair(const made_pair *pair, choices *c, int most)
{
    pdr_schema_set *set = NULL;
    pdr_error err;
    pdr_buf data = PDR_BUF_INIT(1 << 20);
    int count = 0;
    pdr_string writer = {(const char *)pair->writer.data, pair->writer.size};
    if (pdr_schema_read(&set, "writer", writer, &err) != PDR_OK) {
        fprintf(stderr, "%s\n%.*s\n", err.message, (int)writer.size, writer.data);
        return -1;
    }
    for (int i = 0; i < DATA_PER_PAIR && count < most; i++)
        count += append_datum(pdr_schema_set_root(set, 0), c, &data);
    if (count) {
        print_changes(pair);
        printf("\t%.*s\t%.*s\t%.*s\n", (int)writer.size, writer.data, (int)pair->reader.size,
               (const char *)pair->reader.data, (int)data.size, (const char *)data.data);
    }
    pdr_buf_release(&data);
    pdr_schema_set_close(set);
    return count;
}

static int make(uint64_t seed, int count)
{
    made_pair pair = MADE_PAIR_INIT;
    choices c = choices_of_seed(seed);
    int code = 0;
    while (count > 0 && code == 0) {
        if (!made_pair_fill(&pair, &c) || pair.writer.size + pair.reader.size > MAX_LINE) continue;
        int printed = print_pair(&pair, &c, count);
        if (printed < 0) code = 1;
        count -= printed;
    }
    made_pair_release(&pair);
    return code;
}

static void print_counts(const triple_counts *counts)
{
    printf("size: %zu triples of schema resolution (%zu pairs): %zu values, %zu refused; as Avro's Java "
           "library %zu\n",
           counts->all, counts->pairs, counts->values, counts->refused, counts->same);
    for (size_t i = 0; i < MODEL_DIFFERENCE_COUNT; i++)
        printf("%s%s %zu", i ? ", " : "listed differences: ", model_difference_names[i],
               counts->different[i]);
    for (size_t i = 0; i < MADE_CHANGE_COUNT; i++)
        printf("%s%s %zu", i ? ", " : "\ntriples by change: ", made_change_names[i], counts->changes[i]);
    printf("\n");
}

static int check(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file) return perror(path), 2;
    triple_counts counts = {0};
    char *line = NULL;
    size_t room = 0;
    int wrong = 0;
    for (size_t number = 1; getline(&line, &room, file) > 0; number++) {
        line[strcspn(line, "\n")] = '\0';
        const char *what = triple_check(&counts, line);
        if (what && ++wrong <= 40) printf("%s:%zu: %s\n", path, number, what);
    }
    free(line);
    fclose(file);
    print_counts(&counts);
    if (wrong) printf("%d triples differ\n", wrong);
    return wrong || counts.all == 0;
}

/* ---- pairs ---- */

static pdr_code can_read(bool *all, const char *writer, const char *reader, pdr_error *err)
{
    pdr_schema_set *from = NULL, *to = NULL;
    pdr_readable readable = PDR_READABLE_NEVER;
    pdr_code code = pdr_schema_read(&from, "writer", pdr_string_of(writer), err);
    if (code == PDR_OK) code = pdr_schema_read(&to, "reader", pdr_string_of(reader), err);
    if (code == PDR_OK)
        code = pdr_schema_can_read(&readable, pdr_schema_set_root(from, 0), pdr_schema_set_root(to, 0), NULL,
                                   err);
    *all = readable == PDR_READABLE_ALL;
    pdr_schema_set_close(from);
    pdr_schema_set_close(to);
    return code;
}

/* Any type as a field, so that a struct can have it. */
static const char *in_record(pdr_buf *buf, const char *schema)
{
    pdr_buf_clear(buf);
    const char *format = "{\"type\":\"record\",\"name\":\"Case\",\"fields\":[{\"name\":\"v\",\"type\":%s}]}";
    return pdr_buf_printf(buf, format, schema) == PDR_OK && pdr_buf_append(buf, "", 1) == PDR_OK
               ? (const char *)buf->data
               : "";
}

/* Data of the writer's through a plan and through the model: the same; and values, if all can be read. */
static bool data_agree(const char *writer, const char *reader, bool all)
{
    pdr_schema_set *set = NULL;
    made_type made;
    triple_answer plan = {.text = PDR_BUF_INIT(1 << 20)}, expected = plan;
    choices c = choices_of_seed(1);
    bool fine = made_type_open(&made, pdr_string_of(reader), NULL) == PDR_OK &&
                pdr_schema_read(&set, "writer", pdr_string_of(writer), NULL) == PDR_OK;
    for (int i = 0; fine && i < 20; i++) {
        pdr_buf datum = PDR_BUF_INIT(1 << 16);
        fine =
            made_datum(pdr_schema_set_root(set, 0), &c, &datum) &&
            triple_plan(&plan, pdr_schema_set_root(set, 0), &made, pdr_buf_bytes(&datum), NULL) == PDR_OK &&
            triple_model(&expected, pdr_schema_set_root(set, 0), made.root, pdr_buf_bytes(&datum), NULL) ==
                PDR_OK &&
            plan.verdict == expected.verdict && (!all || plan.verdict != MODEL_REFUSES_PAIR);
        if (fine && plan.verdict == MODEL_VALUE)
            fine = pdr_bytes_equal(pdr_buf_bytes(&plan.text), pdr_buf_bytes(&expected.text));
        pdr_buf_release(&datum);
    }
    triple_answer_release(&plan);
    triple_answer_release(&expected);
    pdr_schema_set_close(set);
    made_type_close(&made);
    return fine;
}

static bool check_pair(char *line)
{
    char *reader = strchr(line, '\t'), *answer = reader ? strchr(reader + 1, '\t') : NULL;
    pdr_error err = {.message = ""};
    pdr_buf from = PDR_BUF_INIT(1 << 20), to = PDR_BUF_INIT(1 << 20);
    bool all = false, wanted;
    if (!answer) return printf("no three columns: %s\n", line), false;
    *reader++ = *answer++ = '\0';
    wanted = strcmp(answer, "all") == 0;
    bool fine = can_read(&all, line, reader, &err) == PDR_OK && all == wanted;
    if (!fine)
        printf("%s, not %s: %s\n  read as %s\n  %s\n", all ? "all" : "not-all", answer, line, reader,
               err.message);
    bool agree = data_agree(in_record(&from, line), in_record(&to, reader), all);
    if (!agree) printf("data differ: %s\n  read as %s\n", line, reader);
    pdr_buf_release(&from);
    pdr_buf_release(&to);
    return fine && agree;
}

static int pairs(void)
{
    char *line = NULL;
    size_t room = 0, count = 0, wrong = 0;
    for (; getline(&line, &room, stdin) > 0; count++) {
        line[strcspn(line, "\n")] = '\0';
        if (!check_pair(line)) wrong++;
    }
    free(line);
    printf("size: %zu pairs of schemas from Avro's own test cases, %zu differ\n", count, wrong);
    return wrong || count == 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "make") == 0) return make(strtoull(argv[2], NULL, 10), atoi(argv[3]));
    if (argc == 3 && strcmp(argv[1], "check") == 0) return check(argv[2]);
    if (argc == 2 && strcmp(argv[1], "pairs") == 0) return pairs();
    fprintf(stderr, "triples make SEED COUNT | check FILE | pairs\n");
    return 2;
}
