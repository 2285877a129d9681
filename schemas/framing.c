#include "schemas/framing.h"

pdr_code pdr_frame_refuse(pdr_bytes value, pdr_error *err)
{
    if (value.size < PDR_FRAME_SIZE)
        return pdr_fail(err, PDR_BAD_DATA, "a framed datum has at least %d bytes, this has %zu",
                        (int)PDR_FRAME_SIZE, value.size);
    return pdr_fail(err, PDR_BAD_DATA,
                    "not in Avro's single-object framing: begins with %02X %02X, not C3 01", value.data[0],
                    value.data[1]);
}
