/* The loan-application log as a file: gzip or plain, one header line, then rows of six columns.
 *
 *   at,application,activity,transition,resource,amount_requested
 *   2011-09-30T22:38:44.546000Z,173688,A_SUBMITTED,COMPLETE,112,20000
 *
 * No quoting: no column of this log needs it. One thread at a time. */
#ifndef LOANS_CSV_H
#define LOANS_CSV_H

#include "perdure/error.h"

enum {
    LOANS_MAX_LINE = 255,       /* bytes, without its end */
    LOANS_MAX_APPLICATION = 18, /* digits */
    LOANS_MAX_WORD = 63         /* bytes of an activity or a transition */
};

typedef struct loans_row {
    uint64_t number; /* 1: the first after the header; malformed ones count too */
    int64_t at_us;   /* microseconds since 1970 UTC */
    char application[LOANS_MAX_APPLICATION + 1];
    char activity[LOANS_MAX_WORD + 1];
    char transition[LOANS_MAX_WORD + 1];
    bool has_employee;
    int32_t employee;
    int64_t amount_requested; /* euro */
} loans_row;

typedef struct loans_csv loans_csv;

/* PDR_NOT_FOUND, PDR_IO, PDR_NOMEM; PDR_BAD_DATA if the first line isn't the header. */
PDR_CHECKED pdr_code loans_csv_open(loans_csv **out, const char *path, pdr_error *err);
/* The next row. *end: there was none. PDR_BAD_DATA: the line that the message names is malformed; the next
 * call goes on after it. Anything else (PDR_CORRUPT: the compressed file is damaged or cut off; PDR_IO) ends
 * the file. */
PDR_CHECKED pdr_code loans_csv_next(loans_csv *csv, loans_row *row, bool *end, pdr_error *err);
/* Back to before the first row. PDR_IO. */
PDR_CHECKED pdr_code loans_csv_rewind(loans_csv *csv, pdr_error *err);
void loans_csv_close(loans_csv *csv); /* NULL is fine */

/* One line, without its end, into the row's columns. */
PDR_CHECKED pdr_code loans_csv_parse(const char *line, size_t size, loans_row *row, pdr_error *err);

#endif
