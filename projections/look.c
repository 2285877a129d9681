/* Several queries make one look. They are ordered so that each answer holds when it is given: positions only
 * grow, and the version that was live before its position was read is still live after. */
#include "projections/look.h"

#include "base/sha256.h"

const char *pdr_readiness_text(pdr_readiness readiness)
{
    static const char *const texts[] = {"ready", "behind", "parked", "wrong journal", "no such projection"};
    return (unsigned)readiness < sizeof texts / sizeof *texts ? texts[readiness] : "?";
}

typedef struct live {
    bool found;
    uint32_t version;
    int64_t changed_us;
    uint8_t journal_id[16];
} live;

typedef struct look {
    const pdr_view_token *token;
    bool has_position, parked;
    uint64_t letters; /* of the partition, in the position's snapshot */
    int64_t offset;
} look;

static pdr_code take_version(void *context, const pdr_version_row *row, pdr_error *err)
{
    live *l = context;
    (void)err;
    if (row->state != PDR_VERSION_LIVE) return PDR_OK;
    *l = (live){.found = true, .version = row->version, .changed_us = row->changed_us};
    memcpy(l->journal_id, row->journal_id, sizeof l->journal_id);
    return PDR_OK;
}

static pdr_code take_position(void *context, const pdr_position_row *row, pdr_error *err)
{
    look *l = context;
    (void)err;
    if (row->partition != l->token->partition) return PDR_OK;
    l->has_position = true;
    l->offset = row->position.offset;
    l->letters = row->parked;
    return PDR_OK;
}

static pdr_code take_letter(void *context, const pdr_dead_letter *letter, pdr_error *err)
{
    look *l = context;
    uint8_t hash[PDR_SHA256_SIZE];
    (void)err;
    if (l->parked || letter->offset > l->token->offset) return PDR_OK;
    pdr_sha256(hash, letter->entity);
    l->parked = memcmp(hash, l->token->entity, sizeof l->token->entity) == 0;
    return PDR_OK;
}

static pdr_readiness readiness_of(const look *l)
{
    if (!l->has_position) return PDR_VIEW_WRONG_JOURNAL; /* a journal's partitions are as many as at first */
    if (l->parked) return PDR_VIEW_PARKED;
    return l->offset >= l->token->offset ? PDR_VIEW_READY : PDR_VIEW_BEHIND;
}

/* The position first: an event that was parked by the batch that moved it there is found after. */
pdr_code pdr_view_look(pdr_views *views, const char *projection, const pdr_view_token *token,
                       pdr_readiness *out, pdr_error *err)
{
    live before = {0}, after = {0};
    look l = {.token = token};
    *out = PDR_VIEW_UNKNOWN;
    pdr_code code = views->ops->versions(views, projection, take_version, &before, err);
    if (code != PDR_OK || !before.found) return code;
    *out = PDR_VIEW_WRONG_JOURNAL;
    if (memcmp(before.journal_id, token->journal_id, sizeof before.journal_id) != 0) return PDR_OK;
    code = views->ops->positions(views, projection, before.version, take_position, &l, err);
    if (code == PDR_OK && l.letters > 0)
        code = views->ops->dead_letters(views, projection, before.version, token->partition, take_letter, &l,
                                        err);
    *out = readiness_of(&l);
    if (code != PDR_OK || *out == PDR_VIEW_BEHIND) return code;
    *out = PDR_VIEW_BEHIND;
    code = views->ops->versions(views, projection, take_version, &after, err);
    if (code != PDR_OK) return code;
    if (!after.found || after.version != before.version || after.changed_us != before.changed_us)
        return pdr_fail(err, PDR_BUSY, "another version of %s went live", projection);
    *out = readiness_of(&l);
    return PDR_OK;
}
