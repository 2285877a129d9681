/* bench_journal [--json] [--pairs N] [NAME...]: the lines of ./dev bench journal. */
#include "lines.h"

static const bench_line lines[] = {
    {"append-paused", bench_append_paused, true, true},
    {"append", bench_append, true, true},
    {"ask", bench_ask, true, true},
    {"hot", bench_hot, true, true},
    {"activation", bench_activation, true, true},
    {"activation-batched", bench_activation_batched, true, true},
    {"takeover", bench_takeover, true, true},
    {"takeover-seconds", bench_takeover_seconds, true, true},
    {"checkpoint", bench_checkpoint, true, true},
    {"sqlite", bench_sqlite, false, false},
    {"encode", bench_encode, false, false},
    {"decode", bench_decode, false, false},
    {"resident", bench_resident, false, false},
};
int main(int argc, char **argv)
{
    bench_choose_allocator(argv);
    return bench_program("bench_journal", lines, sizeof lines / sizeof lines[0], argc, argv);
}
