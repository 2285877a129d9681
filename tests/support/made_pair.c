#include "tests/support/maker.h"

#define X(name, text) text,
const char *const made_change_names[MADE_CHANGE_COUNT] = {MADE_CHANGES(X)};
#undef X

enum { KIND_REFERENCE = PDR_KIND_COUNT };

static const char *type(maker *m, unsigned sides, unsigned depth);

/* ---- arrays and maps ---- */

static const char *list(maker *m, unsigned sides, unsigned depth, bool map)
{
    maker_put(m, sides, map ? "{\"type\":\"map\",\"values\":" : "{\"type\":\"array\",\"items\":");
    m->inside[0] += (sides & W) != 0;
    m->inside[1] += (sides & R) != 0;
    const char *item = type(m, sides, depth + 1), *value = NULL;
    m->inside[0] -= (sides & W) != 0;
    m->inside[1] -= (sides & R) != 0;
    maker_put(m, sides, "}");
    unsigned count = item ? maker_draw(m, 3) : 0;
    if (count == 1) value = maker_text(m, map ? "{\"k\":%s}" : "[%s]", item);
    if (count == 2) value = maker_text(m, map ? "{\"a\":%s,\"b\":%s}" : "[%s,%s]", item, item);
    return value ? value : map ? "{}" : "[]";
}

/* ---- records ---- */

typedef struct fields {
    unsigned count[2];
    size_t start[MAX_FIELDS + 1]; /* of each of the reader's, in its text */
    bool named[MAX_FIELDS];       /* it defines or uses a named type */
    const char *value;            /* the default so far, without its brackets; NULL: there is none */
} fields;

static void put_field_name(maker *m, fields *f, unsigned side, const char *name)
{
    maker_put(m, side, maker_text(m, "%s{\"name\":\"%s\",\"type\":", f->count[side - 1]++ ? "," : "", name));
}

/* The reader's changes of one field that both have. */
static void change_field(maker *m, const char *old, const char *value, unsigned how, unsigned number)
{
    if (how == 1) maker_put(m, R, maker_text(m, ",\"aliases\":[\"%s\"]", old));
    if (how == 4) {
        maker_changed(m, MADE_FIELD_IDLE_ALIAS);
        maker_put(m, R, ",\"aliases\":[\"idle\"]");
    }
    if (how == 5 && number > 0) {
        maker_changed(m, MADE_FIELD_CLASHING_ALIAS);
        maker_put(m, R, ",\"aliases\":[\"f0\"]");
    }
    bool keep = how == 3 || (how == 2 && maker_draw(m, 2));
    if (keep && value) {
        if (how == 3) maker_changed(m, MADE_FIELD_DEFAULT);
        maker_put(m, R, maker_text(m, ",\"default\":%s", value));
    }
}

static void add_value(maker *m, fields *f, const char *name, const char *value)
{
    if (f->value)
        f->value = value ? maker_text(m, "%s%s\"%s\":%s", f->value, *f->value ? "," : "", name, value) : NULL;
}

static void shared_field(maker *m, fields *f, unsigned number, unsigned depth)
{
    unsigned how =
        maker_draw(m, 10); /* 1: renamed, 2: renamed without an alias, 3: a default, 4, 5: aliases */
    const char *old = maker_text(m, "f%u", number), *name = old;
    if (how == 1 || how == 2) {
        maker_changed(m, how == 1 ? MADE_FIELD_RENAMED : MADE_FIELD_RENAMED_BARE);
        name = maker_text(m, "g%u", number);
    }
    put_field_name(m, f, W, old);
    put_field_name(m, f, R, name);
    const char *value = type(m, BOTH, depth + 1);
    change_field(m, old, value, how, number);
    maker_put(m, BOTH, "}");
    add_value(m, f, name, value);
}

static void removed_field(maker *m, fields *f, unsigned number, unsigned depth)
{
    maker_changed(m, MADE_FIELD_REMOVED);
    put_field_name(m, f, W, maker_text(m, "f%u", number));
    (void)type(m, W, depth + 1);
    maker_put(m, W, "}");
}

