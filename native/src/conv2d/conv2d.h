/* What all convolution variants share: which arguments make sense. */
#ifndef TARN_CONV2D_H
#define TARN_CONV2D_H

#include "activation/activation.h"

/* Forward and the gradient of the input are one algorithm, which reads its weights the one way or the other. */
enum direction { FORWARD, BACKWARD };

static inline int conv2d_depthwise(const tarn_conv2d_args *a) { return a->groups == a->ic && a->ic == a->oc; }

/* Sizes only. Afterwards any product of the sizes of one tensor, and any coordinate of a window, fits int64_t. */
static inline int conv2d_sizes_valid(const tarn_conv2d_args *a) {
    const int64_t sizes[] = {a->h, a->w, a->ic, a->oh, a->ow, a->oc, a->kh, a->kw, a->sh, a->sw, a->dh, a->dw,
            a->groups};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (sizes[i] < 1 || sizes[i] > TARN_MAX_ELEMENTS) {
            return 0;
        }
    }
    int64_t images = tarn_max(a->n, 1);
    return a->n >= 0 && a->pt >= 0 && a->pl >= 0 && a->pt <= TARN_MAX_ELEMENTS && a->pl <= TARN_MAX_ELEMENTS
            && ACTIVATION_VALID(a) && a->ic % a->groups == 0 && a->oc % a->groups == 0
            && TARN_PRODUCT(images, a->h, a->w, a->ic) > 0 && TARN_PRODUCT(images, a->oh, a->ow, a->oc) > 0
            && TARN_PRODUCT(a->kh, a->kw, a->ic, a->oc) > 0 && TARN_PRODUCT(a->oh, a->sh) > 0
            && TARN_PRODUCT(a->ow, a->sw) > 0 && TARN_PRODUCT(a->kh, a->dh) > 0 && TARN_PRODUCT(a->kw, a->dw) > 0;
}

static inline int conv2d_forward_valid(const tarn_conv2d_args *a) {
    return a->input && a->weight && a->output && conv2d_sizes_valid(a);
}

static inline int conv2d_backward_data_valid(const tarn_conv2d_args *a) {
    return a->grad_output && a->weight && a->grad_input && conv2d_sizes_valid(a);
}

static inline int conv2d_backward_weight_valid(const tarn_conv2d_args *a) {
    return a->grad_output && a->input && a->grad_weight && conv2d_sizes_valid(a);
}

#endif
