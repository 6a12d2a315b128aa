/* Packs weights of a convolution as the second operand of a matrix product. */
#ifndef TARN_CONV2D_PACK_H
#define TARN_CONV2D_PACK_H

#include "conv2d/conv2d.h"
#include "gemm/gemm.h"
#include "gemm/pack_transposed.h"

/*
 * Rows [first, stop) of a panel: rows of one tap's matrix (input channels, pitch), or backward of its transpose. Columns
 * are the destination's channels.
 */
static inline void conv2d_pack_rows(const float *tap, int64_t pitch, enum direction direction, int64_t first,
        int64_t stop, float *packed, int64_t columns, int64_t lanes) {
    if (direction == BACKWARD) {
        gemm_pack_transposed(packed + first * lanes, tap + first, pitch, stop - first, columns, lanes);
        return;
    }
    for (int64_t c = first; c < stop; c++) {
        gemm_pack_row(packed + c * lanes, tap + c * pitch, columns, lanes);
    }
}

#endif
