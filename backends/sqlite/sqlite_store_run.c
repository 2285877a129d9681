#include "backends/sqlite/sqlite_store_internal.h"

/* --- values --- */

pdr_position pdr_sqlite_column_position(sqlite3_stmt *statement, int column)
{
    return (pdr_position){
        .offset = sqlite3_column_int64(statement, column),
        .term = {sqlite3_column_int64(statement, column + 1),
                 (uint64_t)sqlite3_column_int64(statement, column + 2)},
        .number = (uint64_t)sqlite3_column_int64(statement, column + 3),
    };
}

int pdr_sqlite_bind_position(sqlite3_stmt *statement, int index, pdr_position position)
{
    int rc = sqlite3_bind_int64(statement, index, position.offset);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(statement, index + 1, position.term.offset);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(statement, index + 2, (int64_t)position.term.incarnation);
    return rc == SQLITE_OK ? sqlite3_bind_int64(statement, index + 3, (int64_t)position.number) : rc;
}

pdr_head pdr_sqlite_column_head(sqlite3_stmt *statement, int column)
{
    bool timer = sqlite3_column_type(statement, column + 7) != SQLITE_NULL;
    return (pdr_head){
        .key = pdr_sqlite_column(statement, column),
        .seq = (uint64_t)sqlite3_column_int64(statement, column + 1),
        .last = pdr_sqlite_column_position(statement, column + 2),
        .ids = pdr_sqlite_column(statement, column + 6),
        .timer_us = timer ? sqlite3_column_int64(statement, column + 7) : PDR_NO_TIMER,
        .revision = (uint64_t)sqlite3_column_int64(statement, column + 8),
        .state_seq = (uint64_t)sqlite3_column_int64(statement, column + 9),
        .state = pdr_sqlite_column(statement, column + 10),
    };
}

/* --- statements --- */

typedef struct statement_text {
    size_t member;
    const char *sql;
} statement_text;

#define SCHEMAS_SQL                                                                                          \
    "SELECT s.fingerprint, s.name, s.json, r.id FROM store_schema s "                                        \
    "LEFT JOIN store_registry r ON r.fingerprint = s.fingerprint"

