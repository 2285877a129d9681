/* The smallest program that embeds the command: with no application. */
#include <perdure/main.h>

int main(int argc, char **argv)
{
    return pdr_main(argc, argv, NULL);
}
