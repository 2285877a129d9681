/* Pairs of arms: ours and a bare comparator written with nothing but the library underneath, alternating in
 * one run. */
#ifndef BENCH_HARNESS_H
#define BENCH_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perdure/perdure.h"

/* What a line must reach. Declared once, in goals.c. */
typedef struct bench_goal {
    const char *name; /* "append" */
    const char *what; /* for people */
    const char *unit; /* of the two values */
    double goal;      /* of the ratio ours ÷ bare; of the value itself where there is no comparator */
    bool at_most;     /* the goal is a ceiling */
    bool bare;        /* there is a comparator */
} bench_goal;

extern const bench_goal bench_goals[];
extern const size_t bench_goal_count;

typedef struct bench_run {
    int pairs;
    bool json;
    const char *kafka;    /* NULL: no server */
    const char *postgres; /* NULL: no server */
} bench_run;

/* One pair: fill *ours and *bare (0 where there is none). `round` is 0 for the warm-up, which isn't counted.
 */
typedef void (*bench_pair)(const bench_run *run, int round, double *ours, double *bare);

typedef struct bench_line {
    const char *name; /* of a goal */
    bench_pair pair;
    bool needs_kafka, needs_postgres;
} bench_line;

void bench_measure(const bench_run *run, const bench_line *line);
/* main of a bench: its lines, or those that are named. */
int bench_program(const char *program, const bench_line *lines, size_t count, int argc, char **argv);

/* First in main. Records come and go in bursts of thousands, each three allocations of librdkafka's: glibc
 * keeps 7 free blocks of a size by default, and spends more time on the others than everything else takes.
 * Both arms run with the setting that docs/operations.md recommends, and so do the programs that are begun
 * from here. */
void bench_choose_allocator(char **argv);
double bench_cpu(void);  /* seconds of CPU that this process used, all threads */
double bench_now(void);  /* seconds, monotonic */
void bench_settle(void); /* wait until the machine is idle, at most 10 s */
_Noreturn void bench_die(const char *what, const pdr_error *err);
void bench_must(pdr_code code, const pdr_error *err, const char *what);
double bench_percentile(double *values, size_t count, double p); /* sorts */
/* A remark under a line: "the longest tail left: 12 records". */
void bench_note(const bench_run *run, const char *format, ...) PDR_PRINTF(2, 3);

#endif
