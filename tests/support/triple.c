#include "tests/support/triple.h"

#include <stdio.h>

#include "schemas/plan_inside.h"
#include "tests/support/made_pair.h"

/* ---- perdure's answer ---- */

static pdr_code end_text(triple_answer *out, const pdr_layout *layout, const void *value, pdr_error *err)
{
    pdr_buf_clear(&out->text);
    pdr_code code = made_print(layout, value, &out->text);
    if (code == PDR_OK) code = pdr_buf_append(&out->text, "", 1);
    return code == PDR_OK ? PDR_OK : pdr_fail(err, code, "the plan made a value that can't be printed");
}

pdr_code triple_decode(triple_answer *out, const pdr_plan *plan, const made_type *reader, pdr_bytes datum,
                       pdr_error *err)
{
    pdr_arena arena = PDR_ARENA_INIT(1 << 22);
    void *value = pdr_arena_alloc(&arena, reader->type.size);
    if (!value) return pdr_fail(err, PDR_NOMEM, "out of memory");
    memset(value, 0xA5, reader->type.size);
    pdr_code code = pdr_plan_decode(plan, datum, &arena, value, err);
    out->verdict = code == PDR_BAD_DATA         ? MODEL_BAD_DATA
                   : code == PDR_UNKNOWN_SCHEMA ? MODEL_REFUSES
                                                : MODEL_TOO_DEEP;
    if (code == PDR_OK) {
        out->verdict = MODEL_VALUE;
        code = end_text(out, reader->type.layout, value, err);
    } else if (code == PDR_BAD_DATA || code == PDR_TOO_LARGE || code == PDR_UNKNOWN_SCHEMA) {
        code = PDR_OK;
    }
    pdr_arena_release(&arena);
    return code;
}

pdr_code triple_plan(triple_answer *out, const pdr_schema *writer, const made_type *reader, pdr_bytes datum,
                     pdr_error *err)
{
    pdr_plan *plan = NULL;
    pdr_code code = plan_open(&plan, writer, reader->root, &reader->type, err);
    out->verdict = code == PDR_TOO_LARGE ? MODEL_TOO_DEEP : MODEL_REFUSES_PAIR;
    if (code == PDR_UNKNOWN_SCHEMA || code == PDR_TOO_LARGE) return PDR_OK;
    if (code == PDR_OK) code = triple_decode(out, plan, reader, datum, err);
    pdr_plan_close(plan);
    return code;
}

/* ---- the model's ---- */

pdr_code triple_model(triple_answer *out, const pdr_schema *writer, const pdr_schema *reader, pdr_bytes datum,
                      pdr_error *err)
{
    model m;
    pdr_buf_clear(&out->text);
    model_init(&m, writer, reader);
    out->verdict = model_pair(&m);
    if (out->verdict == MODEL_VALUE) out->verdict = model_datum(&m, datum, &out->text);
    out->loose = m.loose;
    out->differences = m.differences;
    if (out->verdict == MODEL_REFUSES_PAIR) out->differences |= 1u << MODEL_AT_OPEN;
    pdr_code code = pdr_buf_append(&out->text, "", 1);
    return code == PDR_OK ? PDR_OK : pdr_fail(err, code, "out of memory");
}

void triple_answer_release(triple_answer *answer)
{
    pdr_buf_release(&answer->text);
}

/* ---- lines ---- */

static char complaint[4096];

static const char *complain(const char *what, const char *ours, const char *theirs)
{
    (void)snprintf(complaint, sizeof complaint, "%s\n  perdure: %.1500s\n  other:   %.1500s", what, ours,
                   theirs);
    return complaint;
}

/* In place. */
static pdr_bytes unhex(char *text)
{
    size_t size = 0;
    for (char *at = text; at[0] && at[1]; at += 2) {
        unsigned byte = 0;
        if (sscanf(at, "%2x", &byte) != 1) break;
        text[size++] = (char)byte;
    }
    return pdr_bytes_of(text, size);
}

