/* What avro-c reads of an exact export, whatever its codec. */
#include <avro.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/support/export_bytes.h"
#include "tests/support/hex.h"

enum { ROOM = 1024 * 1024, SCHEMA = 0, EVENT = 1, END = 2 };

static FILE *file_of(pdr_bytes bytes)
{
    FILE *file = tmpfile();
    cr_assert(file);
    cr_assert_eq(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
    rewind(file);
    return file;
}

/* How many records of each branch there are, and the events' seqs together. */
static void count(FILE *file, size_t counts[3], int64_t *seqs)
{
    avro_file_reader_t reader;
    avro_value_t value, branch, field;
    cr_assert_eq(avro_file_reader_fp(file, "export", 0, &reader), 0, "%s", avro_strerror());
    avro_schema_t schema = avro_file_reader_get_writer_schema(reader);
    avro_value_iface_t *iface = avro_generic_class_from_schema(schema);
    cr_assert_eq(avro_generic_value_new(iface, &value), 0);
    while (avro_file_reader_read_value(reader, &value) == 0) {
        int which;
        int64_t seq;
        cr_assert_eq(avro_value_get_discriminant(&value, &which), 0);
        counts[which]++;
        if (which == EVENT) {
            cr_assert_eq(avro_value_get_current_branch(&value, &branch), 0);
            cr_assert_eq(avro_value_get_by_name(&branch, "seq", &field, NULL), 0);
            cr_assert_eq(avro_value_get_long(&field, &seq), 0);
            *seqs += seq;
        }
        avro_value_reset(&value);
    }
    avro_value_decref(&value);
    avro_value_iface_decref(iface);
    avro_schema_decref(schema);
    avro_file_reader_close(reader);
}

Test(export, is_read_by_avro_c_with_each_codec)
{
    pdr_buf golden = PDR_BUF_INIT(ROOM);
    cr_assert(hex_read_golden("export/small.hex", &golden));
    for (int codec = PDR_CODEC_NULL; codec <= PDR_CODEC_SNAPPY; codec++) {
        pdr_buf again = PDR_BUF_INIT(ROOM);
        uint64_t events;
        size_t counts[3] = {0, 0, 0};
        int64_t seqs = 0;
        cr_assert_eq(
            export_read_all(pdr_buf_bytes(&golden), 0, &again, (pdr_container_codec)codec, &events, NULL),
            PDR_OK);
        FILE *file = file_of(pdr_buf_bytes(&again));
        count(file, counts, &seqs);
        fclose(file);
        cr_expect_eq(counts[SCHEMA], 1);
        cr_expect_eq(counts[EVENT], 6);
        cr_expect_eq(counts[END], 1);
        cr_expect_eq(seqs, 2 * (1 + 2 + 3));
        pdr_buf_release(&again);
    }
    pdr_buf_release(&golden);
}
