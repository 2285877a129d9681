/* bench_projections [--json] [--pairs N] [NAME...]: the lines of ./dev bench projections. */
#include "lines.h"

static const bench_line lines[] = {
    {"project", bench_project, true, true},
    {"project-rate", bench_project_rate, true, true},
    {"project-p50", bench_project_p50, true, true},
    {"project-p99", bench_project_p99, true, true},
    {"project-rebuild", bench_project_rebuild, true, true},
    {"project-memory", bench_project_memory, true, true},
};

int main(int argc, char **argv)
{
    return bench_program("bench_projections", lines, sizeof lines / sizeof lines[0], argc, argv);
}
