#include <inttypes.h>

#include "perdure/sys/wire.h"
#include "tests/support/made_text.h"
#include "tests/support/model_inside.h"

#define TRY(step)                                                                                            \
    do {                                                                                                     \
        model_verdict verdict_ = (step);                                                                     \
        if (verdict_ != MODEL_VALUE) return verdict_;                                                        \
    } while (0)
#define PUT(step)                                                                                            \
    do {                                                                                                     \
        if ((step) != PDR_OK) return MODEL_TOO_DEEP;                                                         \
    } while (0)

static model_verdict read(model *m, const pdr_schema *w, const pdr_schema *r);

/* ---- the wire ---- */

static model_verdict read_long(model *m, int64_t *out)
{
    const uint8_t *next = pdr_wire_get_long(m->end, m->at, out);
    if (!next) return MODEL_BAD_DATA;
    m->at = next;
    return MODEL_VALUE;
}

static model_verdict read_index(model *m, size_t count, size_t *out)
{
    int64_t index = 0;
    TRY(read_long(m, &index));
    *out = (size_t)index;
    return index >= 0 && (uint64_t)index < count ? MODEL_VALUE : MODEL_BAD_DATA;
}

static model_verdict read_raw(model *m, uint64_t size, pdr_bytes *out)
{
    if (size > (uint64_t)(m->end - m->at)) return MODEL_BAD_DATA;
    *out = pdr_bytes_of(m->at, (size_t)size);
    m->at += size;
    return MODEL_VALUE;
}

static model_verdict read_bytes(model *m, pdr_bytes *out)
{
    int64_t size = 0;
    TRY(read_long(m, &size));
    return size < 0 ? MODEL_BAD_DATA : read_raw(m, (uint64_t)size, out);
}

static bool takes_bytes(const pdr_schema *w, unsigned depth)
{
    if (w->kind == PDR_KIND_NULL) return false;
    if (w->kind == PDR_KIND_FIXED) return w->count > 0;
    if (w->kind != PDR_KIND_RECORD || depth > MODEL_DEEP) return true;
    for (size_t i = 0; i < w->count; i++)
        if (takes_bytes(w->fields[i].type, depth + 1)) return true;
    return false;
}

/* The head of a block; *count 0: the list has ended. *stop: where a block ends that says so. */
static model_verdict read_block(model *m, const pdr_schema *w, int64_t *have, int64_t *count,
                                const uint8_t **stop)
{
    int64_t size = 0;
    *stop = NULL;
    TRY(read_long(m, count));
    if (*count == INT64_MIN) return MODEL_BAD_DATA;
    if (*count < 0) {
        *count = -*count;
        TRY(read_long(m, &size));
        if (size < 0 || size > m->end - m->at) return MODEL_BAD_DATA;
        *stop = m->at + size;
    }
    bool bytes = w->kind == PDR_KIND_MAP || takes_bytes(w->items, 0);
    int64_t most = bytes ? m->end - m->at : PDR_WIRE_MAX_EMPTY_ITEMS - *have;
    if (*count > most) return MODEL_BAD_DATA;
    *have += *count;
    return MODEL_VALUE;
}

/* ---- what the reader doesn't want ---- */

static model_verdict skip(model *m, const pdr_schema *w);

static model_verdict skip_items(model *m, const pdr_schema *w, int64_t count)
{
    for (; count > 0; count--) {
        pdr_bytes key;
        if (w->kind == PDR_KIND_MAP) {
            TRY(read_bytes(m, &key));
            if (!pdr_wire_utf8(key.data, key.size)) m->loose = true;
        }
        TRY(skip(m, w->items));
    }
    return MODEL_VALUE;
}

/* A block that says its size can be skipped unseen, whatever is in it. */
static model_verdict skip_list(model *m, const pdr_schema *w)
{
    int64_t count = 1, have = 0;
    while (count > 0) {
        const uint8_t *stop;
        unsigned depth = m->depth;
        TRY(read_block(m, w, &have, &count, &stop));
        model_verdict verdict = skip_items(m, w, count);
        if (!stop) TRY(verdict);
        if (!stop || (verdict == MODEL_VALUE && m->at == stop)) continue;
        m->loose = true;
        m->at = stop;
        m->depth = depth;
    }
    return MODEL_VALUE;
}

