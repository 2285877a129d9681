#include "tests/support/hex.h"

#include <ctype.h>
#include <stdio.h>

static int digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_read(const char *text, pdr_buf *out)
{
    for (const char *p = text; *p;) {
        if (*p == '#') {
            p += strcspn(p, "\n");
            continue;
        }
        if (isspace((unsigned char)*p)) {
            p++;
            continue;
        }
        int high = digit(p[0]), low = high < 0 ? -1 : digit(p[1]);
        if (low < 0) return false;
        uint8_t byte = (uint8_t)(high * 16 + low);
        if (pdr_buf_append(out, &byte, 1) != PDR_OK) return false;
        p += 2;
    }
    return true;
}

bool hex_read_golden(const char *path, pdr_buf *out)
{
    char name[1024], text[32768];
    snprintf(name, sizeof name, "%s/tests/golden/%s", PDR_SOURCE_DIR, path);
    FILE *file = fopen(name, "r");
    if (!file) return false;
    size_t size = fread(text, 1, sizeof text - 1, file);
    bool whole = feof(file) && !ferror(file);
    fclose(file);
    text[size] = '\0';
    return whole && hex_read(text, out);
}
