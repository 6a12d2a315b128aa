/* How vector kernels walk a (rows, c) matrix. */
#ifndef TARN_VEC_ROWS_H
#define TARN_VEC_ROWS_H

#include "rows.h"
#include "simd/vec_wide.h"

#define ROWS_INLINE static inline __attribute__((always_inline))

/*
 * Rows that are summed before a sum goes back to memory. Sums of all channels wait in the first-level cache and the
 * matrix is read nearly in order: holding a few channels' sums in registers over a whole block would read it in
 * strides, at a third of the speed of memory.
 */
#define ROWS_TILE 4

/*
 * Asks for what is read some rows later. Several streams, or rows in tiles, are more than the processor foresees by itself:
 * batch normalisation's sums run at up to twice the speed.
 */
#define ROWS_AHEAD 16
#define ROWS_AHEAD_FLOATS 512 /* and so many more, for the sake of few channels */
ROWS_INLINE void rows_prefetch(const float *p, int64_t channels) {
    __builtin_prefetch(p + ROWS_AHEAD * channels + ROWS_AHEAD_FLOATS);
}

/*
 * Adds `rows` rows from element i on, of n <= LANES channels beginning at c, to the partial sums of a block. The
 * block's first row begins at element `first`.
 */
typedef void rows_adder(const void *args, int64_t block, int64_t first, int64_t i, int64_t rows, int64_t c, int64_t n);

/* Calls add for all rows of a block, whose partial sums the caller has set to zero. */
ROWS_INLINE void rows_sum(rows_adder *add, const void *args, int64_t block, int64_t rows, int64_t channels) {
    int64_t row, stop;
    rows_range(block, rows, channels, &row, &stop);
    for (int64_t first = row * channels; row < stop; row += ROWS_TILE) {
        int64_t c = 0, tile = tarn_min(ROWS_TILE, stop - row);
        if (tile == ROWS_TILE) {
            for (; c + LANES <= channels; c += LANES) {
                add(args, block, first, row * channels + c, ROWS_TILE, c, LANES);
            }
        }
        for (; c < channels; c += LANES) {
            add(args, block, first, row * channels + c, tile, c, tarn_min(LANES, channels - c));
        }
    }
}

/*
 * Results of so many bytes go past the caches. A store first reads the line that it overwrites, unless it streams: a tensor
 * that second-level caches cannot keep for its next reader is written in half the time so.
 */
#define ROWS_STREAM_BYTES ((int64_t)4 << 20)

ROWS_INLINE void rows_store(float *p, vec x, int64_t n, const int stream) {
    if (stream) {
        vec_stream(p, x);
    } else {
        vec_store_upto(p, x, n);
    }
}

/* Applies a function to n <= LANES elements at i of the matrix, which are channels c .. c + n of a row. */
typedef void rows_applier(const void *args, int64_t row, int64_t i, int64_t c, int64_t n, const int stream);

ROWS_INLINE void rows_apply_stored(rows_applier *apply, const void *args, int64_t rows, int64_t channels,
        int64_t begin, int64_t end, const int stream) {
    /* From the last block to the first: an earlier pass has left the last ones in the cache. */
    for (int64_t block = end - 1; block >= begin; block--) {
        int64_t row, stop;
        rows_range(block, rows, channels, &row, &stop);
        for (; row < stop; row++) {
            int64_t c = 0;
            for (; c + LANES <= channels; c += LANES) {
                apply(args, row, row * channels + c, c, LANES, stream);
            }
            if (c < channels) {
                apply(args, row, row * channels + c, c, channels - c, stream);
            }
        }
    }
}

/* For all rows of blocks [begin, end). aligned: whether what the function stores to is. */
ROWS_INLINE void rows_apply(rows_applier *apply, const void *args, int aligned, int64_t rows, int64_t channels,
        int64_t begin, int64_t end) {
    if (aligned && channels % LANES == 0 && rows * channels * (int64_t)sizeof(float) >= ROWS_STREAM_BYTES) {
        rows_apply_stored(apply, args, rows, channels, begin, end, 1);
        vec_stream_end();
    } else {
        rows_apply_stored(apply, args, rows, channels, begin, end, 0);
    }
}

#endif
