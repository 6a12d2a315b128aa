/* Pooling with vectors over channels. Every task, forward and backward, gathers for a row of its own. */
#include <string.h>

#include "pool2d/pool2d.h"
#include "simd/vec_element.h"
#include "simd/vec_rows.h"

/* Windows of 2 x 2 that neither overlap nor leave the image, the most frequent pooling: their loops unroll. */
static inline int quarters(const tarn_pool2d_args *a) {
    return a->kh == 2 && a->kw == 2 && a->sh == 2 && a->sw == 2 && a->dh == 1 && a->dw == 1 && a->pt == 0 && a->pl == 0
        && 2 * a->oh <= a->h && 2 * a->ow <= a->w;
}

/*
 * The largest of n <= LANES channels in a window and its place there, the first one of equals. first: element (0, 0), which
 * may lie outside of the image; line, pixel: from one element to the next.
 */
ROWS_INLINE void largest(const element *first, int64_t line, int64_t pixel, const pool2d_window at, const int64_t kw,
        int64_t n, vec *best, veci *winner) {
    *best = vec_get(first + at.i0 * line + at.j0 * pixel, n);
    *winner = veci_set1((uint32_t)(at.i0 * kw + at.j0));
#pragma GCC unroll 2
    for (int64_t i = at.i0; i < at.i1; i++) {
#pragma GCC unroll 2
        for (int64_t j = at.j0; j < at.j1; j++) {
            const vec value = vec_get(first + i * line + j * pixel, n);
            const vmask wins = vec_wins(value, *best);
            *best = vec_select(wins, value, *best);
            *winner = veci_select(wins, veci_set1((uint32_t)(i * kw + j)), *winner);
        }
    }
}

ROWS_INLINE void maxpool_rows(const tarn_pool2d_args *a, const int in_quarters, int64_t begin, int64_t end) {
    const int64_t line = a->dh * a->w * a->c, pixel = a->dw * a->c;
    for (int64_t task = begin; task < end; task++) {
        const element *image = (const element *)a->input + task / a->oh * a->h * a->w * a->c;
        pool2d_window at;
        pool2d_at_row(a, task % a->oh, &at);
        for (int64_t x = 0; x < a->ow; x++) {
            pool2d_at_column(a, x, &at);
            const element *first = image + (at.row * a->w + at.column) * a->c;
            const int64_t o = (task * a->ow + x) * a->c;
            for (int64_t c = 0; c < a->c; c += LANES) {
                const int64_t n = tarn_min(LANES, a->c - c);
                vec best;
                veci winner;
                if (in_quarters) {
                    largest(first + c, line, pixel, (pool2d_window){0, 0, 0, 2, 0, 2}, 2, n, &best, &winner);
                } else {
                    largest(first + c, line, pixel, at, a->kw, n, &best, &winner);
                }
                vec_put((element *)a->output + o + c, best, n);
                if (a->index) {
                    veci_store_bytes((uint8_t *)a->index + o + c, winner, n);
                }
            }
        }
    }
}

static int32_t maxpool2d_forward(const void *args, int64_t begin, int64_t end) {
    if (quarters(args)) {
        maxpool_rows(args, 1, begin, end);
    } else {
        maxpool_rows(args, 0, begin, end);
    }
    return TARN_OK;
}
VARIANT(maxpool2d_forward, pool2d, plan_maxpool2d_forward, maxpool2d_forward);

#if !defined(TARN_BUILD_BF16)
/*
 * The windows over one input row or column: all y in [begin, end) for which position + padding - y * stride, if
 * dilation divides it, is an element of the window.
 */
typedef struct {
    int64_t begin, end;
} windows;

/* Moves to a position that is not smaller than the last; from {0, 0} it reaches any. */
static inline void advance(windows *over, int64_t padded, int64_t out, int64_t kernel, int64_t stride,
        int64_t dilation) {
    while (over->end < out && over->end * stride <= padded) {
        over->end++;
    }
    while (over->begin < over->end && over->begin * stride + (kernel - 1) * dilation < padded) {
        over->begin++;
    }
}

/*
 * What window (y, x), whose outputs begin at o, sends to its element (i, j): written to all channels of that element,
 * or added to what windows before it have sent.
 */
typedef void sender(const tarn_pool2d_args *a, int64_t o, int64_t y, int64_t x, int64_t i, int64_t j, float *to,
        int add);

/* Element of the window at this distance from its first one, or -1 if dilation steps over it. */
static inline int64_t window_element(int64_t distance, int64_t dilation) {
    return dilation == 1 ? distance : distance % dilation ? -1 : distance / dilation;
}

/* For every element of a row of the input, windows over it in row-major order. */
ROWS_INLINE void gather_rows(sender *send, const tarn_pool2d_args *a, int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; task++) {
        int64_t image = task / a->h, row = task % a->h + a->pt;
        float *to = (float *)a->grad_input + task * a->w * a->c;
        windows ys = {0, 0}, xs = {0, 0};
        ys.begin = ys.end = tarn_max(0, row - (a->kh - 1) * a->dh) / a->sh;
        advance(&ys, row, a->oh, a->kh, a->sh, a->dh);
        for (int64_t column = a->pl; column < a->pl + a->w; column++, to += a->c) {
            int add = 0;
            advance(&xs, column, a->ow, a->kw, a->sw, a->dw);
            for (int64_t y = ys.begin; y < ys.end; y++) {
                int64_t i = window_element(row - y * a->sh, a->dh);
                for (int64_t x = xs.begin; i >= 0 && x < xs.end; x++) {
                    int64_t j = window_element(column - x * a->sw, a->dw), o = ((image * a->oh + y) * a->ow + x) * a->c;
                    if (j >= 0 && add) {
                        send(a, o, y, x, i, j, to, 1);
                    } else if (j >= 0) {
                        send(a, o, y, x, i, j, to, 0);
                        add = 1;
                    }
                }
            }
            if (!add) {
                memset(to, 0, (size_t)a->c * sizeof(float));
            }
        }
    }
}

