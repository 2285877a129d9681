#include "backends/postgres/op.h"

#include <stdlib.h>

#include "backends/postgres/binary.h"
#include "backends/postgres/postgres_store.h"
#include "base/mem.h"

enum { MAX_KEY = 512, MAX_ADDRESS = 255, FIXED_PARAMS = 512 }; /* FIXED_PARAMS: of all params but elements */

/* --- Parameters one after the other into the body that was measured for them --- */

typedef struct params {
    pdr_pg_op *op;
    uint8_t *at;
    int count;
} params;

static params params_of(pdr_pg_op *op)
{
    params p = {op, op->body, 0};
    return p;
}

static void begin(params *p)
{
    p->op->values[p->count] = (const char *)p->at;
}

static void end(params *p)
{
    const uint8_t *start = (const uint8_t *)p->op->values[p->count];
    PDR_INVARIANT("params-as-measured", (size_t)(p->at - p->op->body) <= p->op->bytes);
    p->op->lengths[p->count++] = (int)(p->at - start);
}

static void param32(params *p, int32_t value)
{
    begin(p);
    pdr_pg_put32(&p->at, value);
    end(p);
}

static void param64(params *p, int64_t value)
{
    begin(p);
    pdr_pg_put64(&p->at, value);
    end(p);
}

static void param_bytes(params *p, pdr_bytes bytes)
{
    begin(p);
    pdr_pg_put_bytes(&p->at, bytes);
    end(p);
}

static void param_position(params *p, const pdr_position *position)
{
    param64(p, position->offset);
    param64(p, position->term.offset);
    param64(p, (int64_t)position->term.incarnation);
    param64(p, (int64_t)position->number);
}

/* --- Making operations --- */

static pdr_code make(pdr_pg_op **out, pdr_pg_kind kind, const pdr_pg_target *target, size_t bytes,
                     pdr_error *err)
{
    if (!target->done) return pdr_fail(err, PDR_INVALID_ARGUMENT, "an operation needs a completion");
    bytes += FIXED_PARAMS;
    if (bytes > PDR_POSTGRES_MAX_BYTES)
        return pdr_fail(err, PDR_TOO_LARGE, "an operation of %zu bytes is over the store's ceiling of %d",
                        bytes, PDR_POSTGRES_MAX_BYTES);
    pdr_pg_op *op = pdr_alloc(sizeof *op + bytes);
    if (!op) return pdr_fail(err, PDR_NOMEM, "out of memory");
    memset(op, 0, sizeof *op);
    op->kind = kind;
    op->partition = target->partition;
    op->done = target->done;
    op->context = target->context;
    op->tag = target->tag;
    op->bytes = bytes;
    *out = op;
    return PDR_OK;
}

static void sends(pdr_pg_op *op, pdr_pg_statement statement)
{
    op->statements[op->statement_count++] = statement;
}

static pdr_code check_count(size_t count, const char *what, pdr_error *err)
{
    if (count <= PDR_POSTGRES_MAX_KEYS) return PDR_OK;
    return pdr_fail(err, PDR_TOO_LARGE, "%zu %s in one operation; the store takes %d", count, what,
                    PDR_POSTGRES_MAX_KEYS);
}

static pdr_code check_key(pdr_bytes key, pdr_error *err)
{
    if (key.size > MAX_KEY)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "an entity id has at most %d bytes, not %zu", MAX_KEY,
                        key.size);
    if (key.size && memchr(key.data, 0, key.size))
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "an entity id holds a NUL");
    return PDR_OK;
}

pdr_code pdr_pg_op_load(pdr_pg_op **out, const pdr_pg_target *target, pdr_error *err)
{
    pdr_code code = make(out, PDR_PG_OP_LOAD, target, 0, err);
    if (code != PDR_OK) return code;
    params p = params_of(*out);
    param32(&p, target->partition);
    sends(*out, PDR_PG_LOAD);
    return PDR_OK;
}

