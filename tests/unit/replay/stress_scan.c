/* Scans of several threads over one journal, again and again, stopped at any moment: for the thread
 * sanitizer. */
#include <stdio.h>

#include "scan_world.h"

enum { ROUNDS = 40 };

static int complain(const char *what, const pdr_error *err)
{
    fprintf(stderr, "%s: %s\n", what, err->message);
    return 1;
}

int main(void)
{
    static scan_world world;
    pdr_error err = {.code = PDR_OK};
    int bad = 0;
    scan_world_open(&world, 5, 150);
    for (unsigned round = 0; round < ROUNDS && !bad; round++) {
        if (scan_world_run(&world, 1 + round % 5, NULL, &err) != PDR_OK) bad = complain("a scan", &err);
        if (!bad && !scan_world_is_right(&world, NULL)) bad = complain("a scan is wrong", &err);
        world.stop_partition = (int32_t)(round % WORLD_PARTITIONS);
        made_log *made = &world.made[world.stop_partition];
        world.stop_at = made->start_count ? made->starts[made_random(made, made->start_count)].offset : -1;
        world.stop_code = round % 2 ? PDR_CANCELLED : PDR_BAD_DATA;
        pdr_code code = scan_world_run(&world, 1 + round % 5, NULL, &err);
        if (code != PDR_OK && code != PDR_BAD_DATA) bad = complain("a scan that was stopped", &err);
        world.stop_at = -1;
    }
    scan_world_close(&world);
    return bad;
}
