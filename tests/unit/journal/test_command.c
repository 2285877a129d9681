/* Making commands: what is refused, and which are the same command. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "journal/command.h"
#include "tests/sim/sim_entity.h"

static uint8_t long_bytes[PDR_MAX_APPEND + 1];
static char long_text[PDR_MAX_ENTITY_ID + 1];

static pdr_cmd_spec good(void)
{
    return (pdr_cmd_spec){.request = PDR_REQUEST_DECIDE,
                          .type = &sim_deposit_type,
                          .expected_seq = PDR_ANY_SEQ,
                          .key = {"acct/1", 6},
                          .payload = pdr_bytes_of("p", 1),
                          .id = pdr_bytes_of("id", 2)};
}

static pdr_code make(const pdr_cmd_spec *spec)
{
    pdr_cmd *cmd = NULL;
    pdr_error err = {0};
    pdr_code code = pdr_cmd_make(&cmd, spec, &err);
    cr_expect_eq(cmd != NULL, code == PDR_OK);
    if (code != PDR_OK) cr_expect_eq(err.code, code);
    pdr_cmd_free(cmd);
    return code;
}

typedef struct bad_spec {
    const char *what;
    pdr_code code;
    void (*spoil)(pdr_cmd_spec *spec);
} bad_spec;

static void key_null(pdr_cmd_spec *s)
{
    s->key = (pdr_string){NULL, 0};
}
static void key_empty(pdr_cmd_spec *s)
{
    s->key.size = 0;
}
static void key_long(pdr_cmd_spec *s)
{
    memset(long_text, 'k', sizeof long_text);
    s->key = (pdr_string){long_text, PDR_MAX_ENTITY_ID + 1};
}
static void key_nul(pdr_cmd_spec *s)
{
    s->key = (pdr_string){"acct\0x", 6};
}
static void key_not_utf8(pdr_cmd_spec *s)
{
    s->key = (pdr_string){"acct/\xC3", 6};
}
static void key_overlong(pdr_cmd_spec *s)
{
    s->key = (pdr_string){"acct/\xC0\x80", 7};
}
static void id_long(pdr_cmd_spec *s)
{
    s->id = pdr_bytes_of(long_bytes, PDR_MAX_COMMAND_ID + 1);
}
static void correlation_long(pdr_cmd_spec *s)
{
    s->correlation = pdr_bytes_of(long_bytes, PDR_MAX_CORRELATION + 1);
}
static void causation_long(pdr_cmd_spec *s)
{
    s->causation = pdr_bytes_of(long_bytes, PDR_MAX_CORRELATION + 1);
}
static void trace_long(pdr_cmd_spec *s)
{
    s->trace = pdr_bytes_of(long_bytes, 256);
}
static void command_long(pdr_cmd_spec *s)
{
    s->payload = pdr_bytes_of(long_bytes, PDR_MAX_EVENT + 1);
}
static void append_long(pdr_cmd_spec *s)
{
    s->request = PDR_REQUEST_APPEND;
    s->payload = pdr_bytes_of(long_bytes, PDR_MAX_APPEND + 1);
}

Test(command, bad_specs_are_refused_by_name)
{
    static const bad_spec bad[] = {
        {"no key", PDR_INVALID_ARGUMENT, key_null},
        {"empty key", PDR_INVALID_ARGUMENT, key_empty},
        {"long key", PDR_TOO_LARGE, key_long},
        {"NUL in key", PDR_INVALID_ARGUMENT, key_nul},
        {"cut UTF-8", PDR_INVALID_ARGUMENT, key_not_utf8},
        {"overlong UTF-8", PDR_INVALID_ARGUMENT, key_overlong},
        {"long id", PDR_TOO_LARGE, id_long},
        {"long correlation", PDR_TOO_LARGE, correlation_long},
        {"long causation", PDR_TOO_LARGE, causation_long},
        {"long trace", PDR_TOO_LARGE, trace_long},
        {"long command", PDR_TOO_LARGE, command_long},
        {"long append", PDR_TOO_LARGE, append_long},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        pdr_cmd_spec spec = good();
        bad[i].spoil(&spec);
        cr_expect_eq(make(&spec), bad[i].code, "%s", bad[i].what);
    }
}

Test(command, everything_at_its_ceiling_is_taken_and_kept)
{
    pdr_cmd *cmd;
    memset(long_text, 'k', sizeof long_text);
    pdr_cmd_spec spec = good();
    spec.key = (pdr_string){long_text, PDR_MAX_ENTITY_ID};
    spec.payload = pdr_bytes_of(long_bytes, PDR_MAX_EVENT);
    spec.id = pdr_bytes_of(long_bytes, PDR_MAX_COMMAND_ID);
    spec.correlation = spec.causation = pdr_bytes_of(long_bytes, PDR_MAX_CORRELATION);
    spec.trace = pdr_bytes_of(long_bytes, 255);
    cr_assert_eq(pdr_cmd_make(&cmd, &spec, NULL), PDR_OK);
    cr_expect(pdr_bytes_equal(pdr_cmd_key(cmd), pdr_bytes_of(long_text, PDR_MAX_ENTITY_ID)));
    cr_expect(pdr_bytes_equal(pdr_cmd_payload(cmd), spec.payload));
    cr_expect(pdr_bytes_equal(pdr_cmd_id(cmd), spec.id));
    cr_expect(pdr_bytes_equal(pdr_cmd_correlation(cmd), spec.correlation));
    cr_expect(pdr_bytes_equal(pdr_cmd_causation(cmd), spec.causation));
    cr_expect(pdr_bytes_equal(pdr_cmd_trace(cmd), spec.trace));
    cr_expect_neq(pdr_cmd_payload(cmd).data, spec.payload.data);
    pdr_cmd_free(cmd);
}

Test(command, a_trace_that_isn_t_there_isn_t_an_empty_one)
{
    pdr_cmd *cmd;
    pdr_cmd_spec spec = good();
    cr_assert_eq(pdr_cmd_make(&cmd, &spec, NULL), PDR_OK);
    cr_expect_null(pdr_cmd_trace(cmd).data);
    pdr_cmd_free(cmd);
}

static uint64_t fingerprint_of(const pdr_cmd_spec *spec)
{
    pdr_cmd *cmd;
    cr_assert_eq(pdr_cmd_make(&cmd, spec, NULL), PDR_OK);
    uint64_t fingerprint = cmd->fingerprint;
    pdr_cmd_free(cmd);
    return fingerprint;
}

Test(command, fingerprints_tell_types_and_bytes_apart_and_nothing_else)
{
    pdr_cmd_spec spec = good(), other = good();
    other.key = (pdr_string){"acct/2", 6};
    other.id = pdr_bytes_of("other", 5);
    other.expected_seq = 7;
    other.correlation = pdr_bytes_of("c", 1);
    cr_expect_eq(fingerprint_of(&other), fingerprint_of(&spec));
    other.payload = pdr_bytes_of("q", 1);
    cr_expect_neq(fingerprint_of(&other), fingerprint_of(&spec));
    other = good();
    other.type = &sim_withdraw_type;
    cr_expect_neq(fingerprint_of(&other), fingerprint_of(&spec));
}

static uint64_t append_fingerprint(const pdr_append_event *events, size_t count)
{
    pdr_buf payload = PDR_BUF_INIT(PDR_MAX_APPEND);
    cr_assert_eq(pdr_append_encode(events, count, &payload, NULL), PDR_OK);
    pdr_cmd_spec spec = good();
    spec.request = PDR_REQUEST_APPEND;
    spec.type = NULL;
    spec.payload = pdr_buf_bytes(&payload);
    uint64_t fingerprint = fingerprint_of(&spec);
    pdr_buf_release(&payload);
    return fingerprint;
}

Test(command, fingerprints_of_appends_leave_event_times_out_and_nothing_else)
{
    const pdr_append_event a = {&sim_deposited_type, pdr_bytes_of("one", 3), 5};
    const pdr_append_event later = {&sim_deposited_type, pdr_bytes_of("one", 3), 6};
    const pdr_append_event typed = {&sim_withdrew_type, pdr_bytes_of("one", 3), 5};
    const pdr_append_event bytes = {&sim_deposited_type, pdr_bytes_of("onf", 3), 5};
    const pdr_append_event twice[] = {a, bytes}, turned[] = {bytes, a};
    uint64_t first = append_fingerprint(&a, 1);
    cr_expect_eq(append_fingerprint(&later, 1), first);
    cr_expect_neq(append_fingerprint(&typed, 1), first);
    cr_expect_neq(append_fingerprint(&bytes, 1), first);
    cr_expect_neq(append_fingerprint(twice, 2), first);
    cr_expect_neq(append_fingerprint(twice, 2), append_fingerprint(turned, 2));
}

Test(command, an_append_gives_its_events_back)
{
    pdr_buf payload = PDR_BUF_INIT(1024);
    const pdr_append_event events[] = {{&sim_deposited_type, pdr_bytes_of("one", 3), -5},
                                       {&sim_withdrew_type, pdr_bytes_of("", 0), INT64_MAX}};
    cr_assert_eq(pdr_append_encode(events, 2, &payload, NULL), PDR_OK);
    pdr_append_event event;
    size_t at = 0, count = 0;
    for (; pdr_append_next(pdr_buf_bytes(&payload), &at, &event); count++) {
        cr_expect_eq(event.type, events[count].type);
        cr_expect_eq(event.time_us, events[count].time_us);
        cr_expect(pdr_bytes_equal(event.datum, events[count].datum));
    }
    cr_expect_eq(count, 2u);
    pdr_buf_release(&payload);
}

Test(command, an_append_has_one_to_so_many_events_of_bounded_size)
{
    static pdr_append_event events[PDR_MAX_EVENTS_PER_COMMIT + 1];
    pdr_buf payload = PDR_BUF_INIT(PDR_MAX_APPEND);
    for (int i = 0; i <= PDR_MAX_EVENTS_PER_COMMIT; i++)
        events[i] = (pdr_append_event){&sim_deposited_type, pdr_bytes_of("x", 1), 0};
    cr_expect_eq(pdr_append_encode(events, 0, &payload, NULL), PDR_INVALID_ARGUMENT);
    cr_expect_eq(pdr_append_encode(events, PDR_MAX_EVENTS_PER_COMMIT, &payload, NULL), PDR_OK);
    cr_expect_eq(pdr_append_encode(events, PDR_MAX_EVENTS_PER_COMMIT + 1, &payload, NULL),
                 PDR_INVALID_ARGUMENT);
    events[0].datum = pdr_bytes_of(long_bytes, PDR_MAX_EVENT + 1);
    cr_expect_eq(pdr_append_encode(events, 1, &payload, NULL), PDR_TOO_LARGE);
    pdr_buf_release(&payload);
}

Test(command, without_memory_there_is_no_command)
{
    pdr_cmd_spec spec = good();
    spec.payload = pdr_bytes_of(long_bytes, 100000); /* none of the spare blocks */
    pdr_mem_fail_at(1);
    pdr_code code = make(&spec);
    pdr_mem_fail_at(0);
    cr_expect_eq(code, PDR_NOMEM);
}
