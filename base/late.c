#include "base/late.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER; /* dlerror's text is one for all it says */

static pdr_code fail(const char *file, pdr_error *err)
{
    const char *why = dlerror();
    return pdr_fail(err, PDR_UNSUPPORTED, "%.100s can't be loaded: %.300s", file,
                    why ? why : "no reason given");
}

static pdr_code load(pdr_late *late, pdr_error *err)
{
    void *library = dlopen(late->file, RTLD_NOW | RTLD_LOCAL);
    if (!library) return fail(late->file, err);
    for (size_t i = 0; i < late->count; i++) {
        void *found = dlsym(library, late->functions[i].name);
        if (!found) {
            pdr_code code = fail(late->file, err);
            (void)dlclose(library);
            return code;
        }
        memcpy(late->functions[i].pointer, &found, sizeof found);
    }
    atomic_store(&late->loaded, true);
    return PDR_OK;
}

pdr_code pdr_late_load(pdr_late *late, pdr_error *err)
{
    if (atomic_load(&late->loaded)) return PDR_OK;
    pthread_mutex_lock(&loading);
    pdr_code code = atomic_load(&late->loaded) ? PDR_OK : load(late, err);
    pthread_mutex_unlock(&loading);
    return code;
}
