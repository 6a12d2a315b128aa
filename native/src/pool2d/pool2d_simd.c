/* Pooling with vectors over channels. Each output, or in backward each input, is gathered in registers and stored once. */
#include "pool2d/pool2d.h"
#include "simd/vec_int.h"
#include "simd/vec_rows.h"

static int32_t maxpool2d_forward(const void *args, int64_t begin, int64_t end) {
    const tarn_pool2d_args *a = args;
    for (int64_t task = begin; task < end; task++) {
        const float *image = (const float *)a->input + task / a->oh * a->h * a->w * a->c;
        for (int64_t x = 0; x < a->ow; x++) {
            pool2d_window at = pool2d_window_at(a, task % a->oh, x);
            int64_t o = (task * a->ow + x) * a->c;
            for (int64_t c = 0; c < a->c; c += LANES) {
                int64_t n = tarn_min(LANES, a->c - c);
                int64_t first = (at.row * a->w + at.column) * a->c + c; /* may lie outside the image */
                vec best = vec_load_upto(image + (first + (at.i0 * a->dh * a->w + at.j0 * a->dw) * a->c), n);
                veci winner = veci_set1((uint32_t)(at.i0 * a->kw + at.j0));
                for (int64_t i = at.i0; i < at.i1; i++) {
                    for (int64_t j = at.j0; j < at.j1; j++) {
                        vec value = vec_load_upto(image + (first + (i * a->dh * a->w + j * a->dw) * a->c), n);
                        vmask wins = vec_wins(value, best);
                        best = vec_select(wins, value, best);
                        winner = veci_select(wins, veci_set1((uint32_t)(i * a->kw + j)), winner);
                    }
                }
                vec_store_upto((float *)a->output + o + c, best, n);
                if (a->index) {
                    veci_store_bytes((uint8_t *)a->index + o + c, winner, n);
                }
            }
        }
    }
    return TARN_OK;
}
VARIANT(maxpool2d_forward, pool2d, plan_maxpool2d_forward, maxpool2d_forward);

/* The windows over one input row or column: all y in [begin, end) for which position + padding - y * stride, if dilation
 * divides it, is an element of the window. */
typedef struct {
    int64_t begin, end;
} windows;

/* Moves to a position that is not smaller than the last; from {0, 0} it reaches any. */
static inline void advance(windows *over, int64_t padded, int64_t out, int64_t kernel, int64_t stride, int64_t dilation) {
    while (over->end < out && over->end * stride <= padded) {
        over->end++;
    }
    while (over->begin < over->end && over->begin * stride + (kernel - 1) * dilation < padded) {
        over->begin++;
    }
}

/* Sum of what `gather` finds in the windows over each element of an input row, in row-major order of the windows. */
typedef vec gatherer(const tarn_pool2d_args *a, int64_t o, int64_t n, int64_t y, int64_t x, int64_t i, int64_t j);

ROWS_INLINE void gather_rows(gatherer *gather, const tarn_pool2d_args *a, int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; task++) {
        int64_t image = task / a->h, row = task % a->h + a->pt;
        windows ys = {tarn_max(0, row - (a->kh - 1) * a->dh) / a->sh, 0}, xs = {0, 0};
        ys.end = ys.begin;
        advance(&ys, row, a->oh, a->kh, a->sh, a->dh);
        for (int64_t s = 0; s < a->w; s++) {
            int64_t column = s + a->pl;
            advance(&xs, column, a->ow, a->kw, a->sw, a->dw);
            for (int64_t c = 0; c < a->c; c += LANES) {
                int64_t n = tarn_min(LANES, a->c - c);
                vec sum = vec_zero();
                for (int64_t y = ys.begin; y < ys.end; y++) {
                    int64_t i = row - y * a->sh;
                    if (a->dh > 1) {
                        if (i % a->dh) {
                            continue;
                        }
                        i /= a->dh;
                    }
                    for (int64_t x = xs.begin; x < xs.end; x++) {
                        int64_t j = column - x * a->sw;
                        if (a->dw > 1) {
                            if (j % a->dw) {
                                continue;
                            }
                            j /= a->dw;
                        }
                        sum = vec_add(sum, gather(a, ((image * a->oh + y) * a->ow + x) * a->c + c, n, y, x, i, j));
                    }
                }
                vec_store_upto((float *)a->grad_input + (task * a->w + s) * a->c + c, sum, n);
            }
        }
    }
}

