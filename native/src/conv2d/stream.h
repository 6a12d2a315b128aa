/* Whether a convolution's results go to memory, past the caches. */
#ifndef TARN_CONV2D_STREAM_H
#define TARN_CONV2D_STREAM_H

#include "cpu/blocks.h"
#include "simd/vec.h"

/* So many floats, each pixel's in runs of channels: they fit no cache, and all are whole aligned vectors. */
static inline int conv2d_streams(const float *result, int64_t floats, int64_t channels) {
    return floats * (int64_t)sizeof(float) > STREAM_BYTES && channels % LANES == 0 && vec_aligned(result);
}

#endif
