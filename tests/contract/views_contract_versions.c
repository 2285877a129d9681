/* Claims about versions: made, dropped, emptied, shown to readers, switched, listed. */
#include <stdio.h>

#include "tests/contract/views_contract.h"

TestSuite(views_init, .init = views_world_open, .fini = views_world_close);
TestSuite(views_versions, .init = views_world_ready, .fini = views_world_close);
TestSuite(views_swap, .init = views_world_made, .fini = views_world_close);

#define KINDS_SHOWN "id,flag,small,big,num,real,word,raw,day,at"
#define ORDER_SHOWN "id,n,user,total,top,low,amount,sum,from5,status"
#define SHARED_SHOWN "day,kind,count,most,first"

static pdr_code create_of(const pdr_version_spec *spec, pdr_error *err)
{
    pdr_views *views = views_world_at(0);
    return views->ops->create(views, spec, 60000, err);
}

static void created(const pdr_version_spec *spec)
{
    pdr_error err = {0};
    cr_assert_eq(create_of(spec, &err), PDR_OK, "%s", err.message);
}

static pdr_code drop_of(const char *projection, uint32_t version, bool live_too, pdr_error *err)
{
    pdr_views *views = views_world_at(0);
    return views->ops->drop(views, projection, version, live_too, 60000, err);
}

static pdr_code swap_of(uint32_t version, bool force, pdr_error *err)
{
    pdr_views *views = views_world_at(0);
    return views->ops->swap(views, "books", version, force, 60000, err);
}

static void swapped(uint32_t version)
{
    pdr_error err = {0};
    cr_assert_eq(swap_of(version, false, &err), PDR_OK, "%s", err.message);
}

static void commit_to(const pdr_version_spec *spec, const made_batch *b)
{
    outcome o = {0};
    submit(&o, views_world_at(0), spec, b);
    outcome_wait(&o);
    cr_assert_eq(o.code, PDR_OK, "%s", o.error.message);
}

static made_batch *row_batch(const char *id, int64_t from, int64_t to)
{
    made_batch *b = batch_of(0, from, to);
    put_int(kinds_row(b, id), KIND_BIG, PDR_CELL_SET, to);
    return b;
}

/* --- Init --- */

Test(views_init, an_empty_place_says_that_it_is_not_initialised)
{
    pdr_error err = {0};
    pdr_code code = create_of(&books, &err);
    cr_assert(code == PDR_NOT_INITIALISED, "%s: %s", pdr_code_name(code), err.message);
}

Test(views_init, init_may_be_repeated_and_keeps_what_is_there)
{
    pdr_views *views = views_world_at(0), *other = views_world_at(1);
    cr_assert_eq(views->ops->init(views, 60000, NULL), PDR_OK);
    created(&books);
    cr_assert_eq(views->ops->init(views, 60000, NULL), PDR_OK);
    cr_assert_eq(other->ops->init(other, 60000, NULL), PDR_OK);
    cr_assert_str_eq(versions_text(NULL), "books 1 live 0 ''\n");
}

Test(views_init, a_place_of_a_newer_version_is_refused)
{
    pdr_error err = {0};
    pdr_views *views = views_world_at(0);
    if (!views_world_subject()->make_too_new) cr_skip_test("the backend has no versions");
    cr_assert_eq(views->ops->init(views, 60000, NULL), PDR_OK);
    cr_assert_eq(views_world_subject()->make_too_new(views_world_place(), &err), PDR_OK, "%s", err.message);
    cr_assert_eq(views->ops->init(views, 60000, &err), PDR_TOO_NEW);
}

/* --- Create --- */

