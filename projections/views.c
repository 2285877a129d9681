#include "projections/views.h"

pdr_code pdr_views_ops_validate(const pdr_views_ops *o, pdr_error *err)
{
    bool whole = o->name && o->close && o->init && o->create && o->drop && o->reset && o->swap &&
                 o->set_paused && o->set_throttle && o->set_fault && o->versions && o->positions &&
                 o->dead_letters && o->request && o->requests && o->scan && o->verify && o->fetch &&
                 o->commit && o->poll && o->wait_on;
    if (whole) return PDR_OK;
    return pdr_fail(err, PDR_INVALID_ARGUMENT, "views backend %s lacks an operation",
                    o->name ? o->name : "(unnamed)");
}
