#include "journal/schema_book.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "schemas/schema.h"

typedef struct known {
    uint64_t fingerprint;
    pdr_string name, json;
    _Atomic(int32_t) id;
    char text[];
} known;

typedef struct node {
    uint64_t key; /* a fingerprint, or a registry's id */
    known *schema;
    atomic_bool ambiguous; /* an id that stands for another schema as well: for none, then */
} node;

/* Open addressing, at most half full. Readers go through it while one writer adds: a slot is set once. When
 * it is full a larger one takes its place; the old ones stay until close, for readers that are still in them.
 */
typedef struct table {
    struct table *older;
    size_t mask;
    _Atomic(node *) slots[];
} table;

struct pdr_schema_book {
    pthread_mutex_t adding;
    _Atomic(table *) schemas, ids;
    _Atomic(table *) order; /* slots by place */
    _Atomic(size_t) count;
    size_t id_count, bytes;
};

enum { FIRST_SLOTS = 32 };

/* --- tables --- */

static size_t slot_of(uint64_t key, size_t mask)
{
    return (size_t)((key * 0x9E3779B97F4A7C15u) >> 32) & mask;
}

static node *find(const _Atomic(table *) *head, uint64_t key)
{
    const table *t = atomic_load_explicit(head, memory_order_acquire);
    for (size_t i = slot_of(key, t->mask);; i = (i + 1) & t->mask) {
        node *n = atomic_load_explicit(&t->slots[i], memory_order_acquire);
        if (!n || n->key == key) return n;
    }
}

static void put(table *t, node *n)
{
    size_t i = slot_of(n->key, t->mask);
    while (atomic_load_explicit(&t->slots[i], memory_order_relaxed))
        i = (i + 1) & t->mask;
    atomic_store_explicit(&t->slots[i], n, memory_order_release);
}

static table *make_table(size_t slots, table *older)
{
    table *t = pdr_calloc(1, sizeof *t + slots * sizeof t->slots[0]);
    if (!t) return NULL;
    t->older = older;
    t->mask = slots - 1;
    return t;
}

/* Make room for one more besides `count`; `by_place`: slots are places, not hashes. */
static bool reserve(_Atomic(table *) *head, size_t count, bool by_place)
{
    table *old = atomic_load_explicit(head, memory_order_relaxed);
    if (2 * (count + 1) <= old->mask + 1) return true;
    table *grown = make_table(2 * (old->mask + 1), old);
    if (!grown) return false;
    for (size_t i = 0; i <= old->mask; i++) {
        node *n = atomic_load_explicit(&old->slots[i], memory_order_relaxed);
        if (n && by_place)
            atomic_store_explicit(&grown->slots[i], n, memory_order_relaxed);
        else if (n)
            put(grown, n);
    }
    atomic_store_explicit(head, grown, memory_order_release);
    return true;
}

static void free_table(_Atomic(table *) *head, bool schemas_too, bool nodes_too)
{
    table *t = atomic_load_explicit(head, memory_order_relaxed);
    for (size_t i = 0; t && nodes_too && i <= t->mask; i++) {
        node *n = atomic_load_explicit(&t->slots[i], memory_order_relaxed);
        if (n && schemas_too) pdr_free(n->schema);
        pdr_free(n);
    }
    for (table *older; t; t = older) {
        older = t->older;
        pdr_free(t);
    }
}

/* --- the book --- */

pdr_code pdr_schema_book_open(pdr_schema_book **out, pdr_error *err)
{
    pdr_schema_book *book = pdr_calloc(1, sizeof *book);
    if (!book) return pdr_fail(err, PDR_NOMEM, "a book of schemas");
    pthread_mutex_init(&book->adding, NULL);
    atomic_init(&book->schemas, make_table(FIRST_SLOTS, NULL));
    atomic_init(&book->ids, make_table(FIRST_SLOTS, NULL));
    atomic_init(&book->order, make_table(FIRST_SLOTS, NULL));
    if (!atomic_load(&book->schemas) || !atomic_load(&book->ids) || !atomic_load(&book->order)) {
        pdr_schema_book_close(book);
        return pdr_fail(err, PDR_NOMEM, "a book of schemas");
    }
    *out = book;
    return PDR_OK;
}

