#include "cli/replay_run.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/out.h"
#include "cli/replay_share.h"
#include "replay/guard.h"

enum { MAX_PROCESSES = 64, TURN_MS = 100, READ_SIZE = 1 << 16 };

typedef struct child {
    pdr_share share;
    pid_t pid; /* 0: none */
    int in;
    pdr_buf got;
    unsigned long long seen; /* events, when they last moved */
    int64_t moved_us;
    bool too_slow; /* was ended for that */
} child;

typedef struct run_state {
    pdr_replay *r;
    pdr_aside aside;
    pdr_aside_writer writer;
    child *children;
    size_t count;
    pdr_share_board *boards;
    int32_t *numbers; /* the partitions of all children */
    size_t number_count;
    int64_t began_us;
    pdr_error failure; /* the first; code PDR_OK: none */
} run_state;

static void fail(run_state *s, const pdr_error *err)
{
    if (s->failure.code == PDR_OK || (s->failure.code == PDR_CANCELLED && err->code != PDR_CANCELLED))
        s->failure = *err;
    for (size_t i = 0; i < s->count; i++)
        atomic_store(&s->boards[i].stop, true);
}

/* --- what a process tells --- */

static pdr_code merge(pdr_deviations *into, pdr_bytes bytes, size_t samples, pdr_error *err)
{
    pdr_deviations *deviations;
    pdr_code code = pdr_deviations_open(&deviations, samples, err);
    if (code != PDR_OK) return code;
    code = pdr_deviations_read(deviations, bytes, err);
    if (code == PDR_OK) code = pdr_deviations_merge(into, deviations, err);
    pdr_deviations_close(deviations);
    return code;
}

static void drop_number(int32_t *numbers, size_t *count, int32_t number)
{
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++)
        if (numbers[i] != number) numbers[kept++] = numbers[i];
    *count = kept;
}

static pdr_code put_aside(run_state *s, const pdr_share_message *head, pdr_bytes bytes, pdr_error *err)
{
    pdr_aside_part part = {head->kind, head->partition, bytes};
    return pdr_aside_put(&s->writer, &part, err);
}

static pdr_code take_message(run_state *s, child *c, const pdr_share_message *head, pdr_bytes bytes,
                             pdr_error *err)
{
    pdr_error why;
    pdr_code code;
    switch (head->kind) {
    case PDR_SHARE_ENDED:
        code = merge(s->r->deviations, bytes, s->r->samples, err);
        if (code == PDR_OK && s->r->aside) code = put_aside(s, head, bytes, err);
        drop_number(c->share.partitions, &c->share.count, head->partition);
        s->r->partitions_read++;
        return code;
    case PDR_SHARE_SO_FAR: return merge(s->r->deviations, bytes, s->r->samples, err);
    case PDR_SHARE_FAILED:
        memcpy(&why, bytes.data, sizeof why);
        fail(s, &why);
        return PDR_OK;
    default: return put_aside(s, head, bytes, err);
    }
}

static void take_messages(run_state *s, child *c)
{
    pdr_share_message head;
    pdr_error err;
    size_t at = 0;
    while (c->got.size - at >= sizeof head) {
        memcpy(&head, c->got.data + at, sizeof head);
        if (c->got.size - at - sizeof head < head.size) break;
        pdr_bytes bytes = pdr_bytes_of(c->got.data + at + sizeof head, (size_t)head.size);
        if (take_message(s, c, &head, bytes, &err) != PDR_OK) fail(s, &err);
        at += sizeof head + (size_t)head.size;
    }
    if (!at) return;
    memmove(c->got.data, c->got.data + at, c->got.size - at);
    c->got.size -= at;
}

/* --- processes --- */

