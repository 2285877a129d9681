#include <criterion/criterion.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/url.h"

Test(url, a_kafka_journal_has_brokers_name_and_settings)
{
    pdr_url url;
    const char *text = "kafka://h1:9092,h-2,[::1]:9094/loans?kafka.linger.ms=5&snapshot.events=1%300";
    cr_assert_eq(pdr_url_parse_journal(&url, text, NULL), PDR_OK);
    cr_assert_eq(url.kind, PDR_URL_KAFKA);
    cr_assert_str_eq(url.brokers, "h1:9092,h-2:9092,[::1]:9094");
    cr_assert_str_eq(url.name, "loans");
    cr_assert_eq(url.setting_count, 2);
    cr_assert_str_eq(url.settings[0].name, "kafka.linger.ms");
    cr_assert_str_eq(url.settings[0].value, "5");
    cr_assert_str_eq(url.settings[1].value, "100");
    pdr_url_release(&url);
    cr_assert_null(url.name);
}

Test(url, sqlite_keeps_its_path_as_it_is)
{
    static const char *const paths[] = {"loans.db", "/var/lib/x y.db", "a?b=c%20d", "../up", "ü.db"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char text[100];
        snprintf(text, sizeof text, "sqlite:%s", paths[i]);
        pdr_url url;
        cr_assert_eq(pdr_url_parse_journal(&url, text, NULL), PDR_OK);
        cr_assert_eq(url.kind, PDR_URL_SQLITE);
        cr_assert_str_eq(url.path, paths[i]);
        pdr_url_release(&url);
        cr_assert_eq(pdr_url_parse_store(&url, text, NULL), PDR_OK);
        cr_assert_str_eq(url.path, paths[i]);
        pdr_url_release(&url);
    }
}

Test(url, a_postgres_store_loses_only_our_schema)
{
    static const struct {
        const char *text, *libpq, *schema;
    } good[] = {
        {"postgres://u:p%40@h:5432/db", "postgres://u:p%40@h:5432/db", NULL},
        {"postgres://h/db?schema=loans_1", "postgres://h/db", "loans_1"},
        {"postgresql://h/db?sslmode=require&schema=s", "postgresql://h/db?sslmode=require", "s"},
        {"postgres://h/db?schema=s&sslmode=require&x=y", "postgres://h/db?sslmode=require&x=y", "s"},
        {"postgres://h/db?a=b&schema=s&c=d", "postgres://h/db?a=b&c=d", "s"},
        {"postgres:///db?host=/tmp/x", "postgres:///db?host=/tmp/x", NULL},
        {"postgres://h/db?", "postgres://h/db", NULL},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        pdr_url url;
        cr_assert_eq(pdr_url_parse_store(&url, good[i].text, NULL), PDR_OK, "%s", good[i].text);
        cr_assert_str_eq(url.libpq, good[i].libpq);
        if (good[i].schema)
            cr_assert_str_eq(url.schema, good[i].schema);
        else
            cr_assert_null(url.schema);
        pdr_url_release(&url);
    }
}

Test(url, bad_journals_are_refused)
{
    static const char *const bad[] = {
        "",
        "loans.db",
        "kafka",
        "kafka:",
        "kafka:/h/x",
        "kafka://",
        "kafka:///x",
        "kafka://h",
        "kafka://h/",
        "kafka://h:9092",
        "kafka://h:9092?x=y",
        "kafka://h:/x",
        "kafka://h:0/x",
        "kafka://h:65536/x",
        "kafka://h:x/x",
        "kafka://h:99999999999/x",
        "kafka://h:9092,/x",
        "kafka://,h/x",
        "kafka://h,,i/x",
        "kafka://h i/x",
        "kafka://u:p@h/x",
        "kafka://[::1/x",
        "kafka://[]:1/x",
        "kafka://[::1]9092/x",
        "kafka://[evil\"]/x",
        "kafka://::1/x",
        "kafka://h/x/y",
        "kafka://h/x y",
        "kafka://h/.x",
        "kafka://h/..",
        "kafka://h/x#y",
        "kafka://h/ü",
        "kafka://h/x?",
        "kafka://h/x?a",
        "kafka://h/x?=b",
        "kafka://h/x?a=b&",
        "kafka://h/x?a=b&&c=d",
        "kafka://h/x?a=%",
        "kafka://h/x?a=%4",
        "kafka://h/x?a=%zz",
        "kafka://h/x?a=%00",
        "sqlite:",
        "sqlite",
        "sqlite://h/x",
        "sqlite::memory:",
        "sqlite:file:x?mode=memory",
        "sqlite:a\nb",
        "postgres://h/db",
        "KAFKA://h/x",
        "http://h/x",
        "://",
        ":",
        "kafka://h\x01/x",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        pdr_url url;
        pdr_error err;
        cr_assert_eq(pdr_url_parse_journal(&url, bad[i], &err), PDR_BAD_URL, "\"%s\"", bad[i]);
        cr_assert(err.message[0]);
        pdr_url_release(&url);
    }
    pdr_url url;
    cr_assert_eq(pdr_url_parse_journal(&url, NULL, NULL), PDR_BAD_URL);
}

