#include "cli/nearest.h"

enum { LETTERS = 63 };

bool pdr_is_named(const char *type, pdr_string name)
{
    const char *dot = strrchr(type, '.');
    return pdr_string_equal(pdr_string_of(type), name) ||
           (dot && pdr_string_equal(pdr_string_of(dot + 1), name));
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Damerau and Levenshtein's distance, by rows; a letter may be swapped once. */
int pdr_letters_between(const char *a, const char *b)
{
    int rows[3][LETTERS + 1], *before = rows[0], *last = rows[1], *row = rows[2];
    int a_size = (int)strnlen(a, LETTERS), b_size = (int)strnlen(b, LETTERS);
    for (int j = 0; j <= b_size; j++)
        before[j] = last[j] = j;
    for (int i = 1; i <= a_size; i++) {
        row[0] = i;
        for (int j = 1; j <= b_size; j++) {
            row[j] = least(last[j - 1] + (a[i - 1] != b[j - 1]), least(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        int *spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[b_size];
}

void pdr_nearest_offer(pdr_nearest *n, const char *word)
{
    size_t size = strlen(n->wanted);
    int most = least((int)size / 3, LETTERS), distance = pdr_letters_between(n->wanted, word);
    if (most < 1) most = 1;
    if (size >= 2 && strncmp(word, n->wanted, size) == 0) distance = least(distance, 1);
    if (size == 0 || distance > most || (n->found && distance >= n->distance)) return;
    n->found = word;
    n->distance = distance;
}
