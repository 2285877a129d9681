#include "projections/backends.h"

#include "backends/postgres/postgres_views.h"
#include "backends/sqlite/sqlite_views.h"

static pdr_code open_postgres(pdr_views **out, const pdr_url *url, const char *view_schema, pdr_error *err)
{
    pdr_postgres_views_options options = {
        .url = url->libpq, .schema = url->schema, .view_schema = *view_schema ? view_schema : NULL};
    return pdr_postgres_views_open(out, &options, err);
}

pdr_code pdr_views_of_url(pdr_views **out, const pdr_url *url, const char *view_schema, pdr_error *err)
{
    pdr_views *views;
    pdr_code code;
    if (url->kind == PDR_URL_POSTGRES)
        code = open_postgres(&views, url, view_schema, err);
    else if (url->kind == PDR_URL_SQLITE)
        code = pdr_sqlite_views_open(&views, url->path, err);
    else
        code = pdr_fail(err, PDR_UNSUPPORTED,
                        "views are kept in PostgreSQL or SQLite: postgres://... or sqlite:file");
    if (code != PDR_OK) return code;
    code = pdr_views_ops_validate(views->ops, err);
    if (code == PDR_OK) *out = views;
    return code;
}