ROWS_INLINE void send_to_winner(
        const tarn_pool2d_args *a, int64_t o, int64_t y, int64_t x, int64_t i, int64_t j, float *to, int add) {
    (void)y;
    (void)x;
    for (int64_t c = 0; c < a->c; c += LANES) {
        int64_t n = tarn_min(LANES, a->c - c);
        vec grad = vec_load_upto((const float *)a->grad_output + o + c, n);
        grad = vec_where_byte((const uint8_t *)a->index + o + c, n, i * a->kw + j, grad);
        vec_store_upto(to + c, add ? vec_add(vec_load_upto(to + c, n), grad) : grad, n);
    }
}

/* The same where every element has one window at most: a gradient and its place are read once for two elements. */
static void send_to_quarters(const tarn_pool2d_args *a, int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; task++) {
        const int64_t row = task % a->h, y = row / 2, from = (task / a->h * a->oh + y) * a->ow * a->c;
        float *to = (float *)a->grad_input + task * a->w * a->c;
        int64_t x = 0;
        for (; y < a->oh && x < a->ow; x++) {
            for (int64_t c = 0; c < a->c; c += LANES) {
                const int64_t n = tarn_min(LANES, a->c - c), o = from + x * a->c + c;
                const vec grad = vec_load_upto((const float *)a->grad_output + o, n);
                const uint8_t *index = (const uint8_t *)a->index + o;
                float *pair = to + 2 * x * a->c + c;
                vec_store_upto(pair, vec_where_byte(index, n, row % 2 * 2, grad), n);
                vec_store_upto(pair + a->c, vec_where_byte(index, n, row % 2 * 2 + 1, grad), n);
            }
        }
        memset(to + 2 * x * a->c, 0, (size_t)((a->w - 2 * x) * a->c) * sizeof(float));
    }
}

static int32_t maxpool2d_backward(const void *args, int64_t begin, int64_t end) {
    if (quarters(args)) {
        send_to_quarters(args, begin, end);
    } else {
        gather_rows(send_to_winner, args, begin, end);
    }
    return TARN_OK;
}
VARIANT(maxpool2d_backward, pool2d, plan_maxpool2d_backward, maxpool2d_backward);
#endif

/* Vectors of channels whose averages are taken together: four cache lines at best, and their sums fit registers. */
#define AVERAGE_GROUP 4

/* Sums in double, in which copies of one float add up exactly, so that the average of a constant is that constant. */
ROWS_INLINE void average(
        const tarn_pool2d_args *a, pool2d_window at, const element *image, element *output, int vectors, int64_t n) {
    wide sum[AVERAGE_GROUP];
    for (int v = 0; v < vectors; v++) {
        sum[v] = wide_zero();
    }
    for (int64_t i = at.i0; i < at.i1; i++) {
        for (int64_t j = at.j0; j < at.j1; j++) {
            const element *x = image + ((at.row + i * a->dh) * a->w + at.column + j * a->dw) * a->c;
            for (int v = 0; v < vectors; v++) {
                sum[v] = wide_add(sum[v], wide_from(vec_get(x + v * LANES, n)));
            }
        }
    }
    wide factor = wide_set1(1.0 / (double)pool2d_divisor(a, at));
    for (int v = 0; v < vectors; v++) {
        vec_put(output + v * LANES, wide_round(wide_mul(sum[v], factor)), n);
    }
}

static int32_t avgpool2d_forward(const void *args, int64_t begin, int64_t end) {
    const tarn_pool2d_args *a = args;
    for (int64_t task = begin; task < end; task++) {
        const element *image = (const element *)a->input + task / a->oh * a->h * a->w * a->c;
        pool2d_window at;
        pool2d_at_row(a, task % a->oh, &at);
        for (int64_t x = 0; x < a->ow; x++) {
            pool2d_at_column(a, x, &at);
            element *output = (element *)a->output + (task * a->ow + x) * a->c;
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

#if !defined(TARN_BUILD_BF16)
ROWS_INLINE void send_share(
        const tarn_pool2d_args *a, int64_t o, int64_t y, int64_t x, int64_t i, int64_t j, float *to, int add) {
    (void)i;
    (void)j;
    pool2d_window at;
    pool2d_at_row(a, y, &at);
    pool2d_at_column(a, x, &at);
    vec divisor = vec_set1((float)pool2d_divisor(a, at));
    for (int64_t c = 0; c < a->c; c += LANES) {
        int64_t n = tarn_min(LANES, a->c - c);
        vec grad = vec_div(vec_load_upto((const float *)a->grad_output + o + c, n), divisor);
        vec_store_upto(to + c, add ? vec_add(vec_load_upto(to + c, n), grad) : grad, n);
    }
}

static int32_t avgpool2d_backward(const void *args, int64_t begin, int64_t end) {
    gather_rows(send_share, args, begin, end);
    return TARN_OK;
}
VARIANT(avgpool2d_backward, pool2d, plan_avgpool2d_backward, avgpool2d_backward);
#endif
