/* Tokens as they travel (docs/formats/token.md), frozen; and what else may come in their place. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/sha256.h"
#include "perdure/token.h"

static const uint8_t journal_id[16] = {0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
                                       0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf};

static void expect_hash(const char *text, size_t size, const char *hex)
{
    uint8_t hash[PDR_SHA256_SIZE];
    char told[2 * PDR_SHA256_SIZE + 1];
    pdr_sha256(hash, pdr_bytes_of(text, size));
    for (size_t i = 0; i < sizeof hash; i++)
        snprintf(told + 2 * i, 3, "%02x", hash[i]);
    cr_expect_str_eq(told, hex, "%zu bytes", size);
}

Test(token, sha256_is_the_standard_s)
{
    static char many[1000000];
    memset(many, 'a', sizeof many);
    expect_hash("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect_hash("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect_hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    expect_hash(many, sizeof many, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void expect_golden(const char *text, int partition, long long offset, const char *entity)
{
    pdr_view_token token, read;
    char written[PDR_VIEW_TOKEN_SIZE];
    pdr_view_token_of(&token, journal_id, pdr_string_of(entity), partition, offset);
    cr_assert_eq(pdr_view_token_write(written, &token, NULL), PDR_OK);
    cr_expect_str_eq(written, text, "%s", entity);
    cr_assert_eq(pdr_view_token_read(&read, pdr_string_of(text), NULL), PDR_OK, "%s", text);
    cr_expect_eq(memcmp(read.journal_id, journal_id, sizeof journal_id), 0);
    cr_expect_eq(read.partition, partition);
    cr_expect_eq(read.offset, offset);
    cr_expect_eq(memcmp(read.entity, token.entity, sizeof read.entity), 0);
}

Test(token, is_what_it_was)
{
    char line[200], text[80], entity[80];
    int partition, count = 0;
    long long offset;
    FILE *file = fopen(PDR_SOURCE_DIR "/tests/golden/token/tokens.txt", "r");
    cr_assert(file);
    while (fgets(line, sizeof line, file)) {
        if (*line == '#') continue;
        cr_assert_eq(sscanf(line, "%79s %d %lld %79s", text, &partition, &offset, entity), 4, "%s", line);
        expect_golden(text, partition, offset, entity);
        count++;
    }
    fclose(file);
    cr_expect_eq(count, 4);
}

Test(token, entities_are_told_apart)
{
    pdr_view_token one, other;
    pdr_view_token_of(&one, journal_id, pdr_string_of("loan/1"), 0, 5);
    pdr_view_token_of(&other, journal_id, pdr_string_of("loan/2"), 0, 5);
    cr_expect_neq(memcmp(one.entity, other.entity, sizeof one.entity), 0);
}

static pdr_code write_of(int32_t partition, int64_t offset)
{
    char text[PDR_VIEW_TOKEN_SIZE] = "x";
    pdr_view_token token;
    pdr_view_token_of(&token, journal_id, pdr_string_of("a"), partition, offset);
    pdr_code code = pdr_view_token_write(text, &token, NULL);
    if (code != PDR_OK) cr_expect_str_empty(text);
    return code;
}

Test(token, places_that_no_journal_has_are_refused)
{
    cr_expect_eq(write_of(-1, 0), PDR_INVALID_ARGUMENT);
    cr_expect_eq(write_of(4096, 0), PDR_INVALID_ARGUMENT);
    cr_expect_eq(write_of(0, -2), PDR_INVALID_ARGUMENT);
    cr_expect_eq(write_of(0, INT64_MIN), PDR_INVALID_ARGUMENT);
    cr_expect_eq(write_of(4095, INT64_MAX), PDR_OK);
}

static pdr_code read_of(const char *text, size_t size)
{
    pdr_view_token token;
    return pdr_view_token_read(&token, (pdr_string){text, size}, NULL);
}

#define GOOD "AQAAA6ChoqOkpaanqKmqq6ytrq8AAAAAB1vNFb4GUCjfnB8o"

Test(token, other_texts_are_no_tokens)
{
    static const char *const bad[] = {
        "",
        "A",
        "AQ",
        "token",
        "AQAAA6ChoqOkpaanqKmqq6ytrq8AAAAAB1vNFb4GUCjfnB8", /* too short */
        GOOD "A",
        GOOD "=",
        " " GOOD,
        GOOD "\n",                                             /* too long */
        "AQAAA6ChoqOkpaanqKmqq6ytrq8AAAAAB1vNFb4GUCjfnB+o",    /* ordinary base64 */
        "AQAAA6ChoqOkpaanqKmqq6ytrq8AAAAAB1vNFb4GUCjfnB8\xc3", /* not ASCII */
        "AAAAA6ChoqOkpaanqKmqq6ytrq8AAAAAB1vNFb4GUCjfnB8o",    /* version 0 */
        "AQAQAKChoqOkpaanqKmqq6ytrq8AAAAAB1vNFb4GUCjfnB8o",    /* partition 4096 */
        "AQAAA6ChoqOkpaanqKmqq6ytrq___________jEyMzQ1Njc4",    /* offset -2 */
        "'; drop table applications; --",
    };
    cr_assert_eq(read_of(GOOD, strlen(GOOD)), PDR_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_eq(read_of(bad[i], strlen(bad[i])), PDR_BAD_DATA, "%s", bad[i]);
    cr_expect_eq(read_of(NULL, 0), PDR_BAD_DATA);
    cr_expect_eq(read_of(GOOD "\0", strlen(GOOD) + 1), PDR_BAD_DATA);
}

Test(token, one_of_a_later_version_says_so)
{
    cr_expect_eq(read_of("AgAAA6ChoqOkpaanqKmqq6ytrq8AAAAAB1vNFb4GUCjfnB8o", 48), PDR_TOO_NEW);
    cr_expect_eq(read_of("AgAAA6ChoqOkpaanqKmqq6ytrq8AAAAAB1vNFb4GUCjfnB8oAAAA", 52), PDR_TOO_NEW);
}

/* Whatever one character becomes, it is another token or none; and what is read is written the same. */
Test(token, every_token_has_one_text)
{
    char text[] = GOOD, again[PDR_VIEW_TOKEN_SIZE];
    for (size_t i = 0; i < sizeof text - 1; i++) {
        char was = text[i];
        for (int c = 0; c < 256; c++) {
            pdr_view_token token;
            text[i] = (char)c;
            if (pdr_view_token_read(&token, (pdr_string){text, sizeof text - 1}, NULL) != PDR_OK) continue;
            cr_assert_eq(pdr_view_token_write(again, &token, NULL), PDR_OK);
            cr_expect_eq(memcmp(again, text, sizeof text), 0, "at %zu: %02x", i, c);
        }
        text[i] = was;
    }
}
