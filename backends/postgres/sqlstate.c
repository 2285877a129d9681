#include "backends/postgres/sqlstate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct state_row {
    const char *prefix; /* the longest that matches decides */
    pdr_code code;
    pdr_pg_remedy remedy;
} state_row;

static const state_row state_rows[] = {
    {"08", PDR_UNAVAILABLE, PDR_PG_END_CONNECTION},    /* connection exceptions */
    {"21", PDR_INVALID_ARGUMENT, PDR_PG_FAIL},         /* one key twice in a save */
    {"22", PDR_INVALID_ARGUMENT, PDR_PG_FAIL},         /* a text that isn't UTF-8 */
    {"25006", PDR_UNAVAILABLE, PDR_PG_END_CONNECTION}, /* read-only: a standby */
    {"26000", PDR_UNAVAILABLE, PDR_PG_PREPARE_AGAIN},  /* no such prepared statement */
    {"3F000", PDR_NOT_INITIALISED, PDR_PG_FAIL},       /* no such schema */
    {"40", PDR_UNAVAILABLE, PDR_PG_AGAIN},             /* deadlock, serialisation failure */
    {"42P01", PDR_NOT_INITIALISED, PDR_PG_FAIL},       /* no such table */
    {"53", PDR_UNAVAILABLE, PDR_PG_FAIL},              /* memory, connections */
    {"53100", PDR_NO_SPACE, PDR_PG_FAIL},              /* disk full */
    {"54", PDR_TOO_LARGE, PDR_PG_FAIL},                /* one of the server's ceilings */
    {"55P03", PDR_LOCKED, PDR_PG_FAIL},                /* lock_timeout */
    {"57", PDR_UNAVAILABLE, PDR_PG_FAIL},              /* 57014: statement_timeout or cancelled */
    {"57P", PDR_UNAVAILABLE, PDR_PG_END_CONNECTION},   /* shutting down, starting up */
    {"XX001", PDR_CORRUPT, PDR_PG_FAIL},               /* the server found a broken page */
    {"XX002", PDR_CORRUPT, PDR_PG_FAIL},               /* or a broken index */
};

static const state_row *row_of(const char *state)
{
    static const state_row other = {"", PDR_IO, PDR_PG_FAIL};
    const state_row *best = &other;
    if (!state || strlen(state) != 5) return best;
    for (size_t i = 0; i < sizeof state_rows / sizeof state_rows[0]; i++) {
        size_t length = strlen(state_rows[i].prefix);
        if (strncmp(state, state_rows[i].prefix, length) == 0 && length > strlen(best->prefix))
            best = &state_rows[i];
    }
    return best;
}

pdr_code pdr_pg_code_of(const char *state)
{
    return row_of(state)->code;
}

/* Copies a message without the line feeds that libpq puts between and after its lines. */
static void one_line(char *out, size_t size, const char *text)
{
    size_t used = 0;
    for (; *text && used + 1 < size; text++)
        out[used++] = *text == '\n' || *text == '\t' ? ' ' : *text;
    while (used && out[used - 1] == ' ')
        used--;
    out[used] = '\0';
}

pdr_code pdr_pg_fail_result(pdr_error *err, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    char message[360];
    one_line(message, sizeof message, primary ? primary : PQresultErrorMessage(result));
    pdr_code code = pdr_pg_code_of(state);
    return pdr_fail_backend(err, code, state ? (int32_t)strtol(state, NULL, 36) : 0,
                            "PostgreSQL: %s%s%.90s (SQLSTATE %s)%s", message, detail ? ": " : "",
                            detail ? detail : "", state ? state : "none",
                            code == PDR_NOT_INITIALISED ? "; run perdure init" : "");
}

pdr_code pdr_pg_fail_connection(pdr_error *err, const PGconn *pg, const char *doing)
{
    char message[400];
    one_line(message, sizeof message, pg ? PQerrorMessage(pg) : "out of memory");
    return pdr_fail(err, PDR_UNAVAILABLE, "PostgreSQL: %s: %s", doing,
                    message[0] ? message : "no reason given");
}

pdr_pg_remedy pdr_pg_remedy_of(const PGresult *result)
{
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (!severity || strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0) return PDR_PG_GONE;
    return row_of(PQresultErrorField(result, PG_DIAG_SQLSTATE))->remedy;
}
