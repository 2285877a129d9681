#include "history_probe.h"

#include <criterion/criterion.h>

static pdr_code on_event(void *context, const pdr_log_record *record, const pdr_header *header,
                         pdr_error *err)
{
    history_probe *p = context;
    cr_assert_eq(p->dones, 0, "no event after done");
    cr_assert_eq(header->seq, p->next_seq, "seq %lu came, %lu must come", header->seq, p->next_seq);
    const made_entity *e = &p->made->entities[p->entity];
    const pdr_log_record *truth = array_log_at(&p->made->log, e->events[header->seq - 1].offset);
    cr_assert(pdr_bytes_equal(record->entry.header, truth->entry.header));
    cr_assert(pdr_bytes_equal(record->entry.value, truth->entry.value));
    cr_assert(pdr_bytes_equal(record->entry.key, truth->entry.key));
    p->next_seq++;
    p->events++;
    if (p->events == p->close_at) {
        pdr_history_close(p->history);
        p->history = NULL;
    }
    if (p->events == p->fail_at) return pdr_fail(err, PDR_BAD_HANDLER, "enough");
    return PDR_OK;
}

static void on_done(void *context, pdr_code code, const pdr_error *error)
{
    history_probe *p = context;
    p->dones++;
    p->code = code;
    cr_assert((code == PDR_OK) == (error == NULL));
    if (error) {
        p->error = *error;
        cr_assert_eq(error->code, code);
        cr_assert(strlen(error->message) > 0);
    }
    if (p->close_in_done) {
        pdr_history_close(p->history);
        p->history = NULL;
    }
}

static const pdr_history_events events = {on_event, on_done};

static pdr_history_spec spec_of(const made_log *made, size_t entity, uint64_t after, uint64_t to)
{
    const made_entity *e = &made->entities[entity];
    return (pdr_history_spec){.key = pdr_bytes_of(e->key, strlen(e->key)),
                              .after_seq = after,
                              .to_seq = to,
                              .last = e->events[to - 1].position};
}

static pdr_log *log_of(const history_probe *p)
{
    return p->log ? p->log : &p->made->log.base;
}

pdr_code history_probe_open_spec(history_probe *p, const pdr_history_spec *spec, pdr_history **out)
{
    return pdr_history_open(out, log_of(p), spec, &events, p, &p->error);
}

void history_probe_open(history_probe *p, made_log *made, size_t entity, uint64_t after, uint64_t to,
                        size_t max_bytes)
{
    p->made = made;
    p->entity = entity;
    p->next_seq = after + 1;
    pdr_history_spec spec = spec_of(made, entity, after, to);
    spec.max_bytes = max_bytes;
    p->code = history_probe_open_spec(p, &spec, &p->history);
}

void history_probe_poll(history_probe *p)
{
    pdr_log *log = log_of(p);
    while (log->ops->poll(log))
        continue;
}

pdr_code history_probe_read(history_probe *p, made_log *made, size_t entity, uint64_t after, uint64_t to,
                            size_t max_bytes)
{
    *p = (history_probe){
        .log = p->log, .close_at = p->close_at, .fail_at = p->fail_at, .close_in_done = p->close_in_done};
    history_probe_open(p, made, entity, after, to, max_bytes);
    if (p->code != PDR_OK) return p->code;
    history_probe_poll(p);
    pdr_history_close(p->history);
    p->history = NULL;
    if (p->dones && p->code == PDR_OK) cr_assert_eq(p->next_seq, to + 1);
    return p->code;
}
