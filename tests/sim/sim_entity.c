#include "tests/sim/sim_entity.h"

#include <stddef.h>
#include <stdio.h>

#include "perdure/sys/layout.h"

/* --- Avro data by hand: a long is a zigzag varint, a string its length and bytes --- */

static pdr_code put_long(pdr_buf *out, int64_t value)
{
    uint64_t z = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
    uint8_t bytes[10];
    size_t n = 0;
    for (; z >= 0x80; z >>= 7)
        bytes[n++] = (uint8_t)(z | 0x80);
    bytes[n++] = (uint8_t)z;
    return pdr_buf_append(out, bytes, n);
}

static pdr_code put_string(pdr_buf *out, pdr_string text)
{
    pdr_code code = put_long(out, (int64_t)text.size);
    return code == PDR_OK && text.size ? pdr_buf_append(out, text.data, text.size) : code;
}

static bool get_long(pdr_bytes *in, int64_t *out)
{
    uint64_t z = 0;
    for (unsigned shift = 0; shift < 64 && in->size; shift += 7) {
        uint8_t byte = *in->data++;
        in->size--;
        z |= (uint64_t)(byte & 0x7f) << shift;
        if (byte & 0x80) continue;
        *out = (int64_t)(z >> 1) ^ -(int64_t)(z & 1);
        return true;
    }
    return false;
}

static bool get_string(pdr_bytes *in, pdr_string *out)
{
    int64_t size;
    if (!get_long(in, &size) || size < 0 || (uint64_t)size > in->size) return false;
    *out = (pdr_string){(const char *)in->data, (size_t)size};
    in->data += size;
    in->size -= (size_t)size;
    return true;
}

static void state_init(void *value)
{
    *(sim_account *)value = (sim_account){0, 0, {"", 0}};
}

static pdr_code state_encode(const void *value, pdr_buf *out, pdr_error *err)
{
    const sim_account *account = value;
    size_t before = out->size;
    pdr_code code = put_long(out, account->balance);
    if (code == PDR_OK) code = put_long(out, account->ops);
    if (code == PDR_OK) code = put_string(out, account->note);
    if (code == PDR_OK) return PDR_OK;
    out->size = before;
    return pdr_fail(err, code, "encoding an account");
}

static pdr_code state_decode(pdr_bytes datum, pdr_arena *arena, void *value, pdr_error *err)
{
    (void)arena;
    sim_account *account = value;
    if (get_long(&datum, &account->balance) && get_long(&datum, &account->ops) &&
        get_string(&datum, &account->note) && datum.size == 0)
        return PDR_OK;
    return pdr_fail(err, PDR_BAD_DATA, "not an account");
}

static pdr_code state_print(const void *value, pdr_buf *out)
{
    const sim_account *account = value;
    return pdr_buf_printf(out, "{\"balance\":%lld,\"ops\":%lld,\"note\":\"%.*s\"}",
                          (long long)account->balance, (long long)account->ops, (int)account->note.size,
                          account->note.data);
}

static void fact_init(void *value)
{
    *(sim_fact *)value = (sim_fact){0, 0, 0, {"", 0}};
}

static pdr_code fact_encode(const void *value, pdr_buf *out, pdr_error *err)
{
    const sim_fact *fact = value;
    size_t before = out->size;
    pdr_code code = put_long(out, fact->nonce);
    if (code == PDR_OK) code = put_long(out, fact->amount);
    if (code == PDR_OK) code = put_long(out, fact->parts);
    if (code == PDR_OK) code = put_string(out, fact->note);
    if (code == PDR_OK) return PDR_OK;
    out->size = before;
    return pdr_fail(err, code, "encoding a fact");
}

static pdr_code fact_decode(pdr_bytes datum, pdr_arena *arena, void *value, pdr_error *err)
{
    (void)arena;
    sim_fact *fact = value;
    if (get_long(&datum, &fact->nonce) && get_long(&datum, &fact->amount) && get_long(&datum, &fact->parts) &&
        get_string(&datum, &fact->note) && datum.size == 0)
        return PDR_OK;
    return pdr_fail(err, PDR_BAD_DATA, "not a fact");
}

static pdr_code fact_print(const void *value, pdr_buf *out)
{
    const sim_fact *fact = value;
    return pdr_buf_printf(out, "{\"nonce\":%lld,\"amount\":%lld,\"parts\":%lld,\"note\":\"%.*s\"}",
                          (long long)fact->nonce, (long long)fact->amount, (long long)fact->parts,
                          (int)fact->note.size, fact->note.data);
}

