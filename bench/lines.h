/* The lines of ./dev bench journal, schemas, projections and replay. */
#ifndef BENCH_LINES_H
#define BENCH_LINES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

/* Of both arms of the append lines. */
#define BENCH_LINGER_MS "5"

void bench_append(const bench_run *run, int round, double *ours, double *bare);
void bench_append_paused(const bench_run *run, int round, double *ours, double *bare);
void bench_ask(const bench_run *run, int round, double *ours, double *bare);
void bench_hot(const bench_run *run, int round, double *ours, double *bare);
void bench_activation(const bench_run *run, int round, double *ours, double *bare);
void bench_activation_batched(const bench_run *run, int round, double *ours, double *bare);
void bench_takeover(const bench_run *run, int round, double *ours, double *bare);
void bench_takeover_seconds(const bench_run *run, int round, double *ours, double *bare);
void bench_checkpoint(const bench_run *run, int round, double *ours, double *bare);
void bench_sqlite(const bench_run *run, int round, double *ours, double *bare);
void bench_encode(const bench_run *run, int round, double *ours, double *bare);
void bench_decode(const bench_run *run, int round, double *ours, double *bare);
void bench_resident(const bench_run *run, int round, double *ours, double *bare);

void bench_plan_added(const bench_run *run, int round, double *ours, double *bare);
void bench_plan_dropped(const bench_run *run, int round, double *ours, double *bare);
void bench_plan_enum(const bench_run *run, int round, double *ours, double *bare);
void bench_plan_avro_c(const bench_run *run, int round, double *ours, double *bare);
void bench_schema_check(const bench_run *run, int round, double *ours, double *bare);
void bench_schema_check_kafka(const bench_run *run, int round, double *ours, double *bare);
void bench_upcast_step(const bench_run *run, int round, double *ours, double *bare);

void bench_project(const bench_run *run, int round, double *ours, double *bare);
void bench_project_rate(const bench_run *run, int round, double *ours, double *bare);
void bench_project_p50(const bench_run *run, int round, double *ours, double *bare);
void bench_project_p99(const bench_run *run, int round, double *ours, double *bare);
void bench_project_rebuild(const bench_run *run, int round, double *ours, double *bare);
void bench_project_memory(const bench_run *run, int round, double *ours, double *bare);

void bench_replay(const bench_run *run, int round, double *ours, double *bare);
void bench_replay_rate(const bench_run *run, int round, double *ours, double *bare);
void bench_history_long(const bench_run *run, int round, double *ours, double *bare);
void bench_history(const bench_run *run, int round, double *ours, double *bare);
void bench_state(const bench_run *run, int round, double *ours, double *bare);

#endif
