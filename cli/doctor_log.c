/* The log: is it there, is it safe, can it be read, from its first record on. */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/doctor.h"
#include "journal/sleep.h"

enum { MAX_SLEEP_US = 100000, SKEW_MS = 2000 };

/* One partition is asked for some of its records. */
typedef struct probe {
    pdr_log_reader *reader;
    const pdr_log_ops *ops;
    bool done, has_record;
    int64_t end, append_ms;
    pdr_error error; /* code PDR_OK: none */
} probe;

static void finish(probe *p)
{
    p->done = true;
    p->ops->reader_close(p->reader);
    p->reader = NULL;
}

static void on_records(void *context, const pdr_log_record *records, size_t count)
{
    probe *p = context;
    p->has_record = true;
    p->append_ms = records[count - 1].append_ms;
}

static void on_end(void *context, int64_t end)
{
    probe *p = context;
    p->end = end;
    finish(p);
}

/* One record is enough. */
static void on_first(void *context, const pdr_log_record *records, size_t count)
{
    on_records(context, records, count);
    finish(context);
}

static void on_failed(void *context, const pdr_error *error)
{
    probe *p = context;
    p->error = *error;
    finish(p);
}

static const pdr_log_reader_events newest = {on_records, on_end, on_failed},
                                   first = {on_first, on_end, on_failed};

static int32_t count_done(const probe *probes, int32_t count)
{
    int32_t done = 0;
    for (int32_t i = 0; i < count; i++)
        done += probes[i].done;
    return done;
}

/* All partitions at once, from `from`. */
static void ask(doctor *d, int64_t from, const pdr_log_reader_events *events, probe *probes)
{
    int64_t until = pdr_deadline_us(doctor_timeout(d));
    const pdr_log_ops *ops = d->log->ops;
    for (int32_t i = 0; i < d->info.partitions; i++) {
        probe *p = &probes[i];
        *p = (probe){.ops = ops};
        if (ops->reader_open(d->log, i, from, events, p, &p->reader, &p->error) != PDR_OK) p->done = true;
    }
    while (count_done(probes, d->info.partitions) < d->info.partitions && pdr_mono_us() < until)
        if (!ops->poll(d->log)) pdr_sleep_on(d->log, NULL, MAX_SLEEP_US);
    for (int32_t i = 0; i < d->info.partitions; i++) {
        if (probes[i].done) continue;
        finish(&probes[i]);
        (void)pdr_fail(&probes[i].error, PDR_TIMEOUT, "it gave no answer in %d ms", doctor_timeout(d));
    }
}

/* The first failure, with how many there are. */
static bool tell_failures(doctor *d, const probe *probes)
{
    pdr_error err;
    int32_t failed = 0, at = -1;
    for (int32_t i = 0; i < d->info.partitions; i++) {
        if (probes[i].error.code == PDR_OK) continue;
        if (at < 0) at = i;
        failed++;
    }
    if (at < 0) return false;
    err = probes[at].error;
    (void)pdr_fail_context(&err, err.code, "partition %d%s", (int)at, failed > 1 ? " and others" : "");
    doctor_fail(d, "reading", &err);
    return true;
}

/* The log's own time of an append can't lie in the future, unless a clock is wrong. */
static void look_at_time(doctor *d)
{
    int64_t latest = 0, ahead;
    for (int32_t i = 0; i < d->info.partitions; i++)
        if (d->partitions[i].newest_ms > latest) latest = d->partitions[i].newest_ms;
    if (!latest) return;
    ahead = latest - pdr_wall_us() / 1000;
    if (ahead > SKEW_MS)
        doctor_say(d, "clock", DOCTOR_WRONG,
                   "set this machine's and the servers' clocks by NTP; the journal itself "
                   "rests on no clock, but times in events and timers do",
                   "the newest record was appended %" PRId64 " s from now, by the log's clock", ahead / 1000);
    else
        doctor_say(d, "clock", DOCTOR_FINE, "",
                   "the newest record was appended %" PRId64 " s ago, by the log's clock",
                   ahead < 0 ? -ahead / 1000 : 0);
}

static void look_at_records(doctor *d)
{
    uint64_t records = 0;
    probe *probes = pdr_calloc((size_t)d->info.partitions, sizeof *probes);
    d->partitions = pdr_calloc((size_t)d->info.partitions, sizeof *d->partitions);
    if (!probes || !d->partitions) {
        pdr_free(probes);
        d->out_of_memory = true;
        return;
    }
    ask(d, PDR_LOG_TAIL(1), &newest, probes);
    bool failed = tell_failures(d, probes);
    for (int32_t i = 0; i < d->info.partitions; i++) {
        if (probes[i].error.code != PDR_OK) continue;
        d->partitions[i].seen = true;
        d->partitions[i].end = probes[i].end;
        d->partitions[i].newest_ms = probes[i].has_record ? probes[i].append_ms : 0;
        records += (uint64_t)probes[i].end;
    }
    if (!failed) ask(d, 0, &first, probes);
    if (!failed && !tell_failures(d, probes))
        doctor_say(d, "reading", DOCTOR_FINE, "",
                   "every partition can be read from its first record on; %" PRIu64 " records in all",
                   records);
    pdr_free(probes);
    look_at_time(d);
}

static void look_at_settings(doctor *d)
{
    pdr_error err;
    bool kafka = d->plan.backends.log.kind == PDR_URL_KAFKA;
    if (d->log->ops->check(d->log, doctor_timeout(d), &err) != PDR_OK)
        doctor_fail(d, kafka ? "topic" : "file", &err);
    else
        doctor_say(d, kafka ? "topic" : "file", DOCTOR_FINE, "",
                   kafka ? "no compaction, no retention, no unclean leader election, enough replicas in sync"
                         : "WAL, each append synced");
    if (kafka)
        doctor_say(d, "rights", DOCTOR_NOTE, "",
                   "whether this user may append can't be asked without appending: it "
                   "needs describe, describe configs, read and write on the topic");
}

void doctor_look_at_log(doctor *d)
{
    pdr_error err;
    int64_t began = pdr_mono_us();
    pdr_code code = pdr_backends_log_open(&d->plan.backends, &d->log, &err);
    if (code == PDR_OK) code = d->log->ops->info(d->log, &d->info, doctor_timeout(d), &err);
    if (code != PDR_OK) {
        doctor_fail(d, "log", &err);
        return;
    }
    doctor_say(d, "log", DOCTOR_FINE, "", "%s, journal %.200s, %d partitions; it answered in %" PRId64 " ms",
               d->log->ops->name, d->info.name, (int)d->info.partitions, (pdr_mono_us() - began) / 1000);
    look_at_settings(d);
    look_at_records(d);
}
