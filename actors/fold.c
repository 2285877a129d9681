/* pdr_fold: the application folds events itself, by the same function as every read path. */
#include "journal/fold.h"

#include "base/mem.h"
#include "journal/log.h"
#include "perdure/journal.h"
#include "schemas/framing.h"

struct pdr_fold {
    pdr_folder *folder;
    pdr_state state;
    pdr_arena scratch;
    pdr_buf framed;
};

enum { MAX_SCRATCH = 64 * 1024 * 1024 };

pdr_code pdr_fold_open(pdr_fold **out, const pdr_entity_type *type, pdr_error *err)
{
    if (!out || !type) return pdr_fail(err, PDR_INVALID_ARGUMENT, "out or type is NULL");
    *out = NULL;
    const pdr_entity_type *const types[] = {type};
    pdr_app app = {sizeof app, PDR_ABI_VERSION, "fold", types, 1};
    pdr_code code = pdr_app_validate(&app, err);
    if (code != PDR_OK) return code;
    pdr_fold *fold = pdr_calloc(1, sizeof *fold);
    if (!fold) return pdr_fail(err, PDR_NOMEM, "a fold");
    fold->scratch = (pdr_arena)PDR_ARENA_INIT(MAX_SCRATCH);
    fold->framed = (pdr_buf)PDR_BUF_INIT(PDR_LOG_MAX_VALUE);
    code = pdr_folder_open(&fold->folder, type, NULL, err);
    if (code == PDR_OK) code = pdr_state_init(&fold->state, fold->folder, err);
    if (code == PDR_OK)
        *out = fold;
    else
        pdr_fold_close(fold);
    return code;
}

static pdr_code apply(pdr_fold *fold, const pdr_logged_event *event, pdr_error *err)
{
    pdr_event read = {event->type, event->value, event->seq, event->time_us};
    return pdr_state_apply(&fold->state, fold->folder, &read, err);
}

/* A stored event that became several is read again as a whole where the fold's own type knows what was
 * written: its upcasters may make other parts of it. */
static bool reads_whole(const pdr_fold *fold, const pdr_logged_event *event)
{
    return event->parts > 1 && pdr_chain_find(pdr_folder_chain(fold->folder), event->fingerprint);
}

/* A failed fold has released its state: every event after it would give nonsense. */
pdr_code pdr_fold_apply(pdr_fold *fold, const pdr_logged_event *event, pdr_error *err)
{
    if (!fold || !event) return pdr_fail(err, PDR_INVALID_ARGUMENT, "fold or event is NULL");
    if (!fold->state.value) return pdr_fail(err, PDR_CLOSED, "an earlier event could not be folded");
    if (!reads_whole(fold, event) && event->type && pdr_folder_declares(fold->folder, event->type))
        return apply(fold, event, err);
    if (event->part)
        return PDR_OK; /* the datum below is the whole stored event, and was folded with part 0 */
    pdr_buf_clear(&fold->framed);
    pdr_code code = pdr_frame_write(&fold->framed, event->fingerprint);
    if (code == PDR_OK) code = pdr_buf_append(&fold->framed, event->datum.data, event->datum.size);
    if (code != PDR_OK) return pdr_fail(err, code, "an event of %zu bytes", event->datum.size);
    return pdr_state_fold(&fold->state, fold->folder, pdr_buf_bytes(&fold->framed), event->seq,
                          event->time_us, false, &fold->scratch, err);
}

const void *pdr_fold_state(const pdr_fold *fold)
{
    return fold ? fold->state.value : NULL;
}

void pdr_fold_close(pdr_fold *fold)
{
    if (!fold) return;
    pdr_state_release(&fold->state);
    pdr_folder_close(fold->folder);
    pdr_arena_release(&fold->scratch);
    pdr_buf_release(&fold->framed);
    pdr_free(fold);
}
