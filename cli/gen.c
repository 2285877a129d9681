#include "cli/gen.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "schemas/gen.h"

static const char usage[] =
    "usage: perdure gen [--prefix PREFIX] [--out DIR] FILE...\n"
    "\n"
    "Writes PREFIX.gen.h and PREFIX.gen.c: for every record of the Avro schemas (.avsc) a C struct, its "
    "defaults,\n"
    "encode, decode and printing as JSON. The files may use each other's types, in any order.\n"
    "\n"
    "  --prefix PREFIX  before every C name and file name: lower case letters, digits and _ (default: from "
    "the\n"
    "                   first file's name)\n"
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

/* "Loan-Events.v1.avsc" to "loan_events": what a prefix may be made of, up to the first dot. */
static void prefix_of(const char *file, char *out, size_t room)
{
    const char *from = base_name(file);
    size_t size = 0;
    for (; *from && *from != '.' && size + 1 < room; from++) {
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
    if (a->file_count <= 0) return wrong_usage("no schema file", "");
    if (!a->prefix[0]) prefix_of(a->files[0], a->prefix, sizeof a->prefix);
    return EXIT_DONE;
}

/* ---- files ---- */

static pdr_code read_file(const char *path, pdr_buf *out, pdr_error *err)
{
    char piece[4096];
    size_t size;
    pdr_code code = PDR_OK;
    FILE *file = fopen(path, "rb");
    if (!file) return pdr_fail_backend(err, PDR_NOT_FOUND, errno, "%s: %s", path, strerror(errno));
    while (code == PDR_OK && (size = fread(piece, 1, sizeof piece, file)) > 0)
        code = pdr_buf_append(out, piece, size);
    if (code != PDR_OK)
        code = pdr_fail(err, code, "%s: %s", path, pdr_code_text(code));
    else if (ferror(file))
        code = pdr_fail_backend(err, PDR_FATAL, errno, "%s: %s", path, strerror(errno));
    (void)fclose(file);
    return code;
}

static pdr_code add_file(pdr_schema_set *set, const char *path, pdr_error *err)
{
    pdr_buf text = PDR_BUF_INIT(PDR_SCHEMA_MAX_TEXT + 1);
    pdr_code code = read_file(path, &text, err);
    pdr_string json = {(const char *)text.data, text.size};
    if (code == PDR_OK) code = pdr_schema_set_add(set, path, json, err);
    pdr_buf_release(&text);
    return code;
}

/* To a file beside it, then renamed, so that no build ever reads half of it. */
static pdr_code write_file(const char *path, const pdr_buf *text, pdr_error *err)
{
    char beside[4200];
    (void)snprintf(beside, sizeof beside, "%s.%ld.new", path, (long)getpid());
    FILE *file = fopen(beside, "wb");
    if (!file) return pdr_fail_backend(err, PDR_FATAL, errno, "%s: %s", beside, strerror(errno));
    bool written = fwrite(text->data, 1, text->size, file) == text->size;
    written = fclose(file) == 0 && written;
    if (written && rename(beside, path) == 0) return PDR_OK;
    pdr_code code = pdr_fail_backend(err, PDR_FATAL, errno, "%s: %s", path, strerror(errno));
    (void)remove(beside);
    return code;
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

static pdr_code generate(const arguments *a, const pdr_schema_set *set, pdr_error *err)
{
    char header_name[160], path[4096];
    pdr_buf header = PDR_BUF_INIT(MAX_OUTPUT), source = PDR_BUF_INIT(MAX_OUTPUT), names = PDR_BUF_INIT(4096);
    (void)snprintf(header_name, sizeof header_name, "%s.gen.h", a->prefix);
    pdr_gen_options options = {a->prefix, header_name, source_names(a, &names)};
    pdr_code code = pdr_gen(&options, set, &header, &source, err);
    (void)snprintf(path, sizeof path, "%s/%s.gen.h", a->out, a->prefix);
    if (code == PDR_OK) code = write_file(path, &header, err);
    (void)snprintf(path, sizeof path, "%s/%s.gen.c", a->out, a->prefix);
    if (code == PDR_OK) code = write_file(path, &source, err);
    pdr_buf_release(&header);
    pdr_buf_release(&source);
    pdr_buf_release(&names);
    return code;
}

static pdr_code run(const arguments *a, pdr_error *err)
{
    pdr_schema_set *set = NULL;
    pdr_code code = pdr_schema_set_open(&set, err);
    for (int i = 0; i < a->file_count && code == PDR_OK; i++)
        code = add_file(set, a->files[i], err);
    if (code == PDR_OK) code = pdr_schema_set_finish(set, err);
    if (code == PDR_OK) code = generate(a, set, err);
    pdr_schema_set_close(set);
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