static void reader_field(maker *m, fields *f, unsigned number, unsigned depth, unsigned sides)
{
    const char *name = maker_text(m, "f%u", number);
    put_field_name(m, f, R, name);
    const char *value = type(m, R, depth + 1);
    bool bare = !value || maker_draw(m, 8) == 7, leave = !bare && maker_draw(m, 2);
    if (sides == BOTH) maker_changed(m, bare ? MADE_FIELD_ADDED_BARE : MADE_FIELD_ADDED);
    if (!bare) maker_put(m, R, maker_text(m, ",\"default\":%s", value));
    maker_put(m, R, "}");
    if (!leave) add_value(m, f, name, value);
}

static void writer_field(maker *m, fields *f, unsigned number, unsigned depth)
{
    put_field_name(m, f, W, maker_text(m, "f%u", number));
    (void)type(m, W, depth + 1);
    maker_put(m, W, "}");
}

static void field(maker *m, fields *f, unsigned sides, unsigned number, unsigned depth)
{
    unsigned types = m->type_count,
             uses = m->pair->changes[MADE_REFERENCE] + m->pair->changes[MADE_RECURSION];
    unsigned before = f->count[1];
    unsigned how = sides == BOTH ? maker_draw(m, 8) : 0;
    if (before <= MAX_FIELDS) f->start[before] = m->pair->reader.size + (before ? 1 : 0);
    if (sides == W)
        writer_field(m, f, number, depth);
    else if (sides == R || how == 7)
        reader_field(m, f, number, depth, sides);
    else if (how == 6)
        removed_field(m, f, number, depth);
    else
        shared_field(m, f, number, depth);
    unsigned after = m->pair->changes[MADE_REFERENCE] + m->pair->changes[MADE_RECURSION];
    if (f->count[1] > before) f->named[before] = m->type_count != types || after != uses;
}

/* Those without names of types go to the front, the last one first: names stay defined before they are used.
 */
static void reorder(maker *m, fields *f)
{
    pdr_buf *reader = &m->pair->reader;
    unsigned count = f->count[1], put_count = 0;
    f->start[count] = reader->size + 1;
    pdr_bytes old = pdr_arena_bytes(&m->arena, pdr_bytes_of(reader->data, reader->size));
    if (!old.data) return;
    reader->size = f->start[0];
    for (unsigned round = 0; round < 2; round++)
        for (unsigned n = 0; n < count; n++) {
            unsigned i = round ? n : count - 1 - n;
            if (f->named[i] != (round == 1)) continue;
            if (put_count++) maker_put(m, R, ",");
            size_t size = f->start[i + 1] - 1 - f->start[i];
            if (pdr_buf_append(reader, old.data + f->start[i], size) != PDR_OK) m->failed = true;
        }
    maker_changed(m, MADE_FIELDS_REORDERED);
}

static const char *record(maker *m, unsigned sides, unsigned depth)
{
    const char *aliases;
    named *n = maker_new_type(m, sides, "R", &aliases);
    fields f = {.value = ""};
    maker_put_name(m, n, sides, "record", aliases);
    maker_put(m, sides, ",\"fields\":[");
    unsigned count = maker_draw(m, depth ? 4 : MAX_FIELDS);
    for (unsigned i = 0; i < count + (depth == 0); i++)
        field(m, &f, sides, i, depth);
    if (sides == BOTH && f.count[1] > 1 && maker_draw(m, 4) == 3) reorder(m, &f);
    maker_put(m, sides, "]}");
    n->open = false;
    n->value = f.value ? maker_text(m, "{%s}", f.value) : NULL;
    return n->value;
}

/* ---- unions ---- */

static const char *plain(maker *m, unsigned sides, unsigned depth, unsigned avoid, unsigned *made);

typedef struct branches {
    unsigned used[2];    /* kinds that may stand only once, per side */
    unsigned written[2]; /* branches, per side */
    const char *value;
} branches;

