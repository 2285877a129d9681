/* The command `perdure`: its application comes by --app. */
#include "perdure/main.h"

int main(int argc, char **argv)
{
    return pdr_main(argc, argv, NULL);
}
