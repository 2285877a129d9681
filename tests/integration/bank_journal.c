#include "bank_journal.h"

#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void bank_must(pdr_code code, const pdr_error *err, const char *what)
{
    if (code == PDR_OK) return;
    fprintf(stderr, "%s: %s: %s\n", what, pdr_code_name(code), err ? err->message : "");
    abort();
}

static void name_files(bank_dir *dir)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(dir->path, sizeof dir->path, "%.40s/perdure-XXXXXX", tmp && strlen(tmp) <= 40 ? tmp : "/tmp");
    if (!mkdtemp(dir->path)) bank_must(PDR_IO, NULL, "mkdtemp");
    snprintf(dir->url, sizeof dir->url, "sqlite:%s/bank.db", dir->path);
    snprintf(dir->store, sizeof dir->store, "%s", dir->url);
}

static void name_on_servers(bank_dir *dir)
{
    uint64_t drawn;
    const char *kafka = getenv("PERDURE_TEST_KAFKA"), *postgres = getenv("PERDURE_TEST_POSTGRES");
    dir->path[0] = '\0';
    if (getentropy(&drawn, sizeof drawn)) bank_must(PDR_IO, NULL, "getentropy");
    snprintf(dir->url, sizeof dir->url, "kafka://%.100s/bank-%016" PRIx64, kafka, drawn);
    snprintf(dir->store, sizeof dir->store, "%.180s%sschema=bank_%016" PRIx64, postgres,
             strchr(postgres, '?') ? "&" : "?", drawn);
}

bool bank_on_servers(void)
{
    const char *where = getenv("PERDURE_BANK");
    return where && strcmp(where, "servers") == 0;
}

/* Before Criterion runs anything, whose tests can't skip their program. */
__attribute__((constructor)) static void skip_without_servers(void)
{
    if (!bank_on_servers() || (getenv("PERDURE_TEST_KAFKA") && getenv("PERDURE_TEST_POSTGRES"))) return;
    fprintf(stderr, "SKIPPED: PERDURE_TEST_KAFKA or PERDURE_TEST_POSTGRES isn't set\n");
    _exit(77);
}

void bank_dir_make(bank_dir *dir, int32_t partitions)
{
    if (bank_on_servers())
        name_on_servers(dir);
    else
        name_files(dir);
    pdr_options options = bank_options(dir, 0);
    pdr_error err;
    bank_must(pdr_journal_init(&options, partitions, &err), &err, "pdr_journal_init");
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

void bank_dir_remove(bank_dir *dir)
{
    if (dir->path[0]) nftw(dir->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

pdr_options bank_options(const bank_dir *dir, unsigned workers)
{
    pdr_options options = PDR_OPTIONS_INIT;
    options.journal = dir->url;
    options.store = dir->store;
    options.app = &bank_app;
    options.workers = workers;
    return options;
}

pdr_journal *bank_open(const pdr_options *options)
{
    pdr_journal *journal;
    pdr_error err;
    bank_must(pdr_journal_open(&journal, options, &err), &err, "pdr_journal_open");
    bank_must(pdr_journal_wait(journal, 120000, &err), &err, "pdr_journal_wait");
    return journal;
}

pdr_request_spec bank_deposit_spec(const char *entity, const bank_deposit *command)
{
    return (pdr_request_spec){
        .entity = pdr_string_of(entity), .type = &bank_deposit_type, .command = command};
}

pdr_code bank_ask_deposit(pdr_journal *journal, const char *entity, int64_t amount, pdr_answered *answer)
{
    bank_deposit command = {amount};
    pdr_request_spec spec = bank_deposit_spec(entity, &command);
    return pdr_ask(journal, &spec, 120000, answer, NULL);
}

int64_t bank_balance(pdr_journal *journal, const char *entity, uint64_t *seq)
{
    pdr_arena arena = PDR_ARENA_INIT(1024 * 1024);
    bank_account account;
    pdr_error err;
    bank_must(pdr_read_state(journal, entity, false, 120000, &arena, &account, seq, &err), &err,
              "pdr_read_state");
    pdr_arena_release(&arena);
    return account.balance;
}
