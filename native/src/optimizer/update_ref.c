/* The optimizers, defined: their text with vectors of one number. */
#include "simd/vec_one.h"

#include "optimizer/update.h"
