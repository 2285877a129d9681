/* From pairs of types to steps. */
#include "base/mem.h"
#include "schemas/plan_inside.h"

/* ---- writing steps ---- */

void plan_no_memory(plan_maker *m)
{
    const pdr_arena *arena = &m->plan->arena;
    if (m->code != PDR_OK) return;
    if (arena->max - arena->held < PLAN_MAX_MEMORY / 4)
        m->code = pdr_fail(m->err, PDR_TOO_LARGE, "%s: a plan of more than %d bytes", m->plan->reader->name,
                           (int)PLAN_MAX_MEMORY);
    else
        m->code = pdr_fail(m->err, PDR_NOMEM, "%s: out of memory for a plan", m->plan->reader->name);
}

void *plan_keep(plan_maker *m, size_t size)
{
    void *memory = m->code == PDR_OK ? pdr_arena_calloc(&m->plan->arena, 1, size) : NULL;
    if (!memory) plan_no_memory(m);
    return memory;
}

static bool grow(plan_maker *m)
{
    uint32_t room = m->room ? m->room * 2 : 32;
    plan_step *steps = pdr_realloc(m->plan->steps, room * sizeof *steps);
    if (steps) m->plan->steps = steps;
    const char **places = steps ? pdr_realloc(m->plan->places, room * sizeof *places) : NULL;
    if (places) m->plan->places = places;
    if (!places) plan_no_memory(m);
    if (places) m->room = room;
    return places;
}

plan_step *plan_emit(plan_maker *m, plan_op op, uint32_t to)
{
    if (m->code == PDR_OK && m->count >= PLAN_MAX_STEPS)
        m->code = pdr_fail(m->err, PDR_TOO_LARGE, "%s: a plan of more than %d steps", m->plan->reader->name,
                           (int)PLAN_MAX_STEPS);
    if (m->code != PDR_OK || (m->count == m->room && !grow(m))) return &m->spare;
    plan_step *step = &m->plan->steps[m->count];
    m->plan->places[m->count++] = m->place;
    *step = (plan_step){.op = (uint16_t)op, .to = to};
    return step;
}

plan_step *plan_at(plan_maker *m, uint32_t index)
{
    return m->code == PDR_OK ? &m->plan->steps[index] : &m->spare;
}

uint32_t plan_here(plan_maker *m)
{
    return m->barrier = m->count;
}

void plan_place(plan_maker *m, const pdr_schema *record, const pdr_schema_field *field)
{
    size_t name = strlen(record->name), more = field ? strlen(field->name) + 1 : 0;
    char *place = plan_keep(m, name + more + 1);
    if (!place) return;
    memcpy(place, record->name, name);
    if (field) {
        place[name] = '.';
        memcpy(place + name + 1, field->name, more - 1);
    }
    m->place = place;
}

void plan_emit_call(plan_maker *m, plan_op op, uint32_t to, const plan_call *call)
{
    plan_call *made = m->code == PDR_OK ? pdr_arena_calloc(&m->scratch, 1, sizeof *made) : NULL;
    if (!made) {
        plan_no_memory(m);
        return;
    }
    *made = *call;
    made->step = m->count;
    *m->last_call = made;
    m->last_call = &made->next;
    bool loop = call->match ? m->weights[call->match->index] == PLAN_LOOP
                            : m->skip_weights[call->schema->number] == PLAN_LOOP;
    plan_step *step = plan_emit(m, op, to);
    step->small = loop;
    if (op == PLAN_MAKE) step->count = (uint32_t)call->layout->size;
}

void plan_emit_branches(plan_maker *m, size_t count, plan_branch emit, const void *what,
                        const pdr_layout *layout, uint32_t to)
{
    uint32_t *table = plan_keep(m, count * sizeof *table);
    uint32_t *ends = m->code == PDR_OK ? pdr_arena_calloc(&m->scratch, count, sizeof *ends) : NULL;
    if (!ends) plan_no_memory(m);
    if (m->code != PDR_OK) return;
    plan_step *step = plan_emit(m, PLAN_BRANCH, to);
    step->count = (uint32_t)count;
    step->data = table;
    for (size_t i = 0; i < count && m->code == PDR_OK; i++) {
        table[i] = plan_here(m);
        emit(m, what, i, layout, to);
        ends[i] = m->count;
        (void)plan_emit(m, PLAN_JUMP, 0);
    }
    for (size_t i = 0; i < count && m->code == PDR_OK; i++)
        plan_at(m, ends[i])->jump = plan_here(m);
}

/* ---- weights: what is small is repeated in place, what is large or holds itself is called ---- */

static uint32_t weigh(plan_maker *m, const pdr_match *match);

