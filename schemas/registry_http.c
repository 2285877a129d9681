#include "schemas/registry_http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <time.h>

#include "base/late.h"
#include "base/mem.h"
#include "schemas/registry_json.h"

/* libcurl checks the kinds of arguments by macros of these names. */
#undef curl_easy_setopt
#undef curl_easy_getinfo

#define FUNCTIONS(X)                                                                                         \
    X(curl_easy_cleanup)                                                                                     \
    X(curl_easy_getinfo)                                                                                     \
    X(curl_easy_init)                                                                                        \
    X(curl_easy_perform)                                                                                     \
    X(curl_easy_setopt)                                                                                      \
    X(curl_easy_strerror)                                                                                    \
    X(curl_free)                                                                                             \
    X(curl_global_init)                                                                                      \
    X(curl_slist_append)                                                                                     \
    X(curl_slist_free_all)                                                                                   \
    X(curl_url)                                                                                              \
    X(curl_url_cleanup)                                                                                      \
    X(curl_url_get)                                                                                          \
    X(curl_url_set)                                                                                          \
    X(curl_url_strerror)
PDR_LATE_LIBRARY(PDR_CURL_FILE, FUNCTIONS);

enum { MAX_HEADERS = 64 * 1024, MAX_REDIRECTS = 3, MAX_WAIT_AS_TOLD_S = 30, MAX_URL = 8192 };

struct pdr_reg_http {
    CURL *curl;
    struct curl_slist *headers;
    char *base; /* without user and password, without a slash at its end */
    uint32_t attempts, backoff_min_ms, backoff_max_ms;
    size_t max_answer;
    void (*wait)(void *context, uint32_t ms);
    void *wait_context;
    uint64_t random;
    size_t header_bytes; /* of the answer under way */
    pdr_buf *body;       /* ... where its body goes */
    pdr_code failed;     /* ... PDR_TOO_LARGE or PDR_NOMEM: why it was broken off */
    char why[CURL_ERROR_SIZE];
};

static void init_curl(void)
{
    late.curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t take_body(char *data, size_t one, size_t size, void *context)
{
    pdr_reg_http *http = context;
    http->failed = pdr_buf_append(http->body, data, one * size);
    return http->failed == PDR_OK ? size : 0;
}

static size_t take_header(char *data, size_t one, size_t size, void *context)
{
    pdr_reg_http *http = context;
    (void)data;
    http->header_bytes += one * size;
    if (http->header_bytes > MAX_HEADERS) http->failed = PDR_TOO_LARGE;
    return http->failed == PDR_OK ? size : 0;
}

static void sleep_ms(void *context, uint32_t ms)
{
    (void)context;
    struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000};
    while (nanosleep(&time, &time) != 0) {
    }
}

/* --- open --- */

static pdr_code part_of(CURLU *url, CURLUPart part, unsigned flags, char **out)
{
    char *text = NULL;
    CURLUcode code = late.curl_url_get(url, part, &text, flags);
    *out = code == CURLUE_OK ? pdr_strdup(text) : NULL;
    late.curl_free(text);
    return code == CURLUE_OK && !*out ? PDR_NOMEM : PDR_OK;
}

/* No message shows the URL: it may hold a password. */
static pdr_code check_url(CURLU *url, const char *text, pdr_error *err)
{
    char *scheme = NULL, *query = NULL, *fragment = NULL;
    CURLUcode bad = late.curl_url_set(url, CURLUPART_URL, text, 0);
    if (bad)
        return pdr_fail(err, PDR_BAD_SETTING,
                        "the registry's URL can't be read (%s): http://host:port/path is wanted",
                        late.curl_url_strerror(bad));
    pdr_code code = part_of(url, CURLUPART_SCHEME, 0, &scheme);
    if (code == PDR_OK) code = part_of(url, CURLUPART_QUERY, 0, &query);
    if (code == PDR_OK) code = part_of(url, CURLUPART_FRAGMENT, 0, &fragment);
    if (code == PDR_OK && (!scheme || (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)))
        code = pdr_fail(err, PDR_BAD_SETTING, "the registry's URL begins with http:// or https://");
    if (code == PDR_OK && (query || fragment))
        code = pdr_fail(err, PDR_BAD_SETTING, "the registry's URL has no ? and no #");
    pdr_free(scheme);
    pdr_free(query);
    pdr_free(fragment);
    return code;
}