static pdr_code start(child *c, pdr_error *err)
{
    int ends[2];
    if (pipe(ends) != 0) return pdr_fail(err, PDR_IO, "no pipe: %s", strerror(errno));
    (void)fflush(NULL);
    c->share.out = ends[1];
    c->share.board->mark.busy = false;
    c->share.board->mark.why[0] = '\0';
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(ends[0]);
        pdr_share_work(&c->share);
    }
    (void)close(ends[1]);
    if (pid < 0) {
        (void)close(ends[0]);
        return pdr_fail(err, PDR_NOMEM, "no process could be made: %s", strerror(errno));
    }
    c->pid = pid;
    c->in = ends[0];
    c->moved_us = pdr_mono_us();
    c->too_slow = false;
    return PDR_OK;
}

/* The event that it was lost at isn't folded again. */
static pdr_code blame(run_state *s, child *c, int status, pdr_error *err)
{
    const pdr_refold_mark *mark = &c->share.board->mark;
    pdr_share *share = &c->share;
    if (!mark->key_size || share->fatal_count == PDR_SHARE_MAX_FATALS)
        return pdr_fail(err, PDR_BAD_HANDLER,
                        "the application's code ended %u processes, the last one by %s at %.*s seq %" PRIu64
                        "; the others of its partitions are left out",
                        s->r->restarts,
                        WIFSIGNALED(status) ? pdr_guard_signal_name(WTERMSIG(status)) : "exit",
                        (int)mark->key_size, (const char *)mark->key, mark->seq);
    pdr_refold_fatal *fatal = &share->fatals[share->fatal_count++];
    fatal->seq = mark->seq;
    fatal->key_size = mark->key_size;
    memcpy(fatal->key, mark->key, mark->key_size);
    if (c->too_slow)
        (void)snprintf(fatal->why, sizeof fatal->why, "no end within %" PRId64 " s", s->r->patience_s);
    else if (mark->why[0])
        memcpy(fatal->why, mark->why, sizeof fatal->why);
    else
        (void)snprintf(fatal->why, sizeof fatal->why, "the process was ended by %s%s",
                       WIFSIGNALED(status) ? pdr_guard_signal_name(WTERMSIG(status)) : "an exit of its own",
                       mark->busy ? "" : ", after this event at the earliest");
    return PDR_OK;
}

/* It told all, or it was lost: then another one takes what is left of its share. */
static void reap(run_state *s, child *c)
{
    int status = 0;
    pdr_error err;
    (void)close(c->in);
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
        ;
    c->pid = 0;
    pdr_buf_clear(&c->got);
    if (WIFEXITED(status) && WEXITSTATUS(status) == PDR_EXIT_DONE) return;
    if (s->failure.code != PDR_OK) return;
    s->r->restarts++;
    pdr_code code = blame(s, c, status, &err);
    if (code == PDR_OK) code = start(c, &err);
    if (code != PDR_OK) fail(s, &err);
}

static void hear(run_state *s, child *c)
{
    pdr_error err;
    pdr_code code = pdr_buf_reserve(&c->got, READ_SIZE);
    if (code != PDR_OK) {
        (void)pdr_fail(&err, code, "what a process tells");
        fail(s, &err);
        (void)kill(c->pid, SIGKILL);
        reap(s, c);
        return;
    }
    ssize_t size = read(c->in, c->got.data + c->got.size, READ_SIZE);
    if (size < 0 && errno == EINTR) return;
    if (size > 0) {
        c->got.size += (size_t)size;
        take_messages(s, c);
    } else {
        reap(s, c);
    }
}

/* A handler that never ends is ended with its process. */
static void look_after(run_state *s, child *c)
{
    const pdr_refold_mark *mark = &c->share.board->mark;
    unsigned long long events = atomic_load(&mark->events);
    int64_t now = pdr_mono_us();
    if (events != c->seen || !atomic_load(&mark->busy)) {
        c->seen = events;
        c->moved_us = now;
    }
    if (!s->r->patience_s || now - c->moved_us < s->r->patience_s * 1000000) return;
    c->too_slow = true;
    (void)kill(c->pid, SIGKILL);
    c->moved_us = now;
}