Test(views_versions, the_first_version_is_live_and_readers_see_its_views_empty)
{
    cr_assert_str_eq(view_text("order"), "none");
    created(&books);
    cr_assert_str_eq(versions_text("books"), "books 1 live 0 ''\n");
    cr_assert_str_eq(view_text("kinds"), "0: " KINDS_SHOWN);
    cr_assert_str_eq(view_text("order"), "0: " ORDER_SHOWN);
    cr_assert_str_eq(view_text("shared"), "0: " SHARED_SHOWN);
    cr_assert_str_eq(positions_text(1), "0 -1 0 0 \n1 -1 0 0 \n2 -1 0 0 \n");
}

Test(views_versions, the_next_version_is_building_and_readers_see_the_live_one)
{
    pdr_version_spec two = books_of(2);
    created(&books);
    created(&two);
    committed(row_batch("a", -1, 5));
    cr_assert_str_eq(versions_text("books"), "books 1 live 0 ''\nbooks 2 building 0 ''\n");
    cr_assert_str_eq(view_text("kinds"), "1: " KINDS_SHOWN);
    cr_assert_str_eq(table_text_of(views_world_at(1), &two, KINDS), "");
    cr_assert_str_eq(positions_text(2), "0 -1 0 0 \n1 -1 0 0 \n2 -1 0 0 \n");
}

Test(views_versions, a_version_that_is_there_exists)
{
    pdr_error err = {0};
    created(&books);
    cr_assert_eq(create_of(&books, &err), PDR_EXISTS);
    cr_assert_not_null(strstr(err.message, "books"), "%s", err.message);
}

Test(views_versions, a_version_made_from_another_definition_is_a_conflict_with_the_command_to_use)
{
    pdr_error err = {0};
    pdr_version_spec changed = books;
    changed.fingerprint ^= 1;
    created(&books);
    cr_assert_eq(create_of(&changed, &err), PDR_CONFLICT);
    cr_assert_not_null(strstr(err.message, "perdure project rebuild books"), "%s", err.message);
}

Test(views_versions, a_projection_of_another_journal_is_refused)
{
    pdr_version_spec other = books_of(2);
    other.journal_id[15]++;
    created(&books);
    cr_assert_eq(create_of(&other, NULL), PDR_WRONG_JOURNAL);
    cr_assert_str_eq(versions_text(NULL), "books 1 live 0 ''\n");
}

Test(views_versions, two_projections_cannot_have_a_view_of_one_name)
{
    pdr_error err = {0};
    pdr_version_spec thief = books_of(2);
    thief.projection = "thief";
    created(&books);
    cr_assert_eq(create_of(&thief, &err), PDR_CONFLICT, "%s", err.message);
    cr_assert_not_null(strstr(err.message, "books"), "%s", err.message);
    cr_assert_str_eq(versions_text(NULL), "books 1 live 0 ''\n");
}

Test(views_versions, something_else_with_a_view_s_name_is_left_alone)
{
    pdr_error err = {0};
    if (!views_world_subject()->damage) cr_skip_test("nobody else makes views");
    cr_assert_eq(views_world_subject()->damage(views_world_place(), DAMAGE_FOREIGN_VIEW, &err), PDR_OK, "%s",
                 err.message);
    pdr_code code = create_of(&books, &err);
    cr_assert_eq(code, PDR_BAD_VIEW, "%s: %s", pdr_code_name(code), err.message);
    cr_assert_str_eq(view_text("order"), "1: one");
    cr_assert_str_eq(versions_text(NULL), "");
}

Test(views_versions, versions_are_listed_by_name_and_number)
{
    pdr_version_spec v10 = books_of(10), v9 = books_of(9), other = books_of(3);
    pdr_table renamed = books.tables[KINDS];
    renamed.name = "another";
    other.projection = "Books";
    other.tables = &renamed;
    other.table_count = 1;
    created(&v10);
    created(&v9);
    created(&other);
    cr_assert_str_eq(versions_text(NULL), "Books 3 live 0 ''\nbooks 9 building 0 ''\nbooks 10 live 0 ''\n");
    cr_assert_str_eq(versions_text("books"), "books 9 building 0 ''\nbooks 10 live 0 ''\n");
    cr_assert_str_eq(versions_text("nobody"), "");
}

