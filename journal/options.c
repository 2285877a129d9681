#include "journal/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

pdr_code pdr_options_read(void *out, size_t size, const void *given, const char *begin, pdr_error *err)
{
    enum { MOST_TIMES = 64 };
    size_t abi_size;
    if (!given) return pdr_fail(err, PDR_INVALID_ARGUMENT, "options are NULL");
    memcpy(&abi_size, given, sizeof abi_size);
    if (abi_size < size || abi_size > MOST_TIMES * size)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "options.abi_size is %zu: begin with %s", abi_size, begin);
    const uint8_t *bytes = given;
    for (size_t i = size; i < abi_size; i++)
        if (bytes[i])
            return pdr_fail(err, PDR_INVALID_ARGUMENT, "options has members that this version doesn't know");
    memcpy(out, given, size);
    return PDR_OK;
}

const char *pdr_options_text(const char *given, const char *variable)
{
    if (given) return given;
    const char *value = getenv(variable);
    return value && *value ? value : NULL;
}

pdr_code pdr_options_urls(pdr_backends *out, const char *journal, const char *store, pdr_error *err)
{
    const char *log = pdr_options_text(journal, "PERDURE_JOURNAL");
    store = pdr_options_text(store, "PERDURE_STORE");
    if (!log)
        return pdr_fail(err, PDR_BAD_URL,
                        "no URL names the journal: give kafka://host:9092/name or sqlite:file, or set "
                        "PERDURE_JOURNAL");
    pdr_code code = pdr_url_parse_journal(&out->log, log, err);
    if (code != PDR_OK) return code;
    if (!store && out->log.kind == PDR_URL_SQLITE) store = log;
    if (!store) return PDR_OK;
    out->has_store = true;
    return pdr_url_parse_store(&out->store, store, err);
}

static pdr_code set_one(const pdr_options_settings *to, const char *name, const char *value, pdr_error *err)
{
    size_t prefix = strlen(PDR_PASSED_THROUGH);
    if (!name || !value) return pdr_fail(err, PDR_BAD_SETTING, "a setting without name or value");
    if (strncmp(name, PDR_PASSED_THROUGH, prefix) == 0 && name[prefix])
        return pdr_backends_pass(to->backends, name + prefix, value, err);
    return pdr_config_set(to->table, to->target, name, value, err);
}

pdr_code pdr_options_set(const pdr_options_settings *to, const pdr_setting *list, size_t count,
                         pdr_error *err)
{
    pdr_code code = PDR_OK;
    const pdr_url *url = &to->backends->log;
    pdr_config_defaults(to->table, to->target);
    for (size_t i = 0; code == PDR_OK && i < url->setting_count; i++)
        if (to->in_url(url->settings[i].name))
            code = set_one(to, url->settings[i].name, url->settings[i].value, err);
    if (count && !list)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "options.settings is NULL, setting_count is not 0");
    for (size_t i = 0; code == PDR_OK && i < count; i++)
        code = set_one(to, list[i].name, list[i].value, err);
    return code;
}

pdr_code pdr_options_partitions(int32_t **out, size_t *out_count, const int32_t *list, size_t count,
                                pdr_error *err)
{
    if (count && !list)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "options.partitions is NULL, partition_count is not 0");
    if (count > PDR_LOG_MAX_PARTITIONS)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "options.partitions has %zu entries; at most %d", count,
                        PDR_LOG_MAX_PARTITIONS);
    if (!list) return PDR_OK;
    *out = pdr_memdup(list, count * sizeof *list);
    if (!*out) return pdr_fail(err, PDR_NOMEM, "partitions");
    *out_count = count;
    return PDR_OK;
}

pdr_code pdr_options_name(char *out, size_t size, const char *given, const char *member, pdr_error *err)
{
    if (!given) {
        char host[100] = "";
        if (gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
        int written = snprintf(out, size, "%s/%ld", host, (long)getpid());
        return written > 0 ? PDR_OK : pdr_fail(err, PDR_FATAL, "the %s of this process", member);
    }
    size_t length = strlen(given);
    if (length == 0 || length >= size)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "options.%s has %zu bytes; 1 to %zu", member, length,
                        size - 1);
    memcpy(out, given, length + 1);
    return PDR_OK;
}
