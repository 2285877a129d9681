/* Settings, and where the library's log lines go: what everything that is opened takes. */
#ifndef PERDURE_SETTING_H
#define PERDURE_SETTING_H

#include "perdure/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One setting by name and value, as on the command line: {"snapshot.events", "500"}, {"kafka.linger.ms",
 * "5"}. docs/settings.md lists all. */
typedef struct pdr_setting {
    const char *name;
    const char *value;
} pdr_setting;

/* A line for the application's log. level: 0 debug, 1 info, 2 warning, 3 error. May come from any thread, two
 * at once included; must not call the journal. */
typedef void (*pdr_log_line)(void *context, int level, const char *message);

#ifdef __cplusplus
}
#endif
#endif
