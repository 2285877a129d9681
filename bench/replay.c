/* bench_replay [--json] [--pairs N] [NAME...]: the lines of ./dev bench replay. */
#include "lines.h"

static const bench_line lines[] = {
    {"replay", bench_replay, true, true},
    {"replay-rate", bench_replay_rate, true, true},
    {"history-long", bench_history_long, true, true},
    {"history", bench_history, true, true},
    {"state", bench_state, true, true},
};

int main(int argc, char **argv)
{
    bench_choose_allocator(argv);
    return bench_program("bench_replay", lines, sizeof lines / sizeof lines[0], argc, argv);
}
