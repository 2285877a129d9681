/* The generator alone, for the build: it needs only base and schemas, so it can make code for the rest. */
#include "cli/gen.h"

int main(int argc, char **argv)
{
    return pdr_cli_gen(argc, argv);
}