static uint32_t weigh_parts(plan_maker *m, const pdr_match *match)
{
    uint32_t sum = 2;
    const pdr_schema *writer = match->writer;
    bool record = writer->kind == PDR_KIND_RECORD && match->reader->kind == PDR_KIND_RECORD;
    for (size_t i = 0; i < match->count; i++) {
        if (match->parts[i])
            sum = plan_add(sum, weigh(m, match->parts[i]));
        else if (record)
            sum = plan_add(sum, plan_skip_weight(m, writer->fields[i].type));
    }
    return sum;
}

/* A pair that is met again while it is being weighed holds itself. */
static uint32_t weigh_record(plan_maker *m, const pdr_match *match)
{
    enum { WEIGHING = PLAN_MAX_STEPS };
    uint32_t *weight = &m->weights[match->index];
    if (*weight == WEIGHING) *weight = PLAN_LOOP;
    if (*weight == 0) {
        *weight = WEIGHING;
        uint32_t sum = weigh_parts(m, match);
        if (*weight == WEIGHING) *weight = sum < WEIGHING ? sum : WEIGHING - 1;
    }
    return *weight > PLAN_MAX_INLINE ? 1 : *weight;
}

static uint32_t weigh(plan_maker *m, const pdr_match *match)
{
    if (match->never) return 1;
    if (match->reader->kind == PDR_KIND_RECORD && match->writer->kind == PDR_KIND_RECORD)
        return weigh_record(m, match);
    return match->writer->kind == PDR_KIND_ENUM && match->reader->kind == PDR_KIND_ENUM
               ? 1
               : weigh_parts(m, match);
}

/* ---- values ---- */

static void value(plan_maker *m, const pdr_match *match, const pdr_layout *layout, uint32_t to);

static void call_record(plan_maker *m, const pdr_match *match, const pdr_layout *layout, uint32_t to,
                        plan_op op)
{
    plan_call call = {.match = match, .layout = layout};
    plan_emit_call(m, op, to, &call);
}

static void unreadable(plan_maker *m, const pdr_match *match)
{
    pdr_string why = {NULL, 0};
    if (m->code == PDR_OK) why = pdr_arena_string(&m->plan->arena, pdr_string_of(pdr_match_why(match)));
    if (!why.data) plan_no_memory(m);
    plan_emit(m, PLAN_UNREADABLE, 0)->data = why.data;
}

static void pointed_branch(plan_maker *m, const void *what, size_t branch, const pdr_layout *layout,
                           uint32_t to)
{
    const pdr_match *part = ((const pdr_match *)what)->parts[branch];
    if (part->never)
        unreadable(m, part);
    else
        call_record(m, part, layout, to, PLAN_MAKE);
}

static void member(plan_maker *m, const pdr_match *match, const pdr_layout_member *at, uint32_t to)
{
    to += (uint32_t)at->offset;
    if (!at->pointer)
        value(m, match, at->type, to);
    else if (match->writer->kind == PDR_KIND_UNION)
        plan_emit_branches(m, match->count, pointed_branch, match, at->type, to);
    else
        call_record(m, match, at->type, to, PLAN_MAKE);
}

static void fields(plan_maker *m, const pdr_match *match, const pdr_layout *layout, uint32_t to)
{
    const pdr_schema *writer = match->writer, *reader = match->reader;
    bool *taken = m->code == PDR_OK ? pdr_arena_calloc(&m->scratch, reader->count, sizeof *taken) : NULL;
    const char *outer = m->place;
    if (!taken) plan_no_memory(m);
    for (size_t i = 0; i < writer->count && m->code == PDR_OK; i++) {
        plan_place(m, writer, &writer->fields[i]);
        if (match->parts[i]) {
            taken[match->targets[i]] = true;
            member(m, match->parts[i], &layout->members[match->targets[i]], to);
        } else {
            plan_skip(m, writer->fields[i].type);
        }
    }
    m->place = outer;
    if (m->code == PDR_OK) plan_defaults(m, reader, layout, to, taken);
    if (reader->count == 0) plan_emit(m, PLAN_ZERO, to)->count = (uint32_t)layout->size;
}

static void record(plan_maker *m, const pdr_match *match, const pdr_layout *layout, uint32_t to)
{
    if (m->weights[match->index] > PLAN_MAX_INLINE)
        call_record(m, match, layout, to, PLAN_CALL);
    else
        fields(m, match, layout, to);
}

static void list(plan_maker *m, const pdr_match *match, const pdr_layout *layout, uint32_t to)
{
    plan_list *made = plan_keep(m, sizeof *made);
    if (!made) return;
    made->map = layout->kind == PDR_KIND_MAP;
    made->least = plan_least(m, match->writer->items) + (made->map ? 1u : 0u);
    made->stride = layout->stride;
    uint32_t at = m->count;
    plan_emit(m, PLAN_LIST, to)->data = made;
    (void)plan_here(m);
    member(m, match->parts[0], &layout->members[0], 0);
    (void)plan_emit(m, PLAN_END, 0);
    plan_at(m, at)->jump = plan_here(m);
}

