/* sim: run seeds of the simulation. docs/simulation.md */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "journal/rules.h"
#include "tests/sim/side.h"
#include "tests/sim/workers.h"

unsigned pdr_broken_rules; /* read by journal/, compiled here with PDR_BREAKABLE */

enum { FOUND = 0, CLEAN = 0, FAILED = 1, USAGE = 2, LAST_LINES = 60, LINE = 512, MAX_KEPT = 10000 };

typedef struct options {
    uint64_t seeds, seed;
    bool one_seed, trace, json, all;
    const char *broken, *kept;
    unsigned jobs;
} options;

static const char *const rule_words[] = {
#define RULE_WORD(name, word) word,
    PDR_RULE_MAP(RULE_WORD)
#undef RULE_WORD
};

static int rule_count(void)
{
    return sim_side ? (int)sim_side->rule_count : PDR_RULE_COUNT;
}

static const char *rule_word(int rule)
{
    return sim_side ? sim_side->rule_words[rule] : rule_words[rule];
}

static int usage(FILE *to)
{
    fputs("usage: sim [--seeds N] [--seed S] [--kept FILE] [--break RULE|all] [--jobs J] [--all] [--trace] "
          "[--json]\n"
          "  --seeds N     run seeds 1 to N (default 2000)\n"
          "  --seed S      run only seed S\n"
          "  --kept FILE   run the seeds that the file lists\n"
          "  --break RULE  leave a rule out and expect that the simulation finds it; rules:\n"
          "                ",
          to);
    for (int i = 0; i < rule_count(); i++)
        fprintf(to, "%s%s", i ? ", " : "", rule_word(i));
    fputs("\n  --jobs J      worker processes (default 2)\n"
          "  --all         go on after a failure, tell each\n"
          "  --trace       with --seed: print every line of the trace\n"
          "  --json        print the counts as JSON, one object a line\n"
          "Exit code: 0 as expected, 1 a failure was found (with --break: none was), 2 usage.\n",
          to);
    return to == stdout ? CLEAN : USAGE;
}

/* --- The trace of one seed: all of it, or its last lines --- */

static char last_lines[LAST_LINES][LINE];
static uint64_t line_count;

static void keep_line(void *context, const char *text)
{
    (void)context;
    snprintf(last_lines[line_count++ % LAST_LINES], LINE, "%s", text);
}

static void print_line(void *context, const char *text)
{
    (void)context;
    puts(text);
}

static void print_last_lines(void)
{
    uint64_t first = line_count > LAST_LINES ? line_count - LAST_LINES : 0;
    for (uint64_t i = first; i < line_count; i++)
        fprintf(stderr, "%s\n", last_lines[i % LAST_LINES]);
}

/* The same seed once more gives the same steps: now with its trace. A process of its own, as it may abort. */
static void explain(uint64_t seed, const char *failure)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        outcome again;
        seed_run(&again, seed, keep_line);
        print_last_lines();
        fflush(NULL);
        _exit(0);
    }
    if (pid > 0) {
        int status;
        while (waitpid(pid, &status, 0) < 0) {
        }
    }
    fprintf(stderr, "sim: FAILED: %s\nsim: again, with all of the trace: sim --seed %llu --trace\n", failure,
            (unsigned long long)seed);
}

/* --- Ways to run --- */

static int run_traced(uint64_t seed)
{
    outcome one;
    seed_run(&one, seed, print_line);
    if (!one.failed) return CLEAN;
    fprintf(stderr, "sim: FAILED: %s\n", one.failure);
    return FAILED;
}

static int run_seeds(const options *o, const job *work)
{
    verdict v;
    workers_run(&v, work);
    if (v.failed && !o->all) {
        explain(v.seed, v.failure);
        return FAILED;
    }
    totals_print(&v.sum, o->json);
    bool suffice = work->listed || work->count < 2000 || totals_suffice(&v.sum);
    if (!o->json)
        printf("%llu seeds, %llu failures\n", (unsigned long long)v.sum.seeds,
               (unsigned long long)v.failures);
    return suffice && !v.failed ? CLEAN : FAILED;
}

