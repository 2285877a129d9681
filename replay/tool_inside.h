/* Inside the tool. Only replay/tool*.c, export_scan.c and import.c include this. */
#ifndef PDR_REPLAY_TOOL_INSIDE_H
#define PDR_REPLAY_TOOL_INSIDE_H

#include <pthread.h>

#include "actors/options.h"
#include "replay/tool.h"

/* A writer's schema that was parsed, or that was looked for in vain. Lives as long as the tool. */
typedef struct pdr_known_schema {
    struct pdr_known_schema *next;
    uint64_t fingerprint; /* 0: only the id of a schema registry is known */
    int32_t registry_id;
    pdr_schema_set *set; /* NULL: it is nowhere */
    uint32_t version;
} pdr_known_schema;

struct pdr_tool {
    pdr_plan plan;
    const pdr_app *app;   /* NULL: none */
    pdr_folder **folders; /* by the app's entity types */
    pdr_schema_book *book;
    pdr_log *log;
    pdr_store *store; /* NULL: none */
    int32_t partitions;
    int timeout_ms;
    bool (*stopped)(void);

    /* Of what is looked for. */
    pthread_mutex_t seeking;
    pdr_log *seek_log; /* opened when first needed */
    pdr_store *seek_store;
    pdr_known_schema *parsed, *missing;
};

#endif
