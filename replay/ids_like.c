#include "replay/ids_like.h"

#include "base/order.h"

typedef struct looking {
    pdr_bytes prefix;
    pdr_buf *out;
    size_t count;
    pdr_tool_answer answer;
} looking;

static pdr_code add(looking *l, pdr_bytes id)
{
    pdr_code code = l->count ? pdr_buf_append(l->out, ", ", 2) : PDR_OK;
    if (code == PDR_OK) code = pdr_buf_append(l->out, id.data, id.size);
    l->count++;
    return code;
}

static void answered(void *context, uint64_t tag, const pdr_store_result *result)
{
    looking *l = context;
    (void)tag;
    pdr_error *err = &l->answer.error;
    pdr_tool_answered(&l->answer, result);
    for (size_t i = 0; err->code == PDR_OK && i < result->head_count; i++) {
        pdr_bytes id = result->heads[i].key;
        if (!pdr_bytes_begin_with(id, l->prefix)) break;
        pdr_code code = add(l, id);
        if (code != PDR_OK) (void)pdr_fail(err, code, "ids that are like it");
    }
}

/* What comes before every id that begins with the prefix, and after every smaller one: as text, since a
 * database may take ids for such. false: behind such a last byte that can't be written. */
static bool just_before(pdr_bytes prefix, uint8_t *room, pdr_bytes *out)
{
    static const uint8_t greatest[] = {0xf4, 0x8f, 0xbf, 0xbf}; /* U+10FFFF */
    uint8_t last = prefix.data[prefix.size - 1];
    if (last < 2 || last >= 0x80) return false;
    memcpy(room, prefix.data, prefix.size);
    room[prefix.size - 1]--;
    memcpy(room + prefix.size, greatest, sizeof greatest);
    *out = pdr_bytes_of(room, prefix.size + sizeof greatest);
    return true;
}

static pdr_code look(pdr_tool *tool, looking *l, size_t most, pdr_error *err)
{
    uint8_t room[PDR_LOG_MAX_KEY + 4];
    pdr_bytes after;
    pdr_store *store = pdr_tool_store(tool);
    if (!just_before(l->prefix, room, &after)) return PDR_OK; /* the next shorter prefix will do */
    pdr_code asked = store->ops->heads(store, after, most, 0, answered, l, 0, err);
    return pdr_tool_await(tool, asked, &l->answer, l, err);
}

pdr_code pdr_ids_like(pdr_tool *tool, pdr_bytes entity, size_t most, pdr_buf *out, size_t *count,
                      pdr_error *err)
{
    looking l = {.prefix = entity, .out = out};
    pdr_code code = PDR_OK;
    *count = 0;
    if (!pdr_tool_store(tool)) return PDR_OK;
    for (; code == PDR_OK && l.prefix.size > 0 && l.count == 0; l.prefix.size--)
        code = look(tool, &l, most, err);
    *count = l.count;
    return code == PDR_NOT_INITIALISED ? PDR_OK : code; /* as good as no store */
}
