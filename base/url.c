#include "base/url.h"

#include <unistd.h>

#include "base/mem.h"

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static char *copy_of(const char *text, size_t size)
{
    char *copy = pdr_alloc(size + 1);
    if (!copy) return NULL;
    memcpy(copy, text, size);
    copy[size] = '\0';
    return copy;
}

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool only_of(const char *text, size_t size, const char *extra)
{
    for (size_t i = 0; i < size; i++)
        if (!is_alnum(text[i]) && (text[i] == '\0' || !strchr(extra, text[i]))) return false;
    return size > 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* %41 -> A, as a new NUL-terminated text. PDR_BAD_URL for a broken escape or one that gives NUL. */
static pdr_code decode(char **out, const char *text, size_t size, pdr_error *err)
{
    char *copy = pdr_alloc(size + 1), *to = copy;
    if (!copy) return pdr_fail(err, PDR_NOMEM, "URL");
    for (size_t i = 0; i < size; i++) {
        *to = text[i];
        if (text[i] == '%') {
            int high = i + 1 < size ? hex_digit(text[i + 1]) : -1;
            int low = i + 2 < size ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0 || high + low == 0) {
                pdr_free(copy);
                return pdr_fail(err, PDR_BAD_URL, "a %% must be followed by two hex digits, not both 0");
            }
            *to = (char)(high * 16 + low);
            i += 2;
        }
        to++;
    }
    *to = '\0';
    *out = copy;
    return PDR_OK;
}

/* --- kafka --- */

/* The host's length in "host", "host:port" or "[v6]:port"; 0: not a host. */
static size_t host_size(const char *text, size_t size)
{
    if (size && text[0] == '[') {
        const char *close = memchr(text, ']', size);
        size_t inner = close ? (size_t)(close - text) - 1 : 0;
        return inner && only_of(text + 1, inner, ":.%") ? inner + 2 : 0;
    }
    const char *colon = memchr(text, ':', size);
    size_t host = colon ? (size_t)(colon - text) : size;
    return host && only_of(text, host, ".-_") ? host : 0;
}

static bool is_port(const char *text, size_t size)
{
    unsigned port = 0;
    for (size_t i = 0; i < size; i++) {
        if (i == 5 || text[i] < '0' || text[i] > '9') return false;
        port = port * 10 + (unsigned)(text[i] - '0');
    }
    return size && port >= 1 && port <= 65535;
}

static pdr_code add_broker(pdr_buf *out, const char *text, size_t size, pdr_error *err)
{
    size_t host = host_size(text, size);
    if (!host || (host < size && (text[host] != ':' || !is_port(text + host + 1, size - host - 1))))
        return pdr_fail(err, PDR_BAD_URL, "\"%.*s\" is not host or host:port", (int)(size > 80 ? 80 : size),
                        text);
    const char *port = host == size ? ":9092" : "";
    const char *comma = out->size ? "," : "";
    return pdr_buf_printf(out, "%s%.*s%s", comma, (int)size, text, port) == PDR_OK
               ? PDR_OK
               : pdr_fail(err, PDR_NOMEM, "URL");
}

static pdr_code parse_brokers(pdr_url *out, const char *text, size_t size, pdr_error *err)
{
    pdr_buf list = PDR_BUF_INIT(2 * PDR_URL_MAX * 4);
    pdr_code code = PDR_OK;
    for (const char *end = text + size; code == PDR_OK && text <= end;) {
        const char *comma = memchr(text, ',', (size_t)(end - text));
        const char *stop = comma ? comma : end;
        code = add_broker(&list, text, (size_t)(stop - text), err);
        text = stop + 1;
    }
    if (code == PDR_OK) {
        out->brokers = copy_of((const char *)list.data, list.size);
        if (!out->brokers) code = pdr_fail(err, PDR_NOMEM, "URL");
    }
    pdr_buf_release(&list);
    return code;
}

