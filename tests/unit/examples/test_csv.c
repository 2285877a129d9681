/* Claims about the log as a file, good and bad. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "activity.h"

#define HEADER "at,application,activity,transition,resource,amount_requested\n"
#define GOOD "2011-09-30T22:38:44.546000Z,173688,A_SUBMITTED,COMPLETE,112,20000"

static char path[64];

static void ready(void)
{
    strcpy(path, "/tmp/perdure-csv-XXXXXX");
    cr_assert_geq(close(mkstemp(path)), 0);
}

static void done(void)
{
    unlink(path);
}

TestSuite(csv, .init = ready, .fini = done);

static void write_bytes(const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    cr_assert_eq(fwrite(bytes, 1, size, file), size);
    cr_assert_eq(fclose(file), 0);
}

static void write_text(const char *text)
{
    write_bytes(text, strlen(text));
}

static pdr_code parse(const char *line, loans_row *row, pdr_error *err)
{
    return loans_csv_parse(line, strlen(line), row, err);
}

Test(csv, a_row_has_six_columns_of_their_own_forms)
{
    loans_row row;
    cr_assert_eq(parse(GOOD, &row, NULL), PDR_OK);
    cr_assert_eq(row.at_us, 1317422324546000); /* date -d 2011-09-30T22:38:44.546Z +%s%6N */
    cr_assert_str_eq(row.application, "173688");
    cr_assert_str_eq(row.activity, "A_SUBMITTED");
    cr_assert_str_eq(row.transition, "COMPLETE");
    cr_assert(row.has_employee);
    cr_assert_eq(row.employee, 112);
    cr_assert_eq(row.amount_requested, 20000);
    cr_assert_eq(parse("2000-02-29T00:00:00.000000Z,1,W_x y,START,,0", &row, NULL), PDR_OK);
    cr_assert_eq(row.at_us, 951782400000000);
    cr_assert_not(row.has_employee);
}