pdr_code pdr_pg_op_claim(pdr_pg_op **out, const pdr_pg_target *target, const pdr_claim *claim, pdr_error *err)
{
    if (claim->address.size > MAX_ADDRESS)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "a node address has at most %d bytes, not %zu",
                        MAX_ADDRESS, claim->address.size);
    pdr_code code = make(out, PDR_PG_OP_CLAIM, target, 0, err);
    if (code != PDR_OK) return code;
    params p = params_of(*out);
    param32(&p, target->partition);
    param64(&p, claim->term.offset);
    param64(&p, (int64_t)claim->term.incarnation);
    param64(&p, claim->at_us);
    param_bytes(&p, claim->address);
    sends(*out, PDR_PG_CLAIM);
    sends(*out, PDR_PG_LOAD);
    return PDR_OK;
}

/* A key has a row for each wanted revision; one that wants none has one for revision 0. */
static size_t rows_of(const pdr_lookup_key *key)
{
    return key->revision_count ? key->revision_count : 1;
}

static pdr_code measure_keys(size_t *bytes, size_t *rows, const pdr_lookup_key *keys, size_t count,
                             pdr_error *err)
{
    pdr_code code = check_count(count, "keys", err);
    *bytes = *rows = 0;
    for (size_t i = 0; code == PDR_OK && i < count; i++) {
        code = check_key(keys[i].key, err);
        if (code == PDR_OK && keys[i].revision_count > PDR_STORE_MAX_REVISIONS)
            code = pdr_fail(err, PDR_TOO_LARGE, "%zu revisions of a state in one look-up",
                            keys[i].revision_count);
        *rows += rows_of(&keys[i]);
        *bytes += rows_of(&keys[i]) * (keys[i].key.size + 8 + 2 * PDR_PG_ELEMENT_HEAD);
    }
    return code == PDR_OK ? check_count(*rows, "revisions", err) : code;
}

static int compare_keys(const void *a, const void *b)
{
    const pdr_bytes *one = &(*(const pdr_lookup_key *const *)a)->key,
                    *other = &(*(const pdr_lookup_key *const *)b)->key;
    size_t shorter = one->size < other->size ? one->size : other->size;
    int order = shorter ? memcmp(one->data, other->data, shorter) : 0;
    return order ? order : (one->size > other->size) - (one->size < other->size);
}

/* In the index's order: neighbours in the index are then read one after the other. */
static void put_keys(params *p, const pdr_lookup_key **sorted, const pdr_lookup_key *keys, size_t count,
                     size_t rows)
{
    for (size_t i = 0; i < count; i++)
        sorted[i] = &keys[i];
    if (count) qsort(sorted, count, sizeof(const pdr_lookup_key *), compare_keys);
    begin(p);
    pdr_pg_put_array(&p->at, PDR_PG_TEXT, rows, false);
    for (size_t i = 0; i < count; i++)
        for (size_t r = 0; r < rows_of(sorted[i]); r++)
            pdr_pg_put_bytes_element(&p->at, sorted[i]->key);
    end(p);
    begin(p);
    pdr_pg_put_array(&p->at, PDR_PG_INT8, rows, false);
    for (size_t i = 0; i < count; i++)
        for (size_t r = 0; r < rows_of(sorted[i]); r++)
            pdr_pg_put64_element(&p->at, sorted[i]->revision_count ? (int64_t)sorted[i]->revisions[r] : 0);
    end(p);
}

static pdr_code lookup_many(pdr_pg_op **out, const pdr_pg_target *target, const pdr_lookup_key *keys,
                            size_t count, size_t rows, size_t bytes, pdr_error *err)
{
    const pdr_lookup_key **sorted = pdr_alloc(count * sizeof(const pdr_lookup_key *));
    if (!sorted) return pdr_fail(err, PDR_NOMEM, "out of memory");
    pdr_code code = make(out, PDR_PG_OP_LOOKUP, target, bytes, err);
    if (code == PDR_OK) {
        params p = params_of(*out);
        param32(&p, target->partition);
        put_keys(&p, sorted, keys, count, rows);
        sends(*out, rows > count ? PDR_PG_LOOKUP_ANY : PDR_PG_LOOKUP);
    }
    pdr_free(sorted);
    return code;
}

