/* Libraries that few programs ever use are loaded when they are first used: what a program is linked with
 * it pays for at each start, by milliseconds. */
#ifndef PDR_BASE_LATE_H
#define PDR_BASE_LATE_H

#include <stdatomic.h>
#include <stddef.h>

#include "perdure/error.h"

typedef struct pdr_late_function {
    const char *name;
    void *pointer; /* to the pointer that is to point to it */
} pdr_late_function;

typedef struct pdr_late {
    const char *file; /* as the linker would name it: "libz.so.1" */
    const pdr_late_function *functions;
    size_t count;
    atomic_bool loaded;
} pdr_late;

/* For X-lists of functions: fields of a struct that holds their pointers, and what pdr_late_load fills. */
#define PDR_LATE_FIELD(function) __typeof__(function) *function;
#define PDR_LATE_FUNCTION(of, function)                                                                      \
    {                                                                                                        \
#function, (void *)&(of).function                                                                    \
    }

/* Of one library in one file: LIST is an X-list of each of its functions that is called there; all calls go
 * through `late`, after pdr_late_load(&library, ...). */
#define PDR_LATE_ENTRY(function) PDR_LATE_FUNCTION(late, function),
#define PDR_LATE_LIBRARY(file, LIST)                                                                         \
    static struct {                                                                                          \
        LIST(PDR_LATE_FIELD)                                                                                 \
    } late;                                                                                                  \
    static const pdr_late_function late_functions[] = {LIST(PDR_LATE_ENTRY)};                                \
    static pdr_late library = {file, late_functions, sizeof late_functions / sizeof late_functions[0], false}

/* The pointers point; at once if they do already. The library stays. Any thread. PDR_UNSUPPORTED: it isn't
 * there, or lacks a function. */
PDR_CHECKED pdr_code pdr_late_load(pdr_late *late, pdr_error *err);

#endif
