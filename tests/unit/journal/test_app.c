/* An application is looked at before anything of it runs. */
#include <criterion/criterion.h>

#include "perdure/entity.h"
#include "tests/sim/sim_entity.h"

static pdr_entity_type type;
static const pdr_entity_type *types[2];
static pdr_app app;

static void init(void)
{
    app = *sim_app(1);
    type = *app.entities[0];
    types[0] = types[1] = &type;
    app.entities = types;
    app.entity_count = 1;
}

TestSuite(app, .init = init);

static void refused(const char *words)
{
    pdr_error err = {0};
    cr_expect_eq(pdr_app_validate(&app, &err), PDR_INVALID_ARGUMENT, "%s", words);
    cr_expect_not_null(strstr(err.message, words), "\"%s\" isn't in \"%s\"", words, err.message);
}

Test(app, a_sound_one_passes)
{
    cr_expect_eq(pdr_app_validate(&app, NULL), PDR_OK);
}

Test(app, one_of_another_version_s_headers_is_refused)
{
    type.abi_size--;
    refused("abi_size");
}

Test(app, a_name_that_can_t_stand_before_a_slash_is_refused)
{
    static const char *const names[] = {"", "a/b", "a b", "a\n"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        type.name = names[i];
        refused("name");
    }
}

Test(app, an_entity_without_apply_or_decide_is_refused)
{
    type.decide = NULL;
    refused("no decide");
    type.apply = NULL;
    refused("no apply");
}

Test(app, a_window_of_ids_beyond_its_ceiling_is_refused)
{
    type.id_window = PDR_MAX_ID_WINDOW;
    cr_expect_eq(pdr_app_validate(&app, NULL), PDR_OK);
    type.id_window = PDR_MAX_ID_WINDOW + 1;
    refused("command ids");
}

Test(app, two_entities_of_one_name_are_refused)
{
    app.entity_count = 2;
    refused(type.name);
}
