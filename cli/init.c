/* perdure init: the log and the store's tables, made or found as they should be. */
#include <stdio.h>

#include "cli/common.h"
#include "journal/log.h"

enum { DEFAULT_PARTITIONS = 8 };

typedef struct init {
    pdr_target target;
    int64_t partitions; /* 0: not given */
    bool json;
} init;

/* What is there already, if anything is. */
static pdr_code look(const pdr_plan *plan, pdr_log_info *info, pdr_error *err)
{
    pdr_log *log;
    pdr_code code = pdr_backends_log_open(&plan->backends, &log, err);
    if (code != PDR_OK) return code;
    code = log->ops->info(log, info, (int)plan->settings.open_timeout_ms, err);
    log->ops->close(log);
    return code;
}

/* As many partitions as are asked for, else as many as there are, else the default. */
static pdr_code choose(const init *in, const pdr_plan *plan, int32_t *partitions, pdr_error *err)
{
    pdr_log_info info;
    *partitions = in->partitions ? (int32_t)in->partitions : DEFAULT_PARTITIONS;
    if (in->partitions) return PDR_OK;
    pdr_code code = look(plan, &info, err);
    if (code == PDR_OK) *partitions = info.partitions;
    return code == PDR_NOT_INITIALISED || code == PDR_NOT_FOUND ? PDR_OK : code;
}

static void report(const init *in, const pdr_log_info *info)
{
    if (in->json)
        printf("{\"journal\":\"%s\",\"partitions\":%d}\n", info->name, (int)info->partitions);
    else
        printf("journal %s: %d partitions; log and store are ready\n", info->name, (int)info->partitions);
}

static pdr_code work(const init *in, const pdr_plan *plan, pdr_error *err)
{
    pdr_log_info info;
    int32_t partitions;
    pdr_options options = PDR_OPTIONS_INIT;
    options.journal = in->target.journal;
    options.store = in->target.store;
    pdr_code code = choose(in, plan, &partitions, err);
    if (code == PDR_OK) code = pdr_journal_init(&options, partitions, err);
    if (code == PDR_OK) code = look(plan, &info, err);
    if (code == PDR_OK) report(in, &info);
    return code;
}

static int run(int argc, char **argv)
{
    init in = {.partitions = 0};
    const pdr_flag flags[] = {
        PDR_JOURNAL_FLAG(in.target),
        PDR_STORE_FLAG(in.target),
        {PDR_FLAG_NUMBER, "--partitions", "N", "of the log, for good; default what is there, else 8",
         &in.partitions, 1, PDR_LOG_MAX_PARTITIONS},
        {PDR_FLAG_SWITCH, "--json", NULL, "one JSON object instead of text", &in.json, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_init, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_plan plan;
    pdr_code code = pdr_target_plan(&in.target, NULL, &plan, &err);
    if (code == PDR_OK) code = work(&in, &plan, &err);
    pdr_plan_release(&plan);
    return code == PDR_OK ? PDR_EXIT_DONE : pdr_cli_fail(&pdr_cli_init, &err);
}

const pdr_cli_command pdr_cli_init = {
    .name = "init",
    .summary = "make a journal's log and its store's tables, or check what is there",
    .about = "Makes the log (the topic NAME.events, or the file) and the store's tables. What is there "
             "already is\n"
             "checked and left as it is, so it may be run again. The number of partitions can't be changed "
             "later.\n"
             "\n"
             "  perdure init --journal kafka://localhost:9092/loans --store postgres://localhost/loans "
             "--partitions 24\n"
             "  perdure init --journal sqlite:loans.db\n",
    .run = run};
