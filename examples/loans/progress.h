/* A progress bar on standard error, if that is a terminal. */
#ifndef LOANS_PROGRESS_H
#define LOANS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct loans_bar {
    bool shown;
    uint64_t total;
    int64_t began_us;
} loans_bar;

void loans_bar_begin(loans_bar *bar, uint64_t total);
void loans_bar_show(loans_bar *bar, uint64_t done);
void loans_bar_end(loans_bar *bar);             /* removes it */
double loans_bar_seconds(const loans_bar *bar); /* since begin */

#endif