/* --- Drop --- */

Test(views_versions, a_version_that_is_not_live_is_dropped_with_all_that_it_has)
{
    pdr_version_spec two = books_of(2);
    created(&books);
    created(&two);
    made_batch *b = row_batch("a", -1, 5);
    park(b, 0, 4, "loan/1", "bad");
    commit_to(&two, b);
    cr_assert_eq(drop_of("books", 2, false, NULL), PDR_OK);
    cr_assert_str_eq(versions_text(NULL), "books 1 live 0 ''\n");
    created(&two);
    cr_assert_str_eq(table_text_of(views_world_at(0), &two, KINDS), "");
    cr_assert_str_eq(letters_text(2, -1), "");
    cr_assert_str_eq(positions_text(2), "0 -1 0 0 \n1 -1 0 0 \n2 -1 0 0 \n");
}

Test(views_versions, a_live_version_is_dropped_only_with_the_whole_projection)
{
    pdr_version_spec two = books_of(2);
    created(&books);
    created(&two);
    cr_assert_eq(drop_of("books", 1, false, NULL), PDR_CONFLICT);
    cr_assert_str_eq(view_text("kinds"), "0: " KINDS_SHOWN);
    cr_assert_eq(drop_of("books", 1, true, NULL), PDR_OK);
    cr_assert_str_eq(versions_text(NULL), "");
    cr_assert_str_eq(view_text("kinds"), "none");
    created(&two);
    cr_assert_str_eq(versions_text(NULL), "books 2 live 0 ''\n");
}

Test(views_versions, what_is_not_there_is_not_found)
{
    pdr_views *views = views_world_at(0);
    pdr_version_spec two = books_of(2);
    cr_assert_eq(drop_of("books", 1, false, NULL), PDR_NOT_FOUND);
    cr_assert_eq(drop_of("books", 1, true, NULL), PDR_NOT_FOUND);
    created(&books);
    cr_assert_eq(drop_of("books", 2, false, NULL), PDR_NOT_FOUND);
    cr_assert_eq(views->ops->reset(views, &two, 60000, NULL), PDR_NOT_FOUND);
    cr_assert_eq(swap_of(2, true, NULL), PDR_NOT_FOUND);
    cr_assert_eq(views->ops->set_paused(views, "books", 2, true, 60000, NULL), PDR_NOT_FOUND);
    cr_assert_eq(views->ops->set_throttle(views, "nobody", 1, 5, 60000, NULL), PDR_NOT_FOUND);
    cr_assert_eq(views->ops->set_fault(views, "books", 2, "why", 60000, NULL), PDR_NOT_FOUND);
    pdr_request_row wish = {.partition = 0, .entity = pdr_bytes_of("loan/1", 6)};
    cr_assert_eq(views->ops->request(views, "books", 2, &wish, 60000, NULL), PDR_NOT_FOUND);
}

/* --- Reset --- */

Test(views_versions, reset_empties_tables_positions_dead_letters_requests_and_the_fault)
{
    pdr_views *views = views_world_at(0);
    pdr_request_row wish = {.partition = 0, .entity = pdr_bytes_of("loan/1", 6)};
    created(&books);
    made_batch *b = row_batch("a", -1, 5);
    put_int(shared_row(b, 1, "x"), SHARED_COUNT, PDR_CELL_ADD, 1);
    park(b, 0, 4, "loan/1", "bad");
    committed(b);
    cr_assert_eq(views->ops->request(views, "books", 1, &wish, 60000, NULL), PDR_OK);
    cr_assert_eq(views->ops->set_fault(views, "books", 1, "it's broken", 60000, NULL), PDR_OK);
    cr_assert_eq(views->ops->reset(views, &books, 60000, NULL), PDR_OK);
    cr_assert_str_eq(versions_text("books"), "books 1 live 0 ''\n");
    cr_assert_str_eq(table_text(KINDS), "");
    cr_assert_str_eq(table_text(SHARED), "");
    cr_assert_str_eq(letters_text(1, -1), "");
    cr_assert_str_eq(requests_text(1, -1, NULL), "");
    cr_assert_str_eq(positions_text(1), "0 -1 0 0 \n1 -1 0 0 \n2 -1 0 0 \n");
    positions_loaded(&books);
    committed(row_batch("b", -1, 7));
}

