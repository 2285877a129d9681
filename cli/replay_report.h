/* What a replay found, for people and as JSON. */
#ifndef PDR_CLI_REPLAY_REPORT_H
#define PDR_CLI_REPLAY_REPORT_H

#include "cli/out.h"
#include "cli/replay_run.h"

/* One deviation as JSON lines have it, without a line's end. PDR_NOMEM, PDR_TOO_LARGE. */
PDR_CHECKED pdr_code pdr_replay_finding_json(const pdr_deviation *deviation, pdr_buf *out);
/* For people: where, why, what differs; several lines. As pdr_out_end. */
PDR_CHECKED pdr_code pdr_replay_finding_put(const pdr_deviation *deviation, pdr_out *out, pdr_error *err);
/* All of it. `stopped`: not all was read. As pdr_out_end. */
PDR_CHECKED pdr_code pdr_replay_report(const pdr_replay *replay, bool stopped, pdr_out *out, pdr_error *err);

#endif
