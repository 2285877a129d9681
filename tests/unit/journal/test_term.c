#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "journal/commit_reader.h"
#include "tests/support/log_text.h"
#include "tests/support/made_log.h"

/* One letter per verdict. */
static char letter(pdr_verdict verdict)
{
    static const char letters[] = {
        [PDR_VERDICT_FOREIGN] = 'x', [PDR_VERDICT_MALFORMED] = '?', [PDR_VERDICT_VOID] = 'v',
        [PDR_VERDICT_FENCE] = 'F',   [PDR_VERDICT_SCHEMA] = 'S',    [PDR_VERDICT_MARK] = 'M',
        [PDR_VERDICT_EVENT] = 'E',   [PDR_VERDICT_COMMIT] = 'C',    [PDR_VERDICT_TOO_NEW] = 'N',
        [PDR_VERDICT_CORRUPT] = '!'};
    return letters[verdict];
}

typedef struct log_case {
    const char *claim, *log, *verdicts;
} log_case;

static const log_case cases[] = {
    {"an empty log says nothing", "", ""},
    {"numbers in order count", "F a1 a2 a3", "FCCC"},
    {"before the first FENCE nothing counts", "a1 b1 F", "vvF"},
    {"all kinds take numbers", "F a1s a2 a3m a4", "FSCMC"},
    {"behind a hole nothing counts", "F a1 a3 a4 a5m", "FCvvv"},
    {"a repeat is void", "F a1 a1 a2 a2 a3 a1 a2 a3 a4", "FCvCvCvvvC"},
    {"a first number other than 1 is void", "F a2 a3 a1 a2", "FvvCC"},
    {"a record that overtook its elder is void", "F a1 a3 a2 a3", "FCvCC"},
    {"a zombie's records are void", "F a1 F a2 b1 a3 b2 a4", "FCFvCvCv"},
    {"a zombie can't come back", "F F a1 b1 a1 a2", "FFvCvv"},
    {"a term needs its incarnation, too", "F A1 a1 A2", "FvCv"},
    {"a term of the future isn't in force", "F b1 a1 F b1", "FvCFC"},
    {"two FENCEs in a row", "F F F c1", "FFFC"},
    {"foreign and malformed records are void and change nothing", "x F ? a1 x ? a2", "xF?Cx?C"},
    {"offsets may be empty", "F - a1 - - a2", "FCC"},
    {"a commit counts with its last event", "F a1:0/3 a2:1/3 a3:2/3", "FEEC"},
    {"voids may stand in a commit", "F a1:0/2 x a1:0/2 ? a3 b1 a2:1/2", "FExv?vvC"},
    {"a FENCE voids an open commit", "F a1:0/3 a2:1/3 F a3:2/3 b1", "FEEFvC"},
    {"a hole leaves a commit open", "F a1:0/2 a3 a4 F b1", "FEvvFC"},
    {"a newer format stops", "F a1 ! a2", "FCN"},
    {"a newer format stops, whatever its term", "! F", "N"},
    {"an event with index 1 can't begin a commit", "F a1:1/2", "F!"},
    {"an open commit must go on with its next index", "F a1:0/3 a2:2/3", "FE!"},
    {"... not with the same index", "F a1:0/3 a2:0/3", "FE!"},
    {"... and with the same count", "F a1:0/3 a2:1/2", "FE!"},
    {"... and of the same entity", "F a1:0/2=k a2:1/2=kk", "FE!"},
    {"a commit of one can't stand in an open one", "F a1:0/2 a2", "FE!"},
    {"a MARK can't stand in an open commit", "F a1:0/2 a2m", "FE!"},
    {"a SCHEMA can't stand in an open commit", "F a1:0/2 a2s", "FE!"},
    {"an event without entity is corrupt", "F a1=", "F!"},
    {"the example of docs/formats/record.md", "F a1s a2 a2 a3:0/2 x F a4:1/2 b1s b3 b2", "FSCvExFvSvC"},
    {"void records may break the rules of commits", "F a2:1/2 F a1:0/2=k a2:1/2=kk b1", "FvFvvC"},
};

typedef struct sight {
    char *verdicts; /* one letter each, NUL-terminated */
    pdr_walk walk;  /* at the end */
    uint64_t voided;
} sight;

/* Walk from a position over all that follows it, up to a verdict that stops. */
static sight look(const array_log *log, pdr_position from)
{
    sight s = {.verdicts = calloc(1, log->count + 1)};
    pdr_walk_init(&s.walk, from);
    size_t n = 0;
    for (size_t i = array_log_find(log, from.offset + 1); i < log->count; i++) {
        pdr_header header;
        uint32_t voided;
        pdr_error err = {0};
        pdr_walk before = s.walk;
        pdr_verdict verdict = pdr_walk_step(&s.walk, &log->records[i], &header, &voided, &err);
        s.verdicts[n++] = letter(verdict);
        s.voided += voided;
        cr_assert(voided == 0 || verdict == PDR_VERDICT_FENCE);
        bool stops = verdict == PDR_VERDICT_TOO_NEW || verdict == PDR_VERDICT_CORRUPT;
        cr_assert_eq(stops, err.code != PDR_OK);
        if (stops) {
            cr_assert_eq(memcmp(&before, &s.walk, sizeof before), 0, "the walk stays where it was");
            break;
        }
        cr_assert_eq(s.walk.offset, log->records[i].offset);
    }
    return s;
}

