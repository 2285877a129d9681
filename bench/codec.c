/* Encoding and decoding the loan events, against avro-c's generic values made once and used again. */
#include "lines.h"

#include <avro.h>

#include "loan.h"

enum { MAX_EVENTS = 32, LARGEST = 256, ROUNDS = 20000 };

typedef struct sample {
    const pdr_type *type;
    union {
        loans_by by; /* every event begins with it */
        uint8_t bytes[LARGEST];
    } value;
    uint8_t datum[LARGEST];
    size_t size;
    avro_value_t avro;
} sample;

static sample samples[MAX_EVENTS];
static int event_count;

static void make_avro(sample *s)
{
    avro_schema_t schema;
    if (avro_schema_from_json_length(s->type->schema, strlen(s->type->schema), &schema))
        bench_die(avro_strerror(), NULL);
    avro_value_iface_t *iface = avro_generic_class_from_schema(schema);
    avro_generic_value_new(iface, &s->avro);
    avro_reader_t reader = avro_reader_memory((const char *)s->datum, (int64_t)s->size);
    if (avro_value_read(reader, &s->avro)) bench_die(avro_strerror(), NULL);
    avro_reader_free(reader);
    avro_value_iface_decref(iface);
    avro_schema_decref(schema);
}

static void make_samples(void)
{
    if (event_count) return;
    if (loans_entity.event_count > MAX_EVENTS) bench_die("more events than expected", NULL);
    event_count = (int)loans_entity.event_count;
    for (int i = 0; i < event_count; i++) {
        sample *s = &samples[i];
        pdr_buf out = {s->datum, 0, LARGEST, LARGEST};
        pdr_error err;
        s->type = loans_entity.events[i];
        if (s->type->size > LARGEST) bench_die("an event is larger than expected", NULL);
        s->type->init(&s->value);
        s->value.by.employee.present = true;
        s->value.by.employee.value = 10862;
        bench_must(s->type->encode(&s->value, &out, &err), &err, "encode");
        s->size = out.size;
        make_avro(s);
    }
}

static double rate(double start)
{
    return (double)event_count * ROUNDS / (bench_now() - start);
}

static double our_encode(void)
{
    uint8_t bytes[LARGEST];
    double start = bench_now();
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < event_count; i++) {
            pdr_buf out = {bytes, 0, LARGEST, LARGEST};
            if (samples[i].type->encode(&samples[i].value, &out, NULL) != PDR_OK ||
                out.size != samples[i].size)
                bench_die("encode", NULL);
        }
    return rate(start);
}

static double avro_encode(void)
{
    char bytes[LARGEST] = {0};
    avro_writer_t writer = avro_writer_memory(bytes, LARGEST);
    double start = bench_now();
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < event_count; i++) {
            avro_writer_reset(writer);
            if (avro_value_write(writer, &samples[i].avro) ||
                avro_writer_tell(writer) != (int64_t)samples[i].size)
                bench_die("avro-c", NULL);
        }
    double result = rate(start);
    avro_writer_free(writer);
    return result;
}

static double our_decode(void)
{
    pdr_arena arena = PDR_ARENA_INIT(1 << 20);
    uint64_t value[LARGEST / 8];
    double start = bench_now();
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < event_count; i++)
            if (samples[i].type->decode(pdr_bytes_of(samples[i].datum, samples[i].size), &arena, value,
                                        NULL) != PDR_OK)
                bench_die("decode", NULL);
    double result = rate(start);
    pdr_arena_release(&arena);
    return result;
}

static double avro_decode(void)
{
    avro_reader_t reader = avro_reader_memory("", 0);
    double start = bench_now();
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < event_count; i++) {
            avro_reader_memory_set_source(reader, (const char *)samples[i].datum, (int64_t)samples[i].size);
            if (avro_value_read(reader, &samples[i].avro)) bench_die("avro-c", NULL);
        }
    double result = rate(start);
    avro_reader_free(reader);
    return result;
}

void bench_encode(const bench_run *run, int round, double *ours, double *bare)
{
    (void)run;
    (void)round;
    make_samples();
    *ours = our_encode();
    *bare = avro_encode();
}

void bench_decode(const bench_run *run, int round, double *ours, double *bare)
{
    (void)run;
    (void)round;
    make_samples();
    *ours = our_decode();
    *bare = avro_decode();
}
