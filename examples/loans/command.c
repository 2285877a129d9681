/* The whole command `perdure` with the loans built in: nobody has to say --app. */
#include <perdure/main.h>

#include "loan.h"

int main(int argc, char **argv)
{
    return pdr_main(argc, argv, &pdr_application);
}
