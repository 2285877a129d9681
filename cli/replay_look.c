/* What the log is, asked by another process. */
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/out.h"
#include "cli/replay_run.h"

typedef struct looked {
    pdr_error err; /* code PDR_OK: it was told */
    int32_t partitions;
} looked;

_Noreturn static void look(const pdr_replay *r, int out)
{
    looked l = {.err = {.code = PDR_OK}};
    pdr_tool *tool;
    pdr_tool_spec spec = {.journal = r->target.journal,
                          .store = r->target.store,
                          .app = r->app,
                          .needs_store = r->snapshots,
                          .stopped = pdr_stopped};
    if (pdr_tool_open(&tool, &spec, &l.err) == PDR_OK) {
        l.err.code = PDR_OK;
        l.partitions = pdr_tool_partitions(tool);
        pdr_tool_close(tool);
    }
    bool told = write(out, &l, sizeof l) == (ssize_t)sizeof l;
    _exit(told ? PDR_EXIT_DONE : PDR_EXIT_FAILED);
}

static ssize_t read_whole(int in, void *to, size_t size)
{
    size_t got = 0;
    while (got < size) {
        ssize_t n = read(in, (uint8_t *)to + got, size - got);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        got += (size_t)n;
    }
    return (ssize_t)got;
}

pdr_code pdr_replay_partitions(const pdr_replay *r, int32_t *out, pdr_error *err)
{
    int ends[2], status = 0;
    looked l;
    if (pipe(ends) != 0) return pdr_fail(err, PDR_IO, "no pipe: %s", strerror(errno));
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) look(r, ends[1]);
    (void)close(ends[1]);
    bool told = pid > 0 && read_whole(ends[0], &l, sizeof l) == (ssize_t)sizeof l;
    (void)close(ends[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (pid < 0) return pdr_fail(err, PDR_NOMEM, "no process could be made: %s", strerror(errno));
    if (!told) return pdr_fail(err, PDR_FATAL, "the process that looks at the log was ended");
    *out = l.partitions;
    if (l.err.code != PDR_OK && err) *err = l.err;
    return l.err.code;
}
