#include "cli/step_keys.h"

#include <errno.h>
#include <histedit.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/late.h"
#include "base/mem.h"
#include "cli/out.h"

#define FUNCTIONS(X)                                                                                         \
    X(el_cursor)                                                                                             \
    X(el_end)                                                                                                \
    X(el_get)                                                                                                \
    X(el_gets)                                                                                               \
    X(el_init)                                                                                               \
    X(el_insertstr)                                                                                          \
    X(el_line)                                                                                               \
    X(el_set)
PDR_LATE_LIBRARY(PDR_EDIT_FILE, FUNCTIONS);

struct pdr_step_keys {
    const char *prompt;
    EditLine *editor; /* NULL: no terminal */
    pdr_buf text;     /* the line, without its end once it is given */
};

/* --- bytes --- */

/* ^C may come at any moment, also just before one sleeps: so nobody sleeps long. */
static bool wait_for_byte(void)
{
    enum { LOOK_MS = 100 };
    struct pollfd in = {STDIN_FILENO, POLLIN, 0};
    while (!pdr_stopped()) {
        int ready = poll(&in, 1, LOOK_MS);
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return false;
    }
    return false;
}

/* 1, or 0 at the end, or -1. */
static int read_byte(unsigned char *byte)
{
    return wait_for_byte() ? (int)read(STDIN_FILENO, byte, 1) : 0;
}

/* --- in a terminal --- */

/* Commands are ASCII. */
static int read_key(EditLine *editor, wchar_t *key)
{
    unsigned char byte;
    (void)editor;
    int got = read_byte(&byte);
    *key = got == 1 ? (wchar_t)byte : 0;
    return got;
}

static char *tell_prompt(EditLine *editor)
{
    pdr_step_keys *keys;
    if (late.el_get(editor, EL_CLIENTDATA, &keys) != 0) return NULL;
    return (char *)keys->prompt; /* libedit doesn't write into it */
}

/* In a line that is begun the arrow moves the cursor, as everywhere. */
static unsigned char arrow(EditLine *editor, const char *word, int move)
{
    const LineInfo *line = late.el_line(editor);
    if (line->lastchar != line->buffer) {
        (void)late.el_cursor(editor, move);
        return CC_CURSOR;
    }
    return late.el_insertstr(editor, word) == 0 ? CC_NEWLINE : CC_ERROR;
}

static unsigned char forth(EditLine *editor, int key)
{
    (void)key;
    return arrow(editor, "next", 1);
}

static unsigned char back(EditLine *editor, int key)
{
    (void)key;
    return arrow(editor, "back", -1);
}

/* Right and down, left and up; as terminals send them in both of their modes. */
static const char *const forward_keys[] = {"\033[C", "\033OC", "\033[B", "\033OB"};
static const char *const backward_keys[] = {"\033[D", "\033OD", "\033[A", "\033OA"};

static bool set_up(pdr_step_keys *keys)
{
    EditLine *editor = keys->editor;
    bool done =
        late.el_set(editor, EL_CLIENTDATA, keys) == 0 && late.el_set(editor, EL_PROMPT, tell_prompt) == 0 &&
        late.el_set(editor, EL_EDITOR, "emacs") == 0 && late.el_set(editor, EL_GETCFN, read_key) == 0 &&
        late.el_set(editor, EL_ADDFN, "step-forth", "to the next event", forth) == 0 &&
        late.el_set(editor, EL_ADDFN, "step-back", "to the event before", back) == 0;
    for (int i = 0; done && i < 4; i++)
        done = late.el_set(editor, EL_BIND, forward_keys[i], "step-forth", NULL) == 0 &&
               late.el_set(editor, EL_BIND, backward_keys[i], "step-back", NULL) == 0;
    return done;
}

/* --- both --- */

pdr_code pdr_step_keys_open(pdr_step_keys **out, const char *prompt, pdr_error *err)
{
    pdr_step_keys *keys = pdr_calloc(1, sizeof *keys);
    *out = keys;
    if (!keys) return pdr_fail(err, PDR_NOMEM, "reading commands");
    keys->prompt = prompt;
    keys->text = (pdr_buf)PDR_BUF_INIT(64 * 1024);
    if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1) return PDR_OK;
    pdr_code code = pdr_late_load(&library, err);
    if (code != PDR_OK) {
        pdr_step_keys_close(keys);
        *out = NULL;
        return code;
    }
    keys->editor = late.el_init("perdure", stdin, stdout, stderr);
    if (keys->editor && set_up(keys)) return PDR_OK;
    pdr_step_keys_close(keys);
    *out = NULL;
    return pdr_fail(err, PDR_FATAL, "libedit can't use this terminal");
}

void pdr_step_keys_close(pdr_step_keys *keys)
{
    if (!keys) return;
    if (keys->editor) late.el_end(keys->editor);
    pdr_buf_release(&keys->text);
    pdr_free(keys);
}

bool pdr_step_keys_is_terminal(const pdr_step_keys *keys)
{
    return keys->editor != NULL;
}

/* NULL: there is no more. */
static const char *read_line(pdr_step_keys *keys, int *size)
{
    unsigned char byte = 0;
    if (keys->editor) {
        /* Before the prompt: libedit does it after, and a ^D typed in between would be lost. */
        (void)late.el_set(keys->editor, EL_PREP_TERM, 1);
        return late.el_gets(keys->editor, size);
    }
    pdr_buf_clear(&keys->text);
    while (byte != '\n' && read_byte(&byte) == 1)
        if (pdr_buf_append(&keys->text, &byte, 1) != PDR_OK) return NULL;
    *size = (int)keys->text.size;
    return (const char *)keys->text.data;
}

const char *pdr_step_keys_next(pdr_step_keys *keys)
{
    int size = 0;
    const char *line = read_line(keys, &size);
    if (!line || size <= 0 || pdr_stopped()) return NULL;
    while (size > 0 && (line[size - 1] == '\n' || line[size - 1] == '\r' || line[size - 1] == ' '))
        size--;
    if (keys->editor) {
        pdr_buf_clear(&keys->text);
        if (pdr_buf_append(&keys->text, line, (size_t)size) != PDR_OK) return NULL;
    }
    keys->text.size = (size_t)size;
    if (pdr_buf_append(&keys->text, "", 1) != PDR_OK) return NULL;
    return (const char *)keys->text.data;
}