Test(views_versions, a_version_is_not_reset_with_another_definition)
{
    pdr_views *views = views_world_at(0);
    pdr_version_spec changed = books, other = books;
    changed.fingerprint++;
    other.journal_id[0]++;
    created(&books);
    committed(row_batch("a", -1, 5));
    cr_assert_eq(views->ops->reset(views, &changed, 60000, NULL), PDR_CONFLICT);
    cr_assert_eq(views->ops->reset(views, &other, 60000, NULL), PDR_WRONG_JOURNAL);
    cr_assert_str_eq(view_text("kinds"), "1: " KINDS_SHOWN);
}

Test(views_versions, a_worker_that_worked_before_a_reset_or_a_drop_is_stale)
{
    pdr_views *views = views_world_at(0);
    created(&books);
    committed(row_batch("a", -1, 5));
    cr_assert_eq(views->ops->reset(views, &books, 60000, NULL), PDR_OK);
    outcome o = commit_of(views_world_at(1), row_batch("a", 5, 6));
    cr_assert_eq(o.code, PDR_STALE, "%s", o.error.message);
    cr_assert_eq(o.partition, 0);
    cr_assert(pdr_position_equal(o.position, PDR_POSITION_START));
    cr_assert_eq(drop_of("books", 1, true, NULL), PDR_OK);
    o = commit_of(views_world_at(1), row_batch("a", 5, 6));
    cr_assert_eq(o.code, PDR_STALE, "%s: %s", pdr_code_name(o.code), o.error.message);
    o = commit_of(views_world_at(2), row_batch("a", 5, 6));
    cr_assert_eq(o.code, PDR_STALE, "%s: %s", pdr_code_name(o.code), o.error.message);
}

/* The positions are where they were; what the batch rests on isn't. */
Test(views_versions, a_batch_of_before_a_reset_is_stale_though_the_position_is_where_it_was)
{
    pdr_views *views = views_world_at(0);
    created(&books);
    positions_loaded(&books);
    cr_assert_eq(views->ops->reset(views, &books, 60000, NULL), PDR_OK);
    outcome o = commit_of(views_world_at(1), row_batch("a", -1, 5));
    cr_assert_eq(o.code, PDR_STALE, "%s: %s", pdr_code_name(o.code), o.error.message);
    cr_assert_eq(o.partition, 0);
    cr_assert(strstr(o.error.message, "made anew"), "%s", o.error.message);
    cr_assert_str_eq(table_text(KINDS), "");
    cr_assert_str_eq(positions_text(1), "0 -1 0 0 \n1 -1 0 0 \n2 -1 0 0 \n");
    positions_loaded(&books);
    o = commit_of(views_world_at(1), row_batch("a", -1, 5));
    cr_assert_eq(o.code, PDR_OK, "%s", o.error.message);
    cr_assert_str_eq(positions_text(1), "0 5 6 0 worker 'one'\n1 -1 0 0 \n2 -1 0 0 \n");
}

Test(views_versions, a_batch_of_a_version_that_was_dropped_is_stale_in_the_one_made_anew)
{
    created(&books);
    positions_loaded(&books);
    cr_assert_eq(drop_of("books", 1, true, NULL), PDR_OK);
    created(&books);
    outcome o = commit_of(views_world_at(1), row_batch("a", -1, 5));
    cr_assert_eq(o.code, PDR_STALE, "%s: %s", pdr_code_name(o.code), o.error.message);
    cr_assert_str_eq(table_text(KINDS), "");
}

/* --- Swap --- */

