/* Claims about the lock file. tests/unit/schemas/offers/schemas.lock is its golden file. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/mem.h"
#include "cli/folder.h"
#include "schemas/lock.h"

static const char offers[] = PDR_SOURCE_DIR "/tests/unit/schemas/offers";
static pdr_cli_folder folder;
static pdr_schema_files *files;
static pdr_lock *lock;
static pdr_buf text = PDR_BUF_INIT(1 << 20);

static void release(void)
{
    pdr_mem_fail_at(0);
    pdr_cli_folder_release(&folder);
    pdr_schema_files_close(files);
    pdr_lock_close(lock);
    pdr_buf_release(&text);
    memset(&folder, 0, sizeof folder);
    files = NULL;
    lock = NULL;
}

TestSuite(lock, .fini = release);

#define RECORD(name, rest, fields)                                                                           \
    "{\"type\":\"record\",\"name\":\"" name "\"" rest ",\"fields\":[" fields "]}"
#define FIELD(name, type, rest) "{\"name\":\"" name "\",\"type\":" type rest "}"

static void give(const char *path, const char *json)
{
    pdr_error err = {.message = ""};
    cr_assert_eq(pdr_schema_files_add(files, path, pdr_string_of(json), &err), PDR_OK, "%s", err.message);
}

/* A: two versions, of which the second refers to the shared type M. */
static void begin(const char *a1, const char *a2, const char *shared)
{
    pdr_error err = {.message = ""};
    pdr_schema_files_close(files);
    cr_assert_eq(pdr_schema_files_open(&files, NULL), PDR_OK);
    if (a1) give("x/A.v1.avsc", a1);
    if (a2) give("x/A.v2.avsc", a2);
    if (shared) give("x/m.avsc", shared);
    cr_assert_eq(pdr_schema_files_finish(files, &err), PDR_OK, "%s", err.message);
}

static const char a1[] = RECORD("A", "", FIELD("f", "\"int\"", ",\"doc\":\"old\"")),
                  a2[] = RECORD("A", ",\"doc\":\"second\"", FIELD("m", "\"M\"", "")),
                  m[] = RECORD("M", "", FIELD("x", "\"bytes\"", ",\"default\":\"a\""));

static void take_lock(void)
{
    pdr_buf_clear(&text);
    cr_assert_eq(pdr_lock_write(files, "x", &text, NULL), PDR_OK);
    cr_assert_eq(
        pdr_lock_open(&lock, "x/schemas.lock", (pdr_string){(const char *)text.data, text.size}, NULL),
        PDR_OK);
}

static pdr_code check(pdr_error *err)
{
    return pdr_lock_check(lock, files, "x", err);
}

Test(lock, of_the_golden_folder_is_the_golden_file)
{
    pdr_buf golden = PDR_BUF_INIT(1 << 20);
    cr_assert_eq(pdr_cli_folder_open(&folder, offers, NULL), PDR_OK);
    cr_assert_not_null(folder.lock);
    cr_expect_eq(pdr_lock_count(folder.lock), 5);
    cr_expect_eq(pdr_lock_check(folder.lock, folder.files, folder.path, NULL), PDR_OK);
    cr_assert_eq(pdr_lock_write(folder.files, folder.path, &text, NULL), PDR_OK);
    cr_assert_eq(pdr_cli_read_file(PDR_SOURCE_DIR "/tests/unit/schemas/offers/schemas.lock", &golden, NULL),
                 PDR_OK);
    cr_expect(pdr_bytes_equal(pdr_buf_bytes(&golden), pdr_buf_bytes(&text)));
    pdr_buf_release(&golden);
}

Test(lock, keeps_whole_schemas_shared_types_included)
{
    begin(a1, a2, m);
    take_lock();
    cr_assert_eq(pdr_lock_count(lock), 2);
    cr_expect_null(pdr_lock_find(lock, "A", 3));
    cr_expect_null(pdr_lock_find(lock, "B", 1));
    const pdr_lock_entry *entry = pdr_lock_find(lock, "A", 2);
    cr_assert_not_null(entry);
    cr_expect_eq(entry, pdr_lock_at(lock, 1));
    cr_expect_eq(entry->fingerprint, pdr_schema_files_at(files, 1)->fingerprint);
    cr_expect_str_eq(entry->root->doc, "second");
    cr_expect_str_eq(entry->root->fields[0].type->fields[0].default_value->text.data, "a");
}