static int run_broken(const job *work, int rule)
{
    unsigned *broken = sim_side ? sim_side->broken : &pdr_broken_rules;
    *broken = 1u << rule;
    verdict v;
    workers_run(&v, work);
    *broken = 0;
    if (v.failed)
        printf("without rule %s: found at %s\n", rule_word(rule), v.failure);
    else
        printf("without rule %s: NOT found in %llu seeds\n", rule_word(rule),
               (unsigned long long)v.sum.seeds);
    fflush(stdout);
    return v.failed ? FOUND : FAILED;
}

static int run_breaks(const options *o, const job *work)
{
    int result = USAGE;
    for (int rule = 0; rule < rule_count(); rule++) {
        if (strcmp(o->broken, "all") != 0 && strcmp(o->broken, rule_word(rule)) != 0) continue;
        if (result == USAGE) result = FOUND;
        if (run_broken(work, rule) == FAILED) result = FAILED;
    }
    if (result == USAGE) fprintf(stderr, "sim: no rule \"%s\"\n", o->broken);
    return result;
}

/* One seed a line; what follows a # says why it is kept. */
static int run_kept(const options *o, job work)
{
    static uint64_t seeds[MAX_KEPT];
    FILE *file = fopen(o->kept, "r");
    if (!file) {
        fprintf(stderr, "sim: can't read %s\n", o->kept);
        return USAGE;
    }
    char text[LINE];
    work.count = 0;
    while (fgets(text, sizeof text, file) && work.count < MAX_KEPT) {
        char *end;
        uint64_t seed = strtoull(text, &end, 10);
        if (end != text) seeds[work.count++] = seed;
    }
    fclose(file);
    work.listed = seeds;
    return run_seeds(o, &work);
}

static bool parse_number(const char *text, uint64_t *out)
{
    char *end;
    *out = strtoull(text, &end, 10);
    return *text && !*end && *text != '-';
}

static bool parse(options *o, int argc, char **argv)
{
    static const struct option table[] = {
        {"seeds", required_argument, NULL, 'n'},
        {"seed", required_argument, NULL, 's'},
        {"kept", required_argument, NULL, 'k'},
        {"break", required_argument, NULL, 'b'},
        {"jobs", required_argument, NULL, 'j'},
        {"trace", no_argument, NULL, 't'},
        {"json", no_argument, NULL, 'J'},
        {"all", no_argument, NULL, 'a'},
        {NULL, 0, NULL, 0},
    };
    uint64_t jobs = 2;
    for (int c; (c = getopt_long(argc, argv, "", table, NULL)) != -1;) {
        switch (c) {
        case 'n':
            if (!parse_number(optarg, &o->seeds)) return false;
            break;
        case 's':
            if (!parse_number(optarg, &o->seed)) return false;
            o->one_seed = true;
            break;
        case 'k': o->kept = optarg; break;
        case 'b': o->broken = optarg; break;
        case 'j':
            if (!parse_number(optarg, &jobs) || jobs < 1 || jobs > 64) return false;
            break;
        case 't': o->trace = true; break;
        case 'a': o->all = true; break;
        case 'J': o->json = true; break;
        default: return false;
        }
    }
    o->jobs = (unsigned)jobs;
    return optind == argc && (!o->trace || o->one_seed);
}

int main(int argc, char **argv)
{
    options o = {.seeds = 2000};
    if (argc == 2 && strcmp(argv[1], "--help") == 0) return usage(stdout);
    if (!parse(&o, argc, argv)) return usage(stderr);
    job work = {
        .first = 1, .count = o.seeds, .workers = o.jobs, .progress = isatty(STDERR_FILENO), .all = o.all};
    if (o.one_seed) {
        work.first = o.seed;
        work.count = 1;
    }
    if (o.broken && !o.trace) return run_breaks(&o, &work);
    if (o.kept) return run_kept(&o, work);
    return o.trace ? run_traced(o.seed) : run_seeds(&o, &work);
}