static pdr_code lookup_one(pdr_pg_op **out, const pdr_pg_target *target, const pdr_lookup_key *key,
                           size_t bytes, pdr_error *err)
{
    pdr_code code = make(out, PDR_PG_OP_LOOKUP, target, bytes, err);
    if (code != PDR_OK) return code;
    params p = params_of(*out);
    param32(&p, target->partition);
    param_bytes(&p, key->key);
    param64(&p, key->revision_count ? (int64_t)key->revisions[0] : 0);
    sends(*out, PDR_PG_LOOKUP_ONE);
    return PDR_OK;
}

pdr_code pdr_pg_op_lookup(pdr_pg_op **out, const pdr_pg_target *target, const pdr_lookup_key *keys,
                          size_t count, pdr_error *err)
{
    size_t bytes, rows;
    pdr_code code = measure_keys(&bytes, &rows, keys, count, err);
    if (code != PDR_OK) return code;
    return rows == 1 && count == 1 ? lookup_one(out, target, keys, bytes, err)
                                   : lookup_many(out, target, keys, count, rows, bytes, err);
}

/* --- Saves: one array per column --- */

typedef int64_t (*number_of)(const pdr_head *head);
typedef pdr_bytes (*bytes_of)(const pdr_head *head);

static int64_t seq_of(const pdr_head *head)
{
    return (int64_t)head->seq;
}
static int64_t offset_of(const pdr_head *head)
{
    return head->last.offset;
}
static int64_t term_offset_of(const pdr_head *head)
{
    return head->last.term.offset;
}
static int64_t incarnation_of(const pdr_head *head)
{
    return (int64_t)head->last.term.incarnation;
}
static int64_t number_in_term_of(const pdr_head *head)
{
    return (int64_t)head->last.number;
}
static int64_t revision_of(const pdr_head *head)
{
    return (int64_t)head->revision;
}
static int64_t state_seq_of(const pdr_head *head)
{
    return (int64_t)head->state_seq;
}
static pdr_bytes key_of(const pdr_head *head)
{
    return head->key;
}
static pdr_bytes ids_of(const pdr_head *head)
{
    return head->ids;
}
static pdr_bytes state_of(const pdr_head *head)
{
    return head->state;
}

/* Which of the given heads a column is about: all, or `count` of them that have a state. */
typedef struct rows {
    const pdr_head *heads;
    size_t head_count;
    size_t count;
    bool states_only;
} rows;

static bool is_in(const rows *r, const pdr_head *head)
{
    return !r->states_only || head->state.data;
}

static void column64(params *p, const rows *r, number_of get)
{
    begin(p);
    pdr_pg_put_array(&p->at, PDR_PG_INT8, r->count, false);
    for (size_t i = 0; i < r->head_count; i++)
        if (is_in(r, &r->heads[i])) pdr_pg_put64_element(&p->at, get(&r->heads[i]));
    end(p);
}

static void column_bytes(params *p, const rows *r, int32_t type, bytes_of get)
{
    begin(p);
    pdr_pg_put_array(&p->at, type, r->count, false);
    for (size_t i = 0; i < r->head_count; i++)
        if (is_in(r, &r->heads[i])) pdr_pg_put_bytes_element(&p->at, get(&r->heads[i]));
    end(p);
}

static void column_timers(params *p, const rows *r)
{
    begin(p);
    pdr_pg_put_array(&p->at, PDR_PG_INT8, r->count, true);
    for (size_t i = 0; i < r->count; i++) {
        int64_t timer = r->heads[i].timer_us;
        if (timer == PDR_NO_TIMER)
            pdr_pg_put_null_element(&p->at);
        else
            pdr_pg_put64_element(&p->at, timer);
    }
    end(p);
}

