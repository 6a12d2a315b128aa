/*
 * Stochastic pooling, defined. M. D. Zeiler and R. Fergus, "Stochastic pooling for regularization of deep
 * convolutional neural networks" (2013). An element's weight is its activation where that is positive, else 0; w is
 * their sum in a window. Training draws an element with probability weight / w, inference takes the mean of what
 * training would draw.
 *
 * Output o = 4 * block + k uses word k of the generator that dropout uses, with the same key and counter, and
 * u = word * 2^-32: the element is the first, in row-major order, at which the sum of weights exceeds u * w. A window
 * without weight gives 0 and sends its gradient to nobody. A NaN in a window is the result, else an infinity is.
 */
#include <math.h>

#include "dropout/philox.h"
#include "pool2d/pool2d.h"

/* What no position is: a window has 255 elements at most. */
#define NOBODY 255

/* A sum of a window's elements cannot overflow in the next wider type. */
#if defined(TARN_BUILD_F64)
typedef long double wide;
#else
typedef double wide;
#endif

/* The elements of a window in one channel that lie inside the image, in row-major order. */
typedef struct {
    int count;
    uint8_t position[NOBODY];
    real value[NOBODY];
    wide sum; /* of weights; NaN or infinite where an element is */
} window;

static inline real weight_of(real value) { return value > 0 || value != value ? value : 0; }

static inline void gather(const tarn_pool2d_args *a, const element *image, pool2d_window at, int64_t c, window *w) {
    w->count = 0;
    w->sum = 0;
    for (int64_t i = at.i0; i < at.i1; i++) {
        for (int64_t j = at.j0; j < at.j1; j++) {
            real value = tarn_get(image, ((at.row + i * a->dh) * a->w + at.column + j * a->dw) * a->c + c);
            w->position[w->count] = (uint8_t)(i * a->kw + j);
            w->value[w->count++] = value;
            w->sum += weight_of(value);
        }
    }
}

/* Which of the elements is drawn by u in [0, 1); -1 if none has weight. */
static inline int drawn(const window *w, double u) {
    const int finite = w->sum < (wide)INFINITY;
    wide below = 0;
    for (int k = 0; k < w->count; k++) {
        wide weight = weight_of(w->value[k]);
        below += weight;
        if (finite ? below > u * w->sum : weight == w->sum || (w->sum != w->sum && weight != weight)) {
            return k;
        }
    }
    return -1;
}

static inline int32_t plan_pool(const tarn_pool2d_args *a, tarn_plan *plan) {
    if (!pool2d_is_valid(a) || a->kh * a->kw > NOBODY || !a->input || !a->output) {
        return TARN_BAD_ARGUMENT;
    }
    return tarn_plan_tasks(plan, a->n * a->oh);
}

#if !defined(TARN_BUILD_BF16)
static int32_t plan_stochasticpool2d_forward(const void *args, tarn_plan *plan) {
    const tarn_pool2d_args *a = args;
    return a->step ? plan_pool(a, plan) : TARN_BAD_ARGUMENT;
}

/* The number of output o; word holds the block before, unless o is the first of its block or of a task. */
static inline double uniform(const tarn_pool2d_args *a, int64_t o, int first, uint32_t *word) {
    if (first || o % 4 == 0) {
        philox_block(word, (uint64_t)o / 4, *(const int64_t *)a->step, a->stream, a->seed);
    }
    return word[o % 4] * 0x1p-32;
}

static int32_t stochasticpool2d_forward(const void *args, int64_t begin, int64_t end) {
    const tarn_pool2d_args *a = args;
    uint8_t *index = a->index;
    uint32_t word[4];
    window w;
    for (int64_t task = begin; task < end; task++) {
        const real *image = (const real *)a->input + task / a->oh * a->h * a->w * a->c;
        const int64_t first = task * a->ow * a->c;
        pool2d_window at;
        pool2d_at_row(a, task % a->oh, &at);
        for (int64_t o = first; o < first + a->ow * a->c; o++) {
            pool2d_at_column(a, (o - first) / a->c, &at);
            gather(a, image, at, o % a->c, &w);
            int k = drawn(&w, uniform(a, o, o == first, word));
            ((real *)a->output)[o] = k < 0 ? 0 : w.value[k];
            if (index) {
                index[o] = k < 0 ? NOBODY : w.position[k];
            }
        }
    }
    return TARN_OK;
}
VARIANT(stochasticpool2d_forward, pool2d, plan_stochasticpool2d_forward, stochasticpool2d_forward);
#endif

static int32_t plan_stochasticpool2d_expectation(const void *args, tarn_plan *plan) { return plan_pool(args, plan); }

/* The sum of probability times activation; weights are divided first, so that one alone comes out to the bit. */
static int32_t stochasticpool2d_expectation(const void *args, int64_t begin, int64_t end) {
    const tarn_pool2d_args *a = args;
    window w;
    for (int64_t task = begin; task < end; task++) {
        const element *image = (const element *)a->input + task / a->oh * a->h * a->w * a->c;
        const int64_t first = task * a->ow * a->c;
        pool2d_window at;
        pool2d_at_row(a, task % a->oh, &at);
        for (int64_t o = first; o < first + a->ow * a->c; o++) {
            pool2d_at_column(a, (o - first) / a->c, &at);
            gather(a, image, at, o % a->c, &w);
            wide mean = w.sum < (wide)INFINITY ? 0 : w.sum;
            for (int k = 0; k < w.count && w.sum > 0 && w.sum < (wide)INFINITY; k++) {
                wide weight = weight_of(w.value[k]);
                mean += weight / w.sum * weight;
            }
            tarn_set(a->output, o, (real)mean);
        }
    }
    return TARN_OK;
}
VARIANT(stochasticpool2d_expectation, pool2d, plan_stochasticpool2d_expectation, stochasticpool2d_expectation);