static const char *branch(maker *m, branches *b, unsigned on, unsigned depth, bool promote)
{
    unsigned made[2] = {0, 0};
    const char *value;
    if (promote) {
        value = maker_promoted(m, b->used, made);
    } else {
        unsigned avoid = 1u << PDR_KIND_UNION;
        for (unsigned side = W; side <= R; side++)
            if (on & side) avoid |= b->used[side - 1];
        value = plain(m, on, depth + 1, avoid, &made[0]);
        made[1] = made[0];
    }
    for (unsigned side = W; side <= R; side++) {
        unsigned kind = made[side - 1];
        bool once = kind < PDR_KIND_RECORD || kind == PDR_KIND_ARRAY || kind == PDR_KIND_MAP;
        if ((on & side) && once) b->used[side - 1] |= 1u << kind;
    }
    return value;
}

static void one_branch(maker *m, branches *b, unsigned sides, unsigned on, unsigned depth, int first)
{
    const char *value;
    for (unsigned side = W; side <= R; side++)
        if ((on & sides & side) && b->written[side - 1]++) maker_put(m, side, ",");
    if (first >= 0) {
        maker_one_primitive(m, sides, (pdr_kind)first, NULL);
        value = maker_primitive_default(m, (pdr_kind)first);
        for (unsigned side = W; side <= R; side++)
            if (sides & side) b->used[side - 1] |= 1u << first;
    } else {
        value = branch(m, b, on, depth, on == BOTH && maker_draw(m, 4) == 3);
    }
    if ((on & R) && (!(sides & R) || b->written[1] == 1)) b->value = value;
}

/* `sides` write a union. The side that is in `whole` but not in `sides` writes the shared branch bare. */
static const char *a_union(maker *m, unsigned sides, unsigned whole, unsigned depth)
{
    branches b = {.value = NULL};
    unsigned count = 1 + maker_draw(m, 3), shared = 1 + maker_draw(m, count);
    maker_put(m, sides, "[");
    for (unsigned side = W; side <= R; side++)
        if (sides & side) m->inside[side - 1]++;
    /* One branch is a primitive, so that a value of a recursive type can end. */
    one_branch(m, &b, sides, sides, depth, (int)maker_draw(m, 8));
    for (unsigned i = 1; i <= count; i++) {
        unsigned on = sides == BOTH ? 1 + maker_draw(m, 3) : sides;
        one_branch(m, &b, sides, i == shared ? whole : on, depth, -1);
    }
    for (unsigned side = W; side <= R; side++)
        if (sides & side) m->inside[side - 1]--;
    maker_put(m, sides, "]");
    return b.value;
}

/* ---- any type ---- */

/* A type that is no union, of a kind that isn't in `avoid`. */
static const char *plain(maker *m, unsigned sides, unsigned depth, unsigned avoid, unsigned *made)
{
    unsigned kind = maker_draw(m, 16);
    static const uint8_t kinds[16] = {PDR_KIND_INT,    PDR_KIND_NULL,   PDR_KIND_BOOLEAN, PDR_KIND_LONG,
                                      PDR_KIND_FLOAT,  PDR_KIND_DOUBLE, PDR_KIND_BYTES,   PDR_KIND_STRING,
                                      PDR_KIND_RECORD, PDR_KIND_ENUM,   PDR_KIND_ARRAY,   PDR_KIND_MAP,
                                      PDR_KIND_FIXED,  KIND_REFERENCE,  KIND_REFERENCE,   PDR_KIND_RECORD};
    bool small = depth >= DEEP || m->budget == 0;
    named *found = NULL;
    if (m->budget) m->budget--;
    for (unsigned tries = 0; tries < 16; tries++, kind = (kind + 1) % 16) {
        unsigned k = kinds[kind];
        if (avoid & (1u << k)) continue;
        if (small && (k == PDR_KIND_RECORD || k == PDR_KIND_ARRAY || k == PDR_KIND_MAP)) continue;
        bool defines = k == PDR_KIND_RECORD || k == PDR_KIND_ENUM || k == PDR_KIND_FIXED;
        if (defines && m->type_count == MAX_TYPES) continue;
        if (k == KIND_REFERENCE) {
            /* In a union, a name that was defined beside it would stand there twice. */
            found = avoid ? NULL : maker_find_reference(m, sides, m->type_count);
            if (!found) continue;
        }
        *made = k;
        switch (k) {
        case PDR_KIND_RECORD: return record(m, sides, depth);
        case PDR_KIND_ENUM: return maker_enumeration(m, sides);
        case PDR_KIND_FIXED: return maker_fixed(m, sides);
        case PDR_KIND_ARRAY: return list(m, sides, depth, false);
        case PDR_KIND_MAP: return list(m, sides, depth, true);
        case KIND_REFERENCE: return maker_reference(m, sides, found);
        default: return maker_primitive(m, sides, (pdr_kind)k);
        }
    }
    /* All that is left is in the union already; an array of an array is as good as any. */
    m->failed = true;
    *made = PDR_KIND_INT;
    return maker_primitive(m, sides, PDR_KIND_INT);
}

