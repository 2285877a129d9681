#include "harness.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

double bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double bench_cpu(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

void bench_die(const char *what, const pdr_error *err)
{
    fprintf(stderr, "bench: %s%s%s\n", what, err ? ": " : "", err ? err->message : "");
    exit(1);
}

void bench_must(pdr_code code, const pdr_error *err, const char *what)
{
    if (code != PDR_OK) bench_die(what, err);
}

static void pause_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

/* Busy and total jiffies of the whole machine. */
static bool read_cpu(unsigned long long *busy, unsigned long long *total)
{
    FILE *f = fopen("/proc/stat", "r");
    unsigned long long v[8] = {0};
    int got = f ? fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &v[0], &v[1], &v[2], &v[3], &v[4],
                         &v[5], &v[6], &v[7])
                : 0;
    if (f) fclose(f);
    *total = *busy = 0;
    for (int i = 0; i < 8; i++) {
        *total += v[i];
        if (i != 3 && i != 4) *busy += v[i];
    }
    return got >= 5;
}

void bench_settle(void)
{
    for (int i = 0; i < 20; i++) {
        unsigned long long b0, t0, b1, t1;
        bool ok = read_cpu(&b0, &t0);
        pause_ms(500);
        if (!ok || !read_cpu(&b1, &t1)) return;
        if (t1 > t0 && (double)(b1 - b0) / (double)(t1 - t0) < 0.08) return;
    }
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_percentile(double *values, size_t count, double p)
{
    qsort(values, count, sizeof *values, compare);
    size_t i = (size_t)(p * (double)(count - 1) + 0.5);
    return values[i];
}

static const bench_goal *goal_of(const char *name)
{
    for (size_t i = 0; i < bench_goal_count; i++)
        if (strcmp(bench_goals[i].name, name) == 0) return &bench_goals[i];
    bench_die("a line without a goal", NULL);
}

static const char *met(const bench_goal *g, double low, double median, double high)
{
    if (low < g->goal && high > g->goal) return "unclear";
    return (g->at_most ? median <= g->goal : median >= g->goal) ? "yes" : "no";
}

static void print_line(const bench_run *run, const bench_goal *g, double ours, double bare, double low,
                       double median, double high)
{
    const char *verdict = met(g, low, median, high);
    if (run->json)
        printf("{\"name\":\"%s\",\"value\":%.6g,\"unit\":\"%s\",\"bare\":%.6g,\"ratio\":%.4g,\"goal\":%g,"
               "\"met\":\"%s\",\"runs\":%d,"
               "\"min\":%.4g,\"max\":%.4g}\n",
               g->name, ours, g->unit, bare, median, g->goal, verdict, run->pairs, low, high);
    else if (g->bare)
        printf("%-20s %12.6g %-10s bare %12.6g  ratio %6.3f (%.3f-%.3f)  goal %s %g: %s\n", g->name, ours,
               g->unit, bare, median, low, high, g->at_most ? "at most" : "at least", g->goal, verdict);
    else
        printf("%-20s %12.6g %-10s (%.4g-%.4g)  goal %s %g: %s\n", g->name, median, g->unit, low, high,
               g->at_most ? "at most" : "at least", g->goal, verdict);
    fflush(stdout);
}

void bench_note(const bench_run *run, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    FILE *to = run->json ? stderr : stdout;
    fprintf(to, "%-20s ", "");
    vfprintf(to, format, args);
    fputc('\n', to);
    fflush(to);
    va_end(args);
}

void bench_measure(const bench_run *run, const bench_line *line)
{
    enum { MOST = 99 };
    const bench_goal *g = goal_of(line->name);
    double ours[MOST], bare[MOST], ratios[MOST];
    if ((line->needs_kafka && !run->kafka) || (line->needs_postgres && !run->postgres)) {
        fprintf(stderr, "bench: %s needs the test servers: ./dev services up\n", line->name);
        exit(1);
    }
    int pairs = run->pairs < MOST ? run->pairs : MOST;
    for (int round = 0; round <= pairs; round++) {
        double a = 0, b = 0;
        line->pair(run, round, &a, &b);
        if (round == 0) continue;
        ours[round - 1] = a;
        bare[round - 1] = b;
        ratios[round - 1] = g->bare ? a / b : a;
        fprintf(stderr, "  %s %d/%d: %.6g against %.6g: %.3f\n", line->name, round, pairs, a, b,
                ratios[round - 1]);
    }
    size_t n = (size_t)pairs;
    double median = bench_percentile(ratios, n, 0.5);
    print_line(run, g, bench_percentile(ours, n, 0.5), g->bare ? bench_percentile(bare, n, 0.5) : 0,
               ratios[0], median, ratios[n - 1]);
}

static int usage(const char *program, const bench_line *lines, size_t count)
{
    fprintf(stderr, "usage: %s [--json] [--pairs N] [NAME...]\nlines:", program);
    for (size_t i = 0; i < count; i++)
        fprintf(stderr, " %s", lines[i].name);
    fprintf(stderr, "\n");
    return 2;
}

int bench_program(const char *program, const bench_line *lines, size_t count, int argc, char **argv)
{
    enum { LINES = 64 };
    bench_run run = {9, false, getenv("PERDURE_TEST_KAFKA"), getenv("PERDURE_TEST_POSTGRES")};
    bool wanted[LINES] = {false}, any = false;
    if (count > LINES) bench_die("too many lines", NULL);
    for (int i = 1; i < argc; i++) {
        size_t known = 0;
        while (known < count && strcmp(argv[i], lines[known].name) != 0)
            known++;
        if (strcmp(argv[i], "--json") == 0)
            run.json = true;
        else if (strcmp(argv[i], "--pairs") == 0 && i + 1 < argc && atoi(argv[i + 1]) > 0)
            run.pairs = atoi(argv[++i]);
        else if (known < count)
            wanted[known] = any = true;
        else
            return usage(program, lines, count);
    }
    for (size_t l = 0; l < count; l++)
        if (!any || wanted[l]) bench_measure(&run, &lines[l]);
    return 0;
}

void bench_choose_allocator(char **argv)
{
    if (getenv("GLIBC_TUNABLES")) return;
    setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=20000", 1);
    execv("/proc/self/exe", argv);
}
