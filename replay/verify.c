#include "replay/verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "perdure/sys/wire.h"
#include "replay/verify_core.h"

static const struct {
    const char *name, *about;
} rules[PDR_VERIFY_RULES] = {
#define RULE(name, text, about) {text, about},
    PDR_INVARIANT_MAP(RULE)
#undef RULE
};

const char *pdr_verify_name(pdr_verify_rule rule)
{
    return rules[rule].name;
}

const char *pdr_verify_about(pdr_verify_rule rule)
{
    return rules[rule].about;
}

/* --- findings --- */

static void count_and_tell(const pdr_verify *verify, pdr_verify_totals *totals, const pdr_finding *finding)
{
    totals->findings[finding->rule]++;
    verify->spec.sink->finding(verify->spec.context, finding);
}

/* What stores and logs hold may be no text, and what was cut may end within a character. */
static void make_text(char *text)
{
    size_t size = strlen(text);
    if (pdr_wire_utf8((const uint8_t *)text, size)) return;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] >= 0x80) text[i] = '?';
}

void verify_tell(verify_part *part, pdr_verify_rule rule, verify_where where, const char *expected,
                 const char *found, ...)
{
    char text[VERIFY_TEXT], wanted[VERIFY_TEXT];
    va_list arguments;
    va_start(arguments, found);
    (void)vsnprintf(text, sizeof text, found, arguments);
    va_end(arguments);
    (void)snprintf(wanted, sizeof wanted, "%s", expected);
    make_text(text);
    make_text(wanted);
    pdr_finding finding = {rule, part->number, where.offset, where.entity, where.seq, wanted, text};
    count_and_tell(part->verify, &part->totals, &finding);
}

void pdr_verify_tell(pdr_verify *verify, const pdr_finding *finding)
{
    count_and_tell(verify, &verify->own, finding);
}

const char *verify_position_text(char out[VERIFY_POSITION_TEXT], pdr_position p)
{
    (void)snprintf(out, VERIFY_POSITION_TEXT,
                   "record %" PRIu64 " of the term at %" PRId64 " (%016" PRIx64 "), at offset %" PRId64,
                   p.number, p.term.offset, p.term.incarnation, p.offset);
    return out;
}

/* --- life cycle --- */

static void stop_reading(verify_part *part)
{
    if (part->reading) pdr_commit_reader_release(&part->commits);
    part->reading = false;
}

static void release_part(verify_part *part)
{
    stop_reading(part);
    verify_forget(part);
    verify_place *places = part->places.items;
    verify_letter *letters = part->letters.items;
    for (size_t i = 0; i < part->places.count; i++)
        pdr_free(places[i].whose);
    for (size_t i = 0; i < part->letters.count; i++)
        pdr_free(letters[i].whose);
    pdr_free(places);
    pdr_free(letters);
    pdr_free(part->terms.items);
    pdr_free(part->schemas.items);
    pdr_free(part->copies);
    pdr_arena_release(&part->scratch);
    pdr_buf_release(&part->packed);
    pdr_buf_release(&part->text);
    pdr_buf_release(&part->other);
}

void pdr_verify_close(pdr_verify *verify)
{
    if (!verify) return;
    for (int32_t i = 0; verify->parts && i < verify->spec.partitions; i++)
        release_part(&verify->parts[i]);
    pdr_free(verify->parts);
    pdr_free(verify);
}

static void init_part(pdr_verify *verify, int32_t number)
{
    verify_part *part = &verify->parts[number];
    *part = (verify_part){.verify = verify,
                          .number = number,
                          .highest = PDR_POSITION_START,
                          .has_id = verify->spec.has_journal_id,
                          .scratch = PDR_ARENA_INIT(VERIFY_SCRATCH),
                          .packed = PDR_BUF_INIT(PDR_MAX_STATE),
                          .text = PDR_BUF_INIT(8 * (size_t)PDR_MAX_STATE),
                          .other = PDR_BUF_INIT(8 * (size_t)PDR_MAX_STATE)};
    memcpy(part->journal_id, verify->spec.journal_id, sizeof part->journal_id);
    part->left[part->left_count++] = (verify_slice){0, 0, -1};
}

pdr_code pdr_verify_open(pdr_verify **out, const pdr_verify_spec *spec, pdr_error *err)
{
    pdr_verify *verify = pdr_calloc(1, sizeof *verify);
    if (verify) {
        verify->spec = *spec;
        verify->share = spec->memory / (size_t)spec->partitions;
        verify->parts = pdr_calloc((size_t)spec->partitions, sizeof *verify->parts);
    }
    if (!verify || !verify->parts) {
        pdr_free(verify);
        return pdr_fail(err, PDR_NOMEM, "verifying %d partitions", (int)spec->partitions);
    }
    for (int32_t i = 0; i < spec->partitions; i++)
        init_part(verify, i);
    *out = verify;
    return PDR_OK;
}

/* --- passes --- */

static pdr_code begin_part(verify_part *part, pdr_error *err)
{
    stop_reading(part);
    verify_forget(part);
    part->first = part->left_count == 1 && part->left[0].mask == 0;
    part->wanted = part->left_count > 0;
    if (!part->wanted) return PDR_OK;
    part->slice = part->left[--part->left_count];
    part->terms.count = part->schemas.count = 0;
    part->now = -1;
    if (!part->copies) part->copies = pdr_alloc(VERIFY_COPIES * sizeof *part->copies);
    if (!part->copies) return pdr_fail(err, PDR_NOMEM, "verifying partition %d", (int)part->number);
    memset(part->copies, 0, VERIFY_COPIES * sizeof *part->copies);
    pdr_commit_reader_init(&part->commits, PDR_POSITION_START, verify_commit_sink(), part);
    part->reading = true;
    return PDR_OK;
}

pdr_code pdr_verify_begin(pdr_verify *verify, pdr_error *err)
{
    pdr_code code = PDR_OK;
    verify->last_size = 0;
    for (int32_t i = 0; code == PDR_OK && i < verify->spec.partitions; i++)
        code = begin_part(&verify->parts[i], err);
    return code;
}

bool pdr_verify_wants(const pdr_verify *verify, int32_t partition)
{
    return verify->parts[partition].wanted;
}

bool pdr_verify_unfinished(const pdr_verify *verify)
{
    for (int32_t i = 0; i < verify->spec.partitions; i++)
        if (verify->parts[i].left_count) return true;
    return false;
}

/* --- totals --- */

/* All members are numbers of one kind. */
static void add(pdr_verify_totals *to, const pdr_verify_totals *from)
{
    uint64_t *sums = (uint64_t *)(void *)to;
    const uint64_t *more = (const uint64_t *)(const void *)from;
    for (size_t i = 0; i < sizeof *to / sizeof *sums; i++)
        sums[i] += more[i];
}

pdr_verify_totals pdr_verify_totals_of(const pdr_verify *verify)
{
    pdr_verify_totals totals = verify->own;
    for (int32_t i = 0; i < verify->spec.partitions; i++)
        add(&totals, &verify->parts[i].totals);
    return totals;
}

uint64_t pdr_verify_findings(const pdr_verify_totals *totals)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < PDR_VERIFY_RULES; i++)
        sum += totals->findings[i];
    return sum;
}