static void put_schemas(params *p, const pdr_schema_row *schemas, size_t count)
{
    begin(p);
    pdr_pg_put_array(&p->at, PDR_PG_INT8, count, false);
    for (size_t i = 0; i < count; i++)
        pdr_pg_put64_element(&p->at, (int64_t)schemas[i].fingerprint);
    end(p);
    begin(p);
    pdr_pg_put_array(&p->at, PDR_PG_TEXT, count, false);
    for (size_t i = 0; i < count; i++)
        pdr_pg_put_bytes_element(&p->at, schemas[i].name);
    end(p);
    begin(p);
    pdr_pg_put_array(&p->at, PDR_PG_TEXT, count, false);
    for (size_t i = 0; i < count; i++)
        pdr_pg_put_bytes_element(&p->at, schemas[i].json);
    end(p);
    begin(p);
    pdr_pg_put_array(&p->at, PDR_PG_INT8, count, true);
    for (size_t i = 0; i < count; i++) {
        if (schemas[i].registry_id < 0)
            pdr_pg_put_null_element(&p->at);
        else
            pdr_pg_put64_element(&p->at, schemas[i].registry_id);
    }
    end(p);
}

/* Adds, unless the sum would pass the ceiling; then it stays above it. */
static void add(size_t *bytes, size_t more)
{
    *bytes = more > PDR_POSTGRES_MAX_BYTES ? PDR_POSTGRES_MAX_BYTES : *bytes + more;
}

static pdr_code measure_save(size_t *bytes, size_t *states, const pdr_save *save, pdr_error *err)
{
    *bytes = *states = 0;
    pdr_code code = check_count(save->head_count, "heads", err);
    if (code == PDR_OK) code = check_count(save->schema_count, "schemas", err);
    for (size_t i = 0; code == PDR_OK && i < save->head_count; i++) {
        const pdr_head *head = &save->heads[i];
        code = check_key(head->key, err);
        add(bytes, 2 * head->key.size + 8 * 8 + 12 * PDR_PG_ELEMENT_HEAD);
        add(bytes, head->ids.size);
        if (!head->state.data) continue;
        add(bytes, head->state.size);
        ++*states;
    }
    for (size_t i = 0; code == PDR_OK && i < save->schema_count; i++) {
        add(bytes, 2 * 8 + 4 * PDR_PG_ELEMENT_HEAD);
        add(bytes, save->schemas[i].name.size);
        add(bytes, save->schemas[i].json.size);
    }
    return code;
}

static void put_save(params *p, const pdr_pg_target *target, const pdr_save *save, size_t states)
{
    rows heads = {save->heads, save->head_count, save->head_count, false};
    rows with_state = {save->heads, save->head_count, states, true};
    param32(p, target->partition);
    param_bytes(p, pdr_bytes_of(save->expected.store_id, PDR_ID_SIZE));
    param64(p, save->expected.term.offset);
    param64(p, (int64_t)save->expected.term.incarnation);
    param64(p, (int64_t)save->expected.saves);
    param_position(p, &save->checkpoint);
    param_position(p, &save->seen);
    column_bytes(p, &heads, PDR_PG_TEXT, key_of);
    column64(p, &heads, seq_of);
    column64(p, &heads, offset_of);
    column64(p, &heads, term_offset_of);
    column64(p, &heads, incarnation_of);
    column64(p, &heads, number_in_term_of);
    column_timers(p, &heads);
    column_bytes(p, &heads, PDR_PG_BYTEA, ids_of);
    column_bytes(p, &with_state, PDR_PG_TEXT, key_of);
    column64(p, &with_state, revision_of);
    column64(p, &with_state, state_seq_of);
    column_bytes(p, &with_state, PDR_PG_BYTEA, state_of);
    put_schemas(p, save->schemas, save->schema_count);
}