Test(csv, a_malformed_row_is_refused_with_its_reason)
{
    static const struct {
        const char *line, *reason;
    } bad[] = {
        {"", "1 columns, not 6"},
        {"2011-09-30T22:38:44.546000Z,173688,A_SUBMITTED,COMPLETE,112", "5 columns, not 6"},
        {GOOD ",", "more than 6 columns"},
        {GOOD ",,,,,,,,,,,,", "more than 6 columns"},
        {"2011-09-30T22:38:44.546000Z,\"173688\",A_SUBMITTED,COMPLETE,112,20000", "byte 0x22"},
        {"2011-09-30T22:38:44.546000Z,173688,A\x7f_,COMPLETE,112,20000", "byte 0x7f"},
        {"2011-09-30T22:38:44.546000Z,173688,A\tB,COMPLETE,112,20000", "byte 0x09"},
        {"2011-09-30T22:38:44.546000,173688,A_SUBMITTED,COMPLETE,112,20000", "bad at"},
        {"2011-09-30 22:38:44.546000Z,173688,A_SUBMITTED,COMPLETE,112,20000", "bad at"},
        {"2011-02-29T22:38:44.546000Z,173688,A_SUBMITTED,COMPLETE,112,20000", "bad at"},
        {"2100-02-29T22:38:44.546000Z,173688,A_SUBMITTED,COMPLETE,112,20000", "bad at"},
        {"2011-13-01T22:38:44.546000Z,173688,A_SUBMITTED,COMPLETE,112,20000", "bad at"},
        {"2011-00-01T22:38:44.546000Z,173688,A_SUBMITTED,COMPLETE,112,20000", "bad at"},
        {"2011-04-31T22:38:44.546000Z,173688,A_SUBMITTED,COMPLETE,112,20000", "bad at"},
        {"2011-04-00T22:38:44.546000Z,173688,A_SUBMITTED,COMPLETE,112,20000", "bad at"},
        {"2011-04-30T24:38:44.546000Z,173688,A_SUBMITTED,COMPLETE,112,20000", "bad at"},
        {"2011-04-30T22:60:44.546000Z,173688,A_SUBMITTED,COMPLETE,112,20000", "bad at"},
        {"2011-04-30T22:38:60.546000Z,173688,A_SUBMITTED,COMPLETE,112,20000", "bad at"},
        {"1969-12-31T22:38:44.546000Z,173688,A_SUBMITTED,COMPLETE,112,20000", "bad at"},
        {"2011-09-30T22:38:44.54600-Z,173688,A_SUBMITTED,COMPLETE,112,20000", "bad at"},
        {"2011-09-30T22:38:44.546000Z,,A_SUBMITTED,COMPLETE,112,20000", "bad application"},
        {"2011-09-30T22:38:44.546000Z,0173688,A_SUBMITTED,COMPLETE,112,20000", "bad application"},
        {"2011-09-30T22:38:44.546000Z,-1,A_SUBMITTED,COMPLETE,112,20000", "bad application"},
        {"2011-09-30T22:38:44.546000Z,1234567890123456789,A_SUBMITTED,COMPLETE,112,20000", "bad application"},
        {"2011-09-30T22:38:44.546000Z,1/2,A_SUBMITTED,COMPLETE,112,20000", "bad application"},
        {"2011-09-30T22:38:44.546000Z,173688,,COMPLETE,112,20000", "bad activity"},
        {"2011-09-30T22:38:44.546000Z,173688,"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,COMPLETE,112,20000",
         "bad activity"},
        {"2011-09-30T22:38:44.546000Z,173688,A_SUBMITTED,,112,20000", "bad transition"},
        {"2011-09-30T22:38:44.546000Z,173688,A_SUBMITTED,COMPLETE,x,20000", "bad resource"},
        {"2011-09-30T22:38:44.546000Z,173688,A_SUBMITTED,COMPLETE,2147483648,20000", "bad resource"},
        {"2011-09-30T22:38:44.546000Z,173688,A_SUBMITTED,COMPLETE,112,", "bad amount_requested"},
        {"2011-09-30T22:38:44.546000Z,173688,A_SUBMITTED,COMPLETE,112,1e3", "bad amount_requested"},
        {"2011-09-30T22:38:44.546000Z,173688,A_SUBMITTED,COMPLETE,112, 20000", "bad amount_requested"},
        {"2011-09-30T22:38:44.546000Z,173688,A_SUBMITTED,COMPLETE,112,9999999999999999999",
         "bad amount_requested"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        loans_row row;
        pdr_error err;
        cr_assert_eq(parse(bad[i].line, &row, &err), PDR_BAD_DATA, "%s", bad[i].line);
        cr_assert_not_null(strstr(err.message, bad[i].reason), "%s: %s", bad[i].line, err.message);
    }
}

Test(csv, a_bad_line_is_named_and_the_next_one_is_read)
{
    static char text[2000];
    char longest[LOANS_MAX_LINE + 2];
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    snprintf(text, sizeof text, HEADER "%s\r\nnonsense\n" GOOD "\n%s\n" GOOD, GOOD, longest);
    write_text(text);
    static const pdr_code expected[] = {PDR_OK, PDR_BAD_DATA, PDR_OK, PDR_BAD_DATA, PDR_OK};
    static const char *const places[] = {"", ":3: ", "", ":5: ", ""};
    loans_csv *csv;
    loans_row row;
    pdr_error err;
    bool end;
    cr_assert_eq(loans_csv_open(&csv, path, &err), PDR_OK, "%s", err.message);
    for (int round = 0; round < 2; round++) {
        for (uint64_t i = 0; i < 5; i++) {
            cr_assert_eq(loans_csv_next(csv, &row, &end, &err), expected[i]);
            cr_assert_not(end);
            cr_assert_eq(row.number, i + 1);
            if (expected[i] != PDR_OK) cr_assert_not_null(strstr(err.message, places[i]), "%s", err.message);
        }
        cr_assert_eq(loans_csv_next(csv, &row, &end, &err), PDR_OK);
        cr_assert(end);
        cr_assert_eq(loans_csv_rewind(csv, &err), PDR_OK);
    }
    loans_csv_close(csv);
}

Test(csv, a_nul_byte_is_a_bad_line_like_any_other)
{
    char text[] = HEADER "2011-09-30T22:38:44.546000Z,17?688,A_SUBMITTED,COMPLETE,112,20000\n" GOOD "\n";
    *strchr(text, '?') = '\0';
    write_bytes(text, sizeof text - 1);
    loans_csv *csv;
    loans_row row;
    pdr_error err;
    bool end;
    cr_assert_eq(loans_csv_open(&csv, path, &err), PDR_OK);
    cr_assert_eq(loans_csv_next(csv, &row, &end, &err), PDR_BAD_DATA);
    cr_assert_not_null(strstr(err.message, "byte 0x00"), "%s", err.message);
    cr_assert_eq(loans_csv_next(csv, &row, &end, &err), PDR_OK);
    cr_assert_not(end);
    loans_csv_close(csv);
}

Test(csv, the_longest_line_is_read_and_one_byte_more_is_not)
{
    char text[sizeof HEADER + 2 * LOANS_MAX_LINE + 10];
    for (int i = 0; i < 4; i++) {
        int more = i / 2;
        loans_csv *csv;
        loans_row row;
        pdr_error err;
        bool end;
        snprintf(text, sizeof text, HEADER "%0*d%s", LOANS_MAX_LINE + more, 0, i % 2 ? "\r\n" : "\n");
        write_text(text);
        cr_assert_eq(loans_csv_open(&csv, path, NULL), PDR_OK);
        cr_assert_eq(loans_csv_next(csv, &row, &end, &err), PDR_BAD_DATA);
        cr_assert_not_null(strstr(err.message, more ? "more than 255 bytes" : "1 columns"), "%s",
                           err.message);
        loans_csv_close(csv);
    }
}

Test(csv, a_line_without_end_does_not_fill_the_memory)
{
    FILE *file = fopen(path, "wb");
    fputs(HEADER, file);
    for (int i = 0; i < 1000000; i++)
        fputs("xxxxxxxxxx", file);
    fclose(file);
    loans_csv *csv;
    loans_row row;
    bool end;
    cr_assert_eq(loans_csv_open(&csv, path, NULL), PDR_OK);
    cr_assert_eq(loans_csv_next(csv, &row, &end, NULL), PDR_BAD_DATA);
    cr_assert_eq(loans_csv_next(csv, &row, &end, NULL), PDR_OK);
    cr_assert(end);
    loans_csv_close(csv);
}

Test(csv, a_file_without_the_header_is_refused)
{
    static const char *const texts[] = {"", "\n", GOOD "\n", "at,application\n", (" " HEADER)};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        loans_csv *csv;
        pdr_error err;
        write_text(texts[i]);
        cr_assert_eq(loans_csv_open(&csv, path, &err), PDR_BAD_DATA, "%zu", i);
        cr_assert_not_null(strstr(err.message, "the first line must be"), "%s", err.message);
    }
}

