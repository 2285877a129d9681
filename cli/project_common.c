#include "cli/project_common.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/help.h"
#include "journal/log.h"

pdr_code pdr_project_types(const pdr_loaded_app *app, const pdr_projection_list **out, pdr_error *err)
{
    static const pdr_projection_list none = {sizeof(pdr_projection_list), NULL, 0};
    /* Of an application that is built in, what the program itself exports. */
    void *where = app->handle ? app->handle : RTLD_DEFAULT;
    const pdr_projection_list *list = app->app ? dlsym(where, PDR_PROJECTIONS_SYMBOL) : NULL;
    if (list && list->abi_size != sizeof *list)
        return pdr_fail(
            err, PDR_INVALID_ARGUMENT,
            "%s has size %zu, not %zu: was the application compiled with another version's headers?",
            PDR_PROJECTIONS_SYMBOL, list->abi_size, sizeof *list);
    *out = list ? list : &none;
    return PDR_OK;
}

/* --- settings --- */

/* Up to a comma; a comma that belongs to the value is written twice. */
static char *next_item(char **rest)
{
    char *item = *rest, *to = item;
    for (char *from = item;; from++) {
        if (from[0] == ',' && from[1] == ',') {
            from++;
        } else if (*from == ',' || *from == '\0') {
            *rest = *from ? from + 1 : NULL;
            *to = '\0';
            return item;
        }
        *to++ = *from;
    }
}

pdr_code pdr_setting_list_init(pdr_setting_list *out, const char *text, pdr_error *err)
{
    memset(out, 0, sizeof *out);
    if (!text) return PDR_OK;
    size_t room = 1;
    for (const char *c = text; *c; c++)
        room += *c == ',';
    out->text = pdr_strdup(text);
    out->items = pdr_calloc(room, sizeof *out->items);
    if (!out->text || !out->items) return pdr_fail(err, PDR_NOMEM, "settings");
    for (char *rest = out->text, *one; rest;) {
        one = next_item(&rest);
        char *equals = strchr(one, '=');
        if (!equals || equals == one)
            return pdr_fail(err, PDR_BAD_SETTING, "\"%.100s\" is not NAME=VALUE", one);
        *equals = '\0';
        out->items[out->count++] = (pdr_setting){one, equals + 1};
    }
    return PDR_OK;
}

void pdr_setting_list_release(pdr_setting_list *list)
{
    pdr_free(list->items);
    pdr_free(list->text);
    memset(list, 0, sizeof *list);
}

/* --- partitions --- */

static bool number(const char **text, int32_t *out)
{
    int32_t value = 0;
    const char *c = *text;
    for (; *c >= '0' && *c <= '9' && value < PDR_LOG_MAX_PARTITIONS; c++)
        value = value * 10 + (*c - '0');
    if (c == *text || value >= PDR_LOG_MAX_PARTITIONS) return false;
    *text = c;
    *out = value;
    return true;
}

static bool range(const char **text, int32_t *first, int32_t *last)
{
    if (!number(text, first)) return false;
    *last = *first;
    if (**text == '-') {
        (*text)++;
        if (!number(text, last) || *last < *first) return false;
    }
    if (**text == ',') {
        (*text)++;
        return **text != '\0';
    }
    return **text == '\0';
}

pdr_code pdr_partition_list(const char *text, int32_t **out, size_t *count, pdr_error *err)
{
    const char *rest = text;
    int32_t *list = pdr_calloc(PDR_LOG_MAX_PARTITIONS, sizeof *list);
    if (!list) return pdr_fail(err, PDR_NOMEM, "a list of partitions");
    size_t size = 0;
    for (int32_t first, last; *rest;) {
        bool fine = range(&rest, &first, &last);
        if (!fine || size + (size_t)(last - first) >= PDR_LOG_MAX_PARTITIONS) {
            pdr_free(list);
            return pdr_fail(err, PDR_INVALID_ARGUMENT, "\"%.100s\" is no list of partitions like 0,3,5-7",
                            text);
        }
        for (int32_t i = first; i <= last; i++)
            list[size++] = i;
    }
    *out = list;
    *count = size;
    return PDR_OK;
}

/* --- log lines --- */

void pdr_cli_log_line(void *context, int level, const char *message)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    const pdr_cli_command *command = context;
    if (level < 1) return;
    fprintf(stderr, "%s %s: %s: %s\n", pdr_cli_program(), command->name, level <= 3 ? names[level] : "error",
            message);
}
