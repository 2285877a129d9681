#include "cli/gen.h"

#include <stdio.h>

#include "cli/folder.h"
#include "schemas/gen.h"

static const char usage[] =
    "usage: perdure gen [--prefix PREFIX] [--out DIR] FILE|FOLDER...\n"
    "\n"
    "Writes PREFIX.gen.h and PREFIX.gen.c: for every record of the Avro schemas (.avsc) a C struct, its "
    "defaults,\n"
    "encode, decode and printing as JSON. The files may use each other's types, in any order. A folder "
    "stands\n"
    "for the .avsc files in it.\n"
    "\n"
    "EVENT.v1.avsc, EVENT.v2.avsc and so on are the versions of the record EVENT. The newest has the plain "
    "C\n"
    "names, the older ones have _v1, _v2 behind them. What schemas.lock beside them has may not be changed.\n"
    "\n"
    "  --prefix PREFIX  before every C name and file name: lower case letters, digits and _ (default: from "
    "the\n"
    "                   first file's or folder's name)\n"
    "  --out DIR        where to write (default: .)\n"
    "  --help           this text\n";

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, MAX_OUTPUT = 512 * 1024 * 1024 };

typedef struct arguments {
    char prefix[128];
    const char *out;
    char **files;
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

static int wrong_usage(const char *what, const char *which)
{
    fprintf(stderr, "perdure gen: %s%s\n%s", what, which, usage);
    return EXIT_USAGE;
}

/* The value of an option "--name VALUE" or "--name=VALUE"; NULL when argv[*i] is another. */
static const char *option(const char *name, int argc, char **argv, int *i)
{
    size_t size = strlen(name);
    if (strncmp(argv[*i], name, size) != 0) return NULL;
    if (argv[*i][size] == '=') return argv[*i] + size + 1;
    if (argv[*i][size] != '\0') return NULL;
    ++*i;
    return *i < argc ? argv[*i] : "";
}

static int parse_arguments(arguments *a, int argc, char **argv)
{
    const char *value;
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            fputs(usage, stdout);
            return -1;
        }
        if ((value = option("--prefix", argc, argv, &i)) != NULL)
            (void)snprintf(a->prefix, sizeof a->prefix, "%s", value);
        else if ((value = option("--out", argc, argv, &i)) != NULL)
            a->out = value;
        else
            return wrong_usage("unknown option ", argv[i]);
        if (!*value) return wrong_usage("an option has no value", "");
    }
    a->files = argv + i;
    a->file_count = argc - i;
    if (a->file_count <= 0) return wrong_usage("no schema file or folder", "");
    if (!a->prefix[0]) prefix_of(a->files[0], a->prefix, sizeof a->prefix);
    return EXIT_DONE;
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
    pdr_error err = {.code = PDR_OK};
    int usage_code = parse_arguments(&a, argc, argv);
    if (usage_code != EXIT_DONE) return usage_code < 0 ? EXIT_DONE : usage_code;
    pdr_code code = run(&a, &err);
    if (code == PDR_OK) return EXIT_DONE;
    fprintf(stderr, "perdure gen: %s\n  %s\n", err.message, pdr_code_advice(code));
    return EXIT_FAILED;
}