Test(lock, what_may_change_is_docs_and_retirement_and_where_a_type_is_defined)
{
    begin(a1, a2, m);
    take_lock();
    cr_expect_eq(check(NULL), PDR_OK);
    begin(RECORD("A", "", FIELD("f", "\"int\"", ",\"doc\":\"new\"")), a2, m);
    cr_expect_eq(check(NULL), PDR_OK, "a doc changed");
    begin(a1, RECORD("A", ",\"perdure\":{\"retired\":true}", FIELD("m", "\"M\"", "")), m);
    cr_expect_eq(check(NULL), PDR_OK, "retired");
    begin(a1, RECORD("A", "", FIELD("m", RECORD("M", "", FIELD("x", "\"bytes\"", ",\"default\":\"a\"")), "")),
          RECORD("M", "", FIELD("other", "\"int\"", "")));
    cr_expect_eq(check(NULL), PDR_OK, "the old definition was copied into the version");
}

static const struct {
    const char *a1, *a2, *m;
    const char *messages[2];
} changed[] = {
    {RECORD("A", "", FIELD("f", "\"long\"", "")),
     a2,
     m,
     {"x/A.v1.avsc isn't what was released: /f: type int is now long. Put it back, and make version 3 of "
      "what has",
      "schemas.lock"}},
    {RECORD("A", "", FIELD("f", "\"int\"", ",\"default\":0")),
     a2,
     m,
     {"x/A.v1.avsc", "/f: default added: 0"}},
    {RECORD("A", "", FIELD("f", "{\"type\":\"int\",\"logicalType\":\"date\"}", "")),
     a2,
     m,
     {"x/A.v1.avsc", "/f: logical type added: date"}},
    {RECORD("A", "", FIELD("f", "\"int\"", ",\"pii\":true")),
     a2,
     m,
     {"x/A.v1.avsc", "/f: attribute pii added"}},
    {RECORD("A", "", FIELD("f", "\"int\"", ",\"aliases\":[\"g\"]")),
     a2,
     m,
     {"x/A.v1.avsc", "/f: aliases added: g"}},
    {RECORD("A", ",\"perdure\":{\"readableByOlder\":true}", FIELD("f", "\"int\"", "")),
     a2,
     m,
     {"x/A.v1.avsc", "/: readableByOlder false is now true"}},
    {a1,
     a2,
     RECORD("M", "", FIELD("x", "\"bytes\"", ",\"default\":\"b\"")),
     {"x/A.v2.avsc", "/m/x: default \"a\" is now \"b\""}},
    {RECORD("A", "", FIELD("b", "\"int\"", "") "," FIELD("c", "\"int\"", "") "," FIELD("d", "\"int\"", "")),
     a2,
     m,
     {"/f: field removed: int; /b: field added: int; /c: field added: int; and more", "version 3"}},
    {a1, NULL, NULL, {"x/A.v2.avsc is missing: it has been released (schemas.lock)", ""}},
};

Test(lock, a_released_version_that_was_changed_or_deleted_is_refused_by_file)
{
    for (size_t i = 0; i < sizeof changed / sizeof changed[0]; i++) {
        pdr_error err = {.message = ""};
        release();
        begin(a1, a2, m);
        take_lock();
        begin(changed[i].a1, changed[i].a2, changed[i].m);
        cr_expect_eq(check(&err), PDR_BAD_SCHEMA, "%s", changed[i].messages[0]);
        for (size_t j = 0; j < 2; j++)
            cr_expect(strstr(err.message, changed[i].messages[j]), "says %s, wants %s", err.message,
                      changed[i].messages[j]);
    }
}

Test(lock, a_version_that_it_does_not_have_is_fine)
{
    begin(a1, NULL, NULL);
    take_lock();
    begin(a1, a2, m);
    cr_expect_eq(check(NULL), PDR_OK);
}

Test(lock, of_one_folder_knows_nothing_of_another)
{
    begin(a1, NULL, NULL);
    take_lock();
    cr_expect_eq(pdr_lock_check(lock, files, "y", NULL), PDR_BAD_SCHEMA, "x/A.v1.avsc isn't y/A.v1.avsc");
}

#define ENTRY(event, version, fingerprint, schema)                                                           \
    "{\"event\":" event ",\"version\":" version ",\"fingerprint\":" fingerprint ",\"schema\":" schema "}"
#define LOCK(entries) "{\"perdureLock\":1,\"schemas\":[" entries "]}"
#define SCHEMA(version) RECORD("A", ",\"perdure\":{\"version\":" version "}", "")
#define PRINT "\"5c6ebcab8bd1baaa\""

