#include "tests/support/maker.h"

#include <stdarg.h>
#include <stdio.h>

enum { MAX_DEFAULT = 600 };

unsigned maker_draw(maker *m, unsigned count)
{
    return choose(m->c, count);
}

void maker_changed(maker *m, int change)
{
    m->pair->changes[change]++;
}

static pdr_buf *buf(maker *m, unsigned side)
{
    return side == W ? &m->pair->writer : &m->pair->reader;
}

void maker_put(maker *m, unsigned sides, const char *text)
{
    if (!text) m->failed = true;
    for (unsigned side = W; text && side <= R; side++)
        if ((sides & side) && pdr_buf_append(buf(m, side), text, strlen(text)) != PDR_OK) m->failed = true;
}

const char *maker_text(maker *m, const char *format, ...)
{
    char all[MAX_DEFAULT];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(all, sizeof all, format, args);
    va_end(args);
    if (size < 0 || (size_t)size >= sizeof all) return NULL;
    return pdr_arena_string(&m->arena, pdr_string_of(all)).data;
}

/* ---- primitives ---- */

static const char *const primitives[] = {"null",  "boolean", "int",   "long",
                                         "float", "double",  "bytes", "string"};

const char *maker_primitive_default(maker *m, pdr_kind kind)
{
    static const char *const wholes[] = {"0", "1", "-7", "2147483647", "-2147483648"};
    static const char *const longs[] = {"0", "1", "-7", "9223372036854775807", "-9223372036854775808"};
    static const char *const reals[] = {"0", "1.5", "-2e10", "0.1", "7"};
    static const char *const texts[] = {"\"\"", "\"a\"", "\"\\u00ff~\"", "\"\\\\ \\u00e9\"", "\"0\""};
    unsigned n = maker_draw(m, 5);
    switch (kind) {
    case PDR_KIND_NULL: return "null";
    case PDR_KIND_BOOLEAN: return n % 2 ? "true" : "false";
    case PDR_KIND_INT: return wholes[n];
    case PDR_KIND_LONG: return longs[n];
    case PDR_KIND_FLOAT:
    case PDR_KIND_DOUBLE: return reals[n];
    default: return texts[n];
    }
}

static const char *logical_of(maker *m, pdr_kind kind)
{
    static const char *const ints[] = {"\"date\"", "\"time-millis\""};
    static const char *const longs[] = {"\"timestamp-millis\"", "\"timestamp-micros\"", "\"time-micros\"",
                                        "\"local-timestamp-micros\""};
    static const char *const bytes[] = {"\"decimal\",\"precision\":9,\"scale\":2",
                                        "\"decimal\",\"precision\":9",
                                        "\"decimal\",\"precision\":10,\"scale\":2"};
    if (kind == PDR_KIND_INT) return ints[maker_draw(m, 2)];
    if (kind == PDR_KIND_LONG) return longs[maker_draw(m, 4)];
    if (kind == PDR_KIND_STRING) return "\"uuid\"";
    return kind == PDR_KIND_BYTES ? bytes[maker_draw(m, 3)] : NULL;
}

void maker_one_primitive(maker *m, unsigned sides, pdr_kind kind, const char *logical)
{
    if (logical)
        maker_put(m, sides, maker_text(m, "{\"type\":\"%s\",\"logicalType\":%s}", primitives[kind], logical));
    else
        maker_put(m, sides, maker_text(m, "\"%s\"", primitives[kind]));
}

const char *maker_primitive(maker *m, unsigned sides, pdr_kind kind)
{
    const char *logical = maker_draw(m, 6) == 5 ? logical_of(m, kind) : NULL;
    if (sides == BOTH && logical && maker_draw(m, 2)) {
        const char *other = maker_draw(m, 3) ? logical_of(m, kind) : NULL;
        maker_changed(m, kind == PDR_KIND_BYTES ? MADE_DECIMAL : MADE_LOGICAL);
        maker_one_primitive(m, W, kind, logical);
        maker_one_primitive(m, R, kind, other);
    } else {
        maker_one_primitive(m, sides, kind, logical);
    }
    return maker_primitive_default(m, kind);
}

/* A pair of primitives of which one can be promoted to the other, rarely the wrong way round; of kinds that
 * aren't in `avoid`. */
