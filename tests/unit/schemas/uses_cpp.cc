// Generated headers must be good C++ too; this is only compiled, never run.
#include "every.gen.h"
#include "small.gen.h"

pdr_code use_from_cpp(pdr_buf *out);

pdr_code use_from_cpp(pdr_buf *out)
{
    every_everything value;
    every_everything_init(&value);
    value.choice.tag = EVERY_EVERYTHING_CHOICE_IS_INT;
    value.choice.as.int_ = 7;
    value.perhaps.present = true;
    value.colour = EVERY_COLOUR_DARK_BLUE;
    return every_everything_encode(&value, out, nullptr);
}