static void count_changes(triple_counts *counts, const char *changes, size_t data)
{
    for (size_t i = 0; i < MADE_CHANGE_COUNT; i++) {
        const char *name = made_change_names[i], *at = strstr(changes, name);
        size_t size = strlen(name);
        for (; at; at = strstr(at + 1, name)) {
            bool whole = (at == changes || at[-1] == ',') && (at[size] == ',' || at[size] == '\0');
            if (!whole) continue;
            counts->changes[i] += data;
            break;
        }
    }
}

static const char *answer_text(const triple_answer *answer)
{
    return answer->verdict == MODEL_VALUE ? (const char *)answer->text.data : "refused";
}

/* Java says something else: it must be one of the known differences. */
static const char *check_difference(triple_counts *counts, const triple_answer *expected, const char *java)
{
    for (size_t i = 0; i < MODEL_DIFFERENCE_COUNT; i++)
        if (expected->differences & (1u << i)) {
            counts->different[i]++;
            return NULL;
        }
    return complain("Avro's Java library differs", answer_text(expected), java);
}

static const char *compare(triple_counts *counts, const triple_answer *plan, const triple_answer *expected,
                           const char *java, const char *why)
{
    const char *ours = answer_text(plan);
    counts->all++;
    if (plan->verdict == MODEL_VALUE)
        counts->values++;
    else
        counts->refused++;
    if (plan->verdict == MODEL_TOO_DEEP) return complain("too large", why, "");
    if (strcmp(ours, answer_text(expected)) != 0)
        return complain("the model differs", plan->verdict == MODEL_VALUE ? ours : why,
                        answer_text(expected));
    if (plan->verdict != expected->verdict) return complain("the model refuses for another reason", why, "");
    if (strcmp(ours, java) != 0) return check_difference(counts, expected, java);
    counts->same++;
    return NULL;
}

static const char *check(triple_counts *counts, const pdr_schema *writer, const made_type *reader,
                         pdr_bytes datum, const char *java)
{
    pdr_error err = {.message = ""}, why = {.message = ""};
    triple_answer plan = {.text = PDR_BUF_INIT(1 << 24)}, expected = plan;
    const char *wrong = NULL;
    if (triple_plan(&plan, writer, reader, datum, &why) != PDR_OK ||
        triple_model(&expected, writer, reader->root, datum, &err) != PDR_OK)
        wrong = complain("no answer", why.message, err.message);
    else
        wrong = compare(counts, &plan, &expected, java, why.message);
    triple_answer_release(&plan);
    triple_answer_release(&expected);
    return wrong;
}

static const char *check_data(triple_counts *counts, pdr_string json, const made_type *reader, char *data,
                              char *answers)
{
    pdr_schema_set *set = NULL;
    pdr_error err = {.message = ""};
    const char *wrong = NULL;
    char *rest_data = NULL, *rest_answers = NULL;
    if (pdr_schema_read(&set, "writer", json, &err) != PDR_OK)
        return complain("the writer is no schema", err.message, "");
    char *datum = strtok_r(data, " ", &rest_data), *answer = strtok_r(answers, " ", &rest_answers);
    for (; datum && answer && !wrong; datum = strtok_r(NULL, " ", &rest_data)) {
        wrong = check(counts, pdr_schema_set_root(set, 0), reader, unhex(datum), answer);
        answer = strtok_r(NULL, " ", &rest_answers);
    }
    if (!wrong && (datum || answer)) wrong = complain("not as many answers as data", "", "");
    pdr_schema_set_close(set);
    return wrong;
}

const char *triple_check(triple_counts *counts, char *line)
{
    char *columns[5] = {line};
    for (int i = 1; i < 5; i++) {
        columns[i] = columns[i - 1] ? strchr(columns[i - 1], '\t') : NULL;
        if (columns[i]) *columns[i]++ = '\0';
    }
    if (!columns[4]) return complain("no five columns", line, "");
    made_type reader;
    pdr_error err = {.message = ""};
    size_t before = counts->all;
    const char *wrong = NULL;
    if (made_type_open(&reader, pdr_string_of(columns[2]), &err) != PDR_OK)
        wrong = complain("the reader is no schema", err.message, columns[2]);
    else
        wrong = check_data(counts, pdr_string_of(columns[1]), &reader, columns[3], columns[4]);
    made_type_close(&reader);
    counts->pairs++;
    count_changes(counts, columns[0], counts->all - before);
    return wrong;
}