const char *maker_promoted(maker *m, const unsigned avoid[2], unsigned made[2])
{
    static const pdr_kind pairs[][2] = {
        {PDR_KIND_INT, PDR_KIND_LONG},     {PDR_KIND_INT, PDR_KIND_FLOAT},
        {PDR_KIND_INT, PDR_KIND_DOUBLE},   {PDR_KIND_LONG, PDR_KIND_FLOAT},
        {PDR_KIND_LONG, PDR_KIND_DOUBLE},  {PDR_KIND_FLOAT, PDR_KIND_DOUBLE},
        {PDR_KIND_STRING, PDR_KIND_BYTES}, {PDR_KIND_BYTES, PDR_KIND_STRING},
    };
    unsigned n = maker_draw(m, 8), back = maker_draw(m, 8) == 7;
    for (unsigned tries = 0; tries < 8; tries++, n = (n + 1) % 8) {
        pdr_kind from = pairs[n][back], to = pairs[n][!back];
        if ((avoid[0] & (1u << from)) || (avoid[1] & (1u << to))) continue;
        maker_changed(m, back && n < 6 ? MADE_DEMOTED : MADE_PROMOTED);
        made[0] = from;
        made[1] = to;
        maker_one_primitive(m, W, from, NULL);
        maker_one_primitive(m, R, to, NULL);
        return maker_primitive_default(m, to);
    }
    m->failed = true;
    return NULL;
}

/* ---- names ---- */

static const char *short_name(const char *full)
{
    const char *dot = strrchr(full, '.');
    return dot ? dot + 1 : full;
}

static void new_name(maker *m, char *out, size_t size, const char *kind)
{
    static const char *const spaces[] = {"", "a.", "a.b.", "c."};
    (void)snprintf(out, size, "%s%s%u", spaces[maker_draw(m, 4)], kind, m->names++);
}

/* Other names for the reader's side; gives its aliases, or NULL. */
static const char *change_name(maker *m, named *n, const char *kind)
{
    unsigned how = maker_draw(m, 16);
    const char *old = n->name[0];
    switch (how) {
    case 15:
    case 14:
    case 13: {
        bool bare = how == 13 && maker_draw(m, 2);
        maker_changed(m, bare ? MADE_TYPE_RENAMED_BARE : MADE_TYPE_RENAMED);
        new_name(m, n->name[1], sizeof n->name[1], kind);
        return bare ? NULL : maker_text(m, "\"%s\"", old);
    }
    case 12:
        maker_changed(m, MADE_TYPE_MOVED);
        (void)snprintf(n->name[1], sizeof n->name[1], "%s%s", strchr(old, '.') ? "" : "d.", short_name(old));
        return NULL;
    case 11: maker_changed(m, MADE_TYPE_IDLE_ALIAS); return "\"Idle\",\"a.Idle\"";
    default: return NULL;
    }
}

named *maker_new_type(maker *m, unsigned sides, const char *kind, const char **aliases)
{
    named *n = &m->types[m->type_count++];
    *n = (named){.sides = sides, .open = true};
    new_name(m, n->name[0], sizeof n->name[0], kind);
    memcpy(n->name[1], n->name[0], sizeof n->name[1]);
    memcpy(n->inside, m->inside, sizeof n->inside);
    *aliases = sides == BOTH ? change_name(m, n, kind) : NULL;
    return n;
}

/* The name as an attribute, whole or in two; the aliases. */
void maker_put_name(maker *m, const named *n, unsigned sides, const char *kind, const char *aliases)
{
    bool apart = maker_draw(m, 2) == 1;
    for (unsigned side = W; side <= R; side++) {
        const char *name = n->name[side - 1], *shorter = short_name(name);
        if (!(sides & side)) continue;
        int space = shorter == name ? 0 : (int)(shorter - name - 1);
        if (apart || !space)
            maker_put(m, side,
                      maker_text(m, "{\"type\":\"%s\",\"name\":\"%s\",\"namespace\":\"%.*s\"", kind, shorter,
                                 space, name));
        else
            maker_put(m, side, maker_text(m, "{\"type\":\"%s\",\"name\":\"%s\"", kind, name));
    }
    if (aliases) maker_put(m, R, maker_text(m, ",\"aliases\":[%s]", aliases));
    if (sides == BOTH && maker_draw(m, 12) == 11) {
        maker_changed(m, MADE_WRITER_ALIAS);
        maker_put(m, W, ",\"aliases\":[\"Before\",\"d.Before\"]");
    }
}

