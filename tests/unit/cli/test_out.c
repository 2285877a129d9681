#include <criterion/criterion.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/common.h"
#include "cli/out.h"

/* Each test is a process of its own, whose standard output goes where the test says. */
static int screen = -1;

static void to_terminal(const char *term, unsigned short columns)
{
    int terminal;
    struct winsize size = {.ws_row = 25, .ws_col = columns};
    cr_assert_eq(openpty(&screen, &terminal, NULL, NULL, &size), 0);
    cr_assert_eq(dup2(terminal, STDOUT_FILENO), STDOUT_FILENO);
    setenv("TERM", term, 1);
    unsetenv("NO_COLOR");
    unsetenv("COLUMNS");
    signal(SIGPIPE, SIG_IGN);
}

static void to_pipe(void)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    screen = ends[0];
    cr_assert_eq(dup2(ends[1], STDOUT_FILENO), STDOUT_FILENO);
    close(ends[1]);
    setenv("TERM", "xterm", 1);
    signal(SIGPIPE, SIG_IGN);
}

static const char *seen(void)
{
    static char text[4096];
    ssize_t size = read(screen, text, sizeof text - 1);
    text[size > 0 ? size : 0] = '\0';
    return text;
}

static pdr_out *open_out(bool json)
{
    pdr_out *out;
    cr_assert_eq(pdr_out_open(&out, json, NULL), PDR_OK);
    return out;
}

static void put_line(pdr_out *out)
{
    cr_assert_eq(pdr_out_put(out, PDR_COLOUR_BOLD, "loan/%d", 7), PDR_OK);
    cr_assert_eq(pdr_out_put(out, PDR_COLOUR_PLAIN, " %s", "declined"), PDR_OK);
    cr_assert_eq(pdr_out_end(out, NULL), PDR_OK);
}

Test(out, a_terminal_has_colour_and_width)
{
    to_terminal("xterm", 73);
    pdr_out *out = open_out(false);
    cr_assert_eq(pdr_out_width(out), 73);
    cr_assert(pdr_out_is_coloured(out));
    put_line(out);
    cr_assert_eq(pdr_out_close(out, PDR_OK, NULL), PDR_OK);
    cr_assert_str_eq(seen(), "\033[1mloan/7\033[0m declined\r\n");
}

Test(out, a_pipe_has_neither_colour_nor_width)
{
    to_pipe();
    setenv("COLUMNS", "50", 1);
    pdr_out *out = open_out(false);
    cr_assert_eq(pdr_out_width(out), 0);
    put_line(out);
    cr_assert_eq(pdr_out_close(out, PDR_OK, NULL), PDR_OK);
    cr_assert_str_eq(seen(), "loan/7 declined\n");
}

Test(out, json_has_neither_on_a_terminal)
{
    to_terminal("xterm", 73);
    pdr_out *out = open_out(true);
    cr_assert(pdr_out_is_json(out));
    cr_assert_eq(pdr_out_width(out), 0);
    put_line(out);
    cr_assert_eq(pdr_out_close(out, PDR_OK, NULL), PDR_OK);
    cr_assert_str_eq(seen(), "loan/7 declined\r\n");
}

Test(out, a_dumb_terminal_has_no_colour)
{
    to_terminal("dumb", 73);
    pdr_out *out = open_out(false);
    cr_assert_not(pdr_out_is_coloured(out));
    put_line(out);
    cr_assert_eq(pdr_out_close(out, PDR_OK, NULL), PDR_OK);
    cr_assert_str_eq(seen(), "loan/7 declined\r\n");
}

Test(out, no_color_is_obeyed_unless_it_is_empty)
{
    to_terminal("xterm", 73);
    setenv("NO_COLOR", "", 1);
    pdr_out *out = open_out(false);
    cr_assert(pdr_out_is_coloured(out));
    cr_assert_eq(pdr_out_close(out, PDR_OK, NULL), PDR_OK);
    setenv("NO_COLOR", "1", 1);
    out = open_out(false);
    cr_assert_not(pdr_out_is_coloured(out));
    cr_assert_eq(pdr_out_close(out, PDR_OK, NULL), PDR_OK);
}