/* ["null", T] of a type that was written before, or is being written: lists and trees. */
static const char *link(maker *m, unsigned sides)
{
    for (unsigned side = W; side <= R; side++)
        if (sides & side) m->inside[side - 1]++;
    named *n = maker_find_reference(m, sides, m->type_count);
    for (unsigned side = W; side <= R; side++)
        if (sides & side) m->inside[side - 1]--;
    maker_put(m, sides, "[\"null\",");
    if (n)
        (void)maker_reference(m, sides, n);
    else
        maker_put(m, sides, "\"long\"");
    maker_put(m, sides, "]");
    return "null";
}

static const char *type(maker *m, unsigned sides, unsigned depth)
{
    unsigned made, how = maker_draw(m, 24);
    if (sides != BOTH) {
        if (how == 23) return a_union(m, sides, sides, depth);
        return how == 22 ? link(m, sides) : plain(m, sides, depth, 0, &made);
    }
    switch (how) {
    case 23: maker_changed(m, MADE_BOTH_UNIONS); return a_union(m, BOTH, BOTH, depth);
    case 22:
    case 21: maker_changed(m, MADE_READER_UNION); return a_union(m, R, BOTH, depth);
    case 20:
    case 19: maker_changed(m, MADE_WRITER_UNION); return a_union(m, W, BOTH, depth);
    case 18:
    case 17:
    case 16: return maker_promoted(m, (unsigned[2]){0, 0}, (unsigned[2]){0, 0});
    case 15: return link(m, BOTH);
    case 14:
        if (maker_draw(m, 3)) break;
        maker_changed(m, MADE_OTHER_TYPE);
        (void)plain(m, W, depth, 0, &made);
        return plain(m, R, depth, 0, &made);
    default: break;
    }
    return plain(m, BOTH, depth, 0, &made);
}

bool made_pair_fill(made_pair *pair, choices *c)
{
    maker m = {.c = c, .pair = pair, .arena = PDR_ARENA_INIT(1 << 20), .budget = 24};
    if (c->at) m.budget = 10; /* a fuzzer's pairs are many and small */
    pdr_buf_clear(&pair->writer);
    pdr_buf_clear(&pair->reader);
    memset(pair->changes, 0, sizeof pair->changes);
    bool in_union = maker_draw(&m, 24) == 23;
    if (in_union) {
        maker_changed(&m, MADE_ROOT_UNION);
        maker_put(&m, W, "[\"null\",");
    }
    (void)record(&m, BOTH, 0);
    if (in_union) maker_put(&m, W, "]");
    pdr_arena_release(&m.arena);
    return !m.failed;
}

void made_pair_release(made_pair *pair)
{
    pdr_buf_release(&pair->writer);
    pdr_buf_release(&pair->reader);
}
