#include "activity.h"

#include <string.h>

typedef struct name {
    const char *text;
    int value;
} name;

static const name application_steps[] = {
    {"A_PARTLYSUBMITTED", LOANS_APPLICATION_STEP_PARTLY_SUBMIT},
    {"A_PREACCEPTED", LOANS_APPLICATION_STEP_PREACCEPT},
    {"A_ACCEPTED", LOANS_APPLICATION_STEP_ACCEPT},
    {"A_FINALIZED", LOANS_APPLICATION_STEP_FINALIZE},
    {"A_APPROVED", LOANS_APPLICATION_STEP_APPROVE},
    {"A_REGISTERED", LOANS_APPLICATION_STEP_REGISTER},
    {"A_ACTIVATED", LOANS_APPLICATION_STEP_ACTIVATE},
    {"A_DECLINED", LOANS_APPLICATION_STEP_DECLINE},
    {"A_CANCELLED", LOANS_APPLICATION_STEP_CANCEL},
    {NULL, 0},
};

static const name offer_steps[] = {
    {"O_SELECTED", LOANS_OFFER_STEP_SELECT},  {"O_CREATED", LOANS_OFFER_STEP_CREATE},
    {"O_SENT", LOANS_OFFER_STEP_SEND},        {"O_SENT_BACK", LOANS_OFFER_STEP_SEND_BACK},
    {"O_ACCEPTED", LOANS_OFFER_STEP_ACCEPT},  {"O_DECLINED", LOANS_OFFER_STEP_DECLINE},
    {"O_CANCELLED", LOANS_OFFER_STEP_CANCEL}, {NULL, 0},
};

static const name work_kinds[] = {
    {"W_Afhandelen leads", LOANS_WORK_KIND_HANDLE_LEAD},
    {"W_Beoordelen fraude", LOANS_WORK_KIND_ASSESS_FRAUD},
    {"W_Completeren aanvraag", LOANS_WORK_KIND_COMPLETE_APPLICATION},
    {"W_Nabellen incomplete dossiers", LOANS_WORK_KIND_CHASE_INCOMPLETE_FILE},
    {"W_Nabellen offertes", LOANS_WORK_KIND_CALL_ABOUT_OFFER},
    {"W_Valideren aanvraag", LOANS_WORK_KIND_VALIDATE_APPLICATION},
    {"W_Wijzigen contractgegevens", LOANS_WORK_KIND_CHANGE_CONTRACT},
    {NULL, 0},
};

static const name work_steps[] = {
    {"SCHEDULE", LOANS_WORK_STEP_SCHEDULE},
    {"START", LOANS_WORK_STEP_START},
    {"COMPLETE", LOANS_WORK_STEP_COMPLETE},
    {NULL, 0},
};

static bool find(const name *names, const char *text, int *value)
{
    for (; names->text; names++)
        if (strcmp(names->text, text) == 0) {
            *value = names->value;
            return true;
        }
    return false;
}

#define BY                                                                                                   \
    {                                                                                                        \
        {                                                                                                    \
            row->has_employee, row->employee                                                                 \
        }                                                                                                    \
    }

static bool work_command(const loans_row *row, loans_command *out)
{
    int kind, step;
    if (!find(work_kinds, row->activity, &kind) || !find(work_steps, row->transition, &step)) return false;
    out->type = &loans_move_work_type;
    out->as.work = (loans_move_work){row->at_us, (loans_work_kind)kind, (loans_work_step)step, BY};
    return true;
}

/* Applications and offers only ever complete a step. */
static bool step_command(const loans_row *row, loans_command *out)
{
    int step;
    if (strcmp(row->transition, "COMPLETE") != 0) return false;
    if (strcmp(row->activity, "A_SUBMITTED") == 0) {
        out->type = &loans_submit_application_type;
        out->as.submit = (loans_submit_application){row->at_us, row->amount_requested, BY};
    } else if (find(application_steps, row->activity, &step)) {
        out->type = &loans_move_application_type;
        out->as.application = (loans_move_application){row->at_us, (loans_application_step)step, BY};
    } else if (find(offer_steps, row->activity, &step)) {
        out->type = &loans_move_offer_type;
        out->as.offer = (loans_move_offer){row->at_us, (loans_offer_step)step, BY};
    } else {
        return false;
    }
    return true;
}

pdr_code loans_command_of(const loans_row *row, loans_command *out, pdr_error *err)
{
    if (row->activity[0] == 'W' ? work_command(row, out) : step_command(row, out)) return PDR_OK;
    return pdr_fail(err, PDR_BAD_DATA, "row %llu: no such activity: \"%s\", \"%s\"",
                    (unsigned long long)row->number, row->activity, row->transition);
}