#define FACT_FIELDS                                                                                          \
    "\"fields\":[{\"name\":\"nonce\",\"type\":\"long\"},{\"name\":\"amount\",\"type\":\"long\"},"            \
    "{\"name\":\"parts\",\"type\":\"long\"},{\"name\":\"note\",\"type\":\"string\"}]}"
static pdr_code fact_2_encode(const void *value, pdr_buf *out, pdr_error *err)
{
    const sim_fact *fact = value;
    size_t before = out->size;
    pdr_code code = put_string(out, fact->note);
    if (code == PDR_OK) code = put_long(out, fact->amount);
    if (code == PDR_OK) code = put_long(out, -1); /* the branch; it has no place in the struct */
    if (code == PDR_OK) code = put_long(out, fact->nonce);
    if (code == PDR_OK) code = put_long(out, fact->parts);
    if (code == PDR_OK) return PDR_OK;
    out->size = before;
    return pdr_fail(err, code, "encoding a fact");
}

static pdr_code fact_2_decode(pdr_bytes datum, pdr_arena *arena, void *value, pdr_error *err)
{
    (void)arena;
    int64_t branch;
    sim_fact *fact = value;
    if (get_string(&datum, &fact->note) && get_long(&datum, &fact->amount) && get_long(&datum, &branch) &&
        get_long(&datum, &fact->nonce) && get_long(&datum, &fact->parts) && datum.size == 0)
        return PDR_OK;
    return pdr_fail(err, PDR_BAD_DATA, "not a fact");
}

/* What the plan needs that reads version 2 into version 1. */
static const pdr_layout_member fact_members[] = {
    {"nonce", &pdr_layout_long, offsetof(sim_fact, nonce), false},
    {"amount", &pdr_layout_long, offsetof(sim_fact, amount), false},
    {"parts", &pdr_layout_long, offsetof(sim_fact, parts), false},
    {"note", &pdr_layout_string, offsetof(sim_fact, note), false}};
static const pdr_layout deposited_layout = {.kind = PDR_KIND_RECORD,
                                            .name = "sim.Deposited",
                                            .size = sizeof(sim_fact),
                                            .count = 4,
                                            .members = fact_members};

#define FACT(number, short_name, print_number)                                                               \
    {                                                                                                        \
        .abi_size = sizeof(pdr_type), .id = number, .name = "sim." short_name,                               \
        .schema = "{\"type\":\"record\",\"name\":\"sim." short_name "\"," FACT_FIELDS,                       \
        .fingerprint = print_number, .size = sizeof(sim_fact), .init = fact_init, .encode = fact_encode,     \
        .decode = fact_decode, .print = fact_print                                                           \
    }

const pdr_type sim_deposited_type = {
    .abi_size = sizeof(pdr_type),
    .id = 1,
    .name = "sim.Deposited",
    .schema = "{\"type\":\"record\",\"name\":\"sim.Deposited\",\"perdure\":{\"version\":1}," FACT_FIELDS,
    .fingerprint = 0x4e4e68ef7a437295u,
    .size = sizeof(sim_fact),
    .layout = &deposited_layout,
    .init = fact_init,
    .encode = fact_encode,
    .decode = fact_decode,
    .print = fact_print,
    .version = 1};
const pdr_type sim_deposited_v2_type = {
    .abi_size = sizeof(pdr_type),
    .id = 6,
    .name = "sim.Deposited",
    .schema = "{\"type\":\"record\",\"name\":\"sim.Deposited\","
              "\"perdure\":{\"version\":2,\"readableByOlder\":true},\"fields\":["
              "{\"name\":\"note\",\"type\":\"string\"},{\"name\":\"amount\",\"type\":\"long\"},"
              "{\"name\":\"branch\",\"type\":\"long\",\"default\":0},{\"name\":\"nonce\",\"type\":\"long\"},"
              "{\"name\":\"parts\",\"type\":\"long\"}]}",
    .fingerprint = 0xd4a07f36158fcf95u,
    .size = sizeof(sim_fact),
    .init = fact_init,
    .encode = fact_2_encode,
    .decode = fact_2_decode,
    .print = fact_print,
    .version = 2,
    .readable_by_older = true};
const pdr_type sim_credited_type = FACT(7, "Credited", 0x3f0b0479b50b1de5u);
const pdr_type sim_withdrew_type = FACT(2, "Withdrew", 0xfbd211fb33dfc0fbu);
const pdr_type sim_deposit_type = FACT(3, "Deposit", 0xb3a93181ad5a2316u);
const pdr_type sim_withdraw_type = FACT(4, "Withdraw", 0x48b9f417b2e9f0e3u);
const pdr_type sim_touch_type = FACT(5, "Touch", 0x9a5e61f10718f7e3u);
const pdr_type sim_state_type = {
    .abi_size = sizeof(pdr_type),
    .id = 0,
    .name = "sim.Account",
    .schema =
        "{\"type\":\"record\",\"name\":\"sim.Account\",\"fields\":[{\"name\":\"balance\",\"type\":\"long\"},"
        "{\"name\":\"ops\",\"type\":\"long\"},{\"name\":\"note\",\"type\":\"string\"}]}",
    .fingerprint = 0xd3b6107f91ecb0e1u,
    .size = sizeof(sim_account),
    .init = state_init,
    .encode = state_encode,
    .decode = state_decode,
    .print = state_print,
};

