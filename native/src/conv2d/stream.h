/* Whether a convolution's results go to memory, past the caches. */
#ifndef TARN_CONV2D_STREAM_H
#define TARN_CONV2D_STREAM_H

#include "cpu/blocks.h"
#include "simd/vec.h"

/*
 * Whether some of a tile's rows, so many floats apart, are at the same place of a page, where the processor has buffers
 * for streams that it tells apart by no more than that: such rows wait for each other, at a tenth of the speed of memory.
 */
static inline int stream_rows_collide(int64_t pitch, int64_t rows) {
    const int64_t near = 128; /* bytes */
    for (int64_t i = 1; i < rows; i++) {
        const int64_t apart = i * pitch * (int64_t)sizeof(float), rest = apart % STREAM_PAGE;
        if (apart > STREAM_PAGE - near && (rest < near || rest > STREAM_PAGE - near)) {
            return 1;
        }
    }
    return 0;
}

/*
 * So many floats, each pixel's in runs of channels: caches would not keep them for their reader, and all are whole aligned
 * vectors. Whether rows collide is for those to ask who write several side by side.
 */
static inline int conv2d_streams(const float *result, int64_t floats, int64_t channels) {
    return floats * (int64_t)sizeof(float) > STREAM_BYTES && channels % LANES == 0 && vec_aligned(result);
}

#endif
