/* Standard output of the commands that show things: colour and width of a terminal, JSON lines elsewhere,
 * broken pipes; and ^C in long work.
 *
 *     pdr_code code = pdr_out_open(&out, json, err);
 *     ... code = pdr_out_put(out, PDR_COLOUR_BOLD, "%s", name); ... code = pdr_out_end(out, err); ...
 *     code = pdr_out_close(out, code, err);
 *     return code == PDR_OK ? PDR_EXIT_DONE : pdr_cli_fail(command, err);
 *
 * pdr_cli_fail passes over a reader that went away with PDR_EXIT_DONE and not a word. */
#ifndef PDR_CLI_OUT_H
#define PDR_CLI_OUT_H

#include "perdure/bytes.h"

typedef enum pdr_colour {
    PDR_COLOUR_PLAIN,
    PDR_COLOUR_DIM,    /* what matters less: offsets, ids */
    PDR_COLOUR_BOLD,   /* names */
    PDR_COLOUR_GOOD,   /* added, fine */
    PDR_COLOUR_BAD,    /* removed, wrong */
    PDR_COLOUR_CHANGED /* highlighted */
} pdr_colour;

typedef struct pdr_out pdr_out;

/* `json`: the command's --json. Colour and width are a terminal's: a pipe, a file and JSON have none;
 * NO_COLOR (not empty) and TERM=dumb take the colour away, COLUMNS says another width. */
PDR_CHECKED pdr_code pdr_out_open(pdr_out **out, bool json, pdr_error *err);
/* Writes what is left, the line under way too. `code` and `err` are how the work ended: if it failed they
 * stay as they are. PDR_IO: something couldn't be written (a full disk); a reader that went away (head) is no
 * failure. Frees it in any case; NULL is fine. */
PDR_CHECKED pdr_code pdr_out_close(pdr_out *out, pdr_code code, pdr_error *err);
bool pdr_out_is_json(const pdr_out *out);
bool pdr_out_is_coloured(const pdr_out *out);
unsigned pdr_out_width(const pdr_out *out); /* columns; 0: don't cut */
/* The line under way: append text to it, by hand or by these, then end it. */
pdr_buf *pdr_out_line(pdr_out *out);
/* Control characters in the text, which an id from outside may have, reach no terminal: '?' stands for each.
 */
PDR_CHECKED pdr_code pdr_out_put(pdr_out *out, pdr_colour colour, const char *format, ...) PDR_PRINTF(3, 4);
/* PDR_CANCELLED: nobody reads any more (broken pipe): stop, and exit 0. PDR_IO. */
PDR_CHECKED pdr_code pdr_out_end(pdr_out *out, pdr_error *err);
/* What was ended is to be seen now: before waiting for more (--follow). As pdr_out_end. */
PDR_CHECKED pdr_code pdr_out_flush(pdr_out *out, pdr_error *err);

/* ^C and SIGTERM in long work: from the first call on they only set a flag; the second ^C ends the process. A
 * command that was stopped so exits with PDR_EXIT_STOPPED after saying how to go on. */
void pdr_stop_on_signals(void);
bool pdr_stopped(void); /* any thread */

/* For who has workers, before their threads are made: from now on neither comes by itself, both are asked
 * for. */
void pdr_hold_signals(void);
bool pdr_signal_comes(int ms); /* one that is held, within so long */

#endif