/* --- The handlers --- */

static void answer_balance(pdr_decision *out, int64_t balance)
{
    char text[32];
    int size = snprintf(text, sizeof text, "%lld", (long long)balance);
    pdr_answer(out, text, (size_t)size);
}

static void decide_as(const void *state, const pdr_command *command, const pdr_type *deposited,
                      pdr_decision *out)
{
    const sim_account *account = state;
    const sim_fact *asked = command->value;
    if (command->type == &sim_touch_type) {
        answer_balance(out, account->balance);
        return;
    }
    bool withdraw = command->type == &sim_withdraw_type;
    if (withdraw && account->balance < asked->amount * asked->parts) {
        pdr_refuse(out, "insufficient: %lld", (long long)account->balance);
        return;
    }
    for (int64_t part = 0; part < asked->parts; part++) {
        sim_fact fact = {asked->nonce, asked->amount, part, asked->note};
        pdr_emit(out, withdraw ? &sim_withdrew_type : deposited, &fact);
    }
    answer_balance(out, account->balance + (withdraw ? -1 : 1) * asked->amount * asked->parts);
}

static void decide_1(const void *state, const pdr_command *command, int64_t now_us, pdr_decision *out)
{
    (void)now_us;
    decide_as(state, command, &sim_deposited_type, out);
}

static void decide_2(const void *state, const pdr_command *command, int64_t now_us, pdr_decision *out)
{
    (void)now_us;
    decide_as(state, command, &sim_deposited_v2_type, out);
}

static void to_version_2(const pdr_event *event, pdr_upcast *out)
{
    pdr_upcast_emit(out, &sim_deposited_v2_type, event->value);
}

/* A deposit brings a note of any length, a withdrawal leaves the first half of it: the arena has garbage. */
static pdr_code apply_as(sim_account *account, const pdr_event *event, pdr_arena *arena, uint32_t revision)
{
    const sim_fact *fact = event->value;
    account->ops += revision;
    if (event->type == &sim_withdrew_type) {
        account->balance -= fact->amount;
        account->note.size /= 2;
        return PDR_OK;
    }
    account->balance += fact->amount;
    account->note = pdr_arena_string(arena, fact->note);
    return account->note.data ? PDR_OK : PDR_NOMEM;
}

static pdr_code apply_1(void *state, const pdr_event *event, pdr_arena *arena)
{
    return apply_as(state, event, arena, 1);
}

static pdr_code apply_2(void *state, const pdr_event *event, pdr_arena *arena)
{
    return apply_as(state, event, arena, 2);
}

static const pdr_type *const events_1[] = {&sim_deposited_type, &sim_withdrew_type, &sim_credited_type};
static const pdr_type *const events_2[] = {&sim_deposited_v2_type, &sim_withdrew_type, &sim_credited_type};
static const pdr_upcaster steps_2[] = {{&sim_deposited_type, events_2, 1, to_version_2}};
static const pdr_type *const commands[] = {&sim_deposit_type, &sim_withdraw_type, &sim_touch_type};

#define ACCOUNT(number, steps)                                                                               \
    {                                                                                                        \
        .abi_size = sizeof(pdr_entity_type), .name = "acct", .state = &sim_state_type,                       \
        .events = events_##number, .event_count = 3, .commands = commands, .command_count = 3,               \
        .revision = number, .id_window = SIM_ID_WINDOW, .decide = decide_##number, .apply = apply_##number,  \
        .upcasters = steps_2, .upcaster_count = steps                                                        \
    }
static const pdr_entity_type accounts[SIM_REVISIONS] = {ACCOUNT(1, 0), ACCOUNT(2, 1)};
static const pdr_entity_type *const entities[SIM_REVISIONS][1] = {{&accounts[0]}, {&accounts[1]}};

const pdr_app *sim_app(uint32_t revision)
{
    static const pdr_app apps[SIM_REVISIONS] = {
        {sizeof(pdr_app), PDR_ABI_VERSION, "sim", entities[0], 1},
        {sizeof(pdr_app), PDR_ABI_VERSION, "sim", entities[1], 1},
    };
    return &apps[revision - 1];
}
