/* A survey of a whole log, driven. */
#ifndef PDR_CLI_SCHEMA_SURVEY_H
#define PDR_CLI_SCHEMA_SURVEY_H

#include "cli/common.h"
#include "journal/survey.h"

/* Read the log to the end that it has now. Blocking, with progress. What pdr_survey_take and
 * pdr_log_walk_run give. */
PDR_CHECKED pdr_code pdr_survey_log(pdr_survey *survey, pdr_log *log, int32_t partitions, int timeout_ms,
                                    pdr_error *err);

#endif
