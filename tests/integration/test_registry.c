/* Claims about the registry's client against a real registry (PERDURE_TEST_REGISTRY), and over TLS against a
 * server of the test's own (Python's, with certificates made by openssl for one run). */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "schemas/registry.h"
#include "schemas/schema.h"

static pdr_registry *registry;
static pdr_error err;
static char topic[64]; /* of this run: the registry outlives it */

/* Before Criterion runs anything, whose tests can't skip their program. */
__attribute__((constructor)) static void skip_without_a_registry(void)
{
    if (getenv("PERDURE_TEST_REGISTRY")) return;
    fprintf(stderr, "SKIPPED: PERDURE_TEST_REGISTRY isn't set; ./dev services up --registry starts one\n");
    _exit(77);
}

static void open_with(const char *url, const char *ca)
{
    pdr_registry_config config = PDR_REGISTRY_CONFIG_INIT;
    config.url = url;
    config.topic = topic;
    config.ca_file = ca;
    config.attempts = 1;
    config.timeout_ms = 30000;
    cr_assert_eq(pdr_registry_open(&registry, &config, &err), PDR_OK, "%s", err.message);
}

static void begin(void)
{
    snprintf(topic, sizeof topic, "test-%d-%u.events", (int)getpid(), (unsigned)time(NULL));
    open_with(getenv("PERDURE_TEST_REGISTRY"), NULL);
}

static void end(void)
{
    pdr_registry_close(registry);
    registry = NULL;
}

TestSuite(real_registry, .init = begin, .fini = end, .timeout = 600);

static uint64_t fingerprint_of(const char *json)
{
    pdr_schema_set *set = NULL;
    uint64_t fingerprint = 0;
    cr_assert_eq(pdr_schema_read(&set, "test", pdr_string_of(json), &err), PDR_OK, "%s", err.message);
    cr_assert_eq(pdr_schema_fingerprint(&fingerprint, pdr_schema_set_root(set, 0), &err), PDR_OK);
    pdr_schema_set_close(set);
    return fingerprint;
}

static pdr_registry_schema schema_of(const char *json)
{
    return (pdr_registry_schema){"loans.OfferMade", json, fingerprint_of(json)};
}

#define OFFER(fields)                                                                                        \
    "{\"type\":\"record\",\"name\":\"OfferMade\",\"namespace\":\"loans\",\"fields\":[" fields "]}"
#define CENTS "{\"name\":\"cents\",\"type\":\"long\",\"doc\":\"of a euro\"}"
#define NOTE_WITH_DEFAULT ",{\"name\":\"note\",\"type\":\"string\",\"default\":\"\\u20ac\"}"
#define NOTE ",{\"name\":\"note\",\"type\":\"string\"}"

Test(real_registry, a_schema_gets_one_id_and_is_found_by_it)
{
    pdr_registry_schema schema = schema_of(OFFER(CENTS));
    pdr_buf json = PDR_BUF_INIT(4096);
    int32_t id = 0, again = 0, other = 0;
    cr_assert_eq(pdr_registry_find(registry, &id, &schema, &err), PDR_NOT_FOUND);
    cr_assert_eq(pdr_registry_register(registry, &id, &schema, &err), PDR_OK, "%s", err.message);
    cr_assert_gt(id, 0);
    end();
    open_with(getenv("PERDURE_TEST_REGISTRY"), NULL); /* nothing is cached */
    cr_assert_eq(pdr_registry_find(registry, &again, &schema, &err), PDR_OK, "%s", err.message);
    cr_assert_eq(again, id);
    cr_assert_eq(pdr_registry_by_id(registry, id, &json, &err), PDR_OK, "%s", err.message);
    cr_assert_eq(pdr_buf_append(&json, "", 1), PDR_OK);
    cr_assert_eq(fingerprint_of((const char *)json.data), schema.fingerprint);
    pdr_registry_schema next = schema_of(OFFER(CENTS NOTE_WITH_DEFAULT));
    cr_assert_eq(pdr_registry_register(registry, &other, &next, &err), PDR_OK, "%s", err.message);
    cr_assert_neq(other, id);
    pdr_buf_release(&json);
}