/* User and password leave the URL: libcurl gets them apart, messages never. */
static pdr_code split_url(pdr_reg_http *http, CURLU *url, char **user, char **password, pdr_error *err)
{
    pdr_code code = part_of(url, CURLUPART_USER, CURLU_URLDECODE, user);
    if (code == PDR_OK) code = part_of(url, CURLUPART_PASSWORD, CURLU_URLDECODE, password);
    if (code == PDR_OK && (late.curl_url_set(url, CURLUPART_USER, NULL, 0) ||
                           late.curl_url_set(url, CURLUPART_PASSWORD, NULL, 0)))
        code = PDR_NOMEM;
    if (code == PDR_OK) code = part_of(url, CURLUPART_URL, 0, &http->base);
    if (code == PDR_OK && !http->base) code = PDR_NOMEM;
    if (code != PDR_OK) return pdr_fail(err, code, "the registry's URL");
    size_t size = strlen(http->base);
    while (size && http->base[size - 1] == '/')
        http->base[--size] = '\0';
    return PDR_OK;
}

static CURLcode set_text(CURL *curl, CURLoption option, const char *value)
{
    return value && *value ? late.curl_easy_setopt(curl, option, value) : CURLE_OK;
}

static CURLcode set_identity(CURL *curl, const pdr_registry_config *config, const char *user,
                             const char *password)
{
    const char *given = config->user && *config->user ? config->user : user;
    CURLcode code = late.curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    if (!code) code = set_text(curl, CURLOPT_USERNAME, given);
    if (!code)
        code = set_text(curl, CURLOPT_PASSWORD,
                        config->password && *config->password ? config->password : password);
    if (!code) code = set_text(curl, CURLOPT_CAINFO, config->ca_file);
    if (!code) code = set_text(curl, CURLOPT_SSLCERT, config->certificate_file);
    if (!code) code = set_text(curl, CURLOPT_SSLKEY, config->key_file);
    if (!code) code = set_text(curl, CURLOPT_KEYPASSWD, config->key_password);
    return code;
}

/* https never leads to http. A POST stays one when it is sent elsewhere. */
static CURLcode set_redirects(CURL *curl, const char *base)
{
    const char *to = strncmp(base, "https:", 6) == 0 ? "https" : "http,https";
    CURLcode code = late.curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    if (!code) code = late.curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, to);
    if (!code) code = late.curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    if (!code) code = late.curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)MAX_REDIRECTS);
    if (!code) code = late.curl_easy_setopt(curl, CURLOPT_POSTREDIR, (long)CURL_REDIR_POST_ALL);
    return code;
}

static CURLcode set_exchange(pdr_reg_http *http, uint32_t timeout_ms)
{
    CURL *curl = http->curl;
    CURLcode code = late.curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    if (!code) code = late.curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    if (!code) code = late.curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    if (!code) code = late.curl_easy_setopt(curl, CURLOPT_WRITEDATA, http);
    if (!code) code = late.curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    if (!code) code = late.curl_easy_setopt(curl, CURLOPT_HEADERDATA, http);
    if (!code) code = late.curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->why);
    if (!code) code = late.curl_easy_setopt(curl, CURLOPT_USERAGENT, "perdure");
    return code ? code : late.curl_easy_setopt(curl, CURLOPT_HTTPHEADER, http->headers);
}

static pdr_code add_header(pdr_reg_http *http, const char *line)
{
    struct curl_slist *longer = late.curl_slist_append(http->headers, line);
    if (!longer) return PDR_NOMEM;
    http->headers = longer;
    return PDR_OK;
}

