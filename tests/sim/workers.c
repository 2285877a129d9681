#include "tests/sim/workers.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_WORKERS = 64 };

/* Shared between the worker, which writes, and its parent, which reads. */
typedef struct shared {
    volatile uint64_t seed; /* under way */
    volatile uint64_t done;
    volatile bool failed;
    volatile uint64_t failures;
    totals sum;
    char failure[900];
} shared;

static uint64_t seed_at(const job *work, uint64_t i)
{
    return work->listed ? work->listed[i] : work->first + i;
}

static void work_through(shared *mine, const shared *all, const job *work, unsigned me)
{
    for (uint64_t i = me; i < work->count; i += work->workers) {
        for (unsigned w = 0; w < work->workers && !work->all; w++)
            if (all[w].failed) return;
        mine->seed = seed_at(work, i);
        outcome one;
        seed_run(&one, mine->seed, NULL);
        totals_add(&mine->sum, &one);
        mine->done++;
        if (!one.failed) continue;
        if (work->all) fprintf(stderr, "sim: FAILED: %s\n", one.failure);
        if (!mine->failures++) memcpy(mine->failure, one.failure, sizeof mine->failure);
        mine->failed = true;
        if (!work->all) return;
    }
}

static void tell_progress(const shared *all, const job *work)
{
    uint64_t done = 0;
    for (unsigned w = 0; w < work->workers; w++)
        done += all[w].done;
    fprintf(stderr, "\rsim: %llu of %llu seeds", (unsigned long long)done, (unsigned long long)work->count);
    if (done == work->count) fputc('\n', stderr);
}

static void await(shared *all, const job *work, const pid_t *pids)
{
    for (unsigned left = work->workers; left;) {
        int status;
        pid_t pid = waitpid(-1, &status, work->progress ? WNOHANG : 0);
        if (pid == 0) {
            tell_progress(all, work);
            nanosleep(&(struct timespec){0, 200000000}, NULL);
            continue;
        }
        if (pid < 0) break;
        left--;
        for (unsigned w = 0; w < work->workers; w++) {
            if (pids[w] != pid || status == 0) continue;
            snprintf(all[w].failure, sizeof all[w].failure,
                     "seed %llu: the process ended with %s %d: an internal invariant or a sanitizer, above",
                     (unsigned long long)all[w].seed, WIFSIGNALED(status) ? "signal" : "exit code",
                     WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
            all[w].failed = true;
            all[w].failures++;
        }
    }
    if (work->progress) tell_progress(all, work);
}

void workers_run(verdict *out, const job *asked)
{
    job work = *asked;
    memset(out, 0, sizeof *out);
    if (work.workers > MAX_WORKERS) work.workers = MAX_WORKERS;
    if (work.workers > work.count) work.workers = (unsigned)work.count;
    if (!work.workers) return;
    size_t size = work.workers * sizeof(shared);
    shared *all = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) abort();
    pid_t pids[MAX_WORKERS];
    fflush(NULL);
    for (unsigned w = 0; w < work.workers; w++) {
        pids[w] = fork();
        if (pids[w] < 0) abort();
        if (pids[w] > 0) continue;
        work_through(&all[w], all, &work, w);
        _exit(0);
    }
    await(all, &work, pids);
    for (unsigned w = 0; w < work.workers; w++) {
        totals_add_all(&out->sum, &all[w].sum);
        out->failures += all[w].failures;
        if (!all[w].failed || (out->failed && out->seed < all[w].seed)) continue;
        out->failed = true;
        out->seed = all[w].seed;
        memcpy(out->failure, all[w].failure, sizeof out->failure);
    }
    munmap(all, size);
}
