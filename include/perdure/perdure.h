/* All of perdure's public API. */
#ifndef PERDURE_PERDURE_H
#define PERDURE_PERDURE_H

#include "perdure/arena.h"
#include "perdure/bytes.h"
#include "perdure/entity.h"
#include "perdure/error.h"
#include "perdure/event.h"
#include "perdure/journal.h"
#include "perdure/position.h"
#include "perdure/projection.h"
#include "perdure/reply.h"
#include "perdure/setting.h"
#include "perdure/testing.h"
#include "perdure/token.h"
#include "perdure/type.h"
#include "perdure/upcast.h"
#include "perdure/view.h"
#include "perdure/wait.h"
#include "perdure/worker.h"

#endif
