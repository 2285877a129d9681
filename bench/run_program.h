/* Other programs of the tree, as arms or to prepare one. */
#ifndef BENCH_RUN_PROGRAM_H
#define BENCH_RUN_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

/* Run it, on one core if that is asked for; its standard output, which must fit. Ends the bench if it fails.
 */
void bench_run_program(char *const words[], bool one_core, char *out, size_t room);

#endif
