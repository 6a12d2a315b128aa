/*
 * Fractional max pooling, defined. B. Graham, "Fractional max-pooling" (2014). All images of a batch share their
 * windows. Of equals the first in row-major order wins, a NaN wins over all, and the image's edge cuts the last
 * overlapping window.
 */
#include "pool2d/fractional.h"

/* Rows and columns of a window, at most; the position of an element is row * this + column. */
static inline int64_t window_size(const tarn_fractional_args *a) { return 2 + a->overlap; }
/* Where the window ends that begins at starts[i]. */
static inline int64_t window_end(const tarn_fractional_args *a, const int64_t *starts, int64_t i, int64_t extent) {
    return tarn_min(starts[i + 1] + a->overlap, extent);
}

/* Phase 0 places the windows; a task of phase 1 is one row of one output image. */
static int32_t plan_fractionalpool2d_forward(const void *args, tarn_plan *plan) {
    const tarn_fractional_args *a = args;
    if (!fractional_is_valid(a) || !a->input || !a->output) {
        return TARN_BAD_ARGUMENT;
    }
    *plan = (tarn_plan){.tasks = {1, a->n * a->oh}};
    return TARN_OK;
}

static int32_t place_windows(const void *args, int64_t begin, int64_t end) {
    const tarn_fractional_args *a = args;
    (void)begin;
    (void)end;
    fractional_starts(a, 0, a->h, a->oh, a->rows);
    fractional_starts(a, 1, a->w, a->ow, a->columns);
    return TARN_OK;
}

static int32_t fractionalpool2d_forward(const void *args, int64_t begin, int64_t end) {
    const tarn_fractional_args *a = args;
    const int64_t *rows = a->rows, *columns = a->columns, size = window_size(a);
    uint8_t *index = a->index;
    for (int64_t task = begin; task < end; task++) {
        const element *image = (const element *)a->input + task / a->oh * a->h * a->w * a->c;
        const int64_t first = rows[task % a->oh], last = window_end(a, rows, task % a->oh, a->h);
        for (int64_t x = 0; x < a->ow; x++) {
            const int64_t left = columns[x], right = window_end(a, columns, x, a->w);
            for (int64_t c = 0; c < a->c; c++) {
                real best = 0;
                int64_t winner = -1;
                for (int64_t i = first; i < last; i++) {
                    for (int64_t j = left; j < right; j++) {
                        real value = tarn_get(image, (i * a->w + j) * a->c + c);
                        if (winner < 0 || value > best || (value != value && best == best)) {
                            best = value;
                            winner = (i - first) * size + j - left;
                        }
                    }
                }
                int64_t o = (task * a->ow + x) * a->c + c;
                tarn_set(a->output, o, best);
                if (index) {
                    index[o] = (uint8_t)winner;
                }
            }
        }
    }
    return TARN_OK;
}
VARIANT(fractionalpool2d_forward, fractional, plan_fractionalpool2d_forward, place_windows, fractionalpool2d_forward);

#if !defined(TARN_BUILD_BF16)
/* One task is one row of one input image, which gathers from all windows over it. */
static int32_t plan_fractionalpool2d_backward(const void *args, tarn_plan *plan) {
    const tarn_fractional_args *a = args;
    if (!fractional_is_valid(a) || !a->index || !a->grad_output || !a->grad_input) {
        return TARN_BAD_ARGUMENT;
    }
    return tarn_plan_tasks(plan, a->n * a->h);
}

static int32_t fractionalpool2d_backward(const void *args, int64_t begin, int64_t end) {
    const tarn_fractional_args *a = args;
    const int64_t *rows = a->rows, *columns = a->columns, size = window_size(a);
    const uint8_t *index = a->index;
    const real *grad_output = a->grad_output;
    for (int64_t task = begin; task < end; task++) {
        const int64_t row = task % a->h;
        real *grad_input = (real *)a->grad_input + task * a->w * a->c;
        memset(grad_input, 0, (size_t)(a->w * a->c) * sizeof(real));
        for (int64_t y = 0; y < a->oh; y++) {
            if (row < rows[y] || row >= window_end(a, rows, y, a->h)) {
                continue;
            }
            for (int64_t x = 0; x < a->ow; x++) {
                for (int64_t j = columns[x]; j < window_end(a, columns, x, a->w); j++) {
                    for (int64_t c = 0; c < a->c; c++) {
                        int64_t o = ((task / a->h * a->oh + y) * a->ow + x) * a->c + c;
                        if (index[o] == (row - rows[y]) * size + j - columns[x]) {
                            grad_input[j * a->c + c] += grad_output[o];
                        }
                    }
                }
            }
        }
    }
    return TARN_OK;
}
VARIANT(fractionalpool2d_backward, fractional, plan_fractionalpool2d_backward, fractionalpool2d_backward);
#endif
