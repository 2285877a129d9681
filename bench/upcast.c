/* What one step of an upcaster costs: reading a stored event of the version before by pdr_folder_read, less
 * reading today's version of the same event. */
#include "lines.h"

#include <time.h>

#include "journal/fold.h"
#include "plans_after.gen.h"
#include "plans_before.gen.h"
#include "schemas/framing.h"

enum { LARGEST = 256, ROUNDS = 1000000 };

static pdr_type before, after;

static void with_currency(const pdr_event *event, pdr_upcast *out)
{
    const plans_before_submitted *old = event->value;
    plans_after_submitted submitted = {.amount_requested = old->amount_requested,
                                       .currency = pdr_string_of("EUR")};
    submitted.by.employee.present = old->by.employee.present;
    submitted.by.employee.value = old->by.employee.value;
    pdr_upcast_emit(out, &after, &submitted);
}

static pdr_folder *open_folder(void)
{
    static const pdr_type *const events[] = {&after};
    static const pdr_upcaster step = {&before, events, 1, with_currency};
    static pdr_entity_type type = {.abi_size = sizeof type,
                                   .name = "loan",
                                   .state = &after,
                                   .events = events,
                                   .event_count = 1,
                                   .upcasters = &step,
                                   .upcaster_count = 1};
    pdr_folder *folder;
    pdr_error err;
    before = plans_before_submitted_type;
    before.version = 1;
    after = plans_after_submitted_type;
    after.version = 2;
    bench_must(pdr_folder_open(&folder, &type, NULL, &err), &err, "folder");
    return folder;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Nanoseconds for one event. */
static double reading(const pdr_folder *folder, const pdr_type *writer, const void *value)
{
    uint8_t room[LARGEST];
    pdr_buf framed = {room, 0, LARGEST, LARGEST};
    pdr_arena arena = PDR_ARENA_INIT(1 << 20);
    pdr_event_list list;
    pdr_error err;
    bench_must(pdr_frame_write(&framed, writer->fingerprint), NULL, "frame");
    bench_must(writer->encode(value, &framed, &err), &err, "encode");
    double start = now();
    for (int i = 0; i < ROUNDS; i++) {
        pdr_arena_clear(&arena);
        bench_must(pdr_folder_read(folder, pdr_buf_bytes(&framed), 1, 1, &arena, &list, &err), &err, "read");
    }
    double result = (now() - start) / ROUNDS;
    pdr_arena_release(&arena);
    return result;
}

void bench_upcast_step(const bench_run *run, int round, double *ours, double *bare)
{
    plans_before_submitted old = {.amount_requested = 20000};
    plans_after_submitted submitted = {.amount_requested = 20000, .currency = pdr_string_of("EUR")};
    pdr_folder *folder = open_folder();
    (void)run;
    (void)round;
    *bare = reading(folder, &after, &submitted);
    *ours = reading(folder, &before, &old) - *bare;
    pdr_folder_close(folder);
}