static const statement_text statement_texts[] = {
    {offsetof(sqlite_store, begin), "BEGIN IMMEDIATE"},
    {offsetof(sqlite_store, begin_read), "BEGIN DEFERRED"},
    {offsetof(sqlite_store, commit), "COMMIT"},
    {offsetof(sqlite_store, rollback), "ROLLBACK"},
    {offsetof(sqlite_store, row),
     "SELECT store_id, term_offset, term_incarnation, saves, checkpoint_offset, checkpoint_term_offset, "
     "checkpoint_term_incarnation, checkpoint_number, seen_offset, seen_term_offset, seen_term_incarnation, "
     "seen_number FROM store_partition WHERE partition = ?"},
    {offsetof(sqlite_store, set_term),
     "UPDATE store_partition SET term_offset = ?2, term_incarnation = ?3 WHERE partition = ?1"},
    {offsetof(sqlite_store, takeover),
     "INSERT INTO store_takeover (partition, term_offset, term_incarnation, at_us, address) "
     "VALUES (?, ?, ?, ?, ?)"},
    {offsetof(sqlite_store, trim), "DELETE FROM store_takeover WHERE id <= last_insert_rowid() - ?"},
    {offsetof(sqlite_store, lookup), "SELECT " HEAD_COLUMNS " FROM store_head h LEFT JOIN store_state s "
                                     "ON s.key = h.key AND s.revision = ?2 WHERE h.key = ?1"},
    {offsetof(sqlite_store, put_head),
     "INSERT INTO store_head VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET "
     "partition = excluded.partition, seq = excluded.seq, last_offset = excluded.last_offset, "
     "last_term_offset = excluded.last_term_offset, last_term_incarnation = excluded.last_term_incarnation, "
     "last_number = excluded.last_number, ids = excluded.ids, timer_us = excluded.timer_us"},
    {offsetof(sqlite_store, put_state),
     "INSERT INTO store_state VALUES (?, ?, ?, ?) ON CONFLICT (key, revision) DO UPDATE SET "
     "seq = excluded.seq, state = excluded.state"},
    {offsetof(sqlite_store, put_schema),
     "INSERT OR IGNORE INTO store_schema (fingerprint, name, json) VALUES (?, ?, ?)"},
    {offsetof(sqlite_store, put_registry), "INSERT OR IGNORE INTO store_registry VALUES (?, ?)"},
    {offsetof(sqlite_store, schemas), SCHEMAS_SQL},
    {offsetof(sqlite_store, schema), SCHEMAS_SQL " WHERE s.fingerprint = ?"},
    {offsetof(sqlite_store, heads),
     "SELECT h.key, h.seq, h.last_offset, h.last_term_offset, h.last_term_incarnation, h.last_number, x'', "
     "h.timer_us, ?3, s.seq, CASE WHEN s.seq IS NULL THEN NULL ELSE x'' END FROM store_head h "
     "LEFT JOIN store_state s ON s.key = h.key AND s.revision = ?3 WHERE h.key > ?1 ORDER BY h.key LIMIT ?2"},
    {offsetof(sqlite_store, add_state),
     "INSERT INTO store_state SELECT ?1, ?2, ?3, ?4 FROM store_head h WHERE h.key = ?1 AND h.seq >= ?3 "
     "ON CONFLICT (key, revision) DO UPDATE SET seq = excluded.seq, state = excluded.state "
     "WHERE store_state.seq < excluded.seq"},
    {offsetof(sqlite_store, move),
     "UPDATE store_partition SET saves = ?2, checkpoint_offset = ?3, checkpoint_term_offset = ?4, "
     "checkpoint_term_incarnation = ?5, checkpoint_number = ?6, seen_offset = ?7, seen_term_offset = ?8, "
     "seen_term_incarnation = ?9, seen_number = ?10 WHERE partition = ?1"},
};
enum { STATEMENTS = sizeof statement_texts / sizeof statement_texts[0] };

static sqlite3_stmt **statement_at(sqlite_store *store, int index)
{
    return (sqlite3_stmt **)(void *)((char *)store + statement_texts[index].member);
}

pdr_code pdr_sqlite_store_prepare(sqlite_store *store, pdr_error *err)
{
    if (store->prepared) return PDR_OK;
    pdr_store_meta meta;
    pdr_code code = pdr_sqlite_store_read_meta(store->db, &meta, err);
    if (code == PDR_OK) code = pdr_sqlite_store_add_tables(store->db, err);
    for (int i = 0; code == PDR_OK && i < STATEMENTS; i++)
        code = pdr_sqlite_prepare(store->db, statement_at(store, i), statement_texts[i].sql, err);
    store->prepared = code == PDR_OK;
    if (code == PDR_OK) return PDR_OK;
    pdr_sqlite_store_unprepare(store);
    return pdr_fail_context(err, code, "%s", store->path);
}

void pdr_sqlite_store_unprepare(sqlite_store *store)
{
    for (int i = 0; i < STATEMENTS; i++) {
        sqlite3_finalize(*statement_at(store, i));
        *statement_at(store, i) = NULL;
    }
    store->prepared = false;
}

/* --- operations --- */

static void refuse(op *o, pdr_code code, const char *why)
{
    code = pdr_fail(&o->error, code, "partition %d: %s", o->partition, why);
}