static pdr_code add_setting(pdr_url *out, const char *text, size_t size, pdr_error *err)
{
    const char *equals = memchr(text, '=', size);
    if (!equals || equals == text)
        return pdr_fail(err, PDR_BAD_URL, "after '?' come name=value, name=value joined by '&'");
    if (out->setting_count == PDR_URL_MAX_SETTINGS)
        return pdr_fail(err, PDR_BAD_URL, "more than %d settings in a URL", PDR_URL_MAX_SETTINGS);
    size_t name_size = (size_t)(equals - text);
    pdr_url_setting *setting = &out->settings[out->setting_count++];
    pdr_code code = decode(&setting->name, text, name_size, err);
    return code != PDR_OK ? code : decode(&setting->value, equals + 1, size - name_size - 1, err);
}

static pdr_code parse_query(pdr_url *out, const char *query, pdr_error *err)
{
    out->settings = pdr_calloc(PDR_URL_MAX_SETTINGS, sizeof *out->settings);
    if (!out->settings) return pdr_fail(err, PDR_NOMEM, "URL");
    for (;;) {
        size_t size = strcspn(query, "&");
        pdr_code code = add_setting(out, query, size, err);
        if (code != PDR_OK || !query[size]) return code;
        query += size + 1;
    }
}

static pdr_code parse_kafka(pdr_url *out, const char *text, pdr_error *err)
{
    out->kind = PDR_URL_KAFKA;
    const char *brokers = text + strlen("kafka://");
    size_t brokers_size = strcspn(brokers, "/?");
    if (memchr(brokers, '@', brokers_size))
        return pdr_fail(
            err, PDR_BAD_URL,
            "no user or password in a kafka URL: give kafka.sasl.username and kafka.sasl.password "
            "as settings");
    if (brokers[brokers_size] != '/')
        return pdr_fail(err, PDR_BAD_URL, "the journal's name is missing: kafka://host:9092/name");
    pdr_code code = parse_brokers(out, brokers, brokers_size, err);
    if (code != PDR_OK) return code;
    const char *name = brokers + brokers_size + 1;
    size_t name_size = strcspn(name, "?");
    if (!only_of(name, name_size, "._-") || name_size > PDR_URL_MAX_NAME || name[0] == '.')
        return pdr_fail(
            err, PDR_BAD_URL,
            "a journal's name is 1 to %d letters, digits, '.', '_' or '-', and doesn't begin with '.'",
            PDR_URL_MAX_NAME);
    out->name = copy_of(name, name_size);
    if (!out->name) return pdr_fail(err, PDR_NOMEM, "URL");
    return name[name_size] ? parse_query(out, name + name_size + 1, err) : PDR_OK;
}

/* --- sqlite --- */

static pdr_code parse_sqlite(pdr_url *out, const char *text, pdr_error *err)
{
    out->kind = PDR_URL_SQLITE;
    const char *path = text + strlen("sqlite:");
    if (begins(path, "//"))
        return pdr_fail(err, PDR_BAD_URL, "a file is named sqlite:relative/path or sqlite:/absolute/path");
    if (!*path) return pdr_fail(err, PDR_BAD_URL, "the file's name is missing: sqlite:loans.db");
    if (begins(path, ":memory:") || begins(path, "file:"))
        return pdr_fail(err, PDR_BAD_URL,
                        "sqlite: wants the name of a file that several connections can open");
    out->path = copy_of(path, strlen(path));
    return out->path ? PDR_OK : pdr_fail(err, PDR_NOMEM, "URL");
}

/* --- postgres --- */

static pdr_code take_schema(pdr_url *out, const char *value, size_t size, pdr_error *err)
{
    if (out->schema) return pdr_fail(err, PDR_BAD_URL, "schema is given twice");
    bool begins_well = size && !(value[0] >= '0' && value[0] <= '9');
    if (!begins_well || !only_of(value, size, "_") || size > PDR_URL_MAX_SCHEMA)
        return pdr_fail(err, PDR_BAD_URL,
                        "schema is 1 to %d letters, digits or '_', and doesn't begin with a digit",
                        PDR_URL_MAX_SCHEMA);
    out->schema = copy_of(value, size);
    return out->schema ? PDR_OK : pdr_fail(err, PDR_NOMEM, "URL");
}

