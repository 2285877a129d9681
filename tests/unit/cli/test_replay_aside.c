/* The file that long work is put aside in. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/replay_aside.h"

static char folder[] = "/tmp/perdure-aside-XXXXXX";
static char path[64];

static void init(void)
{
    cr_assert_not_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/aside", folder);
}

static void release(void)
{
    unlink(path);
    rmdir(folder); /* which tells whether anything is left beside it */
}

TestSuite(replay_aside, .init = init, .fini = release);

static pdr_bytes text(const char *chars)
{
    return pdr_bytes_of(chars, strlen(chars));
}

static void put(void)
{
    pdr_aside_writer w;
    const pdr_aside_part one = {7, 3, text("the first")}, two = {8, 0, text("")};
    cr_assert_eq(pdr_aside_begin(&w, path, text("--app 1\n--since x\n"), NULL), PDR_OK);
    cr_assert_eq(pdr_aside_put(&w, &one, NULL), PDR_OK);
    cr_assert_eq(pdr_aside_put(&w, &two, NULL), PDR_OK);
    cr_assert_eq(access(path, F_OK), -1, "it is there when it is whole");
    cr_assert_eq(pdr_aside_finish(&w, NULL), PDR_OK);
    pdr_aside_drop(&w);
}

static pdr_code opened(const char *identity, pdr_error *err)
{
    pdr_aside a = {0};
    pdr_code code = pdr_aside_open(&a, path, text(identity), err);
    pdr_aside_close(&a);
    return code;
}

Test(replay_aside, what_was_put_is_there_again)
{
    pdr_aside a = {0};
    put();
    cr_assert_eq(pdr_aside_open(&a, path, text("--app 1\n--since x\n"), NULL), PDR_OK);
    cr_assert_eq(a.count, 2);
    cr_expect_eq(a.parts[0].kind, 7);
    cr_expect_eq(a.parts[0].partition, 3);
    cr_expect(pdr_bytes_equal(a.parts[0].bytes, text("the first")));
    cr_expect_eq(a.parts[1].bytes.size, 0);
    pdr_aside_close(&a);
}

Test(replay_aside, no_file_is_fine)
{
    pdr_aside a = {0};
    cr_assert_eq(pdr_aside_open(&a, path, text("x"), NULL), PDR_OK);
    cr_expect_null(a.mapped);
    pdr_aside_close(&a);
}

Test(replay_aside, work_on_something_else_is_refused_with_what_differs)
{
    pdr_error err;
    put();
    cr_expect_eq(opened("--app 1\n--since y\n", &err), PDR_CONFLICT);
    cr_expect(strstr(err.message, "\"--since x\"") && strstr(err.message, "\"--since y\""), "%s",
              err.message);
    cr_expect_eq(opened("--app 1\n", &err), PDR_CONFLICT);
    cr_expect_eq(opened("--app 1\n--since x\n--more\n", &err), PDR_CONFLICT);
}

Test(replay_aside, a_file_cut_anywhere_or_changed_anywhere_is_refused)
{
    static uint8_t whole[4096];
    pdr_error err;
    put();
    FILE *file = fopen(path, "rb");
    size_t size = fread(whole, 1, sizeof whole, file);
    fclose(file);
    for (size_t at = 0; at < size; at++) {
        cr_assert_eq(truncate(path, (off_t)at), 0);
        pdr_code code = opened("--app 1\n--since x\n", &err);
        cr_assert(code == PDR_CONFLICT || code == PDR_BAD_DATA, "cut at %zu", at);
        file = fopen(path, "wb");
        whole[at] ^= 0x10;
        fwrite(whole, 1, size, file);
        whole[at] ^= 0x10;
        fclose(file);
        code = opened("--app 1\n--since x\n", &err);
        cr_assert(code == PDR_CONFLICT || code == PDR_BAD_DATA, "changed at %zu", at);
    }
}

Test(replay_aside, what_is_given_up_leaves_nothing)
{
    pdr_aside_writer w;
    cr_assert_eq(pdr_aside_begin(&w, path, text("x"), NULL), PDR_OK);
    pdr_aside_drop(&w);
    cr_expect_eq(access(path, F_OK), -1);
    cr_expect_eq(rmdir(folder), 0, "the folder is empty");
    cr_expect_eq(mkdir(folder, 0700), 0);
}

Test(replay_aside, a_full_disk_is_said)
{
    pdr_aside_writer w;
    pdr_error err;
    (void)snprintf(path, sizeof path, "%s/aside", folder);
    cr_assert_eq(pdr_aside_begin(&w, path, text("x"), NULL), PDR_OK);
    int full = open("/dev/full", O_WRONLY);
    cr_assert_geq(full, 0);
    cr_assert_eq(dup2(full, w.fd), w.fd);
    close(full);
    const pdr_aside_part part = {1, 0, text("anything")};
    cr_expect_eq(pdr_aside_put(&w, &part, &err), PDR_NO_SPACE, "%s", err.message);
    pdr_aside_drop(&w);
}
