/* bench_schemas [--json] [--pairs N] [NAME...]: the lines of ./dev bench schemas. */
#include "lines.h"

static const bench_line lines[] = {
    {"plan-added", bench_plan_added, false, false},
    {"plan-dropped", bench_plan_dropped, false, false},
    {"plan-enum", bench_plan_enum, false, false},
    {"plan-avro-c", bench_plan_avro_c, false, false},
    {"upcast-step", bench_upcast_step, false, false},
    {"schema-check", bench_schema_check, false, false},
    {"schema-check-kafka", bench_schema_check_kafka, true, true},
};

int main(int argc, char **argv)
{
    return bench_program("bench_schemas", lines, sizeof lines / sizeof lines[0], argc, argv);
}