void pdr_schema_book_close(pdr_schema_book *book)
{
    if (!book) return;
    free_table(&book->order, false, false);
    free_table(&book->ids, false, true);
    free_table(&book->schemas, true, true);
    pthread_mutex_destroy(&book->adding);
    pdr_free(book);
}

/* --- adding --- */

static pdr_code check(const pdr_schema *schema, uint64_t fingerprint, pdr_error *err)
{
    uint64_t computed;
    pdr_code code = pdr_schema_fingerprint(&computed, schema, err);
    if (code != PDR_OK || computed == fingerprint) return code;
    return pdr_fail(err, PDR_BAD_SCHEMA, "the schema %s has fingerprint %016llx, not %016llx", schema->name,
                    (unsigned long long)computed, (unsigned long long)fingerprint);
}

/* Parsed for its name, and because nothing else that was met with this fingerprint will be looked at. */
static pdr_code copy(known **out, uint64_t fingerprint, pdr_string json, pdr_error *err)
{
    pdr_schema_set *set = NULL;
    pdr_code code = pdr_schema_read(&set, "writer schema", json, err);
    if (code != PDR_OK) return code;
    const pdr_schema *schema = pdr_schema_set_root(set, 0);
    code = check(schema, fingerprint, err);
    size_t name = strlen(schema->name);
    known *k = code == PDR_OK ? pdr_alloc(sizeof *k + json.size + name + 2) : NULL;
    if (code == PDR_OK && !k) code = pdr_fail(err, PDR_NOMEM, "the schema %s", schema->name);
    if (k) {
        memcpy(k->text, json.data, json.size);
        k->text[json.size] = 0;
        memcpy(k->text + json.size + 1, schema->name, name + 1);
        k->fingerprint = fingerprint;
        k->json = (pdr_string){k->text, json.size};
        k->name = (pdr_string){k->text + json.size + 1, name};
        atomic_init(&k->id, PDR_BOOK_NO_ID);
        *out = k;
    }
    pdr_schema_set_close(set);
    return code;
}

static node *make_node(uint64_t key, known *schema)
{
    node *n = pdr_alloc(sizeof *n);
    if (!n) return NULL;
    n->key = key;
    n->schema = schema;
    atomic_init(&n->ambiguous, false);
    return n;
}

static pdr_code insert(pdr_schema_book *book, known *k, pdr_error *err)
{
    size_t count = atomic_load_explicit(&book->count, memory_order_relaxed);
    if (count >= PDR_BOOK_MAX_SCHEMAS || k->json.size > PDR_BOOK_MAX_BYTES - book->bytes)
        return pdr_fail(err, PDR_TOO_LARGE, "%zu schemas of %zu bytes are known; another is too much", count,
                        book->bytes);
    node *n = reserve(&book->schemas, count, false) && reserve(&book->order, count, true)
                  ? make_node(k->fingerprint, k)
                  : NULL;
    if (!n) return pdr_fail(err, PDR_NOMEM, "the schema %s", k->name.data);
    book->bytes += k->json.size;
    put(atomic_load_explicit(&book->schemas, memory_order_relaxed), n);
    table *order = atomic_load_explicit(&book->order, memory_order_relaxed);
    atomic_store_explicit(&order->slots[count], n, memory_order_release);
    atomic_store_explicit(&book->count, count + 1, memory_order_release);
    return PDR_OK;
}

/* Which of two schemas an event with this id was written with can't be told: from now on it can't be read,
 * rather than be read as the wrong one. */
static void make_ambiguous(node *n, int32_t id)
{
    int32_t expected = id;
    atomic_store_explicit(&n->ambiguous, true, memory_order_release);
    (void)atomic_compare_exchange_strong(&n->schema->id, &expected, PDR_BOOK_NO_ID);
}