Test(views_swap, readers_see_the_new_version_and_the_old_one_is_former)
{
    pdr_version_spec two = books_of(2);
    created(&two);
    committed(row_batch("a", -1, 5));
    made_batch *b = row_batch("b", -1, 5);
    put_int(kinds_row(b, "c"), KIND_BIG, PDR_CELL_SET, 1);
    commit_to(&two, b);
    swapped(2);
    cr_assert_str_eq(versions_text("books"), "books 1 former 0 ''\nbooks 2 live 0 ''\n");
    cr_assert_str_eq(view_text("kinds"), "2: " KINDS_SHOWN);
    committed(row_batch("d", 5, 6));
    swapped(2);
    cr_assert_str_eq(view_text("kinds"), "2: " KINDS_SHOWN);
}

Test(views_swap, rolling_back_is_a_swap_to_the_former)
{
    pdr_version_spec two = books_of(2);
    created(&two);
    committed(row_batch("a", -1, 5));
    commit_to(&two, batch_of(0, -1, 5));
    swapped(2);
    cr_assert_str_eq(view_text("kinds"), "0: " KINDS_SHOWN);
    swapped(1);
    cr_assert_str_eq(view_text("kinds"), "1: " KINDS_SHOWN);
    cr_assert_str_eq(versions_text("books"), "books 1 live 0 ''\nbooks 2 former 0 ''\n");
}

Test(views_swap, a_version_behind_in_any_partition_is_refused_even_by_force)
{
    pdr_error err = {0};
    pdr_version_spec two = books_of(2);
    created(&two);
    made_batch *b = batch_of(0, -1, 5);
    batch_move(b, 2, -1, 7);
    committed(b);
    made_batch *behind = batch_of(0, -1, 9);
    batch_move(behind, 2, -1, 6);
    commit_to(&two, behind);
    cr_assert_eq(swap_of(2, false, &err), PDR_CONFLICT);
    cr_assert_not_null(strstr(err.message, "partition 2"), "%s", err.message);
    cr_assert_eq(swap_of(2, true, NULL), PDR_CONFLICT);
    cr_assert_str_eq(versions_text("books"), "books 1 live 0 ''\nbooks 2 building 0 ''\n");
    commit_to(&two, batch_of(2, 6, 7));
    swapped(2);
}

Test(views_swap, a_version_with_parked_entities_is_refused_without_force)
{
    pdr_error err = {0};
    pdr_version_spec two = books_of(2);
    created(&two);
    made_batch *b = batch_of(0, -1, 5);
    park(b, 0, 4, "loan/77", "bad");
    commit_to(&two, b);
    cr_assert_eq(swap_of(2, false, &err), PDR_CONFLICT);
    cr_assert_not_null(strstr(err.message, "loan/77"), "%s", err.message);
    cr_assert_eq(swap_of(2, true, &err), PDR_OK, "%s", err.message);
    cr_assert_str_eq(versions_text("books"), "books 1 former 0 ''\nbooks 2 live 0 ''\n");
}

Test(views_swap, a_stopped_version_is_refused_without_force)
{
    pdr_error err = {0};
    pdr_views *views = views_world_at(0);
    pdr_version_spec two = books_of(2);
    created(&two);
    cr_assert_eq(views->ops->set_fault(views, "books", 2, "column x isn't there", 60000, NULL), PDR_OK);
    cr_assert_eq(swap_of(2, false, &err), PDR_CONFLICT);
    cr_assert_not_null(strstr(err.message, "column x"), "%s", err.message);
    cr_assert_eq(swap_of(2, true, &err), PDR_OK, "%s", err.message);
}

