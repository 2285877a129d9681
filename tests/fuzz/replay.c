/* Gives a fuzz target each file of the folders named on the command line once: what fuzzing found stays found
 * in builds without libFuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) return perror(path), 1;
    static uint8_t input[1 << 20];
    size_t size = fread(input, 1, sizeof input, file);
    fclose(file);
    /* A block of its own size, so that a sanitizer sees a read past its end. */
    uint8_t *exact = malloc(size ? size : 1);
    if (!exact) return perror(path), 1;
    for (size_t i = 0; i < size; i++)
        exact[i] = input[i];
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 0;
}

static int replay_folder(const char *folder, int *count)
{
    DIR *dir = opendir(folder);
    if (!dir) return perror(folder), 1;
    int failed = 0;
    for (struct dirent *entry = readdir(dir); entry && !failed; entry = readdir(dir)) {
        char path[4096];
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        failed = replay_file(path);
        ++*count;
    }
    closedir(dir);
    return failed;
}

int main(int argc, char **argv)
{
    int count = 0;
    for (int i = 1; i < argc; i++)
        if (replay_folder(argv[i], &count)) return 1;
    printf("%d inputs\n", count);
    return count ? 0 : 1;
}