Test(csv, a_file_that_is_not_there_is_not_found)
{
    loans_csv *csv;
    pdr_error err;
    unlink(path);
    cr_assert_eq(loans_csv_open(&csv, path, &err), PDR_NOT_FOUND);
    cr_assert_not_null(strstr(err.message, path));
}

static size_t compressed(uint8_t *out, size_t room)
{
    gzFile gz = gzopen(path, "wb");
    gzputs(gz, HEADER);
    for (int i = 0; i < 5000; i++)
        gzprintf(gz, "2011-09-30T22:38:44.%06dZ,%d,A_SUBMITTED,COMPLETE,%d,%d\n", i * 199, i * 7919, i % 70,
                 i * 31);
    gzclose(gz);
    FILE *file = fopen(path, "rb");
    size_t size = fread(out, 1, room, file);
    fclose(file);
    return size;
}

static pdr_code read_all(uint64_t *rows, pdr_error *err)
{
    loans_csv *csv;
    loans_row row;
    bool end = false;
    pdr_code code = loans_csv_open(&csv, path, err);
    *rows = 0;
    if (code != PDR_OK) return code;
    while (code == PDR_OK && !end) {
        code = loans_csv_next(csv, &row, &end, err);
        *rows += code == PDR_OK && !end;
    }
    loans_csv_close(csv);
    return code;
}

Test(csv, a_compressed_file_that_is_cut_off_or_damaged_says_so)
{
    static uint8_t bytes[200000];
    uint64_t rows;
    pdr_error err;
    size_t size = compressed(bytes, sizeof bytes);
    cr_assert_eq(read_all(&rows, &err), PDR_OK);
    cr_assert_eq(rows, 5000);
    write_bytes(bytes, size - size / 3);
    cr_assert_eq(read_all(&rows, &err), PDR_CORRUPT, "%d", (int)err.code);
    cr_assert_lt(rows, 5000);
    cr_assert_not_null(strstr(err.message, "cut off"), "%s", err.message);
    write_bytes(bytes, size - 4);
    cr_assert_eq(read_all(&rows, &err), PDR_CORRUPT, "a cut in the last four bytes");
    bytes[size / 2] ^= 0x55;
    write_bytes(bytes, size);
    pdr_code code = read_all(&rows, &err);
    cr_assert(code == PDR_CORRUPT || code == PDR_BAD_DATA, "%d", (int)code);
}

Test(csv, an_activity_that_the_bank_does_not_have_is_refused)
{
    static const char *const bad[][2] = {{"A_SUBMITTED", "START"}, {"A_NONSENSE", "COMPLETE"},
                                         {"O_SENT", "SCHEDULE"},   {"O_", "COMPLETE"},
                                         {"W_Valideren", "START"}, {"W_Valideren aanvraag", "PAUSE"},
                                         {"X", "COMPLETE"},        {"a_submitted", "COMPLETE"}};
    loans_row row;
    loans_command command;
    pdr_error err;
    cr_assert_eq(parse(GOOD, &row, NULL), PDR_OK);
    row.number = 77;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        strcpy(row.activity, bad[i][0]);
        strcpy(row.transition, bad[i][1]);
        cr_assert_eq(loans_command_of(&row, &command, &err), PDR_BAD_DATA, "%s", bad[i][0]);
        cr_assert_not_null(strstr(err.message, "row 77: no such activity"), "%s", err.message);
    }
}
