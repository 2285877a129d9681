#include "tests/support/log_text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "journal/record.h"

enum { INCARNATION = 1000 };

/* Where the FENCEs stand: the words are counted, as each takes one offset. */
static int64_t fence_offset(const char *text, int nth)
{
    int64_t offset = 0;
    for (const char *p = text; *p; offset++) {
        p += strspn(p, " ");
        if (*p == 'F' && nth-- == 0) return offset;
        p += strcspn(p, " ");
    }
    return 12345;
}

static bool append(array_log *log, const char *key, const pdr_header *header)
{
    pdr_buf buf = PDR_BUF_INIT(PDR_MAX_HEADER);
    if (pdr_header_encode(header, &buf) != PDR_OK) return false;
    pdr_log_entry entry = {.header = pdr_buf_bytes(&buf)};
    if (key) {
        entry.key = pdr_bytes_of(key, strlen(key));
        entry.value = pdr_bytes_of("value", 5);
    }
    array_log_append(log, &entry);
    pdr_buf_release(&buf);
    return true;
}

static bool append_numbered(array_log *log, const char *text, const char *word)
{
    int term = tolower((unsigned char)*word) - 'a';
    uint64_t incarnation = INCARNATION + (uint64_t)term + (isupper((unsigned char)*word) ? 100 : 0);
    char *p;
    pdr_header h = {.kind = PDR_RECORD_EVENT,
                    .term = {fence_offset(text, term), incarnation},
                    .number = strtoull(word + 1, &p, 10),
                    .index = 0,
                    .count = 1,
                    .schema = 1,
                    .back_offset = -1};
    const char *key = "k";
    if (*p == 'm')
        h.kind = PDR_RECORD_MARK, p++;
    else if (*p == 's')
        h.kind = PDR_RECORD_SCHEMA, p++;
    else if (*p == ':') {
        h.index = (uint32_t)strtoul(p + 1, &p, 10);
        if (*p != '/') return false;
        h.count = (uint32_t)strtoul(p + 1, &p, 10);
    }
    h.seq = h.number + h.index;
    if (*p == '=') key = p + 1, p += strlen(p);
    if (*p) return false;
    return append(log, h.kind == PDR_RECORD_EVENT && *key ? key : NULL, &h);
}

static bool append_word(array_log *log, const char *text, const char *word, int *fences)
{
    static const uint8_t malformed[] = {1, 4, 0}, too_new[] = {2, 4, 0};
    pdr_log_entry entry = {.key = pdr_bytes_of("k", 1), .value = pdr_bytes_of("value", 5)};
    pdr_header fence = {.kind = PDR_RECORD_FENCE, .term = {-1, INCARNATION}, .partitions = 8};
    switch (*word) {
    case 'F': fence.term.incarnation += (uint64_t)(*fences)++; return append(log, NULL, &fence);
    case 'x': array_log_append(log, &entry); return true;
    case '?':
        entry.header = pdr_bytes_of(malformed, 3);
        array_log_append(log, &entry);
        return true;
    case '!':
        entry.header = pdr_bytes_of(too_new, 3);
        array_log_append(log, &entry);
        return true;
    case '-': array_log_skip(log, 1); return true;
    default: return isalpha((unsigned char)*word) && append_numbered(log, text, word);
    }
}

bool log_text_append(array_log *log, const char *text)
{
    int fences = 0;
    for (const char *p = text + strspn(text, " "); *p; p += strspn(p, " ")) {
        char word[PDR_LOG_MAX_KEY + 40];
        size_t size = strcspn(p, " ");
        if (size >= sizeof word) return false;
        memcpy(word, p, size);
        word[size] = '\0';
        if (!append_word(log, text, word, &fences)) return false;
        p += size;
    }
    return true;
}