Test(out, a_terminal_without_width_is_not_cut_and_columns_says_another)
{
    static const struct {
        const char *columns;
        unsigned width;
    } cases[] = {{"120", 120}, {"", 0}, {"-3", 0}, {"many", 0}, {"99999999999999999999", 0}};
    to_terminal("xterm", 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        setenv("COLUMNS", cases[i].columns, 1);
        pdr_out *out = open_out(false);
        cr_assert_eq(pdr_out_width(out), cases[i].width, "%s", cases[i].columns);
        cr_assert_eq(pdr_out_close(out, PDR_OK, NULL), PDR_OK);
    }
}

Test(out, control_characters_of_data_reach_no_terminal)
{
    to_terminal("dumb", 80);
    pdr_out *out = open_out(false);
    cr_assert_eq(pdr_out_put(out, PDR_COLOUR_PLAIN, "loan/%s", "\033[31m\a\x7f\xc3\xa9"), PDR_OK);
    cr_assert_eq(pdr_out_end(out, NULL), PDR_OK);
    cr_assert_eq(pdr_out_close(out, PDR_OK, NULL), PDR_OK);
    cr_assert_str_eq(seen(), "loan/?[31m??\xc3\xa9\r\n");
}

Test(out, what_is_left_of_a_line_is_written_at_the_end)
{
    to_pipe();
    pdr_out *out = open_out(false);
    cr_assert_eq(pdr_buf_printf(pdr_out_line(out), "left"), PDR_OK);
    cr_assert_eq(pdr_out_close(out, PDR_OK, NULL), PDR_OK);
    cr_assert_str_eq(seen(), "left\n");
}

Test(out, a_reader_that_goes_away_ends_the_work_and_is_no_failure)
{
    to_pipe();
    pdr_out *out = open_out(false);
    pdr_error err = {.code = PDR_OK};
    close(screen);
    pdr_code code = PDR_OK;
    for (int i = 0; i < 100000 && code == PDR_OK; i++) {
        cr_assert_eq(pdr_out_put(out, PDR_COLOUR_PLAIN, "line %d", i), PDR_OK);
        code = pdr_out_end(out, &err);
    }
    cr_assert_eq(code, PDR_CANCELLED);
    cr_assert_eq(pdr_out_end(out, &err), PDR_CANCELLED);
    cr_assert_eq(pdr_cli_fail(&pdr_cli_init, &err), PDR_EXIT_DONE);
    cr_assert_eq(pdr_out_close(out, PDR_OK, &err), PDR_OK);
}

Test(out, a_reader_that_is_gone_is_noticed_by_a_flush)
{
    to_pipe();
    pdr_out *out = open_out(false);
    close(screen);
    put_line(out);
    cr_assert_eq(pdr_out_flush(out, NULL), PDR_CANCELLED);
    cr_assert_eq(pdr_out_close(out, PDR_OK, NULL), PDR_OK);
}

Test(out, a_full_disk_is_a_failure)
{
    pdr_error err = {.code = PDR_OK};
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    cr_assert_geq(full, 0);
    cr_assert_eq(dup2(full, STDOUT_FILENO), STDOUT_FILENO);
    pdr_out *out = open_out(false);
    put_line(out);
    cr_assert_eq(pdr_out_close(out, PDR_OK, &err), PDR_IO);
    cr_assert(strstr(err.message, "No space left"), "%s", err.message);
}

Test(stop, the_first_signal_is_noted_and_the_second_ends_the_process)
{
    pdr_stop_on_signals();
    cr_assert_not(pdr_stopped());
    raise(SIGINT);
    cr_assert(pdr_stopped());
    pid_t child = fork();
    if (child == 0) {
        raise(SIGINT);
        _exit(0);
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
}

Test(stop, sigterm_is_noted_too)
{
    pdr_stop_on_signals();
    raise(SIGTERM);
    cr_assert(pdr_stopped());
}
