/* The smallest user of an installed libperdure: one function of each kind, so that header and library must
 * agree. */
#include <perdure/arena.h>
#include <perdure/bytes.h>
#include <stdio.h>

int main(void)
{
    pdr_buf buf = PDR_BUF_INIT(64);
    if (pdr_buf_printf(&buf, "installed") != PDR_OK) return 1;
    printf("%.*s\n", (int)buf.size, (const char *)buf.data);
    pdr_buf_release(&buf);
    return 0;
}