static model_verdict skip(model *m, const pdr_schema *w)
{
    int64_t number = 0;
    size_t index = 0;
    pdr_bytes bytes;
    if (++m->depth > MODEL_DEEP || ++m->work > MODEL_WORK) return MODEL_TOO_DEEP;
    switch (w->kind) {
    case PDR_KIND_NULL: break;
    case PDR_KIND_BOOLEAN:
        TRY(read_raw(m, 1, &bytes));
        if (bytes.data[0] > 1) m->loose = true;
        break;
    case PDR_KIND_INT:
        TRY(read_long(m, &number));
        if (number < INT32_MIN || number > INT32_MAX) m->loose = true;
        break;
    case PDR_KIND_LONG: TRY(read_long(m, &number)); break;
    case PDR_KIND_FLOAT: TRY(read_raw(m, 4, &bytes)); break;
    case PDR_KIND_DOUBLE: TRY(read_raw(m, 8, &bytes)); break;
    case PDR_KIND_FIXED: TRY(read_raw(m, w->count, &bytes)); break;
    case PDR_KIND_BYTES: TRY(read_bytes(m, &bytes)); break;
    case PDR_KIND_STRING:
        TRY(read_bytes(m, &bytes));
        if (!pdr_wire_utf8(bytes.data, bytes.size)) m->loose = true;
        break;
    case PDR_KIND_ENUM:
        TRY(read_long(m, &number));
        if (number < 0 || (uint64_t)number >= w->count) m->loose = true;
        break;
    case PDR_KIND_UNION:
        TRY(read_index(m, w->count, &index));
        TRY(skip(m, w->branches[index]));
        break;
    case PDR_KIND_RECORD:
        for (size_t i = 0; i < w->count; i++)
            TRY(skip(m, w->fields[i].type));
        break;
    default: TRY(skip_list(m, w)); break;
    }
    m->depth--;
    return MODEL_VALUE;
}

/* ---- defaults ---- */

static model_verdict put_default(model *m, const pdr_schema *r, const pdr_json *json);

/* Avro's JSON of bytes: a code point is a byte. */
static model_verdict put_latin(model *m, const char *mark, pdr_string text)
{
    pdr_buf bytes = PDR_BUF_INIT(1 << 20);
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < text.size; i++) {
        uint8_t c = (uint8_t)text.data[i];
        if (c >= 0xC0) c = (uint8_t)((c & 3) << 6 | ((uint8_t)text.data[++i] & 0x3F));
        code = pdr_buf_append(&bytes, &c, 1);
    }
    if (code == PDR_OK) code = made_text(m->out, mark, bytes.data, bytes.size);
    pdr_buf_release(&bytes);
    return code == PDR_OK ? MODEL_VALUE : MODEL_TOO_DEEP;
}

static model_verdict default_list(model *m, const pdr_schema *r, const pdr_json *json)
{
    bool map = r->kind == PDR_KIND_MAP;
    PUT(pdr_buf_printf(m->out, map ? "{" : "["));
    for (const pdr_json *item = json->first; item; item = item->next) {
        if (item != json->first) PUT(pdr_buf_printf(m->out, ","));
        if (map) PUT(made_text(m->out, "", item->key.data, item->key.size));
        if (map) PUT(pdr_buf_printf(m->out, "="));
        TRY(put_default(m, r->items, item));
    }
    PUT(pdr_buf_printf(m->out, map ? "}" : "]"));
    return MODEL_VALUE;
}

static model_verdict default_record(model *m, const pdr_schema *r, const pdr_json *json)
{
    PUT(pdr_buf_printf(m->out, "("));
    for (size_t i = 0; i < r->count; i++) {
        const pdr_json *own = pdr_json_get(json, r->fields[i].name);
        PUT(pdr_buf_printf(m->out, "%s%s=", i ? "," : "", r->fields[i].name));
        TRY(put_default(m, r->fields[i].type, own ? own : r->fields[i].default_value));
    }
    PUT(pdr_buf_printf(m->out, ")"));
    return MODEL_VALUE;
}

static model_verdict put_default(model *m, const pdr_schema *r, const pdr_json *json)
{
    int64_t whole = 0;
    double real = 0;
    if (++m->depth > MODEL_DEEP) return MODEL_TOO_DEEP;
    switch (r->kind) {
    case PDR_KIND_NULL: PUT(pdr_buf_printf(m->out, "null")); break;
    case PDR_KIND_BOOLEAN: PUT(pdr_buf_printf(m->out, json->truth ? "true" : "false")); break;
    case PDR_KIND_INT:
    case PDR_KIND_LONG:
        if (!pdr_json_integer(json, &whole)) return MODEL_TOO_DEEP;
        PUT(pdr_buf_printf(m->out, "%" PRId64 "%s", whole, r->kind == PDR_KIND_LONG ? "L" : ""));
        break;
    case PDR_KIND_FLOAT:
        if (!pdr_json_real(json, &real)) return MODEL_TOO_DEEP;
        PUT(made_text_float(m->out, (float)real));
        break;
    case PDR_KIND_DOUBLE:
        if (!pdr_json_real(json, &real)) return MODEL_TOO_DEEP;
        PUT(made_text_double(m->out, real));
        break;
    case PDR_KIND_BYTES: TRY(put_latin(m, "b:", json->text)); break;
    case PDR_KIND_FIXED: TRY(put_latin(m, "x:", json->text)); break;
    case PDR_KIND_STRING: PUT(made_text(m->out, "s:", json->text.data, json->text.size)); break;
    case PDR_KIND_ENUM: PUT(pdr_buf_printf(m->out, "e:%s", json->text.data)); break;
    case PDR_KIND_UNION:
        PUT(pdr_buf_printf(m->out, "<0:"));
        TRY(put_default(m, r->branches[0], json));
        PUT(pdr_buf_printf(m->out, ">"));
        break;
    case PDR_KIND_RECORD: TRY(default_record(m, r, json)); break;
    default: TRY(default_list(m, r, json)); break;
    }
    m->depth--;
    return MODEL_VALUE;
}

