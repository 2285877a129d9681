/* What is refused of an application, for those who needn't have all of it. */
#ifndef PDR_JOURNAL_APP_H
#define PDR_JOURNAL_APP_H

#include "perdure/entity.h"

/* pdr_app_validate for tools that say what can't be read: upcasters that are missing, or whose schemas don't
 * resolve, pass. pdr_folder_open_tolerant takes such an entity type, pdr_folder_open doesn't. */
PDR_CHECKED pdr_code pdr_app_validate_tolerant(const pdr_app *app, pdr_error *err);

/* The place of an entity's type in app->entities: the one whose name stands before the id's first '/', or is
 * all of it. SIZE_MAX: it isn't declared, or `app` is NULL. */
size_t pdr_app_entity_of(const pdr_app *app, pdr_bytes entity);

#endif