/* Everything but `schema` stays byte for byte: it is libpq's. */
static pdr_code parse_postgres(pdr_url *out, const char *text, pdr_error *err)
{
    out->kind = PDR_URL_POSTGRES;
    out->libpq = copy_of(text, strcspn(text, "?"));
    if (!out->libpq) return pdr_fail(err, PDR_NOMEM, "URL");
    const char *query = strchr(text, '?');
    if (!query) return PDR_OK;
    char *libpq = copy_of(text, strlen(text));
    if (!libpq) return pdr_fail(err, PDR_NOMEM, "URL");
    pdr_free(out->libpq);
    out->libpq = libpq;
    size_t kept = (size_t)(query - text);
    for (query++; *query; query += *query == '&') {
        size_t size = strcspn(query, "&");
        if (size >= 7 && begins(query, "schema=")) {
            pdr_code code = take_schema(out, query + 7, size - 7, err);
            if (code != PDR_OK) return code;
        } else {
            libpq[kept] = kept == (size_t)(strchr(text, '?') - text) ? '?' : '&';
            memcpy(libpq + kept + 1, query, size);
            kept += size + 1;
        }
        query += size;
    }
    libpq[kept] = '\0';
    return PDR_OK;
}

/* --- both --- */

static pdr_code check_text(const char *text, const char *what, pdr_error *err)
{
    if (!text) return pdr_fail(err, PDR_BAD_URL, "no URL names the %s", what);
    if (strlen(text) > PDR_URL_MAX)
        return pdr_fail(err, PDR_BAD_URL, "the %s's URL is longer than %d bytes", what, PDR_URL_MAX);
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return pdr_fail(err, PDR_BAD_URL, "a control character in the %s's URL", what);
    return PDR_OK;
}

/* A scheme is shown, the rest may hold a password. */
static int scheme_size(const char *text)
{
    size_t size = strcspn(text, ":/");
    return (int)(text[size] == ':' && size < 20 ? size : 0);
}

pdr_code pdr_url_parse_journal(pdr_url *out, const char *text, pdr_error *err)
{
    memset(out, 0, sizeof *out);
    pdr_code code = check_text(text, "journal", err);
    if (code != PDR_OK) return code;
    if (begins(text, "kafka://")) return parse_kafka(out, text, err);
    if (begins(text, "sqlite:")) return parse_sqlite(out, text, err);
    return pdr_fail(err, PDR_BAD_URL, "a journal is kafka://host:9092/name or sqlite:file, not \"%.*s:...\"",
                    scheme_size(text), text);
}

pdr_code pdr_url_parse_store(pdr_url *out, const char *text, pdr_error *err)
{
    memset(out, 0, sizeof *out);
    pdr_code code = check_text(text, "store", err);
    if (code != PDR_OK) return code;
    if (begins(text, "postgres://") || begins(text, "postgresql://")) return parse_postgres(out, text, err);
    if (begins(text, "sqlite:")) return parse_sqlite(out, text, err);
    return pdr_fail(err, PDR_BAD_URL, "a store is postgres://... or sqlite:file, not \"%.*s:...\"",
                    scheme_size(text), text);
}

void pdr_url_release(pdr_url *url)
{
    for (size_t i = 0; i < url->setting_count; i++) {
        pdr_free(url->settings[i].name);
        pdr_free(url->settings[i].value);
    }
    pdr_free(url->settings);
    pdr_free(url->brokers);
    pdr_free(url->name);
    pdr_free(url->path);
    pdr_free(url->libpq);
    pdr_free(url->schema);
    memset(url, 0, sizeof *url);
}

bool pdr_url_is_missing_file(const pdr_url *url)
{
    return url->kind == PDR_URL_SQLITE && access(url->path, F_OK) != 0;
}
