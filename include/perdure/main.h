/* The whole command `perdure`, for a program of one's own: with the application built in, so that nobody has
 * to give --app.
 *
 *     int main(int argc, char **argv) { return pdr_main(argc, argv, &my_application); }
 *
 * It is in libperdure-command, which holds all of libperdure too: link that one instead (pkg-config
 * perdure-command; find_package(perdure) gives perdure::perdure_command). Don't export the program's own
 * names
 * (-rdynamic): another version of the application, loaded by --app, would run the program's functions. */
#ifndef PERDURE_MAIN_H
#define PERDURE_MAIN_H

#include "perdure/entity.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Run the command that argv[1] and on name; messages call the program by argv[0]'s last part. `app` NULL:
 * what
 * --app or $PERDURE_APP loads; else it is the application unless --app says another. Prints; ignores SIGPIPE
 * from then on; gives the exit code (docs/operations.md). Projections in C are those of the program's own
 * pdr_projections, if it exports it (-Wl,--export-dynamic-symbol=pdr_projections). Only for main(): one
 * thread, once at a time. */
PDR_API int pdr_main(int argc, char **argv, const pdr_app *app);

#ifdef __cplusplus
}
#endif
#endif
