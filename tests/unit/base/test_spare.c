/* Spare blocks, from one thread and between threads. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#include "base/spare.h"

static const size_t sizes[] = {1, 127, 128, 129, 500, 1023, 1024, 1025, 100000};
enum { SIZES = sizeof sizes / sizeof sizes[0], ROUNDS = 2000 };

Test(spare, blocks_are_whole_and_nobody_else_s)
{
    static unsigned char *blocks[SIZES][8];
    for (int round = 0; round < ROUNDS; round++) {
        for (int s = 0; s < SIZES; s++)
            for (int i = 0; i < 8; i++) {
                blocks[s][i] = pdr_spare_take(sizes[s]);
                cr_assert_not_null(blocks[s][i]);
                memset(blocks[s][i], s * 8 + i, sizes[s]);
            }
        for (int s = 0; s < SIZES; s++)
            for (int i = 0; i < 8; i++) {
                cr_assert_eq(blocks[s][i][0], s * 8 + i);
                cr_assert_eq(blocks[s][i][sizes[s] - 1], s * 8 + i);
                pdr_spare_give(blocks[s][i], sizes[s]);
            }
    }
}

static void *give_all(void *context)
{
    void **blocks = context;
    for (int i = 0; i < ROUNDS; i++)
        pdr_spare_give(blocks[i], 200);
    return NULL;
}

Test(spare, another_thread_may_give_a_block_back)
{
    static void *blocks[ROUNDS];
    for (int i = 0; i < ROUNDS; i++)
        cr_assert_not_null(blocks[i] = pdr_spare_take(200));
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, give_all, blocks), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    void *block = pdr_spare_take(200);
    cr_assert_not_null(block);
    pdr_spare_give(block, 200);
}

Test(spare, without_memory_there_is_no_block)
{
    pdr_mem_fail_at(1);
    void *block = pdr_spare_take(100000);
    pdr_mem_fail_at(0);
    cr_expect_null(block);
}