static int run(sqlite3_stmt *statement)
{
    int rc = pdr_sqlite_run(statement);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* The partition's row into op->row; *there tells whether it has one. */
static int read_row(sqlite_store *store, op *o, bool *there)
{
    sqlite3_stmt *s = store->row;
    int rc = sqlite3_bind_int(s, 1, o->partition);
    if (rc != SQLITE_OK) return rc;
    rc = sqlite3_step(s);
    pdr_bytes id = rc == SQLITE_ROW ? pdr_sqlite_column(s, 0) : pdr_bytes_of(NULL, 0);
    *there = rc == SQLITE_ROW && id.size == PDR_ID_SIZE;
    if (*there) {
        memcpy(o->row.stamp.store_id, id.data, PDR_ID_SIZE);
        o->row.stamp.term = (pdr_term){sqlite3_column_int64(s, 1), (uint64_t)sqlite3_column_int64(s, 2)};
        o->row.stamp.saves = (uint64_t)sqlite3_column_int64(s, 3);
        o->row.checkpoint = pdr_sqlite_column_position(s, 4);
        o->row.seen = pdr_sqlite_column_position(s, 8);
    } else if (rc == SQLITE_DONE || rc == SQLITE_ROW) {
        refuse(o, PDR_NOT_INITIALISED, "the store has no row of it");
    }
    int reset = sqlite3_reset(s);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : reset;
}

static int keep_head(op *o, pdr_head head)
{
    pdr_bytes *parts[3] = {&head.key, &head.ids, &head.state};
    for (int i = 0; i < 3; i++) {
        if (!parts[i]->data) continue;
        *parts[i] = pdr_arena_bytes(&o->arena, *parts[i]);
        if (!parts[i]->data) return SQLITE_NOMEM;
    }
    o->heads[o->head_count++] = head;
    return SQLITE_OK;
}

/* One key's head with the state of one revision into the operation's heads, if it is there and that state is
 * newer than the one that was found for another revision. */
static int look_up_revision(sqlite_store *store, op *o, pdr_bytes key, uint64_t revision, bool first)
{
    sqlite3_stmt *s = store->lookup;
    int rc = pdr_sqlite_bind_text(s, 1, key);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, 2, (int64_t)revision);
    if (rc == SQLITE_OK) rc = sqlite3_step(s);
    int kept = SQLITE_OK;
    if (rc == SQLITE_ROW) {
        pdr_head head = pdr_sqlite_column_head(s, 0);
        const pdr_head *best = first ? NULL : &o->heads[o->head_count - 1];
        bool newer = best && head.state.data && (!best->state.data || head.state_seq > best->state_seq);
        if (newer) o->head_count--;
        if (first || newer) kept = keep_head(o, head);
    }
    int reset = sqlite3_reset(s);
    if (kept != SQLITE_OK) return kept;
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : reset;
}

static int look_up_key(sqlite_store *store, op *o, const pdr_lookup_key *key)
{
    size_t before = o->head_count;
    int rc = look_up_revision(store, o, key->key, key->revision_count ? key->revisions[0] : 0, true);
    for (size_t i = 1; i < key->revision_count && o->head_count > before && rc == SQLITE_OK; i++)
        rc = look_up_revision(store, o, key->key, key->revisions[i], false);
    return rc;
}

int pdr_sqlite_run_read(sqlite_store *store, op *o)
{
    bool there = false;
    o->error.code = PDR_OK;
    o->head_count = 0;
    if (o->kind == OP_SCHEMAS) return pdr_sqlite_run_schemas(store, o);
    if (o->kind == OP_HEADS) return pdr_sqlite_run_heads(store, o);
    int rc = read_row(store, o, &there);
    if (rc != SQLITE_OK || !there || o->kind != OP_LOOKUP) return rc;
    o->heads = pdr_arena_calloc(&o->arena, o->key_count, sizeof *o->heads);
    if (!o->heads) return SQLITE_NOMEM;
    for (size_t i = 0; i < o->key_count && rc == SQLITE_OK; i++)
        rc = look_up_key(store, o, &o->keys[i]);
    return rc;
}

static int note_takeover(sqlite_store *store, const op *o)
{
    sqlite3_stmt *s = store->takeover;
    int rc = sqlite3_bind_int(s, 1, o->partition);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, 2, o->claim.term.offset);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, 3, (int64_t)o->claim.term.incarnation);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, 4, o->claim.at_us);
    if (rc == SQLITE_OK) rc = pdr_sqlite_bind_text(s, 5, o->claim.address);
    if (rc == SQLITE_OK) rc = run(s);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int(store->trim, 1, STORE_TAKEOVERS);
    return rc == SQLITE_OK ? run(store->trim) : rc;
}