static bool same_state(const pdr_walk *a, const pdr_walk *b)
{
    return pdr_position_equal(a->at, b->at) && pdr_term_equal(a->term, b->term) && a->count == b->count &&
           a->offset == b->offset && a->open == b->open && (!a->open || a->open_count == b->open_count);
}

Test(term, gives_each_record_its_verdict)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        array_log log;
        array_log_init(&log);
        cr_assert(log_text_append(&log, cases[i].log), "%s", cases[i].log);
        sight s = look(&log, PDR_POSITION_START);
        cr_assert_str_eq(s.verdicts, cases[i].verdicts, "%s: %s gives %s", cases[i].claim, cases[i].log,
                         s.verdicts);
        free(s.verdicts);
        array_log_release(&log);
    }
}

Test(term, tells_how_many_records_of_an_open_commit_a_fence_voids)
{
    array_log log;
    array_log_init(&log);
    cr_assert(log_text_append(&log, "F a1:0/4 a2:1/4 a3:2/4 F b1 F c1:0/2 F"));
    sight s = look(&log, PDR_POSITION_START);
    cr_assert_eq(s.voided, 4);
    free(s.verdicts);
    array_log_release(&log);
}

Test(term, refuses_an_entity_id_that_is_too_long)
{
    char text[PDR_LOG_MAX_KEY + 40] = "F a1=";
    memset(text + 5, 'k', PDR_LOG_MAX_KEY);
    for (int more = 0; more < 2; more++) {
        array_log log;
        array_log_init(&log);
        text[5 + PDR_LOG_MAX_KEY] = more ? 'k' : '\0';
        cr_assert(log_text_append(&log, text));
        sight s = look(&log, PDR_POSITION_START);
        cr_assert_str_eq(s.verdicts, more ? "F!" : "FC");
        free(s.verdicts);
        array_log_release(&log);
    }
}

Test(term, rests_outside_open_commits)
{
    array_log log;
    array_log_init(&log);
    cr_assert(log_text_append(&log, "F a1 a2:0/3 x a3:1/3"));
    sight s = look(&log, PDR_POSITION_START);
    cr_assert_eq(s.walk.at.offset, 1);
    cr_assert_eq(s.walk.at.number, 1);
    cr_assert_eq(s.walk.open, 2);
    free(s.verdicts);
    array_log_release(&log);
}

static void expect_same_from(const made_log *made, const sight *whole, pdr_position from)
{
    size_t skipped = array_log_find(&made->log, from.offset + 1);
    sight s = look(&made->log, from);
    cr_assert_str_eq(s.verdicts, whole->verdicts + skipped, "from offset %lld", (long long)from.offset);
    cr_assert(same_state(&s.walk, &whole->walk) || skipped == made->log.count);
    free(s.verdicts);
}

Test(term, gives_the_same_verdicts_from_each_valid_position)
{
    for (uint64_t seed = 1; seed <= 120; seed++) {
        made_log made;
        made_init(&made, seed);
        made_weights w = {5, 6, 3, 1 + (unsigned)(seed % 4), 1, 1 + (unsigned)(seed % 4), 5};
        made_run(&made, &w, 300);
        sight whole = look(&made.log, PDR_POSITION_START);
        cr_assert_eq(strlen(whole.verdicts), made.log.count);
        cr_assert_gt(made.start_count, 10);
        for (size_t i = 0; i < made.start_count; i++)
            expect_same_from(&made, &whole, made.starts[i]);
        free(whole.verdicts);
        made_release(&made);
    }
}

/* What the walk offers as a place to start again is one of the log's. */
Test(term, offers_exactly_the_valid_positions_to_start_again)
{
    for (uint64_t seed = 200; seed <= 260; seed++) {
        made_log made;
        made_init(&made, seed);
        made_weights w = {5, 6, 3, 2, 1, 4, 5};
        made_run(&made, &w, 300);
        pdr_walk walk;
        pdr_walk_init(&walk, PDR_POSITION_START);
        size_t met = 0;
        for (size_t i = 0; i < made.log.count; i++) {
            pdr_header header;
            uint32_t voided;
            pdr_position before = walk.at;
            (void)pdr_walk_step(&walk, &made.log.records[i], &header, &voided, NULL);
            if (pdr_position_equal(before, walk.at)) continue;
            cr_assert_lt(met, made.start_count);
            cr_assert(pdr_position_equal(walk.at, made.starts[met]));
            met++;
        }
        cr_assert_eq(met, made.start_count);
        made_release(&made);
    }
}
