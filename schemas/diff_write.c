/* Changes as text. */
#include "schemas/diff.h"

static const struct {
    const char *name, *subject; /* "default" 0 "is now" 1; "default added: 1"; "symbol" A "added" */
} words[PDR_CHANGE_COUNT] = {
    [PDR_CHANGE_FIELD_ADDED] = {"field-added", "field"},
    [PDR_CHANGE_FIELD_REMOVED] = {"field-removed", "field"},
    [PDR_CHANGE_FIELD_RENAMED] = {"field-renamed", "name"},
    [PDR_CHANGE_FIELDS_MOVED] = {"fields-moved", "order of fields"},
    [PDR_CHANGE_TYPE] = {"type", "type"},
    [PDR_CHANGE_NAME] = {"name", "type's name"},
    [PDR_CHANGE_LOGICAL_TYPE] = {"logical-type", "logical type"},
    [PDR_CHANGE_DEFAULT] = {"default", "default"},
    [PDR_CHANGE_ORDER] = {"order", "sort order"},
    [PDR_CHANGE_ALIASES] = {"aliases", "aliases"},
    [PDR_CHANGE_SYMBOL_ADDED] = {"symbol-added", "symbol"},
    [PDR_CHANGE_SYMBOL_REMOVED] = {"symbol-removed", "symbol"},
    [PDR_CHANGE_SYMBOLS_MOVED] = {"symbols-moved", "order of symbols"},
    [PDR_CHANGE_BRANCH_ADDED] = {"branch-added", "branch"},
    [PDR_CHANGE_BRANCH_REMOVED] = {"branch-removed", "branch"},
    [PDR_CHANGE_BRANCHES_MOVED] = {"branches-moved", "order of branches"},
    [PDR_CHANGE_READABLE_BY_OLDER] = {"readable-by-older", "readableByOlder"},
    [PDR_CHANGE_ATTRIBUTE] = {"attribute", "attribute"},
    [PDR_CHANGE_DOC] = {"doc", "doc"},
};

const char *pdr_change_name(pdr_change_kind kind)
{
    return (unsigned)kind < PDR_CHANGE_COUNT ? words[kind].name : "unknown";
}

pdr_code pdr_change_write(const pdr_change *change, pdr_buf *out)
{
    const char *after = change->after, *before = change->before;
    bool added = change->kind == PDR_CHANGE_SYMBOL_ADDED || change->kind == PDR_CHANGE_BRANCH_ADDED;
    pdr_code code = pdr_buf_printf(out, "%s: %s%s%s", change->path, words[change->kind].subject,
                                   change->what ? " " : "", change->what ? change->what : "");
    if (code != PDR_OK) return code;
    if (before && after) return pdr_buf_printf(out, " %s is now %s", before, after);
    if (before || after)
        return pdr_buf_printf(out, " %s: %s", after ? "added" : "removed", after ? after : before);
    return pdr_buf_printf(out, added ? " added" : " removed");
}