/* ---- values ---- */

static model_verdict put_text(model *m, const pdr_schema *w, const pdr_schema *r)
{
    pdr_bytes bytes;
    TRY(read_bytes(m, &bytes));
    bool utf8 = pdr_wire_utf8(bytes.data, bytes.size), is_string = r->kind == PDR_KIND_STRING;
    if (!utf8 && w->kind == PDR_KIND_BYTES && is_string) model_met(m, MODEL_NOT_UTF8);
    if (!utf8 && w->kind == PDR_KIND_STRING && !is_string) m->loose = true;
    if (!utf8 && is_string) return MODEL_BAD_DATA;
    PUT(made_text(m->out, is_string ? "s:" : "b:", bytes.data, bytes.size));
    return MODEL_VALUE;
}

static model_verdict put_number(model *m, const pdr_schema *w, const pdr_schema *r)
{
    int64_t number = 0;
    TRY(read_long(m, &number));
    if (w->kind == PDR_KIND_INT && (number < INT32_MIN || number > INT32_MAX)) return MODEL_BAD_DATA;
    switch (r->kind) {
    case PDR_KIND_INT: PUT(pdr_buf_printf(m->out, "%" PRId64, number)); break;
    case PDR_KIND_LONG: PUT(pdr_buf_printf(m->out, "%" PRId64 "L", number)); break;
    case PDR_KIND_FLOAT: PUT(made_text_float(m->out, (float)number)); break;
    default: PUT(made_text_double(m->out, (double)number)); break;
    }
    return MODEL_VALUE;
}

static model_verdict put_real(model *m, const pdr_schema *w, const pdr_schema *r)
{
    pdr_bytes bytes;
    float single = 0;
    double number = 0;
    TRY(read_raw(m, w->kind == PDR_KIND_FLOAT ? 4 : 8, &bytes));
    if (w->kind == PDR_KIND_FLOAT) {
        (void)pdr_wire_get_float(bytes.data + 4, bytes.data, &single);
        number = (double)single;
    } else {
        (void)pdr_wire_get_double(bytes.data + 8, bytes.data, &number);
    }
    if (r->kind == PDR_KIND_FLOAT)
        PUT(made_text_float(m->out, single));
    else
        PUT(made_text_double(m->out, number));
    return MODEL_VALUE;
}

static model_verdict put_list(model *m, const pdr_schema *w, const pdr_schema *r)
{
    bool map = w->kind == PDR_KIND_MAP, first = true;
    int64_t have = 0;
    PUT(pdr_buf_printf(m->out, map ? "{" : "["));
    for (;;) {
        int64_t count = 0;
        const uint8_t *stop;
        TRY(read_block(m, w, &have, &count, &stop));
        if (count == 0) break;
        for (; count > 0; count--, first = false) {
            pdr_bytes key;
            if (!first) PUT(pdr_buf_printf(m->out, ","));
            if (map) {
                TRY(read_bytes(m, &key));
                if (!pdr_wire_utf8(key.data, key.size)) return MODEL_BAD_DATA;
                PUT(made_text(m->out, "", key.data, key.size));
                PUT(pdr_buf_printf(m->out, "="));
            }
            TRY(read(m, w->items, r->items));
        }
        if (stop && stop != m->at) return MODEL_BAD_DATA;
    }
    PUT(pdr_buf_printf(m->out, map ? "}" : "]"));
    return MODEL_VALUE;
}

enum { MAX_SHOWN = 64 };

/* The reader's fields stand in its order, the writer's came in its own: each is written apart, then joined.
 */
