/* A file of its own in a folder of its own: what the SQLite subjects are places in. */
#ifndef PDR_TESTS_SUBJECT_FILE_H
#define PDR_TESTS_SUBJECT_FILE_H

#include "perdure/error.h"

typedef struct pdr_subject_file {
    char folder[64], path[80];
} pdr_subject_file;

/* The folder is made, the file isn't. */
PDR_CHECKED pdr_code pdr_subject_file_make(pdr_subject_file *out, const char *name, pdr_error *err);
/* With what SQLite makes beside it. */
void pdr_subject_file_remove(const pdr_subject_file *file);

#endif