Test(views_swap, other_columns_and_other_tables_come_and_go_with_their_version)
{
    pdr_table changed[2] = {books.tables[KINDS], books.tables[SHARED]};
    pdr_version_spec two = books_of(2);
    two.tables = changed;
    two.table_count = 2;
    changed[0].column_count = 3; /* fewer columns */
    changed[1].name = "fresh";
    created(&two);
    cr_assert_str_eq(view_text("fresh"), "none");
    swapped(2);
    cr_assert_str_eq(view_text("kinds"), "0: id,flag,small");
    cr_assert_str_eq(view_text("fresh"), "0: " SHARED_SHOWN);
    cr_assert_str_eq(view_text("order"), "none");
    cr_assert_str_eq(view_text("shared"), "none");
    swapped(1);
    cr_assert_str_eq(view_text("kinds"), "0: " KINDS_SHOWN);
    cr_assert_str_eq(view_text("order"), "0: " ORDER_SHOWN);
    cr_assert_str_eq(view_text("shared"), "0: " SHARED_SHOWN);
    cr_assert_str_eq(view_text("fresh"), "none");
    cr_assert_eq(drop_of("books", 2, false, NULL), PDR_OK);
    cr_assert_str_eq(view_text("kinds"), "0: " KINDS_SHOWN);
}

Test(views_swap, a_lock_that_another_holds_ends_a_swap_as_locked)
{
    pdr_error err = {0};
    const pdr_views_subject *subject = views_world_subject();
    pdr_version_spec two = books_of(2);
    if (!subject->lock) cr_skip_test("nobody else locks");
    created(&two);
    cr_assert_eq(subject->lock(views_world_place(), &err), PDR_OK, "%s", err.message);
    pdr_views *views = views_world_at(0);
    cr_assert_eq(views->ops->swap(views, "books", 2, false, 1000, &err), PDR_LOCKED, "%s", err.message);
    subject->unlock(views_world_place());
    swapped(2);
}

/* --- Switches --- */

Test(views_swap, pause_throttle_and_fault_are_kept_with_the_version)
{
    pdr_views *views = views_world_at(0);
    cr_assert_eq(views->ops->set_paused(views, "books", 1, true, 60000, NULL), PDR_OK);
    cr_assert_eq(views->ops->set_throttle(views, "books", 1, 2000000000, 60000, NULL), PDR_OK);
    cr_assert_eq(views->ops->set_fault(views, "books", 1, "it's \\ \"so\"", 60000, NULL), PDR_OK);
    cr_assert_str_eq(versions_text(NULL), "books 1 live paused 2000000000 'it's \\ \"so\"'\n");
    cr_assert_eq(views->ops->set_paused(views, "books", 1, false, 60000, NULL), PDR_OK);
    cr_assert_eq(views->ops->set_throttle(views, "books", 1, 0, 60000, NULL), PDR_OK);
    cr_assert_eq(views->ops->set_fault(views, "books", 1, NULL, 60000, NULL), PDR_OK);
    cr_assert_str_eq(versions_text(NULL), "books 1 live 0 ''\n");
    cr_assert_eq(views->ops->set_throttle(views, "books", 1, 3000000000, 60000, NULL), PDR_INVALID_ARGUMENT);
}

Test(views_swap, a_fault_that_is_not_text_is_kept_as_far_as_it_is)
{
    pdr_views *views = views_world_at(0);
    cr_assert_eq(views->ops->set_fault(views, "books", 1, "cut \xc3\xa4 off \xc3", 60000, NULL), PDR_OK);
    cr_assert_str_eq(versions_text(NULL), "books 1 live 0 'cut \xc3\xa4 off ?'\n");
}

/* --- Scan and verify --- */

static pdr_code first_position(void *context, const pdr_position_row *row, pdr_error *err)
{
    int64_t *seen = context;
    (void)err;
    cr_assert_eq(seen[1], 0, "a row came before the positions");
    if (row->partition != 0) return PDR_OK;
    seen[0] = row->position.offset;
    /* Another worker goes on meanwhile. */
    outcome o = {0};
    submit(&o, views_world_at(1), &books, row_batch("b", 5, 6));
    outcome_wait(&o);
    return o.code;
}

