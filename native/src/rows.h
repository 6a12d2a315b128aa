/*
 * Reductions over the rows of a (rows, c) matrix. Rows are cut into blocks that depend on the shape alone; each block
 * leaves partial sums in double, and blocks are combined in order. So a sum has the same bits however its blocks were
 * shared out.
 */
#ifndef TARN_ROWS_H
#define TARN_ROWS_H

#include "kernel.h"

/* Elements in a block: 128 KiB of floats fit a second-level cache, and are some ten microseconds of work. */
#define ROWS_BLOCK_ELEMENTS ((int64_t)1 << 15)
/* At least this many rows, so that the partial sums stay small beside the data. */
#define ROWS_BLOCK_MIN ((int64_t)32)
/* Channels that one task combines. */
#define ROWS_COMBINE ((int64_t)64)

/* The block's rows are [*first, *stop). */
static inline int64_t rows_per_block(int64_t c) { return tarn_max(ROWS_BLOCK_MIN, ROWS_BLOCK_ELEMENTS / c); }
static inline int64_t rows_blocks(int64_t rows, int64_t c) { return tarn_ceil_div(rows, rows_per_block(c)); }
static inline void rows_range(int64_t block, int64_t rows, int64_t c, int64_t *first, int64_t *stop) {
    *first = block * rows_per_block(c);
    *stop = tarn_min(rows, *first + rows_per_block(c));
}

/* Doubles between the partial sums of two blocks: whole vectors, whatever c is. */
static inline int64_t rows_pitch(int64_t c) { return tarn_ceil_div(c, 16) * 16; }

#endif
