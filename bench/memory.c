/* What a resident entity costs besides its state and its window of command ids. */
#include "lines.h"

#include "journals.h"

enum { ENTITIES = 100000 };

void bench_resident(const bench_run *run, int round, double *ours, double *bare)
{
    bench_journal j;
    pdr_stats stats;
    (void)bare;
    bench_journal_make(&j, run, true, 1);
    bench_journal_open(&j, NULL, 0);
    bench_send(&j, ENTITIES, ENTITIES, 5000, 0);
    pdr_journal_stats(j.journal, &stats);
    *ours = (double)stats.shell_bytes / (double)stats.residents;
    if (round == run->pairs)
        bench_note(run, "besides: %.1f bytes of state, %.1f bytes of command ids an entity",
                   (double)(stats.resident_bytes - stats.shell_bytes - stats.ids_bytes) /
                       (double)stats.residents,
                   (double)stats.ids_bytes / (double)stats.residents);
    bench_journal_drop(&j, run);
}