static pdr_code count_row(void *context, const pdr_cell *cells, pdr_error *err)
{
    int64_t *seen = context;
    (void)err;
    cr_assert(pdr_cell_equal(PDR_COLUMN_TEXT, &cells[0], &(pdr_cell){.as.bytes = pdr_bytes_of("a", 1)}));
    seen[1]++;
    return PDR_OK;
}

Test(views_swap, a_scan_gives_positions_and_rows_of_one_moment)
{
    pdr_error err = {0};
    int64_t seen[2] = {0, 0};
    pdr_views *views = views_world_at(0);
    committed(row_batch("a", -1, 5));
    cr_assert_eq(views->ops->scan(views, &books, KINDS, first_position, count_row, seen, &err), PDR_OK, "%s",
                 err.message);
    cr_assert_eq(seen[0], 5);
    cr_assert_eq(seen[1], 1);
    cr_assert_str_eq(view_text("kinds"), "2: " KINDS_SHOWN);
}

static pdr_code stop_at_second(void *context, const pdr_cell *cells, pdr_error *err)
{
    (void)cells;
    if (++*(int *)context < 2) return PDR_OK;
    return pdr_fail(err, PDR_CANCELLED, "enough");
}

Test(views_swap, a_scan_ends_with_the_code_of_its_caller)
{
    int rows = 0;
    pdr_views *views = views_world_at(0);
    made_batch *b = batch_of(0, -1, 5);
    for (int i = 0; i < 3; i++)
        (void)kinds_row(b, i == 0 ? "a" : i == 1 ? "b" : "c");
    committed(b);
    cr_assert_eq(views->ops->scan(views, &books, KINDS, NULL, stop_at_second, &rows, NULL), PDR_CANCELLED);
    cr_assert_eq(rows, 2);
}

Test(views_swap, tables_as_declared_verify)
{
    pdr_error err = {0};
    pdr_views *views = views_world_at(0);
    cr_assert_eq(views->ops->verify(views, &books, 60000, &err), PDR_OK, "%s", err.message);
}

static void expect_bad(const pdr_version_spec *spec, const char *word)
{
    pdr_error err = {0};
    pdr_views *views = views_world_at(0);
    pdr_code code = views->ops->verify(views, spec, 60000, &err);
    cr_assert_eq(code, PDR_BAD_VIEW, "%s: %s", pdr_code_name(code), err.message);
    cr_assert_not_null(strstr(err.message, word), "%s", err.message);
}

Test(views_swap, verify_names_what_differs)
{
    pdr_column columns[1 + KIND_WIDTH];
    pdr_table table[TABLES] = {books.tables[0], books.tables[1], books.tables[2]};
    pdr_version_spec other = books, missing = books_of(7);
    memcpy(columns, books.tables[KINDS].columns, sizeof columns);
    table[KINDS].columns = columns;
    other.tables = table;
    columns[1 + KIND_WORD].name = "words";
    expect_bad(&other, "words");
    columns[1 + KIND_WORD] = books.tables[KINDS].columns[1 + KIND_WORD];
    columns[1 + KIND_BIG].type = PDR_COLUMN_INTEGER;
    expect_bad(&other, "big");
    columns[1 + KIND_BIG].type = PDR_COLUMN_BIGINT;
    columns[1 + KIND_NUM].scale = 3;
    expect_bad(&other, "num");
    columns[1 + KIND_NUM].scale = 4;
    table[ORDER].key_count = 1;
    expect_bad(&other, "key");
    expect_bad(&missing, "kinds");
}

Test(views_swap, verify_sees_a_column_that_was_dropped)
{
    pdr_error err = {0};
    if (!views_world_subject()->damage) cr_skip_test("nobody else alters tables");
    cr_assert_eq(views_world_subject()->damage(views_world_place(), DAMAGE_DROP_COLUMN, &err), PDR_OK, "%s",
                 err.message);
    expect_bad(&books, "amount");
}
