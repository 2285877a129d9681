/* The example's views: their files fit its events. Their rows are compared with figures made from the CSV in
 * tests/integration/. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "loan.h"
#include "projections/projection.h"

static pdr_projection *open_view(const char *name)
{
    static char text[65536];
    char path[500];
    snprintf(path, sizeof path, "%s/%s.sql", PDR_LOANS_PROJECTIONS, name);
    FILE *file = fopen(path, "r");
    cr_assert(file, "%s", path);
    size_t size = fread(text, 1, sizeof text, file);
    fclose(file);
    pdr_projection *view;
    pdr_error err = {0};
    pdr_code code = pdr_projection_read(&view, name, (pdr_string){text, size}, &pdr_application, &err);
    cr_assert_eq(code, PDR_OK, "%s", err.message);
    cr_expect_str_eq(view->name, name);
    return view;
}

static size_t wanted(const pdr_projection *view)
{
    size_t count = 0;
    for (size_t i = 0; i < loans_entity.event_count; i++)
        count += view->ops->wants(view, loans_entity.events[i]);
    return count;
}

Test(views, no_event_is_forgotten)
{
    static const char *const names[] = {"applications", "workload"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        pdr_projection *view = open_view(names[i]);
        cr_expect_eq(wanted(view), loans_entity.event_count, "%s", names[i]);
        pdr_projection_close(view);
    }
}

Test(views, work_items_are_about_work_items_only)
{
    pdr_projection *view = open_view("work_items");
    cr_expect_eq(wanted(view), 3u);
    cr_expect(!view->tables[0].shared);
    cr_expect(view->tables[1].shared);
    pdr_projection_close(view);
}
