/* How the second operand of a product is cut into panels, and the height of the tiles that they are multiplied with. */
#ifndef TARN_PANEL_H
#define TARN_PANEL_H

#include "cpu/blocks.h"
#include "simd/vec.h"

#define MR TILE_ROWS
#define NR (TILE_VECTORS * LANES)

/* Lanes of the panel that begins at a column, of panels so wide: the last one has as many vectors as it needs. */
static inline int64_t gemm_lanes(int64_t width, int64_t columns, int64_t column) {
    return tarn_min(width, tarn_ceil_div(columns - column, LANES) * LANES);
}

static inline int64_t gemm_panel_lanes(int64_t columns, int64_t column) { return gemm_lanes(NR, columns, column); }

/* Columns of B as packed. */
static inline int64_t gemm_packed_columns(int64_t columns) { return tarn_ceil_div(columns, LANES) * LANES; }

#endif
