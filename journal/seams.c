#include "journal/log.h"
#include "journal/store.h"

pdr_code pdr_log_ops_validate(const pdr_log_ops *ops, pdr_error *err)
{
    if (!ops) return pdr_fail(err, PDR_INVALID_ARGUMENT, "log backend without operations");
    bool whole = ops->name && ops->close && ops->info && ops->check && ops->writer_open &&
                 ops->writer_close && ops->append && ops->writer_renew && ops->reader_open &&
                 ops->reader_close && ops->reader_pause && ops->poll && ops->wait_on;
    if (!whole)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "log backend %s lacks an operation",
                        ops->name ? ops->name : "(unnamed)");
    return PDR_OK;
}

pdr_code pdr_store_ops_validate(const pdr_store_ops *ops, pdr_error *err)
{
    if (!ops) return pdr_fail(err, PDR_INVALID_ARGUMENT, "store backend without operations");
    bool whole = ops->name && ops->close && ops->init && ops->meta && ops->reset && ops->dump &&
                 ops->dump_one && ops->drop_states && ops->load && ops->claim && ops->lookup && ops->save &&
                 ops->schemas && ops->heads && ops->put_states && ops->forget && ops->poll && ops->wait_on;
    if (!whole)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "store backend %s lacks an operation",
                        ops->name ? ops->name : "(unnamed)");
    return PDR_OK;
}
