#include <criterion/criterion.h>

#include "base/mem.h"
#include "perdure/arena.h"

Test(buf, grows_to_its_ceiling_and_not_past_it)
{
    pdr_buf buf = PDR_BUF_INIT(100);
    uint8_t block[60] = {0};
    cr_assert_eq(pdr_buf_append(&buf, block, sizeof block), PDR_OK);
    cr_assert_eq(pdr_buf_append(&buf, block, sizeof block), PDR_TOO_LARGE);
    cr_assert_eq(buf.size, 60);
    cr_assert_eq(pdr_buf_append(&buf, block, 40), PDR_OK);
    cr_assert_eq(pdr_buf_append(&buf, block, SIZE_MAX), PDR_TOO_LARGE);
    pdr_buf_release(&buf);
}

Test(buf, printf_appends_without_a_terminator)
{
    pdr_buf buf = PDR_BUF_INIT(1000);
    cr_assert_eq(pdr_buf_printf(&buf, "%d-%s", 7, "abc"), PDR_OK);
    cr_assert_eq(buf.size, 5);
    cr_assert_arr_eq(buf.data, "7-abc", 5);
    pdr_buf_release(&buf);
}

Test(buf, a_failed_allocation_leaves_the_buffer_as_it_was)
{
    pdr_buf buf = PDR_BUF_INIT(10000);
    uint8_t block[64] = {1};
    cr_assert_eq(pdr_buf_append(&buf, block, sizeof block), PDR_OK);
    pdr_mem_fail_at(1);
    cr_assert_eq(pdr_buf_append(&buf, block, sizeof block), PDR_NOMEM);
    pdr_mem_fail_at(0);
    cr_assert_eq(buf.size, 64);
    pdr_buf_release(&buf);
}

Test(arena, gives_aligned_distinct_memory_up_to_its_ceiling)
{
    pdr_arena arena = PDR_ARENA_INIT(4096);
    uint8_t *last = NULL;
    size_t got = 0;
    for (;;) {
        uint8_t *p = pdr_arena_alloc(&arena, 24);
        if (!p) break;
        cr_assert_eq((uintptr_t)p % 8, 0);
        cr_assert_neq(p, last);
        memset(p, 0xff, 24);
        last = p;
        got += 24;
    }
    cr_assert(got > 2000 && arena.held <= 4096);
    pdr_arena_clear(&arena);
    cr_assert_eq(arena.used, 0);
    cr_assert_not_null(pdr_arena_alloc(&arena, 24));
    pdr_arena_release(&arena);
    cr_assert_eq(arena.held, 0);
}

Test(arena, refuses_sizes_that_overflow)
{
    pdr_arena arena = PDR_ARENA_INIT(SIZE_MAX);
    cr_assert_null(pdr_arena_alloc(&arena, SIZE_MAX));
    cr_assert_null(pdr_arena_alloc(&arena, SIZE_MAX - 8));
    cr_assert_null(pdr_arena_calloc(&arena, SIZE_MAX / 2, 3));
    pdr_arena_release(&arena);
}

Test(arena, strings_are_copied_with_a_terminator)
{
    pdr_arena arena = PDR_ARENA_INIT(4096);
    char text[] = "abc";
    pdr_string copy = pdr_arena_string(&arena, pdr_string_of(text));
    text[0] = 'x';
    cr_assert_str_eq(copy.data, "abc");
    cr_assert_eq(copy.size, 3);
    pdr_arena_release(&arena);
}
