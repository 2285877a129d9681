/* Prints docs/settings.md from the tables of settings. */
#include <stdio.h>

#include "actors/settings.h"
#include "projections/settings.h"

int main(void)
{
    pdr_buf page = PDR_BUF_INIT(1024 * 1024);
    bool printed = pdr_settings_manual(&page) == PDR_OK && pdr_project_settings_manual(&page) == PDR_OK &&
                   fwrite(page.data, 1, page.size, stdout) == page.size && fflush(stdout) == 0;
    pdr_buf_release(&page);
    return printed ? 0 : 1;
}
