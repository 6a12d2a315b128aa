/* The optimizers with the processor's vectors. */
#include "simd/vec.h"

#include "optimizer/update.h"
