/* The bank's log against the entity's rules: where they differ, the rules are wrong. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "activity.h"
#include "base/mem.h"
#include "loan_probe.h"

enum { APPLICATIONS = 1000000 };

Test(loan_log, every_row_makes_exactly_one_event_and_the_outcomes_are_the_published_ones)
{
    loan_probe probe;
    loans_csv *csv;
    loans_row row;
    loans_command command;
    pdr_error err;
    bool end;
    uint64_t rows = 0, entities = 0, approved = 0, declined = 0, cancelled = 0;
    pdr_state *states = pdr_calloc(APPLICATIONS, sizeof *states);
    loan_probe_open(&probe);
    cr_assert_eq(loans_csv_open(&csv, PDR_LOANS_DATA, &err), PDR_OK, "%s", err.message);
    for (;;) {
        cr_assert_eq(loans_csv_next(csv, &row, &end, &err), PDR_OK, "%s", err.message);
        if (end) break;
        unsigned long application = strtoul(row.application, NULL, 10);
        cr_assert_lt(application, APPLICATIONS);
        cr_assert_eq(loans_command_of(&row, &command, &err), PDR_OK, "%s", err.message);
        entities += states[application].value == NULL;
        const pdr_type *type = loan_probe_tell(&probe, &states[application], command.type, &command.as);
        cr_assert_not_null(type, "row %llu is refused: %s", (unsigned long long)row.number,
                           probe.decision.answer);
        approved += type == &loans_application_approved_type;
        declined += type == &loans_application_declined_type;
        cancelled += type == &loans_application_cancelled_type;
        cr_assert_eq(row.number, ++rows);
    }
    cr_assert_eq(rows, 262200);
    cr_assert_eq(entities, 13087);
    cr_assert_eq(approved, 2246);
    cr_assert_eq(declined, 7635);
    cr_assert_eq(cancelled, 2807);
    loans_csv_close(csv);
    for (size_t i = 0; i < APPLICATIONS; i++)
        pdr_state_release(&states[i]);
    pdr_free(states);
    loan_probe_close(&probe);
}
