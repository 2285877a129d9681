/* Decoding through a plan, against the generated decode of the same bytes by the struct that wrote them; and
 * against avro-c's resolved reader. */
#include "lines.h"

#include <avro.h>
#include <time.h>

#include "plans_after.gen.h"
#include "plans_before.gen.h"
#include "plans_enum.gen.h"
#include "schemas/plan.h"

enum { LARGEST = 256, ROUNDS = 200000, MOST = 4 };

/* Seconds of CPU: tens of nanoseconds are measured, and whoever else runs must not count. */
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

typedef struct sample {
    const pdr_type *writer;
    pdr_plan *plan;
    uint8_t datum[LARGEST];
    size_t size;
} sample;

typedef struct samples {
    sample all[MOST];
    int count;
} samples;

static void make_sample(samples *to, const pdr_type *writer, const pdr_type *reader)
{
    union {
        plans_before_by by; /* every event begins with it */
        uint64_t room[LARGEST / 8];
    } value;
    sample *s = &to->all[to->count++];
    pdr_buf out = {s->datum, 0, LARGEST, LARGEST};
    pdr_error err;
    s->writer = writer;
    writer->init(&value);
    value.by.employee.present = true;
    value.by.employee.value = 10862;
    bench_must(writer->encode(&value, &out, &err), &err, "encode");
    s->size = out.size;
    bench_must(pdr_plan_open(&s->plan, pdr_string_of(writer->schema), reader, &err), &err, "plan");
}

static const samples *added(void)
{
    static samples made;
    if (made.count) return &made;
    make_sample(&made, &plans_before_submitted_type, &plans_after_submitted_type);
    make_sample(&made, &plans_before_accepted_type, &plans_after_accepted_type);
    make_sample(&made, &plans_before_offer_created_type, &plans_after_offer_created_type);
    make_sample(&made, &plans_before_work_started_type, &plans_after_work_started_type);
    return &made;
}

static const samples *dropped(void)
{
    static samples made;
    if (made.count) return &made;
    make_sample(&made, &plans_after_submitted_type, &plans_before_submitted_type);
    make_sample(&made, &plans_after_accepted_type, &plans_before_accepted_type);
    make_sample(&made, &plans_after_offer_created_type, &plans_before_offer_created_type);
    make_sample(&made, &plans_after_work_started_type, &plans_before_work_started_type);
    return &made;
}

static const samples *renamed(void)
{
    static samples made;
    if (made.count) return &made;
    make_sample(&made, &plans_before_work_started_type, &plans_enum_work_started_type);
    return &made;
}

static double nanoseconds(const samples *of, double start)
{
    return (now() - start) * 1e9 / ((double)of->count * ROUNDS);
}

static double planned(const samples *of)
{
    pdr_arena arena = PDR_ARENA_INIT(1 << 20);
    uint64_t value[LARGEST / 8];
    double start = now();
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < of->count; i++)
            if (pdr_plan_decode(of->all[i].plan, pdr_bytes_of(of->all[i].datum, of->all[i].size), &arena,
                                value, NULL) != PDR_OK)
                bench_die("plan", NULL);
    double result = nanoseconds(of, start);
    pdr_arena_release(&arena);
    return result;
}

static double straight(const samples *of)
{
    pdr_arena arena = PDR_ARENA_INIT(1 << 20);
    uint64_t value[LARGEST / 8];
    double start = now();
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < of->count; i++)
            if (of->all[i].writer->decode(pdr_bytes_of(of->all[i].datum, of->all[i].size), &arena, value,
                                          NULL) != PDR_OK)
                bench_die("decode", NULL);
    double result = nanoseconds(of, start);
    pdr_arena_release(&arena);
    return result;
}

static void pair(const samples *of, double *ours, double *bare)
{
    *ours = planned(of);
    *bare = straight(of);
}

void bench_plan_added(const bench_run *run, int round, double *ours, double *bare)
{
    (void)run;
    (void)round;
    pair(added(), ours, bare);
}

void bench_plan_dropped(const bench_run *run, int round, double *ours, double *bare)
{
    (void)run;
    (void)round;
    pair(dropped(), ours, bare);
}

void bench_plan_enum(const bench_run *run, int round, double *ours, double *bare)
{
    (void)run;
    (void)round;
    pair(renamed(), ours, bare);
}

/* ---- avro-c: a resolved writer, which fills a generic value of the reader's schema ---- */

typedef struct avro_sample {
    avro_value_t reader, resolved;
} avro_sample;

static avro_schema_t avro_schema_of(const pdr_type *type)
{
    avro_schema_t schema;
    if (avro_schema_from_json_length(type->schema, strlen(type->schema), &schema))
        bench_die(avro_strerror(), NULL);
    return schema;
}

static const avro_sample *avro_samples(const samples *of)
{
    static avro_sample made[MOST];
    for (int i = 0; i < of->count && !made[i].reader.iface; i++) {
        avro_schema_t writer = avro_schema_of(of->all[i].writer);
        avro_schema_t reader = avro_schema_of(pdr_plan_reader(of->all[i].plan));
        avro_value_iface_t *generic = avro_generic_class_from_schema(reader);
        avro_value_iface_t *resolved = avro_resolved_writer_new(writer, reader);
        if (!generic || !resolved) bench_die(avro_strerror(), NULL);
        avro_generic_value_new(generic, &made[i].reader);
        avro_resolved_writer_new_value(resolved, &made[i].resolved);
        avro_resolved_writer_set_dest(&made[i].resolved, &made[i].reader);
    }
    return made;
}

void bench_plan_avro_c(const bench_run *run, int round, double *ours, double *bare)
{
    const samples *of = dropped(); /* avro-c has no defaults of the reader's */
    const avro_sample *avro = avro_samples(of);
    avro_reader_t reader = avro_reader_memory("", 0);
    (void)run;
    (void)round;
    *ours = planned(of);
    double start = now();
    for (int i = 0; i < ROUNDS; i++)
        for (int k = 0; k < of->count; k++) {
            avro_reader_memory_set_source(reader, (const char *)of->all[k].datum, (int64_t)of->all[k].size);
            avro_value_t value = avro[k].resolved;
            if (avro_value_read(reader, &value)) bench_die(avro_strerror(), NULL);
        }
    *bare = nanoseconds(of, start);
    avro_reader_free(reader);
}