static bool in_order(const pdr_match *match)
{
    for (size_t i = 0; i < match->count; i++)
        if (match->targets[i] != (int32_t)i) return false;
    return match->writer->count <= match->reader->count;
}

static void symbols(plan_maker *m, const pdr_match *match, uint32_t to)
{
    const pdr_schema *writer = match->writer;
    plan_symbols *made = in_order(match) ? NULL : plan_keep(m, sizeof *made);
    plan_op op = in_order(match) ? PLAN_ENUM : PLAN_ENUM_MAP;
    int32_t *targets = made ? plan_keep(m, writer->count * sizeof *targets) : NULL;
    const char **names = targets ? plan_keep(m, writer->count * sizeof *names) : NULL;
    for (size_t i = 0; names && i < writer->count; i++) {
        targets[i] = match->targets[i];
        if (targets[i] >= 0) continue;
        names[i] = pdr_arena_string(&m->plan->arena, pdr_string_of(writer->symbols[i])).data;
        if (!names[i]) plan_no_memory(m);
    }
    if (made) *made = (plan_symbols){targets, names};
    plan_step *step = plan_emit(m, op, to);
    step->count = (uint32_t)writer->count;
    step->data = made;
}

static void reader_union(plan_maker *m, const pdr_match *match, const pdr_layout *layout, uint32_t to)
{
    const pdr_match *part = match->parts[0];
    uint32_t tag = (uint32_t)match->targets[0];
    if (layout->optional && part->reader->kind == PDR_KIND_NULL) {
        plan_emit(m, PLAN_ZERO, to)->count = (uint32_t)layout->size;
        return;
    }
    plan_step *step = plan_emit(m, layout->optional ? PLAN_PRESENT : PLAN_TAG, to);
    step->count = (uint32_t)layout->size;
    step->jump = tag;
    if (part->reader->kind != PDR_KIND_NULL) member(m, part, &layout->members[tag], to);
}

static void writer_branch(plan_maker *m, const void *what, size_t branch, const pdr_layout *layout,
                          uint32_t to)
{
    const pdr_match *part = ((const pdr_match *)what)->parts[branch];
    if (part->never)
        unreadable(m, part);
    else
        value(m, part, layout, to);
}

/* Null or a value on both sides: the branch that isn't null, or NULL. */
static const pdr_match *optional(const pdr_match *match, const pdr_layout *layout)
{
    if (!layout->optional || match->count != 2) return NULL;
    for (size_t i = 0; i < 2; i++) {
        const pdr_match *null = match->parts[i], *other = match->parts[1 - i];
        if (null->writer->kind == PDR_KIND_NULL && !null->never && !other->never) return other;
    }
    return NULL;
}

static void writer_union(plan_maker *m, const pdr_match *match, const pdr_layout *layout, uint32_t to)
{
    const pdr_match *other = optional(match, layout);
    if (!other) {
        plan_emit_branches(m, match->count, writer_branch, match, layout, to);
        return;
    }
    uint32_t at = m->count;
    plan_step *step = plan_emit(m, PLAN_OPTIONAL, to);
    step->small = match->parts[0] == other ? 1 : 0;
    step->count = (uint32_t)layout->size;
    (void)plan_here(m);
    member(m, other->parts[0], &layout->members[other->targets[0]], to);
    plan_at(m, at)->jump = plan_here(m);
}

static plan_op primitive(pdr_kind writer, pdr_kind reader)
{
    static const uint8_t ops[PDR_KIND_FIXED + 1][PDR_KIND_FIXED + 1] = {
        [PDR_KIND_BOOLEAN][PDR_KIND_BOOLEAN] = PLAN_BOOLEAN,
        [PDR_KIND_INT][PDR_KIND_INT] = PLAN_INT,
        [PDR_KIND_INT][PDR_KIND_LONG] = PLAN_INT_LONG,
        [PDR_KIND_INT][PDR_KIND_FLOAT] = PLAN_INT_FLOAT,
        [PDR_KIND_INT][PDR_KIND_DOUBLE] = PLAN_INT_DOUBLE,
        [PDR_KIND_LONG][PDR_KIND_LONG] = PLAN_LONG,
        [PDR_KIND_LONG][PDR_KIND_FLOAT] = PLAN_LONG_FLOAT,
        [PDR_KIND_LONG][PDR_KIND_DOUBLE] = PLAN_LONG_DOUBLE,
        [PDR_KIND_FLOAT][PDR_KIND_FLOAT] = PLAN_FLOAT,
        [PDR_KIND_FLOAT][PDR_KIND_DOUBLE] = PLAN_FLOAT_DOUBLE,
        [PDR_KIND_DOUBLE][PDR_KIND_DOUBLE] = PLAN_DOUBLE,
        [PDR_KIND_BYTES][PDR_KIND_BYTES] = PLAN_BYTES,
        [PDR_KIND_BYTES][PDR_KIND_STRING] = PLAN_BYTES_STRING,
        [PDR_KIND_STRING][PDR_KIND_STRING] = PLAN_STRING,
        [PDR_KIND_STRING][PDR_KIND_BYTES] = PLAN_STRING_BYTES,
        [PDR_KIND_FIXED][PDR_KIND_FIXED] = PLAN_FIXED,
    };
    return (plan_op)ops[writer][reader];
}

