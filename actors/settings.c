#include "actors/settings.h"

#include "base/mem.h"

#define OWNER(member) (offsetof(pdr_settings, owner) + offsetof(pdr_owner_settings, member))
#define SHELL(member) offsetof(pdr_settings, member)
#define REGISTRY(member) (offsetof(pdr_settings, registry) + offsetof(pdr_registry_settings, member))
#define TEXT(name, member, prose)                                                                            \
    {                                                                                                        \
        name, PDR_CONFIG_TEXT, REGISTRY(member), 1, 0, PDR_MAX_REGISTRY_TEXT, 0, "", prose                   \
    }
#define MS 1000 /* milliseconds in the table, microseconds in the struct */
#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define MIB (INT64_C(1024) * 1024)

static const pdr_config_row rows[] = {
    /* Saving and recovery */
    {"snapshot.events", PDR_CONFIG_U32, OWNER(snapshot_events), 1, 1, 1000000, 500, "events",
     "An entity is saved to the store when it has this many events since its last save."},
    {"snapshot.age.ms", PDR_CONFIG_I64, OWNER(snapshot_age_us), MS, 1, DAY_MS, 10000, "ms",
     "An entity is saved when its oldest unsaved event is older."},
    {"scan.limit", PDR_CONFIG_U64, OWNER(scan_limit), 1, 100, INT64_C(1000000000), 1000000, "records",
     "How many records of one partition a takeover may have to scan; commands that would make it more get "
     "BUSY."},
    {"tail.bytes", PDR_CONFIG_SIZE, OWNER(tail_bytes), 1, 64 * 1024, INT64_C(64) * 1024 * MIB, 512 * MIB,
     "bytes", "Memory for unsaved events during a recovery; a longer tail is saved as it is read."},
    {"save.batch", PDR_CONFIG_U32, OWNER(save_batch), 1, 1, 100000, 2000, "entities",
     "Most entities in one save."},
    {"checkpointing", PDR_CONFIG_BOOL, OWNER(checkpointing), 1, 0, 1, 1, "",
     "false: entities are saved only when scan.limit presses. For benches."},
    {"store.timeout.ms", PDR_CONFIG_I64, OWNER(store_timeout_us), MS, 100, DAY_MS, 15000, "ms",
     "A store operation of a recovery that takes longer is tried again."},
    /* Commands */
    {"commands.max", PDR_CONFIG_U32, OWNER(max_commands), 1, 1, 16 * 1024 * 1024, 65536, "commands",
     "Open at once in one partition, from sending to the end of their completion; beyond it sending gives "
     "BUSY."},
    {"entity.commands.max", PDR_CONFIG_U32, OWNER(max_entity_commands), 1, 1, 16 * 1024 * 1024, 4096,
     "commands", "Open at once at one entity; beyond it commands are answered BUSY."},
    {"delivery.timeout.ms", PDR_CONFIG_I64, OWNER(delivery_timeout_us), MS, 100, DAY_MS, 10000, "ms",
     "An append that isn't acknowledged in this time makes the partition recover; commands then get a "
     "definite answer."},
    {"check.handlers", PDR_CONFIG_BOOL, OWNER(check_handlers), 1, 0, 1, 0, "",
     "true: every event is upcast and applied twice and the results are compared, to find handlers that "
     "aren't pure."},
    /* Memory */
    {"resident.bytes", PDR_CONFIG_SIZE, OWNER(resident_bytes), 1, 64 * 1024, INT64_C(1024) * 1024 * MIB,
     256 * MIB, "bytes", "Memory of one partition's entities; beyond it clean ones leave, oldest use first."},
    {"idle.ms", PDR_CONFIG_I64, OWNER(idle_us), MS, 1, 365 * DAY_MS, 600000, "ms",
     "An entity that nobody touched for so long leaves memory."},
    {"lookup.batch", PDR_CONFIG_U32, OWNER(lookup_batch), 1, 1, 100000, 1000, "entities",
     "Most entities in one look-up."},
    {"lookup.permits", PDR_CONFIG_U32, OWNER(lookup_permits), 1, 1, 1024, 4, "look-ups",
     "Look-ups of one partition under way at once."},
    {"read.ahead.bytes", PDR_CONFIG_U32, SHELL(read_ahead_bytes), 1, 4096, 1024 * MIB, 4 * MIB, "bytes",
     "What a reader holds ahead of the application, roughly."},
    /* Owning */
    {"backoff.min.ms", PDR_CONFIG_I64, OWNER(backoff_min_us), MS, 1, DAY_MS, 50, "ms",
     "First wait after a failure or a deposition; it doubles, with jitter."},
    {"backoff.max.ms", PDR_CONFIG_I64, OWNER(backoff_max_us), MS, 1, DAY_MS, 30000, "ms",
     "Longest such wait."},
    /* Opening and closing */
    {"open.timeout.ms", PDR_CONFIG_U32, SHELL(open_timeout_ms), 1, 1, DAY_MS, 10000, "ms",
     "How long opening waits for log and store to answer."},
    {"close.timeout.ms", PDR_CONFIG_U32, SHELL(close_timeout_ms), 1, 0, DAY_MS, 10000, "ms",
     "How long closing waits for open commands and for the last save."},
    {"topic.replication", PDR_CONFIG_U32, SHELL(topic_replication), 1, 0, 100, 0, "replicas",
     "Of a topic that init makes; 0: the broker's default, or 1 where there is one broker."},
    /* The schema registry */
    TEXT("registry.url", url,
         "A schema registry with Confluent's HTTP API, `http://` or `https://`; owners register their events "
         "there and write its ids (registry.md). It may hold `user:password@`."),
    TEXT("registry.user", user, "For basic authentication, if the URL doesn't hold it."),
    TEXT("registry.password", password, "With registry.user."),
    {"registry.subject", PDR_CONFIG_TEXT, REGISTRY(subject), 1, 0, PDR_MAX_REGISTRY_WORD, 0, "",
     "How subjects are named: `topic-record` (as if none is given), `record` or `topic`."},
    {"registry.check", PDR_CONFIG_BOOL, REGISTRY(check), 1, 0, 1, 1, "",
     "false: a new schema is registered without asking the registry first whether it is compatible."},
    TEXT("registry.ca", ca,
         "File of the authorities (PEM) that may vouch for the registry; else the system's."),
    TEXT("registry.certificate", certificate, "File of the client's certificate (PEM)."),
    TEXT("registry.key", key, "File of the client certificate's key (PEM)."),
    TEXT("registry.key.password", key_password, "Of that key."),
    {"registry.timeout.ms", PDR_CONFIG_U32, REGISTRY(timeout_ms), 1, 10, 600000, 5000, "ms",
     "How long one request to the registry may take."},
    {"registry.attempts", PDR_CONFIG_U32, REGISTRY(attempts), 1, 1, 100, 3, "attempts",
     "How often a request is made before the registry counts as away."},
    {"registry.backoff.min.ms", PDR_CONFIG_U32, REGISTRY(backoff_min_ms), 1, 1, 600000, 200, "ms",
     "First wait between attempts; it doubles, with jitter."},
    {"registry.backoff.max.ms", PDR_CONFIG_U32, REGISTRY(backoff_max_ms), 1, 1, 600000, 5000, "ms",
     "Longest such wait."},
};

const pdr_config pdr_settings_table = {rows, sizeof rows / sizeof rows[0]};

static const char manual_head[] =
    "# Settings\n"
    "\n"
    "<!-- Printed from the tables in actors/settings.c and projections/settings.c by "
    "tests/unit/actors/settings_manual.c; a test keeps the two in step. -->\n"
    "\n"
    "A setting is a name and a value, both text: `{\"snapshot.events\", "
    "\"100\"}` in `pdr_options.settings`, and\n"
    "`kafka://host:9092/loans?snapshot.events=100` in a journal's URL. What "
    "stands in `pdr_options.settings` wins.\n"
    "A name that is not here, and a value out of its range, is refused when "
    "the journal is opened. Names that begin\n"
    "with `kafka.` go to librdkafka without that prefix "
    "(`kafka.security.protocol`, `kafka.linger.ms`); those that\n"
    "the log's safety rests on are refused.\n"
    "\n";

pdr_code pdr_settings_manual(pdr_buf *out)
{
    pdr_code code = pdr_buf_append(out, manual_head, sizeof manual_head - 1);
    return code != PDR_OK ? code : pdr_config_print(&pdr_settings_table, out);
}