static void show(const run_state *s)
{
    long long done = 0, total = 0;
    unsigned long long events = 0, found = 0;
    for (size_t i = 0; i < s->count; i++) {
        done += atomic_load(&s->boards[i].done);
        total += atomic_load(&s->boards[i].total);
        events += atomic_load(&s->boards[i].mark.events);
        found += atomic_load(&s->boards[i].mark.found);
    }
    double seconds = (double)(pdr_mono_us() - s->began_us) / 1e6;
    double rate = seconds > 0 ? (double)done / seconds : 0;
    pdr_cli_progress("%s: %lld of %lld records, %llu events, %llu findings, %.0f records/s, %.0f s left",
                     s->r->doing, done, total, events, found, rate,
                     rate > 0 ? (double)(total - done) / rate : 0);
}

static bool is_running(const run_state *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->children[i].pid) return true;
    return false;
}

static void note_stop(run_state *s)
{
    pdr_error err;
    if (!pdr_stopped() || s->failure.code != PDR_OK) return;
    (void)pdr_fail(&err, PDR_CANCELLED, "stopped");
    fail(s, &err);
}

static void drive(run_state *s)
{
    while (is_running(s)) {
        struct pollfd fds[MAX_PROCESSES];
        child *heard[MAX_PROCESSES];
        nfds_t count = 0;
        for (size_t i = 0; i < s->count; i++) {
            if (!s->children[i].pid) continue;
            heard[count] = &s->children[i];
            fds[count++] = (struct pollfd){.fd = s->children[i].in, .events = POLLIN};
        }
        int ready = poll(fds, count, TURN_MS);
        for (nfds_t i = 0; ready > 0 && i < count; i++)
            if (fds[i].revents) hear(s, heard[i]);
        for (nfds_t i = 0; i < count; i++)
            if (heard[i]->pid) look_after(s, heard[i]);
        note_stop(s);
        show(s);
    }
    pdr_cli_progress_end();
}

/* --- who does what --- */

static pdr_code choose_partitions(run_state *s, pdr_error *err)
{
    pdr_replay *r = s->r;
    int32_t all = 0;
    pdr_code code = pdr_replay_partitions(r, &all, err);
    if (code != PDR_OK) return code;
    r->partitions_all = r->partitions ? (int32_t)r->partition_count : all;
    s->number_count = (size_t)r->partitions_all;
    s->numbers = pdr_calloc(s->number_count + 1, sizeof *s->numbers);
    if (!s->numbers) return pdr_fail(err, PDR_NOMEM, "%d partitions", (int)all);
    for (int32_t i = 0; i < r->partitions_all; i++) {
        s->numbers[i] = r->partitions ? r->partitions[i] : i;
        if (s->numbers[i] >= all)
            return pdr_fail(err, PDR_INVALID_ARGUMENT, "partition %d: the journal has 0 to %d",
                            (int)s->numbers[i], (int)all - 1);
    }
    return PDR_OK;
}

/* Partitions that were done before. */
static pdr_code take_ended(run_state *s, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < s->aside.count; i++) {
        const pdr_aside_part *part = &s->aside.parts[i];
        if (part->kind != PDR_SHARE_ENDED) continue;
        pdr_share_message head = {part->kind, part->partition, part->bytes.size};
        code = merge(s->r->deviations, part->bytes, s->r->samples, err);
        if (code == PDR_OK) code = put_aside(s, &head, part->bytes, err);
        drop_number(s->numbers, &s->number_count, part->partition);
        s->r->partitions_read++;
    }
    return code;
}

static size_t process_count(const run_state *s)
{
    long here = sysconf(_SC_NPROCESSORS_ONLN);
    size_t count = s->r->processes ? (size_t)s->r->processes : here > 0 ? (size_t)here : 1;
    if (count > s->number_count) count = s->number_count;
    return count > MAX_PROCESSES ? MAX_PROCESSES : count;
}

