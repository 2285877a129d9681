#include "saved.h"

#include <string.h>

#include "bare.h"

bench_journal *bench_saved(const bench_run *run)
{
    static bench_journal j;
    if (j.log[0]) return &j;
    pdr_error err;
    bench_journal_make(&j, run, false, 1);
    bench_journal_open(&j, NULL, 0);
    bench_send(&j, 3 * BENCH_SAVED_ENTITIES, BENCH_SAVED_ENTITIES, 20000, 0);
    bench_must(pdr_journal_drain(j.journal, 120000, &err), &err, "drain");
    bench_journal_close(&j);
    bare_postgres_run(run->postgres, "VACUUM ANALYZE");
    return &j;
}

const char *bench_schema(const bench_journal *j)
{
    return strstr(j->store, "schema=") + 7;
}
