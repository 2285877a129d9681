#include "tests/sim/side.h"

const side *const sim_side = NULL;
