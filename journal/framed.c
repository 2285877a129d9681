#include "journal/framed.h"

pdr_code pdr_framed_read_id(uint64_t *fingerprint, pdr_bytes *datum, pdr_bytes value,
                            const pdr_schema_book *book, pdr_error *err)
{
    int32_t id;
    pdr_code code = pdr_frame_id_read(&id, datum, value, err);
    if (code != PDR_OK || (book && pdr_schema_book_by_id(book, id, fingerprint))) return code;
    return pdr_fail(err, PDR_UNKNOWN_SCHEMA,
                    "no SCHEMA record that was met says what the schema registry's id %d stands for",
                    (int)id);
}

pdr_code pdr_framed_write_id(pdr_buf *out, uint64_t fingerprint, const pdr_schema_book *ids)
{
    int32_t id = pdr_schema_book_id(ids, fingerprint);
    return id == PDR_BOOK_NO_ID ? PDR_UNKNOWN_TYPE : pdr_frame_id_write(out, id);
}
