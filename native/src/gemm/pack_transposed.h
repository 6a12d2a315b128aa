/* Packs a panel of the second operand from a matrix whose rows are its columns. */
#ifndef TARN_PACK_TRANSPOSED_H
#define TARN_PACK_TRANSPOSED_H

#include "gemm/panel.h"
#include "simd/vec_transpose.h"

/* Row p of the panel, p < depth, is element p of each row of the matrix, columns of them, and zeros up to lanes. */
static inline void gemm_pack_transposed(
        float *packed, const float *matrix, int64_t pitch, int64_t depth, int64_t columns, int64_t lanes) {
    for (int64_t j = 0; j < lanes; j += LANES) {
        for (int64_t p = 0; p < depth; p += LANES) {
            const int64_t width = tarn_min(LANES, depth - p);
            vec tile[LANES];
            for (int64_t r = 0; r < LANES; r++) {
                tile[r] = j + r < columns ? vec_load_upto(matrix + (j + r) * pitch + p, width) : vec_zero();
            }
            vec_transpose(tile);
            for (int64_t r = 0; r < width; r++) {
                vec_store(packed + (p + r) * lanes + j, tile[r]);
            }
        }
    }
}

#endif
