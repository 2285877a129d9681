#include "projections/metrics.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/late.h"
#include "base/mem.h"

#define FUNCTIONS(X)                                                                                         \
    X(MHD_add_response_header)                                                                               \
    X(MHD_create_response_from_buffer)                                                                       \
    X(MHD_destroy_response)                                                                                  \
    X(MHD_queue_response)                                                                                    \
    X(MHD_start_daemon)                                                                                      \
    X(MHD_stop_daemon)
PDR_LATE_LIBRARY(PDR_MICROHTTPD_FILE, FUNCTIONS);

enum { MAX_PAGE = 64 * 1024 * 1024, MAX_CONNECTIONS = 16, IDLE_S = 10, CONNECTION_MEMORY = 16 * 1024 };

struct pdr_metrics {
    struct MHD_Daemon *daemon;
    struct pdr_worker *worker;
};

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type,
                              pdr_bytes page)
{
    struct MHD_Response *response =
        late.MHD_create_response_from_buffer(page.size, (void *)(uintptr_t)page.data, MHD_RESPMEM_MUST_COPY);
    if (!response) return MHD_NO;
    bool whole = late.MHD_add_response_header(response, "Content-Type", type) == MHD_YES;
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        whole = whole && late.MHD_add_response_header(response, "Allow", "GET, HEAD") == MHD_YES;
    enum MHD_Result result = whole ? late.MHD_queue_response(connection, status, response) : MHD_NO;
    late.MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned status, const char *text)
{
    return answer(connection, status, "text/plain; charset=utf-8", pdr_bytes_of(text, strlen(text)));
}

/* The page of a path; PDR_NOT_FOUND. */
static pdr_code page_of(struct pdr_worker *worker, const char *path, bool *fine, pdr_buf *out)
{
    *fine = true;
    if (strcmp(path, "/metrics") == 0) return pdr_metrics_print(worker, out);
    if (strcmp(path, "/healthz") == 0) return pdr_metrics_health(worker, fine, out);
    if (strcmp(path, "/readyz") == 0) return pdr_metrics_readiness(worker, fine, out);
    return PDR_NOT_FOUND;
}

static enum MHD_Result serve(void *context, struct MHD_Connection *connection, const char *path,
                             const char *method, const char *version, const char *upload, size_t *upload_size,
                             void **state)
{
    const pdr_metrics *metrics = context;
    bool fine;
    (void)version;
    (void)upload;
    (void)upload_size;
    (void)state;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
    pdr_buf page = PDR_BUF_INIT(MAX_PAGE);
    pdr_code code = page_of(metrics->worker, path, &fine, &page);
    enum MHD_Result result;
    if (code == PDR_NOT_FOUND)
        result = answer_text(connection, MHD_HTTP_NOT_FOUND, "there are /metrics, /healthz and /readyz\n");
    else if (code != PDR_OK)
        result = answer_text(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory\n");
    else
        result = answer(connection, fine ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE,
                        "text/plain; version=0.0.4; charset=utf-8", pdr_buf_bytes(&page));
    pdr_buf_release(&page);
    return result;
}

static void drop_line(void *context, const char *format, va_list arguments)
{
    (void)context; /* a client's broken request is no event of ours */
    (void)format;
    (void)arguments;
}

pdr_code pdr_metrics_open(pdr_metrics **out, struct pdr_worker *worker, pdr_error *err)
{
    const pdr_project_settings *settings = &worker->plan.settings;
    const char *address = *settings->metrics_address ? settings->metrics_address : "127.0.0.1";
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons((uint16_t)settings->metrics_port)};
    if (inet_pton(AF_INET, address, &where.sin_addr) != 1)
        return pdr_fail(err, PDR_BAD_SETTING, "project.metrics.address: \"%s\" is no IPv4 address", address);
    pdr_code code = pdr_late_load(&library, err);
    if (code != PDR_OK) return code;
    pdr_metrics *metrics = pdr_calloc(1, sizeof *metrics);
    if (!metrics) return pdr_fail(err, PDR_NOMEM, "metrics");
    metrics->worker = worker;
    metrics->daemon = late.MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO | MHD_USE_ERROR_LOG, 0, NULL, NULL, serve, metrics,
        MHD_OPTION_EXTERNAL_LOGGER, drop_line, NULL, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&where,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)MAX_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_END);
    if (!metrics->daemon) {
        int why = errno;
        pdr_free(metrics);
        return pdr_fail_backend(err, PDR_UNAVAILABLE, why, "port %u of %s can't be had: %s",
                                settings->metrics_port, address, strerror(why));
    }
    *out = metrics;
    return PDR_OK;
}

void pdr_metrics_close(pdr_metrics *metrics)
{
    if (!metrics) return;
    late.MHD_stop_daemon(metrics->daemon);
    pdr_free(metrics);
}
