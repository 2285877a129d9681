/* The application that a shared object exports as `pdr_application`. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/common.h"
#include "journal/app.h"

static const pdr_app *embedded;

void pdr_cli_embed(const pdr_app *app)
{
    embedded = app;
}

/* dlopen looks for a bare name in the system's folders; a file here is meant. */
static void *open_file(const char *file)
{
    char path[4096];
    if (strchr(file, '/')) return dlopen(file, RTLD_NOW | RTLD_LOCAL);
    int size = snprintf(path, sizeof path, "./%s", file);
    return size > 0 && (size_t)size < sizeof path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
}

static pdr_code load(pdr_loaded_app *out, const char *file, bool tolerant, pdr_error *err)
{
    if (access(file, F_OK) != 0) return pdr_fail(err, PDR_NOT_FOUND, "%.300s: there is no such file", file);
    out->handle = open_file(file);
    if (!out->handle) {
        const char *why = dlerror();
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "%.200s can't be loaded: %.200s", file,
                        why ? why : "no reason given");
    }
    const pdr_app *app = dlsym(out->handle, PDR_APP_SYMBOL);
    if (!app) return pdr_fail(err, PDR_INVALID_ARGUMENT, "%.300s exports no %s", file, PDR_APP_SYMBOL);
    pdr_code code = tolerant ? pdr_app_validate_tolerant(app, err) : pdr_app_validate(app, err);
    if (code != PDR_OK) return pdr_fail_context(err, code, "%.200s", file);
    out->app = app;
    return PDR_OK;
}

static pdr_code open_app(pdr_loaded_app *out, const char *file, bool tolerant, pdr_error *err)
{
    *out = (pdr_loaded_app){NULL, NULL};
    if (!file && embedded) {
        out->app = embedded;
        return tolerant ? pdr_app_validate_tolerant(embedded, err) : pdr_app_validate(embedded, err);
    }
    if (!file) file = getenv("PERDURE_APP");
    return file && *file ? load(out, file, tolerant, err) : PDR_OK;
}

pdr_code pdr_loaded_app_open(pdr_loaded_app *out, const char *file, pdr_error *err)
{
    return open_app(out, file, false, err);
}

pdr_code pdr_loaded_app_open_tolerant(pdr_loaded_app *out, const char *file, pdr_error *err)
{
    return open_app(out, file, true, err);
}

pdr_code pdr_loaded_app_needed(const pdr_loaded_app *app, pdr_error *err)
{
    if (app->app) return PDR_OK;
    return pdr_fail(err, PDR_INVALID_ARGUMENT, "no application: give --app, or set PERDURE_APP");
}

void pdr_loaded_app_close(pdr_loaded_app *app)
{
    if (app->handle) (void)dlclose(app->handle);
    *app = (pdr_loaded_app){NULL, NULL};
}