static void value(plan_maker *m, const pdr_match *match, const pdr_layout *layout, uint32_t to)
{
    const pdr_schema *writer = match->writer, *reader = match->reader;
    if (m->code != PDR_OK) return;
    PDR_INVARIANT("layout-fits-schema", layout->kind == reader->kind);
    if (writer->kind == PDR_KIND_UNION) {
        writer_union(m, match, layout, to);
        return;
    }
    switch (reader->kind) {
    case PDR_KIND_UNION: reader_union(m, match, layout, to); break;
    case PDR_KIND_RECORD: record(m, match, layout, to); break;
    case PDR_KIND_ENUM: symbols(m, match, to); break;
    case PDR_KIND_ARRAY:
    case PDR_KIND_MAP: list(m, match, layout, to); break;
    case PDR_KIND_NULL: plan_emit(m, PLAN_ZERO, to)->count = 1; break;
    default: plan_emit(m, primitive(writer->kind, reader->kind), to)->count = (uint32_t)reader->count; break;
    }
}

/* ---- the whole ---- */

/* What calls call, each once; compiling one may ask for others. */
static void called(plan_maker *m)
{
    for (const plan_call *call = m->calls; call && m->code == PDR_OK; call = call->next) {
        uint32_t *start =
            call->match ? &m->starts[call->match->index] : &m->skip_starts[call->schema->number];
        if (*start == 0) {
            *start = plan_here(m);
            plan_place(m, call->match ? call->match->writer : call->schema, NULL);
            if (call->match)
                fields(m, call->match, call->layout, 0);
            else
                plan_skip_record(m, call->schema);
            (void)plan_emit(m, PLAN_END, 0);
        }
        plan_at(m, call->step)->jump = *start;
    }
}

static void tables(plan_maker *m, size_t writers)
{
    size_t pairs = m->all->count;
    m->weights = pdr_arena_calloc(&m->scratch, pairs, sizeof *m->weights);
    m->starts = pdr_arena_calloc(&m->scratch, pairs, sizeof *m->starts);
    m->skip_weights = pdr_arena_calloc(&m->scratch, writers + 1, sizeof *m->skip_weights);
    m->skip_starts = pdr_arena_calloc(&m->scratch, writers + 1, sizeof *m->skip_starts);
    m->least = pdr_arena_calloc(&m->scratch, writers + 1, sizeof *m->least);
    if (!m->weights || !m->starts || !m->skip_weights || !m->skip_starts || !m->least) plan_no_memory(m);
}

static void compile(plan_maker *m)
{
    const pdr_match *root = m->all->root;
    const pdr_schema_set *writers = root->writer->set;
    tables(m, pdr_schema_set_named_count(writers));
    if (m->code != PDR_OK) return;
    plan_find_least(m, writers);
    (void)weigh(m, root);
    (void)plan_emit(m, PLAN_END, 0); /* so that no start is 0 */
    m->plan->start = plan_here(m);
    m->plan->loop = m->weights[root->index] == PLAN_LOOP;
    m->place = "the datum";
    if (root->writer->kind == PDR_KIND_RECORD) {
        m->starts[root->index] = m->plan->start;
        plan_place(m, root->writer, NULL);
        fields(m, root, m->plan->reader->layout, 0);
    } else {
        value(m, root, m->plan->reader->layout, 0);
    }
    (void)plan_emit(m, PLAN_END, 0);
    called(m);
}

pdr_code plan_compile(pdr_plan *plan, const pdr_resolution *all, pdr_error *err)
{
    plan_maker m = {.plan = plan, .all = all, .place = "", .err = err};
    m.last_call = &m.calls;
    m.scratch.max = PLAN_MAX_MEMORY;
    plan->arena.max = PLAN_MAX_MEMORY;
    if (plan->reader->size > UINT32_MAX)
        m.code = pdr_fail(err, PDR_TOO_LARGE, "%s: a struct of more than 4 GiB", plan->reader->name);
    else
        compile(&m);
    pdr_arena_release(&m.scratch);
    return m.code;
}
