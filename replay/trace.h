/* What followed from a command, or belongs to a correlation id: the commits of all entities, as a tree by who
 * caused whom. */
#ifndef PDR_REPLAY_TRACE_H
#define PDR_REPLAY_TRACE_H

#include "journal/held.h"
#include "replay/scan.h"

enum { PDR_TRACE_MAX_EVENTS = 1000000 };

typedef struct pdr_trace pdr_trace;

/* One command's commit. */
typedef struct pdr_trace_node {
    int32_t partition;
    uint32_t depth;  /* 0: of its cause nothing is here */
    bool last;       /* no other of the same cause comes behind it */
    pdr_held **held; /* its events */
    size_t count;
} pdr_trace_node;

typedef struct pdr_trace_spec {
    const char *id; /* as text, or in hexadecimal digits: both are looked for */
    /* As a scan's; `pass` is 1, 2, ... May be NULL. */
    bool (*watch)(void *context, unsigned pass, const pdr_scan_progress *progress);
    void *context;
} pdr_trace_spec;

/* Reads all the log once for each generation of commands, and once more. *out is yours; it may have no nodes.
 * Blocking. PDR_TOO_LARGE: more events than the ceiling; else as pdr_scan_run. */
PDR_CHECKED pdr_code pdr_trace_open(pdr_trace **out, pdr_tool *tool, const pdr_trace_spec *spec,
                                    pdr_error *err);
void pdr_trace_close(pdr_trace *trace); /* NULL is fine */
/* Each cause before what it caused; those of one cause in the order of their appends. */
size_t pdr_trace_count(const pdr_trace *trace);
const pdr_trace_node *pdr_trace_at(const pdr_trace *trace, size_t i);

#endif