Test(real_registry, an_id_that_it_never_gave_is_not_found)
{
    pdr_buf json = PDR_BUF_INIT(4096);
    cr_assert_eq(pdr_registry_by_id(registry, 2000000000, &json, &err), PDR_NOT_FOUND);
}

/* PUT /config/SUBJECT, which the client has no need of. */
static void set_compatibility(const char *level)
{
    char command[600];
    snprintf(command, sizeof command,
             "curl --silent --fail -X PUT -H 'Content-Type: application/vnd.schemaregistry.v1+json' --data "
             "'{\"compatibility\":\"%s\"}' %s/config/%s-loans.OfferMade >/dev/null",
             level, getenv("PERDURE_TEST_REGISTRY"), topic);
    cr_assert_eq(system(command), 0, "%s", command);
}

Test(real_registry, an_incompatible_schema_is_refused_before_it_is_registered)
{
    pdr_registry_schema first = schema_of(OFFER(CENTS)), next = schema_of(OFFER(CENTS NOTE));
    int32_t id = 0;
    cr_assert_eq(pdr_registry_register(registry, &id, &first, &err), PDR_OK, "%s", err.message);
    set_compatibility("BACKWARD");
    cr_assert_eq(pdr_registry_register(registry, &id, &next, &err), PDR_BAD_SCHEMA);
    cr_assert(strstr(err.message, "isn't compatible with the latest version"), "%s", err.message);
    cr_assert_eq(pdr_registry_find(registry, &id, &next, &err), PDR_NOT_FOUND);
    pdr_registry_schema fine = schema_of(OFFER(CENTS NOTE_WITH_DEFAULT));
    cr_assert_eq(pdr_registry_register(registry, &id, &fine, &err), PDR_OK, "%s", err.message);
}

Test(real_registry, what_is_no_schema_is_refused_in_its_own_words)
{
    pdr_registry_schema bad = {"loans.OfferMade", "{\"type\":\"rekord\"}", 1};
    int32_t id = 0;
    cr_assert_eq(pdr_registry_register(registry, &id, &bad, &err), PDR_BAD_SCHEMA);
    cr_assert(strstr(err.message, "422"), "%s", err.message);
}

Test(real_registry, a_wrong_path_is_said_to_be_one)
{
    pdr_registry_schema schema = schema_of(OFFER(CENTS));
    char url[300];
    int32_t id = 0;
    end();
    snprintf(url, sizeof url, "%s/nowhere", getenv("PERDURE_TEST_REGISTRY"));
    open_with(url, NULL);
    cr_assert_eq(pdr_registry_register(registry, &id, &schema, &err), PDR_BAD_SETTING);
    cr_assert(strstr(err.message, "registry.url"), "%s", err.message);
}

/* ---- TLS ---- */

static char folder[64];
static pid_t server;

/* A server that answers every request with the schema "string", to clients whose certificate the authority
 * signed. */
static const char server_py[] = "import http.server, ssl, sys\n"
                                "class Handler(http.server.BaseHTTPRequestHandler):\n"
                                "    def do_GET(self):\n"
                                "        body = b'{\"schema\": \"\\\\\"string\\\\\"\"}'\n"
                                "        self.send_response(200)\n"
                                "        self.send_header('Content-Length', str(len(body)))\n"
                                "        self.end_headers()\n"
                                "        self.wfile.write(body)\n"
                                "    def log_message(self, *words): pass\n"
                                "server = http.server.HTTPServer(('127.0.0.1', 0), Handler)\n"
                                "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
                                "context.load_cert_chain('server.pem', 'server.key')\n"
                                "if sys.argv[1] == 'mutual':\n"
                                "    context.verify_mode = ssl.CERT_REQUIRED\n"
                                "    context.load_verify_locations('ca.pem')\n"
                                "server.socket = context.wrap_socket(server.socket, server_side=True)\n"
                                "print(server.server_port, flush=True)\n"
                                "server.serve_forever()\n";

static const char certificates[] =
    "set -e\n"
    "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem\n"
    "for name in server client; do\n"
    "  openssl req -newkey rsa:2048 -nodes -subj /CN=$name -keyout $name.key -out $name.csr\n"
    "  printf 'subjectAltName=IP:127.0.0.1' >$name.ext\n"
    "  openssl x509 -req -days 2 -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile $name.ext "
    "-out $name.pem\n"
    "done\n";

