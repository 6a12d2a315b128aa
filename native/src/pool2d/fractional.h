/*
 * The windows of fractional max pooling. Along an axis of size extent, out windows are reached by steps of 1 and 2 that
 * add up to extent, extent - out of them of 2. With word(i) the axis' word, 0 of rows and 1 of columns, of block i of
 * the generator that dropout uses, with the same key and counter, and u = word(0) / 2^16 rounded down:
 *
 *     even           window i begins at floor(i * extent / out)
 *     random         step i is 2 where floor(word(i) * (steps left) / 2^32) < (steps of 2 left): all orders are as likely
 *     pseudo-random  window i begins at ceil(extent * (2^16 i + u) / (2^16 out)) - ceil(extent * u / (2^16 out))
 */
#ifndef TARN_FRACTIONAL_H
#define TARN_FRACTIONAL_H

#include "dropout/philox.h"
#include "kernel.h"

/* Largest image: positions times 2^16 stay far from overflow. */
#define FRACTIONAL_MAX_EXTENT ((int64_t)1 << 20)

static inline uint32_t fractional_word(const tarn_fractional_args *a, int64_t i, int axis) {
    uint32_t word[4];
    philox_block(word, (uint64_t)i, *(const int64_t *)a->step, a->stream, a->seed);
    return word[axis];
}

/* starts[0 .. out]: where each window begins, then extent; axis is 0 for rows, 1 for columns. */
static inline void fractional_starts(
        const tarn_fractional_args *a, int axis, int64_t extent, int64_t out, int64_t *starts) {
    const int64_t u = a->steps == TARN_PSEUDO_RANDOM_STEPS ? fractional_word(a, 0, axis) >> 16 : 0;
    const int64_t unit = (int64_t)1 << 16, origin = tarn_ceil_div(extent * u, unit * out);
    int64_t start = 0, twos = extent - out;
    for (int64_t i = 0; i <= out; i++) {
        if (a->steps == TARN_RANDOM_STEPS) {
            starts[i] = start;
            int two = i < out && (int64_t)((uint64_t)fractional_word(a, i, axis) * (uint64_t)(out - i) >> 32) < twos;
            start += 1 + two;
            twos -= two;
        } else if (a->steps == TARN_PSEUDO_RANDOM_STEPS) {
            starts[i] = tarn_ceil_div(extent * (unit * i + u), unit * out) - origin;
        } else {
            starts[i] = i * extent / out;
        }
    }
}

static inline int fractional_is_valid(const tarn_fractional_args *a) {
    return a->c >= 1 && a->h >= 1 && a->w >= 1 && a->h <= FRACTIONAL_MAX_EXTENT && a->w <= FRACTIONAL_MAX_EXTENT
        && a->oh <= a->h && 2 * a->oh >= a->h && a->ow <= a->w && 2 * a->ow >= a->w
        && (a->overlap == 0 || a->overlap == 1) && a->steps >= TARN_EVEN_STEPS && a->steps <= TARN_PSEUDO_RANDOM_STEPS
        && TARN_PRODUCT(a->n, a->h, a->w, a->c) >= 0 && TARN_PRODUCT(a->h, a->w, a->c) >= 0 && a->rows && a->columns
        && (a->step || a->steps == TARN_EVEN_STEPS);
}

#endif
