/* How vector kernels walk a (rows, c) matrix: sums over rows, held in registers for a group of vectors of channels. */
#ifndef TARN_VEC_ROWS_H
#define TARN_VEC_ROWS_H

#include "rows.h"
#include "simd/vec_wide.h"

/* A group of vectors: two are a whole pair of cache lines at best and fit the registers of both levels. */
#define ROWS_GROUP 2

/*
 * Reduces rows [first, stop) of `vectors` vectors of channels beginning at c, the last of which has `lanes` channels. vectors
 * and lanes are constants at all calls but one, so that the sums stay in registers and full loads carry no mask.
 */
typedef void rows_reducer(
        const void *args, int64_t block, int64_t first, int64_t stop, int64_t c, int vectors, int64_t lanes);

#define ROWS_INLINE static inline __attribute__((always_inline))

ROWS_INLINE void rows_reduce(
        rows_reducer *reduce, const void *args, int64_t rows, int64_t channels, int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; block++) {
        int64_t first, stop, c = 0;
        rows_range(block, rows, channels, &first, &stop);
        for (; c + ROWS_GROUP * LANES <= channels; c += ROWS_GROUP * LANES) {
            reduce(args, block, first, stop, c, ROWS_GROUP, LANES);
        }
        for (; c + LANES <= channels; c += LANES) {
            reduce(args, block, first, stop, c, 1, LANES);
        }
        if (c < channels) {
            reduce(args, block, first, stop, c, 1, channels - c);
        }
    }
}

/* Applies a function to n <= LANES elements at i of the matrix, which are channels c .. c + n of a row. */
typedef void rows_applier(const void *args, int64_t i, int64_t c, int64_t n);

ROWS_INLINE void rows_apply(
        rows_applier *apply, const void *args, int64_t rows, int64_t channels, int64_t begin, int64_t end) {
    int64_t row, stop, unused;
    rows_range(begin, rows, channels, &row, &unused);
    rows_range(end - 1, rows, channels, &unused, &stop);
    for (; row < stop; row++) {
        int64_t c = 0;
        for (; c + LANES <= channels; c += LANES) {
            apply(args, row * channels + c, c, LANES);
        }
        if (c < channels) {
            apply(args, row * channels + c, c, channels - c);
        }
    }
}

#endif