pdr_code pdr_pg_op_save(pdr_pg_op **out, const pdr_pg_target *target, const pdr_save *save, pdr_error *err)
{
    size_t bytes, states;
    pdr_code code = measure_save(&bytes, &states, save, err);
    if (code == PDR_OK) code = make(out, PDR_PG_OP_SAVE, target, bytes, err);
    if (code != PDR_OK) return code;
    pdr_pg_op *op = *out;
    op->stamp = save->expected;
    op->stamp.saves++;
    params p = params_of(op);
    put_save(&p, target, save, states);
    sends(op, PDR_PG_SAVE);
    return PDR_OK;
}

/* --- Schemas, pages of heads, states made beside the owners --- */

pdr_code pdr_pg_op_schemas(pdr_pg_op **out, const pdr_pg_target *target, const uint64_t *fingerprints,
                           size_t count, pdr_error *err)
{
    pdr_code code = check_count(count, "fingerprints", err);
    if (code == PDR_OK) code = make(out, PDR_PG_OP_SCHEMAS, target, count * (8 + PDR_PG_ELEMENT_HEAD), err);
    if (code != PDR_OK) return code;
    params p = params_of(*out);
    begin(&p);
    pdr_pg_put_array(&p.at, PDR_PG_INT8, count, false);
    for (size_t i = 0; i < count; i++)
        pdr_pg_put64_element(&p.at, (int64_t)fingerprints[i]);
    end(&p);
    sends(*out, PDR_PG_SCHEMAS);
    return PDR_OK;
}

pdr_code pdr_pg_op_heads(pdr_pg_op **out, const pdr_pg_target *target, pdr_bytes after, size_t limit,
                         uint64_t revision, pdr_error *err)
{
    pdr_code code = check_count(limit, "heads", err);
    if (code == PDR_OK) code = check_key(after, err);
    if (code == PDR_OK) code = make(out, PDR_PG_OP_HEADS, target, after.size, err);
    if (code != PDR_OK) return code;
    params p = params_of(*out);
    param_bytes(&p, after);
    param64(&p, (int64_t)limit);
    param64(&p, (int64_t)revision);
    sends(*out, PDR_PG_HEADS);
    return PDR_OK;
}

pdr_code pdr_pg_op_put_states(pdr_pg_op **out, const pdr_pg_target *target, const pdr_new_states *states,
                              pdr_error *err)
{
    size_t bytes = 0;
    pdr_code code = check_count(states->count, "states", err);
    for (size_t i = 0; code == PDR_OK && i < states->count; i++) {
        code = check_key(states->heads[i].key, err);
        add(&bytes, states->heads[i].key.size + 2 * 8 + 4 * PDR_PG_ELEMENT_HEAD);
        add(&bytes, states->heads[i].state.size);
    }
    if (code == PDR_OK) code = make(out, PDR_PG_OP_PUT_STATES, target, bytes, err);
    if (code != PDR_OK) return code;
    params p = params_of(*out);
    rows all = {states->heads, states->count, states->count, false};
    param32(&p, target->partition);
    param_bytes(&p, pdr_bytes_of(states->store_id, PDR_ID_SIZE));
    column_bytes(&p, &all, PDR_PG_TEXT, key_of);
    column64(&p, &all, revision_of);
    column64(&p, &all, state_seq_of);
    column_bytes(&p, &all, PDR_PG_BYTEA, state_of);
    sends(*out, PDR_PG_PUT_STATES);
    return PDR_OK;
}

void pdr_pg_op_clear_answers(pdr_pg_op *op)
{
    for (int i = 0; i < op->answer_count; i++)
        PQclear(op->answers[i]);
    op->answer_count = 0;
    PQclear(op->refusal);
    op->refusal = NULL;
    op->preparing = 0;
}

void pdr_pg_op_free(pdr_pg_op *op)
{
    if (!op) return;
    pdr_pg_op_clear_answers(op);
    pdr_free(op);
}