static const struct {
    const char *text;
    pdr_code code;
    const char *message;
} bad[] = {
    {"", PDR_BAD_SCHEMA, "x.lock:1:1"},
    {"<<<<<<< HEAD", PDR_BAD_SCHEMA, "x.lock:1:1"},
    {"[]", PDR_BAD_SCHEMA, "no lock file"},
    {"{}", PDR_BAD_SCHEMA, "\"perdureLock\" must say its format"},
    {"{\"perdureLock\":\"1\",\"schemas\":[]}", PDR_BAD_SCHEMA, "must say its format"},
    {"{\"perdureLock\":0,\"schemas\":[]}", PDR_BAD_SCHEMA, "must say its format"},
    {"{\"perdureLock\":2,\"schemas\":[]}", PDR_TOO_NEW, "format 2; this program knows 1"},
    {"{\"perdureLock\":1}", PDR_BAD_SCHEMA, "the array \"schemas\""},
    {"{\"perdureLock\":1,\"schemas\":{}}", PDR_BAD_SCHEMA, "the array \"schemas\""},
    {"{\"perdureLock\":1,\"schemas\":[],\"more\":1}", PDR_BAD_SCHEMA, "nothing else"},
    {LOCK("3"), PDR_BAD_SCHEMA, "x.lock:1:29: an entry has"},
    {LOCK("{\"event\":\"A\"}"), PDR_BAD_SCHEMA, "an entry has"},
    {LOCK(ENTRY("7", "1", PRINT, SCHEMA("1"))), PDR_BAD_SCHEMA, "\"event\" must be a name"},
    {LOCK(ENTRY("\"A\"", "0", PRINT, SCHEMA("1"))), PDR_BAD_SCHEMA, "\"version\" must be a number from 1"},
    {LOCK(ENTRY("\"A\"", "1.5", PRINT, SCHEMA("1"))), PDR_BAD_SCHEMA, "\"version\" must be a number from 1"},
    {LOCK(ENTRY("\"A\"", "1", "\"5c6\"", SCHEMA("1"))), PDR_BAD_SCHEMA, "must be 16 hexadecimal digits"},
    {LOCK(ENTRY("\"A\"", "1", "\"5C6EBCAB8BD1BAAA\"", SCHEMA("1"))), PDR_BAD_SCHEMA, "16 hexadecimal digits"},
    {LOCK(ENTRY("\"A\"", "1", PRINT, "\"Unknown\"")), PDR_BAD_SCHEMA,
     "x.lock: A version 1:1:1: /: unknown type"},
    {LOCK(ENTRY("\"A\"", "1", PRINT, "\"int\"")), PDR_BAD_SCHEMA, "isn't a record with the name"},
    {LOCK(ENTRY("\"B\"", "1", PRINT, SCHEMA("1"))), PDR_BAD_SCHEMA, "isn't a record with the name"},
    {LOCK(ENTRY("\"A\"", "1", PRINT, SCHEMA("2"))), PDR_BAD_SCHEMA, "the schema says another version"},
    {LOCK(ENTRY("\"A\"", "1", PRINT, RECORD("A", "", ""))), PDR_BAD_SCHEMA,
     "the schema says another version"},
    {LOCK(ENTRY("\"A\"", "1", "\"0000000000000000\"", SCHEMA("1"))), PDR_BAD_SCHEMA,
     "it was changed by hand"},
};

Test(lock, a_file_that_is_none_is_refused_with_the_place)
{
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        pdr_error err = {.message = ""};
        cr_expect_eq(pdr_lock_open(&lock, "x.lock", pdr_string_of(bad[i].text), &err), bad[i].code, "%s",
                     bad[i].text);
        cr_expect(strstr(err.message, bad[i].message), "says %s, wants %s", err.message, bad[i].message);
    }
}

Test(lock, entries_stand_in_order_each_once)
{
    char whole[4000];
    begin(a1, a2, m);
    take_lock();
    cr_assert_lt(text.size, sizeof whole);
    memcpy(whole, text.data, text.size);
    whole[text.size] = '\0';
    char *second = strstr(whole, "\"version\": 2");
    cr_assert_not_null(second);
    second[strlen("\"version\": ")] = '1';
    pdr_error err = {.message = ""};
    pdr_lock_close(lock);
    lock = NULL;
    cr_expect_eq(pdr_lock_open(&lock, "x.lock", pdr_string_of(whole), &err), PDR_BAD_SCHEMA);
    cr_expect_not_null(strstr(err.message, "entries stand by event, then version, each once"), "%s",
                       err.message);
}

Test(lock, every_allocation_may_fail)
{
    pdr_code code = PDR_NOMEM;
    begin(a1, a2, m);
    for (uint64_t n = 1; code != PDR_OK; n++) {
        pdr_buf_clear(&text);
        pdr_lock_close(lock);
        lock = NULL;
        pdr_mem_fail_at(n);
        code = pdr_lock_write(files, "x", &text, NULL);
        if (code == PDR_OK)
            code = pdr_lock_open(&lock, "x", (pdr_string){(const char *)text.data, text.size}, NULL);
        if (code == PDR_OK) code = check(NULL);
        pdr_mem_fail_at(0);
        cr_assert(code == PDR_OK || code == PDR_NOMEM, "allocation %d: %s", (int)n, pdr_code_name(code));
        cr_assert_lt(n, 2000);
    }
}
