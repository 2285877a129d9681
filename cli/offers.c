#include "cli/offers.h"

static bool is(pdr_string text, const char *name)
{
    return pdr_string_equal(text, pdr_string_of(name));
}

static bool is_literal(pdr_string text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')) return false;
    }
    return text.size > 0 && text.data[0] != '-';
}

static unsigned kinds_of(pdr_string name)
{
    if (name.size > 4 && memcmp(name.data, "FILE", 4) == 0 && (name.data[4] == '.' || name.data[4] == 'S'))
        return PDR_OFFER_FILES;
    if (is(name, "FILE")) return PDR_OFFER_FILES;
    if (is(name, "FOLDER") || is(name, "DIR")) return PDR_OFFER_FOLDERS;
    if (is(name, "TYPE")) return PDR_OFFER_TYPES;
    return is(name, "ENTITY") ? PDR_OFFER_ENTITIES : 0;
}

/* Without the brackets of what may be left away, and the dots of what may stand there again. */
static pdr_string bare(pdr_string name)
{
    while (name.size && name.data[0] == '[') {
        name.data++;
        name.size--;
    }
    while (name.size && (name.data[name.size - 1] == ']' || name.data[name.size - 1] == '.'))
        name.size--;
    return name;
}

static pdr_string take_part(pdr_string *rest, char between)
{
    const char *at = rest->size ? memchr(rest->data, between, rest->size) : NULL;
    pdr_string part = {rest->data, at ? (size_t)(at - rest->data) : rest->size};
    size_t taken = part.size + (at != NULL);
    rest->data += taken;
    rest->size -= taken;
    return part;
}

void pdr_offer_of(pdr_offer *out, pdr_string name)
{
    *out = (pdr_offer){.kinds = 0};
    for (name = bare(name); name.size;) {
        pdr_string part = bare(take_part(&name, '|'));
        out->kinds |= kinds_of(part);
        if (is_literal(part) && out->word_count < PDR_MAX_OFFERED) out->words[out->word_count++] = part;
    }
}

void pdr_places_of(pdr_places *out, const pdr_flag *flags)
{
    *out = (pdr_places){.count = 0};
    for (; flags->kind != PDR_FLAG_END; flags++) {
        if (flags->kind != PDR_FLAG_WORD && flags->kind != PDR_FLAG_WORDS) continue;
        pdr_string name = pdr_string_of(flags->name);
        while (name.size && out->count < PDR_MAX_PLACES)
            pdr_offer_of(&out->offers[out->count++], take_part(&name, ' '));
        out->repeats = flags->kind == PDR_FLAG_WORDS && flags->max > (int64_t)out->count;
    }
}
