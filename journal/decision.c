#include "journal/decision.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "journal/framed.h"

enum { MAX_COMMIT_BYTES = 32 * 1024 * 1024 };

void pdr_decision_init(pdr_decision *decision)
{
    memset(decision, 0, sizeof *decision);
    decision->values = (pdr_buf)PDR_BUF_INIT(MAX_COMMIT_BYTES);
}

void pdr_decision_release(pdr_decision *decision)
{
    pdr_buf_release(&decision->values);
    pdr_free(decision->events);
    decision->events = NULL;
    decision->count = decision->capacity = 0;
}

void pdr_decision_begin(pdr_decision *decision, const pdr_folder *folder, int64_t now_us)
{
    decision->folder = folder;
    decision->now_us = now_us;
    pdr_buf_clear(&decision->values);
    decision->count = 0;
    decision->answered = decision->refused = false;
    decision->answer_size = 0;
    decision->code = PDR_OK;
}

static void fail(pdr_decision *d, pdr_code code, const char *what, const pdr_type *type)
{
    if (d->code != PDR_OK) return;
    const char *entity = d->folder ? pdr_folder_type(d->folder)->name : "(undeclared)";
    d->code =
        pdr_fail(&d->error, code, "decide of %s: event %s %s", entity, type ? type->name : "(NULL)", what);
}

/* A slot for one event more; NULL after remembering why not. */
static pdr_decided_event *next_event(pdr_decision *d, const pdr_type *type, int64_t time_us)
{
    if (d->code != PDR_OK) return NULL;
    if (!type || (d->folder && !pdr_folder_declares(d->folder, type))) {
        fail(d, PDR_BAD_HANDLER, "isn't one that the entity type declares", type);
        return NULL;
    }
    if (d->count == PDR_MAX_EVENTS_PER_COMMIT) {
        fail(d, PDR_BAD_HANDLER, "is one more than a commit may have (PDR_MAX_EVENTS_PER_COMMIT)", type);
        return NULL;
    }
    if (d->count == d->capacity) {
        size_t capacity = d->capacity ? 2 * d->capacity : 8;
        pdr_decided_event *events = pdr_realloc(d->events, capacity * sizeof *events);
        if (!events) {
            fail(d, PDR_NOMEM, "found no memory", type);
            return NULL;
        }
        d->events = events;
        d->capacity = capacity;
    }
    pdr_decided_event *event = &d->events[d->count];
    *event = (pdr_decided_event){type, d->values.size, 0, time_us};
    pdr_code code = pdr_framed_write(&d->values, type->fingerprint, d->ids);
    if (code != PDR_OK) {
        fail(d, code,
             code == PDR_UNKNOWN_TYPE ? "isn't in the schema registry: declare it in the application"
                                      : "didn't fit",
             type);
        return NULL;
    }
    return event;
}

static void finish_event(pdr_decision *d, pdr_decided_event *event, pdr_code code)
{
    event->size = d->values.size - event->offset;
    if (code == PDR_OK && event->size > PDR_MAX_EVENT) code = PDR_TOO_LARGE;
    if (code == PDR_TOO_LARGE)
        fail(d, PDR_BAD_HANDLER, "is larger than an event may be (PDR_MAX_EVENT)", event->type);
    if (code == PDR_INVALID_ARGUMENT)
        fail(d, PDR_BAD_HANDLER, "has a value that its schema forbids", event->type);
    if (code != PDR_OK) fail(d, code, "could not be encoded", event->type);
    if (d->code == PDR_OK) d->count++;
}

void pdr_emit_at(pdr_decision *out, const pdr_type *type, const void *event, int64_t time_us)
{
    pdr_decided_event *slot = next_event(out, type, time_us);
    if (slot) finish_event(out, slot, type->encode(event, &out->values, NULL));
}

void pdr_emit(pdr_decision *out, const pdr_type *type, const void *event)
{
    pdr_emit_at(out, type, event, out->now_us);
}

void pdr_decision_emit_datum(pdr_decision *decision, const pdr_type *type, pdr_bytes datum, int64_t time_us)
{
    pdr_decided_event *slot = next_event(decision, type, time_us ? time_us : decision->now_us);
    if (slot) finish_event(decision, slot, pdr_buf_append(&decision->values, datum.data, datum.size));
}

void pdr_answer(pdr_decision *out, const void *data, size_t size)
{
    if (size > PDR_MAX_REPLY) {
        fail(out, PDR_BAD_HANDLER, "comes with an answer longer than PDR_MAX_REPLY",
             out->count ? out->events[0].type : NULL);
        return;
    }
    out->answered = true;
    if (size) memcpy(out->answer, data, size);
    out->answer[size] = 0;
    out->answer_size = size;
}

/* How many of `size` bytes of cut UTF-8 text are whole characters. */
static size_t whole_characters(const uint8_t *text, size_t size)
{
    size_t last = size;
    while (last > 0 && (text[last - 1] & 0xC0) == 0x80)
        last--;
    if (last == 0) return size; /* no UTF-8 at all */
    uint8_t lead = text[--last];
    size_t wanted = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    return size - last < wanted ? last : size;
}

void pdr_refuse(pdr_decision *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int wanted = vsnprintf((char *)out->answer, sizeof out->answer, format, args);
    va_end(args);
    out->refused = true;
    size_t size = wanted < 0 ? 0 : (size_t)wanted;
    if (size > PDR_MAX_REPLY) {
        size = whole_characters(out->answer, PDR_MAX_REPLY);
        out->answer[size] = 0;
    }
    out->answer_size = size;
}

pdr_code pdr_decision_check(pdr_decision *d, const pdr_error **error)
{
    if (d->code == PDR_OK && d->refused && d->count > 0)
        fail(d, PDR_BAD_HANDLER, "was emitted by a command that it also refused", d->events[0].type);
    *error = d->code == PDR_OK ? NULL : &d->error;
    return d->code;
}
