/* Errors: one code, one class, one advice each. Results are must-use; nothing in the library prints or exits.
 */
#ifndef PERDURE_ERROR_H
#define PERDURE_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(PDR_BUILDING) && defined(__GNUC__)
#define PDR_API __attribute__((visibility("default")))
#else
#define PDR_API
#endif

#if defined(__GNUC__)
#define PDR_CHECKED __attribute__((warn_unused_result))
#define PDR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define PDR_CHECKED
#define PDR_PRINTF(fmt, args)
#endif

/* What a caller can do about an error, before looking at the code. */
typedef enum pdr_class {
    PDR_CLASS_OK = 0,
    PDR_CLASS_MISUSE,    /* the call, a setting or a file is wrong: mend it */
    PDR_CLASS_NOT_FOUND, /* what was named isn't there */
    PDR_CLASS_CONFLICT,  /* the state of things forbids it: look again, decide again */
    PDR_CLASS_TRANSIENT, /* may go through later as it is */
    PDR_CLASS_DEPOSED,   /* another process owns this partition now */
    PDR_CLASS_CORRUPT,   /* stored bytes are not what they must be: stop and look */
    PDR_CLASS_FATAL,     /* this process can't go on with it */
    PDR_CLASS_CANCELLED, /* asked to stop before it was done */
} pdr_class;

/* X(NAME, CLASS, retry, "what happened", "what to do"): the only place where codes and texts stand. */
#define PDR_CODE_MAP(X)                                                                                      \
    X(OK, OK, 0, "success", "nothing to do")                                                                 \
    X(INVALID_ARGUMENT, MISUSE, 0, "invalid argument", "mend the call; the message names the argument")      \
    X(BAD_SETTING, MISUSE, 0, "bad setting", "mend the setting; docs/settings.md lists names and ranges")    \
    X(BAD_URL, MISUSE, 0, "bad URL",                                                                         \
      "use kafka://host:port/name or sqlite:file for a journal, postgres://... or sqlite:file for a store")  \
    X(UNSAFE_SETTING, MISUSE, 0, "unsafe setting",                                                           \
      "change the topic's or client's setting as the message says")                                          \
    X(BAD_SCHEMA, MISUSE, 0, "bad Avro schema", "mend the schema at the place that the message names")       \
    X(BAD_HANDLER, MISUSE, 0, "handler broke its contract",                                                  \
      "mend decide, apply or upcaster of the named entity type")                                             \
    X(BAD_PROJECTION, MISUSE, 0, "bad projection", "mend the file at the place that the message names")      \
    X(BAD_VIEW, MISUSE, 0, "a view's tables aren't as declared",                                             \
      "undo the change to the tables, or rebuild the projection")                                            \
    X(ID_REUSED, MISUSE, 0, "command id was used for another command",                                       \
      "draw a new id for every new command")                                                                 \
    X(CLOSED, MISUSE, 0, "used after close", "keep the handle open for as long as it is used")               \
    X(WRONG_THREAD, MISUSE, 0, "blocking call on a completion thread", "use the asynchronous form there")    \
    X(TOO_LARGE, MISUSE, 0, "over a size ceiling", "send less, or raise the named ceiling")                  \
    X(NOT_INITIALISED, MISUSE, 0, "journal or store was not initialised", "run perdure init first")          \
    X(UNKNOWN_TYPE, MISUSE, 0, "unknown entity or event type", "declare the type in the application")        \
    X(NOT_FOUND, NOT_FOUND, 0, "not found", "check the name")                                                \
    X(UNKNOWN_SCHEMA, NOT_FOUND, 0, "written with a schema that this code doesn't know",                     \
      "run a version of the application that knows the schema")                                              \
    X(CONFLICT, CONFLICT, 0, "expected another seq", "read the entity again and decide again")               \
    X(REFUSED, CONFLICT, 0, "refused by the entity", "the reply says why")                                   \
    X(EXISTS, CONFLICT, 0, "exists already", "choose another name or drop the old one")                      \
    X(WRONG_JOURNAL, CONFLICT, 0, "belongs to another journal",                                              \
      "check that journal and store URLs go together")                                                       \
    X(STALE, CONFLICT, 1, "the store was changed by another owner", "recover the partition")                 \
    X(NOMEM, TRANSIENT, 1, "out of memory", "free memory or lower the memory settings")                      \
    X(BUSY, TRANSIENT, 1, "too much in flight", "send again after some replies have come")                   \
    X(QUEUE_FULL, TRANSIENT, 1, "local queue is full", "poll, then try again")                               \
    X(TIMEOUT, TRANSIENT, 1, "no answer in time: still open", "ask again with the same command id")          \
    X(UNAVAILABLE, TRANSIENT, 1, "server can't be reached",                                                  \
      "check that the server runs and the address is right")                                                 \
    X(IO, TRANSIENT, 1, "input or output failed", "see the message")                                         \
    X(NO_SPACE, TRANSIENT, 1, "no space left", "free disk space; nothing acknowledged is lost")              \
    X(LOCKED, TRANSIENT, 1, "another process holds the file's lock",                                         \
      "wait, or end the process that holds it")                                                              \
    X(UNKNOWN_OUTCOME, TRANSIENT, 1, "outcome unknown", "ask again with the same command id")                \
    X(RECOVERING, TRANSIENT, 1, "partition is recovering", "send again shortly")                             \
    X(NOT_OWNER, DEPOSED, 1, "another process owns the partition", "send it to the address in the message")  \
    X(BAD_DATA, CORRUPT, 0, "bytes are not a valid datum", "see the place in the message")                   \
    X(CORRUPT, CORRUPT, 0, "log or store breaks an invariant",                                               \
      "stop; look at the place that the message names")                                                      \
    X(OUT_OF_RANGE, CORRUPT, 0, "log no longer holds the records that are needed",                           \
      "restore the topic, or rebuild what rests on the lost records")                                        \
    X(TOO_NEW, FATAL, 0, "written by a newer version", "run that version or a later one")                    \
    X(UNSUPPORTED, FATAL, 0, "not supported by this backend", "use another backend for it")                  \
    X(FATAL, FATAL, 0, "can't go on", "see the message")                                                     \
    X(CANCELLED, CANCELLED, 0, "cancelled", "nothing was done, or the message says what was")