static int claim(sqlite_store *store, op *o)
{
    if (!pdr_term_claims_over(o->claim.term, o->row.stamp.term)) {
        refuse(o, PDR_STALE, "a later owner has claimed it");
        return SQLITE_OK;
    }
    o->row.stamp.term = o->claim.term;
    sqlite3_stmt *s = store->set_term;
    int rc = sqlite3_bind_int(s, 1, o->partition);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, 2, o->claim.term.offset);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, 3, (int64_t)o->claim.term.incarnation);
    if (rc == SQLITE_OK) rc = run(s);
    return rc == SQLITE_OK ? note_takeover(store, o) : rc;
}

static int put_state(sqlite_store *store, const pdr_head *head)
{
    sqlite3_stmt *s = store->put_state;
    int rc = pdr_sqlite_bind_text(s, 1, head->key);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, 2, (int64_t)head->revision);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, 3, (int64_t)head->state_seq);
    if (rc == SQLITE_OK) rc = pdr_sqlite_bind_blob(s, 4, head->state);
    return rc == SQLITE_OK ? run(s) : rc;
}

static int put_head(sqlite_store *store, int32_t partition, const pdr_head *head)
{
    sqlite3_stmt *s = store->put_head;
    int rc = pdr_sqlite_bind_text(s, 1, head->key);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int(s, 2, partition);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, 3, (int64_t)head->seq);
    if (rc == SQLITE_OK) rc = pdr_sqlite_bind_position(s, 4, head->last);
    if (rc == SQLITE_OK) rc = pdr_sqlite_bind_blob(s, 8, head->ids);
    if (rc != SQLITE_OK) return rc;
    rc = head->timer_us == PDR_NO_TIMER ? sqlite3_bind_null(s, 9) : sqlite3_bind_int64(s, 9, head->timer_us);
    if (rc == SQLITE_OK) rc = run(s);
    return rc == SQLITE_OK && head->state.data ? put_state(store, head) : rc;
}

static int move_row(sqlite_store *store, op *o)
{
    o->row.stamp.saves++;
    o->row.checkpoint = o->save.checkpoint;
    if (o->save.seen.offset > o->row.seen.offset) o->row.seen = o->save.seen;
    sqlite3_stmt *s = store->move;
    int rc = sqlite3_bind_int(s, 1, o->partition);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, 2, (int64_t)o->row.stamp.saves);
    if (rc == SQLITE_OK) rc = pdr_sqlite_bind_position(s, 3, o->row.checkpoint);
    if (rc == SQLITE_OK) rc = pdr_sqlite_bind_position(s, 7, o->row.seen);
    return rc == SQLITE_OK ? run(s) : rc;
}

static bool same_stamp(const pdr_stamp *a, const pdr_stamp *b)
{
    return memcmp(a->store_id, b->store_id, PDR_ID_SIZE) == 0 && pdr_term_equal(a->term, b->term) &&
           a->saves == b->saves;
}

static int save(sqlite_store *store, op *o)
{
    if (!same_stamp(&o->save.expected, &o->row.stamp)) {
        refuse(o, PDR_STALE, "the row's stamp isn't the expected one");
        return SQLITE_OK;
    }
    int rc = move_row(store, o);
    for (size_t i = 0; i < o->save.head_count && rc == SQLITE_OK; i++)
        rc = put_head(store, o->partition, &o->save.heads[i]);
    for (size_t i = 0; i < o->save.schema_count && rc == SQLITE_OK; i++)
        rc = pdr_sqlite_run_put_schema(store, &o->save.schemas[i]);
    return rc;
}

int pdr_sqlite_run_write(sqlite_store *store, op *o)
{
    bool there = false;
    o->error.code = PDR_OK;
    int rc = read_row(store, o, &there);
    if (rc != SQLITE_OK || !there) return rc;
    if (o->kind == OP_PUT_STATES) return pdr_sqlite_run_put_states(store, o);
    return o->kind == OP_CLAIM ? claim(store, o) : save(store, o);
}