Test(url, bad_stores_are_refused)
{
    static const char *const bad[] = {
        "",
        "db",
        "postgres",
        "postgres:h/db",
        "kafka://h/x",
        "sqlite:",
        "mysql://h/db",
        "host=h dbname=db",
        "postgres://h/db?schema=",
        "postgres://h/db?schema=a-b",
        "postgres://h/db?schema=1a",
        "postgres://h/db?schema=a&schema=b",
        "postgres://h/db?schema=a;drop",
        "postgres://h/db?schema=%41",
        "postgres://h/db?schema=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "postgres://h\t/db",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        pdr_url url;
        cr_assert_eq(pdr_url_parse_store(&url, bad[i], NULL), PDR_BAD_URL, "\"%s\"", bad[i]);
        pdr_url_release(&url);
    }
}

Test(url, ceilings_hold)
{
    char text[PDR_URL_MAX + 100];
    pdr_url url;
    memset(text, 'x', sizeof text);
    memcpy(text, "sqlite:", 7);
    text[PDR_URL_MAX + 1] = '\0';
    cr_assert_eq(pdr_url_parse_journal(&url, text, NULL), PDR_BAD_URL);
    pdr_url_release(&url);
    memcpy(text, "kafka://h/", 10);
    text[10 + PDR_URL_MAX_NAME + 1] = '\0';
    cr_assert_eq(pdr_url_parse_journal(&url, text, NULL), PDR_BAD_URL);
    pdr_url_release(&url);
    text[10 + PDR_URL_MAX_NAME] = '\0';
    cr_assert_eq(pdr_url_parse_journal(&url, text, NULL), PDR_OK);
    pdr_url_release(&url);
    strcpy(text, "kafka://h/x?");
    for (int i = 0; i <= PDR_URL_MAX_SETTINGS; i++)
        strcat(text, i ? "&a=b" : "a=b");
    cr_assert_eq(pdr_url_parse_journal(&url, text, NULL), PDR_BAD_URL);
    pdr_url_release(&url);
}

Test(url, no_message_shows_a_password)
{
    static const char *const texts[] = {"kafka://u:secret@h/x", "postgres://u:secret@h/db?schema=-",
                                        "pg://u:secret@h", "secret"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        pdr_url url;
        pdr_error err = {PDR_OK, 0, ""};
        cr_assert_neq(pdr_url_parse_journal(&url, texts[i], &err), PDR_OK);
        cr_assert_not(strstr(err.message, "secret"), "%s", err.message);
        pdr_url_release(&url);
        cr_assert_neq(pdr_url_parse_store(&url, texts[i], &err), PDR_OK);
        cr_assert_not(strstr(err.message, "secret"), "%s", err.message);
        pdr_url_release(&url);
    }
}

Test(url, every_allocation_may_fail)
{
    static const char *const texts[] = {"kafka://h,i/x?a=b&c=d", "sqlite:x", "postgres://h/db?schema=s&a=b"};
    for (size_t i = 0; i < 3; i++) {
        pdr_code code = PDR_NOMEM;
        for (uint64_t nth = 1; code == PDR_NOMEM; nth++) {
            pdr_url url;
            pdr_mem_fail_at(nth);
            code = i == 2 ? pdr_url_parse_store(&url, texts[i], NULL)
                          : pdr_url_parse_journal(&url, texts[i], NULL);
            pdr_mem_fail_at(0);
            pdr_url_release(&url);
        }
        cr_assert_eq(code, PDR_OK);
    }
}