static model_verdict put_fields(model *m, const pdr_schema *w, const pdr_schema *r, pdr_buf *parts)
{
    for (size_t n = 0; n < w->count; n++) {
        size_t i = 0;
        while (i < r->count && model_field(m, w, r, i) != (int)n)
            i++;
        if (i == r->count) {
            TRY(skip(m, w->fields[n].type));
            continue;
        }
        pdr_buf *out = m->out;
        m->out = &parts[i];
        model_verdict verdict = read(m, w->fields[n].type, r->fields[i].type);
        m->out = out;
        TRY(verdict);
    }
    PUT(pdr_buf_printf(m->out, "("));
    for (size_t i = 0; i < r->count; i++) {
        PUT(pdr_buf_printf(m->out, "%s%s=", i ? "," : "", r->fields[i].name));
        if (model_field(m, w, r, i) >= 0)
            PUT(pdr_buf_append(m->out, parts[i].data, parts[i].size));
        else
            TRY(put_default(m, r->fields[i].type, r->fields[i].default_value));
    }
    PUT(pdr_buf_printf(m->out, ")"));
    return MODEL_VALUE;
}

static model_verdict put_record(model *m, const pdr_schema *w, const pdr_schema *r)
{
    pdr_buf parts[MAX_SHOWN];
    if (r->count > MAX_SHOWN) return MODEL_TOO_DEEP;
    for (size_t i = 0; i < r->count; i++)
        parts[i] = (pdr_buf)PDR_BUF_INIT(1 << 24);
    model_verdict verdict = put_fields(m, w, r, parts);
    for (size_t i = 0; i < r->count; i++)
        pdr_buf_release(&parts[i]);
    return verdict;
}

static model_verdict put_leaf(model *m, const pdr_schema *w, const pdr_schema *r)
{
    pdr_bytes bytes;
    size_t index = 0;
    switch (w->kind) {
    case PDR_KIND_NULL: PUT(pdr_buf_printf(m->out, "null")); return MODEL_VALUE;
    case PDR_KIND_BOOLEAN:
        TRY(read_raw(m, 1, &bytes));
        if (bytes.data[0] > 1) return MODEL_BAD_DATA;
        PUT(pdr_buf_printf(m->out, bytes.data[0] ? "true" : "false"));
        return MODEL_VALUE;
    case PDR_KIND_INT:
    case PDR_KIND_LONG: return put_number(m, w, r);
    case PDR_KIND_FLOAT:
    case PDR_KIND_DOUBLE: return put_real(m, w, r);
    case PDR_KIND_BYTES:
    case PDR_KIND_STRING: return put_text(m, w, r);
    case PDR_KIND_FIXED:
        TRY(read_raw(m, w->count, &bytes));
        PUT(made_text(m->out, "x:", bytes.data, bytes.size));
        return MODEL_VALUE;
    default: {
        TRY(read_index(m, w->count, &index));
        int symbol = model_symbol(w, r, index);
        if (symbol < 0) return MODEL_REFUSES;
        PUT(pdr_buf_printf(m->out, "e:%s", r->symbols[symbol]));
        return MODEL_VALUE;
    }
    }
}

/* What comes from a branch of the writer's union may be of a pair that can't be read; then this datum can't.
 */
static model_verdict read_branch(model *m, const pdr_schema *w, const pdr_schema *r)
{
    size_t index = 0;
    TRY(read_index(m, w->count, &index));
    model inner = *m;
    inner.writer = w->branches[index];
    inner.reader = r;
    model_verdict verdict = model_pair(&inner);
    m->differences |= inner.differences;
    m->work = inner.work;
    if (verdict == MODEL_REFUSES_PAIR) model_met(m, MODEL_AT_OPEN);
    if (verdict != MODEL_VALUE) return verdict == MODEL_REFUSES_PAIR ? MODEL_REFUSES : verdict;
    return read(m, w->branches[index], r);
}

static model_verdict read(model *m, const pdr_schema *w, const pdr_schema *r)
{
    model_verdict verdict;
    if (++m->depth > MODEL_DEEP || ++m->work > MODEL_WORK) return MODEL_TOO_DEEP;
    if (w->kind == PDR_KIND_UNION) {
        verdict = read_branch(m, w, r);
    } else if (r->kind == PDR_KIND_UNION) {
        int branch = model_branch(m, w, r);
        if (branch < 0) return MODEL_REFUSES;
        PUT(pdr_buf_printf(m->out, "<%d:", branch));
        TRY(read(m, w, r->branches[branch]));
        PUT(pdr_buf_printf(m->out, ">"));
        verdict = MODEL_VALUE;
    } else if (w->kind == PDR_KIND_RECORD) {
        verdict = put_record(m, w, r);
    } else if (w->kind == PDR_KIND_ARRAY || w->kind == PDR_KIND_MAP) {
        verdict = put_list(m, w, r);
    } else {
        verdict = put_leaf(m, w, r);
    }
    m->depth--;
    return verdict;
}

model_verdict model_datum(model *m, pdr_bytes datum, pdr_buf *out)
{
    m->at = datum.data ? datum.data : (const uint8_t *)"";
    m->end = m->at + datum.size;
    m->out = out;
    m->depth = 0;
    m->loose = false;
    TRY(read(m, m->writer, m->reader));
    return m->at == m->end ? MODEL_VALUE : MODEL_BAD_DATA;
}
