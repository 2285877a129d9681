#include "cli/schema_survey.h"

#include "cli/log_walk.h"

static pdr_code take(void *context, int32_t partition, const pdr_log_record *record, pdr_error *err)
{
    return pdr_survey_take(context, partition, record, err);
}

pdr_code pdr_survey_log(pdr_survey *survey, pdr_log *log, int32_t partitions, int timeout_ms, pdr_error *err)
{
    pdr_code code = pdr_survey_begin(survey, partitions, err);
    pdr_log_walk walk = {.doing = "reading",
                         .log = log,
                         .partitions = partitions,
                         .timeout_ms = timeout_ms,
                         .record = take,
                         .context = survey};
    return code == PDR_OK ? pdr_log_walk_run(&walk, err) : code;
}