/* ---- enum, fixed ---- */

static void put_symbols(maker *m, unsigned side, unsigned first, unsigned count, bool back, int fallback)
{
    maker_put(m, side, ",\"symbols\":[");
    for (unsigned i = 0; i < count; i++)
        maker_put(
            m, side,
            maker_text(m, "%s\"%c\"", i ? "," : "", 'A' + (int)((first + (back ? count - 1 - i : i)) % 8)));
    maker_put(m, side, "]");
    if (fallback >= 0) maker_put(m, side, maker_text(m, ",\"default\":\"%c\"", 'A' + fallback));
    maker_put(m, side, "}");
}

static int symbol(maker *m, unsigned first, unsigned count)
{
    return (int)((first + maker_draw(m, count)) % 8);
}

const char *maker_enumeration(maker *m, unsigned sides)
{
    const char *aliases;
    named *n = maker_new_type(m, sides, "E", &aliases);
    unsigned first = maker_draw(m, 8), count = 1 + maker_draw(m, 6), other = first, others = count;
    bool back = false;
    int fallback = maker_draw(m, 6) == 5 ? symbol(m, first, count) : -1;
    maker_put_name(m, n, sides, "enum", aliases);
    if (sides & W) put_symbols(m, W, first, count, false, fallback);
    if (sides == BOTH && maker_draw(m, 2)) {
        maker_changed(m, MADE_SYMBOLS);
        other = (first + maker_draw(m, 3)) % 8;
        others = 1 + maker_draw(m, 8);
        back = maker_draw(m, 2) == 1;
        fallback = maker_draw(m, 2) ? symbol(m, other, others) : -1;
        if (fallback >= 0) maker_changed(m, MADE_SYMBOLS_DEFAULT);
    }
    if (sides & R) put_symbols(m, R, other, others, back, fallback);
    n->open = false;
    n->value = maker_text(m, "\"%c\"", 'A' + symbol(m, other, others));
    return n->value;
}

const char *maker_fixed(maker *m, unsigned sides)
{
    const char *aliases;
    named *n = maker_new_type(m, sides, "F", &aliases);
    unsigned size = 1 + maker_draw(m, 8), other = size;
    bool decimal = size >= 4 && maker_draw(m, 3) == 2;
    maker_put_name(m, n, sides, "fixed", aliases);
    if (sides == BOTH && maker_draw(m, 4) == 3) {
        maker_changed(m, MADE_FIXED_SIZE);
        other = 1 + maker_draw(m, 8);
    }
    maker_put(m, W & sides, maker_text(m, ",\"size\":%u", size));
    maker_put(m, R & sides, maker_text(m, ",\"size\":%u", other));
    if (decimal) {
        maker_put(m, W & sides, ",\"logicalType\":\"decimal\",\"precision\":6,\"scale\":2");
        unsigned scale = 2;
        if (sides == BOTH && maker_draw(m, 3) == 2) {
            maker_changed(m, MADE_DECIMAL);
            scale = 3;
        }
        maker_put(m, R & sides,
                  maker_text(m, ",\"logicalType\":\"decimal\",\"precision\":6,\"scale\":%u", scale));
    }
    maker_put(m, sides, "}");
    n->open = false;
    n->value = maker_text(m, "\"%.*s\"", (int)other, "efghijkl");
    return n->value;
}

/* ---- references ---- */

/* One that was written on all these sides, and around which a value can end. */
named *maker_find_reference(maker *m, unsigned sides, unsigned before)
{
    unsigned start = before ? maker_draw(m, before) : 0;
    for (unsigned i = 0; i < before; i++) {
        named *n = &m->types[(start + i) % before];
        if ((n->sides & sides) != sides) continue;
        bool safe = !n->open;
        if (n->open)
            safe = (!(sides & W) || m->inside[0] > n->inside[0]) &&
                   (!(sides & R) || m->inside[1] > n->inside[1]);
        if (safe) return n;
    }
    return NULL;
}

const char *maker_reference(maker *m, unsigned sides, named *n)
{
    maker_changed(m, n->open ? MADE_RECURSION : MADE_REFERENCE);
    maker_put(m, W & sides, maker_text(m, "\"%s\"", n->name[0]));
    maker_put(m, R & sides, maker_text(m, "\"%s\"", n->name[1]));
    return n->value;
}