typedef enum pdr_code {
#define PDR_CODE_ENUM(name, class, retry, text, advice) PDR_##name,
    PDR_CODE_MAP(PDR_CODE_ENUM)
#undef PDR_CODE_ENUM
        PDR_CODE_COUNT
} pdr_code;

/* Filled by a failing call when the caller passes one (every `pdr_error *` parameter may be NULL).
 * `message` is bounded, NUL-terminated UTF-8 and names the thing and the place; `backend` is the
 * backend's own number (librdkafka's, SQLite's, errno), 0 where there is none. A value: no release. */
typedef struct pdr_error {
    pdr_code code;
    int32_t backend;
    char message[500];
} pdr_error;

PDR_API pdr_class pdr_code_class(pdr_code code);
PDR_API bool pdr_code_retry(pdr_code code);           /* may the same call go through later? */
PDR_API const char *pdr_code_name(pdr_code code);     /* "BUSY"; never NULL */
PDR_API const char *pdr_code_text(pdr_code code);     /* what happened */
PDR_API const char *pdr_code_advice(pdr_code code);   /* what to do */
PDR_API const char *pdr_class_name(pdr_class class_); /* "transient" */

/* Fill *err (if any) and give `code` back, so that `return pdr_fail(err, PDR_X, "...", ...)` reads as one
 * step. */
PDR_API pdr_code pdr_fail(pdr_error *err, pdr_code code, const char *format, ...) PDR_PRINTF(3, 4);
PDR_API pdr_code pdr_fail_backend(pdr_error *err, pdr_code code, int32_t backend, const char *format, ...)
    PDR_PRINTF(4, 5);
/* Put "context: " before the message of an error that is on its way up; gives err->code back. */
PDR_API pdr_code pdr_fail_context(pdr_error *err, pdr_code code, const char *format, ...) PDR_PRINTF(3, 4);

#ifdef __cplusplus
}
#endif
#endif
