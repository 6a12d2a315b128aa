/* How the second operand of a product is cut into panels, and the height of the tiles that they are multiplied with. */
#ifndef TARN_PANEL_H
#define TARN_PANEL_H

#include "cpu/blocks.h"
#include "simd/vec.h"

#define MR TILE_ROWS
#define NR (TILE_VECTORS * LANES)

/* Lanes of the panel that begins at a column: the last panel is one vector wide when that is enough. */
static inline int64_t gemm_panel_lanes(int64_t columns, int64_t column) {
    return columns - column > LANES ? NR : LANES;
}

/* Columns of B as packed. */
static inline int64_t gemm_packed_columns(int64_t columns) {
    const int64_t last = (columns - 1) / NR * NR;
    return last + gemm_panel_lanes(columns, last);
}

#endif