static void write_file(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

static void in_folder(const char *name, char *path, size_t room)
{
    snprintf(path, room, "%s/%s", folder, name);
}

/* The port that it prints first. */
static int start_server(const char *kind)
{
    int ends[2], port = 0;
    cr_assert_eq(pipe(ends), 0);
    server = fork();
    if (server == 0) {
        dup2(ends[1], STDOUT_FILENO);
        if (chdir(folder) == 0) execlp("python3", "python3", "server.py", kind, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    FILE *out = fdopen(ends[0], "r");
    cr_assert_eq(fscanf(out, "%d", &port), 1);
    fclose(out);
    return port;
}

static void begin_tls(void)
{
    char command[200];
    snprintf(folder, sizeof folder, "/tmp/perdure-tls-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    setenv("no_proxy", "127.0.0.1", 1);
    write_file("server.py", server_py);
    write_file("certificates.sh", certificates);
    snprintf(command, sizeof command, "cd %s && sh certificates.sh >log 2>&1", folder);
    cr_assert_eq(system(command), 0, "openssl");
}

static void end_tls(void)
{
    char command[200];
    end();
    if (server > 0) {
        kill(server, SIGKILL);
        waitpid(server, NULL, 0);
    }
    snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(registry_tls, .init = begin_tls, .fini = end_tls, .timeout = 600);

static pdr_code ask_for_seven(void)
{
    pdr_buf json = PDR_BUF_INIT(4096);
    pdr_code code = pdr_registry_by_id(registry, 7, &json, &err);
    if (code == PDR_OK) cr_assert_eq(memcmp(json.data, "\"string\"", 8), 0);
    pdr_buf_release(&json);
    return code;
}

Test(registry_tls, a_registry_that_the_given_authority_vouches_for_is_believed)
{
    char url[64], ca[96];
    snprintf(url, sizeof url, "https://127.0.0.1:%d", start_server("plain"));
    in_folder("ca.pem", ca, sizeof ca);
    open_with(url, ca);
    cr_assert_eq(ask_for_seven(), PDR_OK, "%s", err.message);
}

Test(registry_tls, one_that_nobody_vouches_for_is_not)
{
    char url[64];
    snprintf(url, sizeof url, "https://127.0.0.1:%d", start_server("plain"));
    open_with(url, NULL);
    cr_assert_eq(ask_for_seven(), PDR_BAD_SETTING);
    cr_assert(strstr(err.message, "registry.ca"), "%s", err.message);
}

Test(registry_tls, nor_one_under_a_name_that_its_certificate_does_not_have)
{
    char url[64], ca[96];
    snprintf(url, sizeof url, "https://localhost:%d", start_server("plain"));
    setenv("no_proxy", "localhost,127.0.0.1", 1);
    in_folder("ca.pem", ca, sizeof ca);
    open_with(url, ca);
    cr_assert_eq(ask_for_seven(), PDR_BAD_SETTING, "%s", err.message);
}

Test(registry_tls, a_client_s_certificate_is_shown)
{
    char url[64], ca[96], certificate[96], key[96];
    pdr_registry_config config = PDR_REGISTRY_CONFIG_INIT;
    snprintf(url, sizeof url, "https://127.0.0.1:%d", start_server("mutual"));
    in_folder("ca.pem", ca, sizeof ca);
    in_folder("client.pem", certificate, sizeof certificate);
    in_folder("client.key", key, sizeof key);
    open_with(url, ca);
    cr_assert_neq(ask_for_seven(), PDR_OK, "without one it is refused");
    end();
    config.url = url;
    config.ca_file = ca;
    config.certificate_file = certificate;
    config.key_file = key;
    cr_assert_eq(pdr_registry_open(&registry, &config, &err), PDR_OK, "%s", err.message);
    cr_assert_eq(ask_for_seven(), PDR_OK, "%s", err.message);
}

Test(registry_tls, files_that_are_not_there_are_wrong_settings)
{
    char url[64];
    snprintf(url, sizeof url, "https://127.0.0.1:%d", start_server("plain"));
    open_with(url, "/nowhere/ca.pem");
    cr_assert_eq(ask_for_seven(), PDR_BAD_SETTING, "%s", err.message);
}