static pdr_code add_id(pdr_schema_book *book, known *k, int32_t id, pdr_error *err)
{
    node *n = find(&book->ids, (uint32_t)id);
    if (n && n->schema == k) return PDR_OK;
    if (n) make_ambiguous(n, id);
    if (n)
        return pdr_fail(
            err, PDR_CONFLICT, "the registry's id %d stands for %s with fingerprint %016llx and %016llx", id,
            k->name.data, (unsigned long long)n->schema->fingerprint, (unsigned long long)k->fingerprint);
    if (book->id_count >= PDR_BOOK_MAX_SCHEMAS)
        return pdr_fail(err, PDR_TOO_LARGE, "%zu ids of a registry are known; another is too much",
                        book->id_count);
    node *made = reserve(&book->ids, book->id_count, false) ? make_node((uint32_t)id, k) : NULL;
    if (!made) return pdr_fail(err, PDR_NOMEM, "the registry's id %d", id);
    if (atomic_load_explicit(&k->id, memory_order_relaxed) == PDR_BOOK_NO_ID)
        atomic_store_explicit(&k->id, id, memory_order_relaxed);
    put(atomic_load_explicit(&book->ids, memory_order_relaxed), made);
    book->id_count++;
    return PDR_OK;
}

static pdr_code add_new(pdr_schema_book *book, uint64_t fingerprint, pdr_string json, pdr_error *err)
{
    known *k = NULL;
    pdr_code code = copy(&k, fingerprint, json, err);
    if (code != PDR_OK) return code;
    pthread_mutex_lock(&book->adding);
    bool another_was_first = find(&book->schemas, fingerprint) != NULL;
    if (!another_was_first) code = insert(book, k, err);
    pthread_mutex_unlock(&book->adding);
    if (another_was_first || code != PDR_OK) pdr_free(k);
    return code;
}

pdr_code pdr_schema_book_add(pdr_schema_book *book, uint64_t fingerprint, pdr_string json,
                             int32_t registry_id, pdr_error *err)
{
    pdr_code code = find(&book->schemas, fingerprint) ? PDR_OK : add_new(book, fingerprint, json, err);
    if (code != PDR_OK || registry_id < 0) return code;
    pthread_mutex_lock(&book->adding);
    code = add_id(book, find(&book->schemas, fingerprint)->schema, registry_id, err);
    pthread_mutex_unlock(&book->adding);
    return code;
}

/* --- looking up --- */

bool pdr_schema_book_find(const pdr_schema_book *book, uint64_t fingerprint, pdr_string *json)
{
    const node *n = find(&book->schemas, fingerprint);
    if (n && json) *json = n->schema->json;
    return n != NULL;
}

bool pdr_schema_book_by_id(const pdr_schema_book *book, int32_t registry_id, uint64_t *fingerprint)
{
    const node *n = registry_id < 0 ? NULL : find(&book->ids, (uint32_t)registry_id);
    if (!n || atomic_load_explicit(&n->ambiguous, memory_order_acquire)) return false;
    *fingerprint = n->schema->fingerprint;
    return true;
}

pdr_string pdr_schema_book_name(const pdr_schema_book *book, uint64_t fingerprint)
{
    const node *n = find(&book->schemas, fingerprint);
    return n ? n->schema->name : (pdr_string){NULL, 0};
}

int32_t pdr_schema_book_id(const pdr_schema_book *book, uint64_t fingerprint)
{
    const node *n = find(&book->schemas, fingerprint);
    return n ? atomic_load_explicit(&n->schema->id, memory_order_relaxed) : PDR_BOOK_NO_ID;
}

size_t pdr_schema_book_count(const pdr_schema_book *book)
{
    return atomic_load_explicit(&book->count, memory_order_acquire);
}

uint64_t pdr_schema_book_at(const pdr_schema_book *book, size_t i)
{
    PDR_INVARIANT("schema-book-place", i < pdr_schema_book_count(book));
    const table *order = atomic_load_explicit(&book->order, memory_order_acquire);
    return atomic_load_explicit(&order->slots[i], memory_order_acquire)->key;
}
