/* perdure snapshot show: an entity's states as they lie in the store. */
#include <inttypes.h>

#include "cli/json.h"
#include "cli/snapshot_tool.h"
#include "schemas/print.h"

typedef struct showing {
    pdr_snapshot_tool base;
    const char *entity, *revision_text;
    uint64_t revision;
    uint64_t newest_seq;
    size_t rows, states, shown;
    pdr_arena arena;
} showing;

/* The value as today's code reads it. false: it doesn't. */
static bool read_state(showing *s, const pdr_head *head, const pdr_type **type, void **value)
{
    const pdr_folder *folder = pdr_snapshot_folder(&s->base, pdr_snapshot_type(head->key));
    if (!folder) return false;
    *type = pdr_folder_type(folder)->state;
    return pdr_state_chain_read(pdr_folder_states(folder), head->revision, head->state, &s->arena, value,
                                NULL) == PDR_OK;
}

static pdr_code put_value(showing *s, const pdr_head *head, pdr_buf *line)
{
    const pdr_type *type;
    void *value;
    pdr_code code = PDR_OK;
    pdr_arena_clear(&s->arena);
    if (!read_state(s, head, &type, &value)) {
        code = s->base.json ? pdr_buf_printf(line, ",\"state_hex\":") : PDR_OK;
        return code == PDR_OK ? pdr_json_hex(line, head->state) : code;
    }
    if (s->base.json) code = pdr_buf_printf(line, ",\"state\":");
    if (code != PDR_OK) return code;
    return type->layout ? pdr_layout_show(type->layout, value, line) : type->print(value, line);
}

static pdr_code put_json(showing *s, int32_t partition, const pdr_head *head, pdr_error *err)
{
    pdr_buf *line = pdr_out_line(s->base.out);
    pdr_snapshot_use use = pdr_snapshot_use_of(&s->base, pdr_snapshot_type(head->key), head->revision);
    pdr_code code = pdr_buf_printf(line, "{\"entity\":");
    if (code == PDR_OK) code = pdr_json_text(line, head->key);
    if (code == PDR_OK)
        code = pdr_buf_printf(line,
                              ",\"partition\":%d,\"revision\":\"%016" PRIx64
                              "\",\"use\":\"%s\",\"state_seq\":%" PRIu64 ",\"seq\":%" PRIu64 ",\"bytes\":%zu",
                              (int)partition, head->revision, pdr_snapshot_use_name(use), head->state_seq,
                              head->seq, head->state.size);
    if (code == PDR_OK) code = put_value(s, head, line);
    if (code == PDR_OK) code = pdr_buf_printf(line, "}");
    return code == PDR_OK ? pdr_out_end(s->base.out, err) : pdr_fail(err, code, "the state");
}

static pdr_code put_text(showing *s, int32_t partition, const pdr_head *head, pdr_error *err)
{
    pdr_out *out = s->base.out;
    pdr_snapshot_use use = pdr_snapshot_use_of(&s->base, pdr_snapshot_type(head->key), head->revision);
    pdr_code code = pdr_out_put(out, PDR_COLOUR_BOLD, "%s", s->entity);
    if (code == PDR_OK) code = pdr_out_put(out, PDR_COLOUR_PLAIN, "  revision %016" PRIx64, head->revision);
    if (code == PDR_OK && use != PDR_SNAPSHOT_UNKNOWN)
        code = pdr_out_put(out, PDR_COLOUR_PLAIN, " (%s)", pdr_snapshot_use_name(use));
    if (code == PDR_OK)
        code = pdr_out_put(out, PDR_COLOUR_PLAIN, ", of the first %" PRIu64 " events of %" PRIu64,
                           head->state_seq, head->seq);
    if (code == PDR_OK)
        code =
            pdr_out_put(out, PDR_COLOUR_DIM, ", %zu bytes, partition %d", head->state.size, (int)partition);
    if (code != PDR_OK) return pdr_fail(err, code, "the state");
    code = pdr_out_end(out, err);
    if (code == PDR_OK) {
        code = put_value(s, head, pdr_out_line(out));
        return code == PDR_OK ? pdr_out_end(out, err) : pdr_fail(err, code, "the state");
    }
    return code;
}

static pdr_code take(void *context, int32_t partition, const pdr_head *head, pdr_error *err)
{
    showing *s = context;
    s->rows++;
    s->newest_seq = head->seq;
    if (!head->state.data) return PDR_OK;
    s->states++;
    if (s->revision_text && head->revision != s->revision) return PDR_OK;
    s->shown++;
    return s->base.json ? put_json(s, partition, head, err) : put_text(s, partition, head, err);
}

static pdr_code explain_nothing(const showing *s, pdr_error *err)
{
    if (!s->rows)
        return pdr_fail(err, PDR_NOT_FOUND,
                        "the store has no %.200s; `perdure history` says whether it has events", s->entity);
    if (!s->states)
        return pdr_fail(err, PDR_NOT_FOUND, "the store has no state of %.200s, which has %" PRIu64 " events",
                        s->entity, s->newest_seq);
    return pdr_fail(err, PDR_NOT_FOUND, "%.200s has %zu states, none of revision %016" PRIx64, s->entity,
                    s->states, s->revision);
}

static pdr_code work(showing *s, pdr_error *err)
{
    pdr_store_meta meta;
    pdr_bytes key = pdr_bytes_of(s->entity, strlen(s->entity));
    if (key.size > PDR_MAX_ENTITY_ID)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "an entity id has at most %d bytes", PDR_MAX_ENTITY_ID);
    pdr_code code =
        s->revision_text ? pdr_snapshot_revision("--revision", s->revision_text, &s->revision, err) : PDR_OK;
    if (code == PDR_OK) code = pdr_snapshot_open(&s->base, err);
    if (code != PDR_OK) return code;
    const pdr_store_ops *ops = s->base.store->ops;
    code = ops->meta(s->base.store, &meta, PDR_SNAPSHOT_TIMEOUT_MS, err);
    if (code == PDR_OK) code = ops->dump_one(s->base.store, key, take, s, PDR_SNAPSHOT_TIMEOUT_MS, err);
    return code == PDR_OK && !s->shown ? explain_nothing(s, err) : code;
}

static int run(int argc, char **argv)
{
    showing s = {.arena = PDR_ARENA_INIT(4 * (size_t)PDR_MAX_STATE)};
    const pdr_flag flags[] = {
        {PDR_FLAG_WORD, "ENTITY", NULL, "", &s.entity, 1, 0},
        {PDR_FLAG_TEXT, "--revision", "N", "the state of this revision only, as `snapshot list` shows it",
         &s.revision_text, 0, 0},
        PDR_SNAPSHOT_FLAGS(s.base),
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_snapshot_show, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_code code = work(&s, &err);
    pdr_arena_release(&s.arena);
    return pdr_snapshot_end(&s.base, &pdr_cli_snapshot_show, code, &err);
}

const pdr_cli_command pdr_cli_snapshot_show = {.name = "snapshot show",
                                               .summary = "an entity's states as they lie in the store",
                                               .about =
                                                   "One for each revision that there is. It is JSON where "
                                                   "the application reads it: today's revision, and "
                                                   "older ones that its state upcasters bring forward; else "
                                                   "the stored bytes in hexadecimal. A state may be of "
                                                   "fewer events than there are: what is missing is read "
                                                   "from the log when the entity is used. `perdure state` "
                                                   "tells what the entity looks like now.\n"
                                                   "\n"
                                                   "  perdure snapshot show loan/173688\n",
                                               .run = run};
