#include "tests/contract/subject_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

pdr_code pdr_subject_file_make(pdr_subject_file *out, const char *name, pdr_error *err)
{
    strcpy(out->folder, "/tmp/perdure-contract-XXXXXX");
    if (!mkdtemp(out->folder)) return pdr_fail(err, PDR_IO, "%s", out->folder);
    snprintf(out->path, sizeof out->path, "%s/%s", out->folder, name);
    return PDR_OK;
}

void pdr_subject_file_remove(const pdr_subject_file *file)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (int i = 0; i < 3; i++) {
        char path[100];
        snprintf(path, sizeof path, "%s%s", file->path, suffixes[i]);
        unlink(path);
    }
    rmdir(file->folder);
}