static pdr_code share_out(run_state *s, pdr_error *err)
{
    size_t count = process_count(s), all = s->number_count, at = 0;
    int32_t *sorted = pdr_calloc(all + 1, sizeof *sorted);
    s->children = pdr_calloc(count, sizeof *s->children);
    void *shared =
        mmap(NULL, count * sizeof *s->boards, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!sorted || !s->children || shared == MAP_FAILED) {
        pdr_free(sorted);
        return pdr_fail(err, PDR_NOMEM, "%zu processes", count);
    }
    s->boards = shared;
    s->count = count;
    for (size_t i = 0; i < count; i++) {
        pdr_share *share = &s->children[i].share;
        s->children[i].got = (pdr_buf)PDR_BUF_INIT(SIZE_MAX / 2);
        *share = (pdr_share){.replay = s->r,
                             .aside = s->aside.mapped ? &s->aside : NULL,
                             .put_aside = s->r->aside != NULL,
                             .board = &s->boards[i],
                             .partitions = sorted + at,
                             .memory = (size_t)s->r->memory_mb * 1024 * 1024 / count};
        for (size_t p = i; p < all; p += count)
            sorted[at++] = s->numbers[p];
        share->count = at - (size_t)(share->partitions - sorted);
    }
    pdr_free(s->numbers);
    s->numbers = sorted;
    return PDR_OK;
}

/* --- the whole --- */

/* What is done is done: of a run that came to its end nothing is left aside. */
static pdr_code settle_aside(run_state *s, pdr_error *err)
{
    pdr_replay *r = s->r;
    if (!r->aside) return PDR_OK;
    if (s->failure.code == PDR_OK && s->aside.mapped) (void)unlink(r->aside);
    if (s->failure.code == PDR_OK || s->failure.code == PDR_NO_SPACE || s->failure.code == PDR_IO)
        return PDR_OK;
    pdr_code code = pdr_aside_finish(&s->writer, err);
    r->put_aside = code == PDR_OK;
    return code;
}

static pdr_code run(run_state *s, pdr_error *err)
{
    pdr_replay *r = s->r;
    pdr_code code = pdr_deviations_open(&r->deviations, r->samples, err);
    pdr_bytes identity = pdr_buf_bytes(&r->identity);
    if (code == PDR_OK && r->aside) code = pdr_aside_open(&s->aside, r->aside, identity, err);
    /* At once, so that nobody works for hours and then can't put it aside. */
    if (code == PDR_OK && r->aside) code = pdr_aside_begin(&s->writer, r->aside, identity, err);
    if (code == PDR_OK) code = choose_partitions(s, err);
    if (code == PDR_OK) code = take_ended(s, err);
    if (code == PDR_OK && s->number_count) code = share_out(s, err);
    if (code != PDR_OK) return code;
    r->resumed = s->aside.mapped != NULL;
    s->began_us = pdr_mono_us();
    for (size_t i = 0; code == PDR_OK && i < s->count; i++) {
        code = start(&s->children[i], err);
        if (code != PDR_OK && err) fail(s, err);
    }
    drive(s);
    r->seconds = (double)(pdr_mono_us() - s->began_us) / 1e6;
    code = settle_aside(s, err);
    if (code != PDR_OK) return code;
    if (s->failure.code != PDR_OK && err) *err = s->failure;
    return s->failure.code;
}

pdr_code pdr_replay_run(pdr_replay *replay, pdr_error *err)
{
    run_state s = {.r = replay, .writer = {.fd = -1}};
    pdr_stop_on_signals();
    pdr_code code = run(&s, err);
    pdr_aside_drop(&s.writer);
    for (size_t i = 0; i < s.count; i++)
        pdr_buf_release(&s.children[i].got);
    if (s.boards) (void)munmap(s.boards, s.count * sizeof *s.boards);
    pdr_free(s.children);
    pdr_free(s.numbers);
    pdr_aside_close(&s.aside);
    return code;
}

void pdr_replay_release(pdr_replay *replay)
{
    pdr_deviations_close(replay->deviations);
    pdr_buf_release(&replay->identity);
}
