/* Prints docs/errors.md from the table of codes in include/perdure/error.h. */
#include <stdio.h>

#include "perdure/error.h"

static const char *const class_meanings[] = {
    [PDR_CLASS_OK] = "",
    [PDR_CLASS_MISUSE] =
        "The call, a setting or a file is wrong. The same call fails again until it is mended.",
    [PDR_CLASS_NOT_FOUND] = "What was named isn't there.",
    [PDR_CLASS_CONFLICT] = "The state of things forbids it. Look again and decide again.",
    [PDR_CLASS_TRANSIENT] = "It may go through later as it is. What is asked again should have a command id.",
    [PDR_CLASS_DEPOSED] = "Another process owns the partition now. Nothing is broken.",
    [PDR_CLASS_CORRUPT] =
        "Stored bytes are not what they must be. A partition that meets this stops; the others go on.",
    [PDR_CLASS_FATAL] = "This process can't go on with it.",
    [PDR_CLASS_CANCELLED] = "It was asked to stop before it was done.",
};
enum { CLASSES = sizeof class_meanings / sizeof class_meanings[0] };

static const char head[] =
    "# Errors\n"
    "\n"
    "<!-- Printed from the table in include/perdure/error.h by tests/unit/base/errors_manual.c; a test keeps "
    "the two "
    "in step. -->\n"
    "\n"
    "Each error has one code; each code has one class, one text and one advice. `pdr_code_class` tells what "
    "can be\n"
    "done at all, `pdr_code_retry` whether the same call may go through later, `pdr_code_text` and "
    "`pdr_code_advice`\n"
    "give the texts below. The message of a `pdr_error` names the thing and the place; `backend` is the "
    "backend's own\n"
    "number. What the operator of a server does about each class is in [operations.md](operations.md).\n";

static void print_class(pdr_class class_)
{
    printf("\n## %s\n\n%s\n\n| code | retry | what happened | what to do |\n|---|---|---|---|\n",
           pdr_class_name(class_), class_meanings[class_]);
    for (int c = 0; c < PDR_CODE_COUNT; c++) {
        pdr_code code = (pdr_code)c;
        if (pdr_code_class(code) != class_) continue;
        printf("| `%s` | %s | %s | %s |\n", pdr_code_name(code), pdr_code_retry(code) ? "yes" : "no",
               pdr_code_text(code), pdr_code_advice(code));
    }
}

int main(void)
{
    fputs(head, stdout);
    for (int c = PDR_CLASS_MISUSE; c < CLASSES; c++)
        print_class((pdr_class)c);
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