static pdr_code set_up(pdr_reg_http *http, const pdr_registry_config *config, const char *user,
                       const char *password, pdr_error *err)
{
    pdr_code code = add_header(http, "Content-Type: application/vnd.schemaregistry.v1+json");
    if (code == PDR_OK)
        code = add_header(http, "Accept: application/vnd.schemaregistry.v1+json, application/json");
    if (code == PDR_OK) code = add_header(http, "Expect:"); /* no waiting for a 100 Continue */
    http->curl = late.curl_easy_init();
    if (code != PDR_OK || !http->curl) return pdr_fail(err, PDR_NOMEM, "a client of the registry");
    CURLcode bad = set_identity(http->curl, config, user, password);
    if (!bad) bad = set_redirects(http->curl, http->base);
    if (!bad) bad = set_exchange(http, config->timeout_ms);
    if (!bad) return PDR_OK;
    return pdr_fail_backend(err, bad == CURLE_OUT_OF_MEMORY ? PDR_NOMEM : PDR_BAD_SETTING, (int32_t)bad,
                            "libcurl refuses the settings for the registry: %s",
                            late.curl_easy_strerror(bad));
}

pdr_code pdr_reg_http_open(pdr_reg_http **out, const pdr_registry_config *config, pdr_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pdr_code code = pdr_late_load(&library, err);
    if (code != PDR_OK) return code;
    pthread_once(&once, init_curl);
    pdr_reg_http *http = pdr_calloc(1, sizeof *http);
    CURLU *url = late.curl_url();
    char *user = NULL, *password = NULL;
    code = http && url ? PDR_OK : pdr_fail(err, PDR_NOMEM, "a client of the registry");
    if (code == PDR_OK) code = check_url(url, config->url, err);
    if (code == PDR_OK) code = split_url(http, url, &user, &password, err);
    if (code == PDR_OK) {
        http->attempts = config->attempts ? config->attempts : 1;
        http->backoff_min_ms = config->backoff_min_ms;
        http->backoff_max_ms = config->backoff_max_ms;
        http->max_answer = config->max_answer;
        http->wait = config->wait ? config->wait : sleep_ms;
        http->wait_context = config->wait_context;
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        http->random = (uint64_t)now.tv_nsec ^ (uint64_t)now.tv_sec << 20 ^ (uint64_t)(uintptr_t)http;
        code = set_up(http, config, user, password, err);
    }
    late.curl_url_cleanup(url);
    pdr_free(user);
    pdr_free(password);
    if (code == PDR_OK)
        *out = http;
    else
        pdr_reg_http_close(http);
    return code;
}

void pdr_reg_http_close(pdr_reg_http *http)
{
    if (!http) return;
    late.curl_easy_cleanup(http->curl);
    late.curl_slist_free_all(http->headers);
    pdr_free(http->base);
    pdr_free(http);
}

const char *pdr_reg_http_base(const pdr_reg_http *http)
{
    return http->base;
}

/* --- one attempt --- */

static bool is_about_tls(CURLcode code)
{
    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR: return true;
    default: return false;
    }
}

static pdr_code explain(const pdr_reg_http *http, CURLcode curl, pdr_error *err)
{
    const char *why = http->why[0] ? http->why : late.curl_easy_strerror(curl);
    int32_t number = (int32_t)curl;
    if (http->failed == PDR_TOO_LARGE)
        return pdr_fail_backend(err, PDR_TOO_LARGE, number,
                                "registry %.200s: its answer is longer than %zu bytes", http->base,
                                http->max_answer);
    if (http->failed != PDR_OK || curl == CURLE_OUT_OF_MEMORY)
        return pdr_fail_backend(err, PDR_NOMEM, number, "an answer of the registry");
    if (is_about_tls(curl))
        return pdr_fail_backend(err, PDR_BAD_SETTING, number,
                                "registry %.200s: TLS: %.150s; see registry.ca, registry.certificate and "
                                "registry.key",
                                http->base, why);
    return pdr_fail_backend(err, PDR_UNAVAILABLE, number, "registry %.200s: %.200s", http->base, why);
}

/* A refusal of ours or a wrong setting comes again; so does a URL that leads in circles. */
static bool may_pass(pdr_code code, CURLcode curl)
{
    return code == PDR_UNAVAILABLE && curl != CURLE_TOO_MANY_REDIRECTS &&
           curl != CURLE_UNSUPPORTED_PROTOCOL && curl != CURLE_URL_MALFORMAT;
}