ROWS_INLINE vec gather_max(const tarn_pool2d_args *a, int64_t o, int64_t n, int64_t y, int64_t x, int64_t i, int64_t j) {
    (void)y;
    (void)x;
    vec grad = vec_load_upto((const float *)a->grad_output + o, n);
    return vec_where_byte((const uint8_t *)a->index + o, n, i * a->kw + j, grad);
}

static int32_t maxpool2d_backward(const void *args, int64_t begin, int64_t end) {
    gather_rows(gather_max, args, begin, end);
    return TARN_OK;
}
VARIANT(maxpool2d_backward, pool2d, plan_maxpool2d_backward, maxpool2d_backward);

/* Vectors of channels whose averages are taken together: four are four cache lines at best, and their sums fit registers. */
#define AVERAGE_GROUP 4

/* Sums in double, in which copies of one float add up exactly, so that the average of a constant is that constant. */
ROWS_INLINE void average(
        const tarn_pool2d_args *a, pool2d_window at, const float *image, float *output, int vectors, int64_t n) {
    wide sum[AVERAGE_GROUP];
    for (int v = 0; v < vectors; v++) {
        sum[v] = wide_zero();
    }
    for (int64_t i = at.i0; i < at.i1; i++) {
        for (int64_t j = at.j0; j < at.j1; j++) {
            const float *x = image + ((at.row + i * a->dh) * a->w + at.column + j * a->dw) * a->c;
            for (int v = 0; v < vectors; v++) {
                sum[v] = wide_add(sum[v], wide_from(vec_load_upto(x + v * LANES, n)));
            }
        }
    }
    wide factor = wide_set1(1.0 / (double)pool2d_divisor(a, at));
    for (int v = 0; v < vectors; v++) {
        vec_store_upto(output + v * LANES, wide_round(wide_mul(sum[v], factor)), n);
    }
}

static int32_t avgpool2d_forward(const void *args, int64_t begin, int64_t end) {
    const tarn_pool2d_args *a = args;
    for (int64_t task = begin; task < end; task++) {
        const float *image = (const float *)a->input + task / a->oh * a->h * a->w * a->c;
        for (int64_t x = 0; x < a->ow; x++) {
            pool2d_window at = pool2d_window_at(a, task % a->oh, x);
            float *output = (float *)a->output + (task * a->ow + x) * a->c;
            int64_t c = 0;
            for (; c + AVERAGE_GROUP * LANES <= a->c; c += AVERAGE_GROUP * LANES) {
                average(a, at, image + c, output + c, AVERAGE_GROUP, LANES);
            }
            for (; c < a->c; c += LANES) {
                average(a, at, image + c, output + c, 1, tarn_min(LANES, a->c - c));
            }
        }
    }
    return TARN_OK;
}
VARIANT(avgpool2d_forward, pool2d, plan_avgpool2d_forward, avgpool2d_forward);

ROWS_INLINE vec gather_average(const tarn_pool2d_args *a, int64_t o, int64_t n, int64_t y, int64_t x, int64_t i, int64_t j) {
    (void)i;
    (void)j;
    float divisor = (float)pool2d_divisor(a, pool2d_window_at(a, y, x));
    return vec_div(vec_load_upto((const float *)a->grad_output + o, n), vec_set1(divisor));
}

static int32_t avgpool2d_backward(const void *args, int64_t begin, int64_t end) {
    gather_rows(gather_average, args, begin, end);
    return TARN_OK;
}
VARIANT(avgpool2d_backward, pool2d, plan_avgpool2d_backward, avgpool2d_backward);
