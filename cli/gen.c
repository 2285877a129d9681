#include "cli/gen.h"

#include <stdio.h>

#include "cli/folder.h"
#include "cli/help.h"
#include "schemas/gen.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, MAX_OUTPUT = 512 * 1024 * 1024, MAX_FILES = 100000 };

typedef struct arguments {
    char prefix[128];
    const char *out;
    char *const *files;
    int file_count;
} arguments;

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* "Loan-Events.avsc" to "loan_events", "schemas/loan/" to "loan": what a prefix may be made of, up to the
 * first dot. */
static void prefix_of(const char *path, char *out, size_t room)
{
    size_t end = strlen(path), size = 0;
    while (end > 1 && path[end - 1] == '/')
        end--;
    const char *from = path + end;
    while (from > path && from[-1] != '/')
        from--;
    for (; from < path + end && *from != '.' && size + 1 < room; from++) {
        bool upper = *from >= 'A' && *from <= 'Z',
             usual = (*from >= 'a' && *from <= 'z') || (*from >= '0' && *from <= '9');
        out[size++] = (char)(upper ? *from - 'A' + 'a' : usual ? *from : '_');
    }
    out[size] = '\0';
}

/* ---- the command ---- */

static const char *source_names(const arguments *a, pdr_buf *out)
{
    pdr_code code = PDR_OK;
    for (int i = 0; i < a->file_count && code == PDR_OK; i++)
        code = pdr_buf_printf(out, "%s%s", i ? ", " : "", base_name(a->files[i]));
    if (code == PDR_OK) code = pdr_buf_append(out, "", 1);
    return code == PDR_OK ? (const char *)out->data : NULL;
}

static pdr_code generate(const arguments *a, const pdr_schema_files *files, pdr_error *err)
{
    char header_name[160], path[4096];
    pdr_buf header = PDR_BUF_INIT(MAX_OUTPUT), source = PDR_BUF_INIT(MAX_OUTPUT), names = PDR_BUF_INIT(4096);
    (void)snprintf(header_name, sizeof header_name, "%s.gen.h", a->prefix);
    pdr_gen_options options = {a->prefix, header_name, source_names(a, &names)};
    pdr_code code = pdr_gen(&options, files, &header, &source, err);
    (void)snprintf(path, sizeof path, "%s/%s.gen.h", a->out, a->prefix);
    if (code == PDR_OK) code = pdr_cli_write_file(path, &header, err);
    (void)snprintf(path, sizeof path, "%s/%s.gen.c", a->out, a->prefix);
    if (code == PDR_OK) code = pdr_cli_write_file(path, &source, err);
    pdr_buf_release(&header);
    pdr_buf_release(&source);
    pdr_buf_release(&names);
    return code;
}

static pdr_code run(const arguments *a, pdr_error *err)
{
    pdr_schema_files *files = NULL;
    pdr_code code = pdr_cli_read_schemas(&files, a->files, a->file_count, err);
    if (code == PDR_OK) code = pdr_cli_check_locks(files, a->files, a->file_count, err);
    if (code == PDR_OK) code = generate(a, files, err);
    pdr_schema_files_close(files);
    return code;
}

int pdr_cli_gen(int argc, char **argv)
{
    arguments a = {.out = "."};
    const char *prefix = NULL;
    pdr_words files = {NULL, 0};
    pdr_error err = {.code = PDR_OK};
    const pdr_flag flags[] = {
        {PDR_FLAG_WORDS, "FILE|FOLDER...", NULL, "", &files, 1, MAX_FILES},
        {PDR_FLAG_TEXT, "--prefix", "PREFIX",
         "before every C name and file name: lower case letters, digits and _; default from the first file's "
         "or "
         "folder's name",
         &prefix, 0, 0},
        {PDR_FLAG_TEXT, "--out", "DIR", "where to write; default .", &a.out, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_gen_command, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? EXIT_DONE : EXIT_USAGE;
    a.files = files.items;
    a.file_count = files.count;
    if (prefix)
        (void)snprintf(a.prefix, sizeof a.prefix, "%s", prefix);
    else
        prefix_of(a.files[0], a.prefix, sizeof a.prefix);
    pdr_code code = run(&a, &err);
    if (code == PDR_OK) return EXIT_DONE;
    fprintf(stderr, "%s gen: %s\n  %s\n", pdr_cli_program(), err.message, pdr_code_advice(code));
    return EXIT_FAILED;
}

const pdr_cli_command pdr_cli_gen_command = {
    .name = "gen",
    .summary = "C structs and codecs from Avro schemas",
    .about =
        "Writes PREFIX.gen.h and PREFIX.gen.c: for every record of the Avro schemas (.avsc) a C struct, its "
        "defaults, encode, decode and printing as JSON. The files may use each other's types, in any order. "
        "A "
        "folder stands for the .avsc files in it.\n"
        "\n"
        "EVENT.v1.avsc, EVENT.v2.avsc and so on are the versions of the record EVENT. The newest has the "
        "plain C "
        "names, the older ones have _v1, _v2 behind them. What schemas.lock beside them has may not be "
        "changed.\n"
        "\n"
        "  perdure gen --prefix loans --out build schemas/loan\n",
    .run = pdr_cli_gen};