static pdr_code one_attempt(pdr_reg_http *http, pdr_reg_answer *answer, bool *again, pdr_error *err)
{
    pdr_buf_clear(&answer->body);
    answer->status = 0;
    http->body = &answer->body;
    http->header_bytes = 0;
    http->failed = PDR_OK;
    http->why[0] = '\0';
    CURLcode curl = late.curl_easy_perform(http->curl);
    if (curl) {
        pdr_code code = explain(http, curl, err);
        *again = may_pass(code, curl);
        return code;
    }
    late.curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &answer->status);
    *again = answer->status >= 500 || answer->status == 429 || answer->status == 408;
    if (!*again) return PDR_OK;
    pdr_reg_refusal refusal;
    pdr_reg_get_refusal(&refusal, pdr_buf_bytes(&answer->body));
    return pdr_fail_backend(err, PDR_UNAVAILABLE, (int32_t)answer->status, "registry %.200s answers %ld %s",
                            http->base, answer->status, refusal.message);
}

/* --- all attempts --- */

/* xorshift64: jitter needs no better one. */
static uint64_t draw(pdr_reg_http *http)
{
    uint64_t x = http->random ? http->random : 1;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return http->random = x;
}

/* Between half and all of a time that doubles; a server that names a time itself gets it, within reason. */
static uint32_t wait_before(pdr_reg_http *http, uint32_t attempt)
{
    uint64_t span = http->backoff_min_ms;
    for (uint32_t i = 1; i < attempt && span < http->backoff_max_ms; i++)
        span *= 2;
    if (span > http->backoff_max_ms) span = http->backoff_max_ms;
    uint64_t wait = span / 2 + (span ? draw(http) % (span - span / 2 + 1) : 0);
    curl_off_t told = 0;
    late.curl_easy_getinfo(http->curl, CURLINFO_RETRY_AFTER, &told);
    if (told > MAX_WAIT_AS_TOLD_S) told = MAX_WAIT_AS_TOLD_S;
    if (told > 0 && (uint64_t)told * 1000 > wait) wait = (uint64_t)told * 1000;
    return (uint32_t)wait;
}

static pdr_code prepare(pdr_reg_http *http, const char *path, pdr_bytes body, pdr_error *err)
{
    pdr_buf url = PDR_BUF_INIT(MAX_URL);
    pdr_code code = pdr_buf_printf(&url, "%s%s", http->base, path);
    if (code == PDR_OK) code = pdr_buf_append(&url, "", 1);
    CURLcode bad = CURLE_OK;
    if (code == PDR_OK) {
        bad = late.curl_easy_setopt(http->curl, CURLOPT_URL, (const char *)url.data);
        if (!bad) bad = late.curl_easy_setopt(http->curl, CURLOPT_HTTPGET, 1L);
        if (!bad && body.data) bad = late.curl_easy_setopt(http->curl, CURLOPT_POST, 1L);
        if (!bad && body.data)
            bad = late.curl_easy_setopt(http->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.size);
        if (!bad && body.data) bad = late.curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, body.data);
    }
    pdr_buf_release(&url);
    if (code == PDR_OK && bad) code = PDR_NOMEM;
    return code == PDR_OK ? code : pdr_fail(err, code, "a request to the registry");
}

pdr_code pdr_reg_http_send(pdr_reg_http *http, pdr_reg_answer *answer, const char *path, pdr_bytes body,
                           pdr_error *err)
{
    answer->body.max = http->max_answer;
    pdr_code code = prepare(http, path, body, err);
    if (code != PDR_OK) return code;
    for (uint32_t attempt = 1;; attempt++) {
        bool again = false;
        code = one_attempt(http, answer, &again, err);
        if (!again || attempt >= http->attempts) break;
        http->wait(http->wait_context, wait_before(http, attempt));
    }
    return code;
}

pdr_code pdr_reg_path_part(pdr_buf *out, const char *part)
{
    pdr_code code = PDR_OK;
    for (const char *at = part; *at && code == PDR_OK; at++) {
        unsigned char c = (unsigned char)*at;
        bool plain =
            (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || strchr("-._~", c);
        code = plain ? pdr_buf_append(out, at, 1) : pdr_buf_printf(out, "%%%02X", c);
    }
    return code;
}
