/*
 * Dropout, defined. N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting" (2014);
 * with a shift and a constant for what is dropped, G. Klambauer et al., "Self-normalizing neural networks" (2017).
 * Output may be input, grad_input may be grad_output. Bits of the mask beyond the last element are zero.
 */
#include "dropout/dropout.h"

static inline real dropped(dropout_map f, int kept, real x) {
    return !kept ? f.dropped : f.copies ? x : x * f.scale + f.shift;
}

static int32_t dropout_forward(const void *args, int64_t begin, int64_t end) {
    const tarn_dropout_args *a = args;
    const real *x = a->input;
    const dropout_map f = dropout_output(a);
    const int64_t step = *(const int64_t *)a->step;
    uint32_t threshold = dropout_threshold(a->keep), word[4] = {0};
    int64_t i, stop;
    for (dropout_range(a, begin, end, &i, &stop); i < stop; i++) {
        if (i % 4 == 0) {
            philox_block(word, (uint64_t)i / 4, step, a->stream, a->seed);
        }
        uint8_t *byte = (uint8_t *)a->mask + i / 8;
        int kept = (word[i % 4] >> 8) < threshold;
        *byte = (uint8_t)((i % 8 ? *byte : 0) | kept << i % 8);
        ((real *)a->output)[i] = dropped(f, kept, x[i]);
    }
    return TARN_OK;
}
VARIANT(dropout_forward, dropout, plan_dropout_forward, dropout_forward);

static int32_t dropout_backward(const void *args, int64_t begin, int64_t end) {
    const tarn_dropout_args *a = args;
    const real *grad_output = a->grad_output;
    const dropout_map f = dropout_gradient(a);
    int64_t i, stop;
    for (dropout_range(a, begin, end, &i, &stop); i < stop; i++) {
        int kept = ((const uint8_t *)a->mask)[i / 8] >> i % 8 & 1;
        ((real *)a->grad_input)[i] = dropped(f, kept, grad_output[i]);
    }
    return TARN_OK;
}
VARIANT(dropout_backward, dropout, plan_dropout_backward, dropout_backward);
