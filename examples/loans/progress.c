#include "progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { WIDTH = 40 };

static int64_t clock_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void loans_bar_begin(loans_bar *bar, uint64_t total)
{
    *bar =
        (loans_bar){.shown = isatty(STDERR_FILENO) == 1, .total = total ? total : 1, .began_us = clock_us()};
}

double loans_bar_seconds(const loans_bar *bar)
{
    return (double)(clock_us() - bar->began_us) / 1e6;
}

void loans_bar_show(loans_bar *bar, uint64_t done)
{
    static const char full[] = "########################################";
    if (!bar->shown) return;
    if (done > bar->total) done = bar->total;
    int filled = (int)(done * WIDTH / bar->total);
    double seconds = loans_bar_seconds(bar);
    fprintf(stderr, "\r[%.*s%*s] %3d %%  %llu rows  %.0f/s ", filled, full, WIDTH - filled, "",
            (int)(done * 100 / bar->total), (unsigned long long)done,
            seconds > 0 ? (double)done / seconds : 0.0);
    (void)fflush(stderr);
}

void loans_bar_end(loans_bar *bar)
{
    if (bar->shown) fprintf(stderr, "\r\033[K");
}
