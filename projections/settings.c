#include "projections/settings.h"

#define PROJECTOR(member)                                                                                    \
    (offsetof(pdr_project_settings, projector) + offsetof(pdr_projector_settings, member))
#define SHELL(member) offsetof(pdr_project_settings, member)
#define MS 1000 /* milliseconds in the table, microseconds in the struct */
#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define MIB (INT64_C(1024) * 1024)

static const pdr_config_row rows[] = {
    {"project.batch.events", PDR_CONFIG_SIZE, PROJECTOR(batch_events), 1, 1, 1000000, 5000, "events",
     "A batch ends at the first whole commit at or past this many events."},
    {"project.batch.bytes", PDR_CONFIG_SIZE, PROJECTOR(batch_bytes), 1, 4096, 128 * MIB, 8 * MIB, "bytes",
     "A batch ends when the rows that it changes take so much memory."},
    {"project.batch.wait.ms", PDR_CONFIG_I64, PROJECTOR(batch_wait_us), MS, 0, 60000, 3, "ms",
     "A batch ends when its first event has waited so long for others."},
    {"project.read.ahead.bytes", PDR_CONFIG_SIZE, PROJECTOR(read_ahead_bytes), 1, 4096, 1024 * MIB, 4 * MIB,
     "bytes", "Events of one partition held in memory before its reading pauses, roughly."},
    {"project.attempts", PDR_CONFIG_U32, PROJECTOR(attempts), 1, 1, 1000, 3, "attempts",
     "How often an event is tried before it is parked."},
    {"project.parked.max", PDR_CONFIG_U64, PROJECTOR(parked_max), 1, 0, INT64_C(1000000000), 1000, "events",
     "Parked events of one partition; one more stops the projection."},
    {"project.retry.min.ms", PDR_CONFIG_I64, PROJECTOR(retry_min_us), MS, 1, DAY_MS, 50, "ms",
     "First wait after a failure of log or database; it doubles, with jitter."},
    {"project.retry.max.ms", PDR_CONFIG_I64, PROJECTOR(retry_max_us), MS, 1, DAY_MS, 10000, "ms",
     "Longest such wait."},
    {"project.throttle", PDR_CONFIG_U32, PROJECTOR(throttle), 1, 0, INT64_C(1000000000), 0, "events/s",
     "Most events a second of each projection; 0: no limit."},
    {"project.view.schema", PDR_CONFIG_TEXT, SHELL(view_schema), 1, 0, PDR_MAX_VIEW_SCHEMA, 0, "",
     "PostgreSQL: the schema of the views and of their tables; `public` if none is given."},
    {"project.open.timeout.ms", PDR_CONFIG_U32, SHELL(open_timeout_ms), 1, 1, DAY_MS, 10000, "ms",
     "How long opening waits for log, store and database to answer."},
    {"project.close.timeout.ms", PDR_CONFIG_U32, SHELL(close_timeout_ms), 1, 0, DAY_MS, 10000, "ms",
     "How long closing waits for the batch that is under way."},
    {"project.metrics.port", PDR_CONFIG_U32, SHELL(metrics_port), 1, 0, 65535, 0, "",
     "HTTP port of `/metrics`, `/healthz` and `/readyz`; 0: none."},
    {"project.metrics.address", PDR_CONFIG_TEXT, SHELL(metrics_address), 1, 0, PDR_MAX_METRICS_ADDRESS, 0, "",
     "IPv4 address that the port is opened on; 127.0.0.1 if none is given."},
};

const pdr_config pdr_project_settings_table = {rows, sizeof rows / sizeof rows[0]};

static const char manual_head[] =
    "\n"
    "## Of projection workers\n"
    "\n"
    "In `pdr_worker_options.settings`, by `--settings NAME=VALUE,...` of `perdure "
    "project run`, and in a journal's URL; a "
    "journal\n"
    "passes them over, and a worker passes a journal's over in its URL.\n"
    "\n";

pdr_code pdr_project_settings_manual(pdr_buf *out)
{
    pdr_code code = pdr_buf_append(out, manual_head, sizeof manual_head - 1);
    return code != PDR_OK ? code : pdr_config_print(&pdr_project_settings_table, out);
}
