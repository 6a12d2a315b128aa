/*
 * The argument structs of all kernels. Each struct is stated once, as a list of fields, from which come the C struct and the
 * table that callers in other languages read (tarn_structs). Every field is eight bytes.
 *
 * Every struct begins with the same three: n, the number of examples in this run; shared and scratch, the memory that the
 * plan asked for. Images are channels-last, (N, H, W, C). Convolution weights are (KH, KW, IC/groups, OC), linear weights are
 * convolution weights with a 1x1 window. "real" is float or double, as the variant's number type says.
 */
#ifndef TARN_ARGS_H
#define TARN_ARGS_H

#include <stdint.h>

#define TARN_HEADER(I, D, P) I(n) P(shared) P(scratch)

/*
 * What an operation applies to its result, the "act" of the formulas; alpha is its one parameter. A NaN passes through. At
 * a kink the gradient is that of the side where the result does not exceed the kink's.
 */
enum tarn_activation {
    TARN_IDENTITY = 0,
    TARN_RELU = 1,       /* max(0, x) */
    TARN_RELU6 = 2,      /* min(max(0, x), 6); at 6 the gradient is 0 */
    TARN_LEAKY_RELU = 3, /* x > 0 ? x : alpha x, 0 <= alpha < 1 */
    TARN_SIGMOID = 4,    /* 1 / (1 + exp(-x)) */
    TARN_TANH = 5,
    TARN_ELU = 6,        /* x > 0 ? x : alpha (exp(x) - 1), alpha >= 0 */
    TARN_SELU = 7,       /* 1.0507.. (x > 0 ? x : 1.6732.. (exp(x) - 1)) */
    TARN_SWISH = 8,      /* x / (1 + exp(-alpha x)) */
    TARN_SCALE = 9       /* alpha x */
};
#define TARN_ACTIVATION(I, D) I(activation) D(alpha)

/*
 * 2-D cross-correlation. pt, pl: zero rows above and columns left of the image; below and right follow from oh and ow.
 * output[n,y,x,o] = act(sum input[n, y*sh+i*dh-pt, x*sw+j*dw-pl, c] * weight[i,j,c,o] + bias[o] + residual[n,y,x,o])
 */
#define TARN_CONV2D(I, D, P) TARN_HEADER(I, D, P) \
    I(h) I(w) I(ic) I(oh) I(ow) I(oc) \
    I(kh) I(kw) I(sh) I(sw) I(pt) I(pl) I(dh) I(dw) I(groups) \
    I(constant_weight) /* 1: the weight is the same in many calls, so that to prepare a copy of it is worth its memory */ \
    TARN_ACTIVATION(I, D) \
    P(input)         /* (n, h, w, ic) */ \
    P(weight)        /* (kh, kw, ic/groups, oc) */ \
    P(bias)          /* (oc) or null */ \
    P(residual)      /* as the result, or null; backward data adds it to grad_input */ \
    P(output)        /* (n, oh, ow, oc) */ \
    P(grad_output)   /* (n, oh, ow, oc) */ \
    P(grad_input)    /* (n, h, w, ic), overwritten */ \
    P(grad_weight)   /* as weight, accumulated */ \
    P(sgemm)         /* cblas_sgemm, or null: then the OpenBLAS variants decline */

/*
 * Pooling windows; index holds for each output which element of the window won, row-major, 0 .. kh*kw-1, one byte. Backward
 * of max pooling serves stochastic pooling, whose index 255 means that nobody won; src/pool2d/stochastic_ref.c defines it.
 */
#define TARN_POOL2D(I, D, P) TARN_HEADER(I, D, P) \
    I(h) I(w) I(c) I(oh) I(ow) \
    I(kh) I(kw) I(sh) I(sw) I(pt) I(pl) I(dh) I(dw) \
    I(count_include_pad)  /* average: 1 divides by kh*kw always, 0 by the elements inside the image */ \
    P(input)         /* (n, h, w, c) */ \
    P(output)        /* (n, oh, ow, c) */ \
    P(index)         /* (n, oh, ow, c) uint8_t, max and stochastic pooling only; null: not wanted */ \
    P(grad_output)   /* (n, oh, ow, c) */ \
    P(grad_input)    /* (n, h, w, c), overwritten */ \
    I(seed) I(stream) P(step)  /* stochastic pooling: as dropout's */

/* How the steps from one window of fractional max pooling to the next are chosen; src/pool2d/fractional.h defines them. */
enum tarn_steps { TARN_EVEN_STEPS = 0, TARN_RANDOM_STEPS = 1, TARN_PSEUDO_RANDOM_STEPS = 2 };

/*
 * Fractional max pooling: windows begin at rows[y] and columns[x], with steps of 1 and 2 that add up to h and w, and end
 * before the next one or, where they overlap, with its first row and column. Index as pooling's, in windows of 2x2, or 3x3
 * overlapping.
 */
#define TARN_FRACTIONAL(I, D, P) TARN_HEADER(I, D, P) \
    I(h) I(w) I(c) I(oh) I(ow)   /* (h+1)/2 <= oh <= h, and likewise ow */ \
    I(overlap)       /* 1: windows share a row and a column with the next */ \
    I(steps)         /* enum tarn_steps */ \
    I(seed) I(stream) P(step)    /* as dropout's; not read for even steps */ \
    P(input)         /* (n, h, w, c) */ \
    P(output)        /* (n, oh, ow, c) */ \
    P(rows)          /* int64_t (oh+1), saved by forward for backward: first rows of all windows, then h */ \
    P(columns)       /* int64_t (ow+1), likewise */ \
    P(index)         /* (n, oh, ow, c) uint8_t; null: not wanted */ \
    P(grad_output)   /* (n, oh, ow, c) */ \
    P(grad_input)    /* (n, h, w, c), overwritten */

/* What a running_var holds: variances, or standard deviations sqrt(var + eps), to which nothing is added any more. */
enum tarn_smoothed { TARN_VARIANCE = 0, TARN_DEVIATION = 1 };

/*
 * Batch normalisation over n*hw rows of c channels. Training's forward may leave in mask one bit for each output, set where
 * the gradient passes act: backward reads it in place of the output, which is 32 times as large.
 */
#define TARN_BATCHNORM(I, D, P) TARN_HEADER(I, D, P) \
    I(hw) I(c) \
    TARN_ACTIVATION(I, D) /* of forward and inference */ \
    D(eps)           /* inside the root */ \
    D(keep)          /* running <- keep * running + (1 - keep) * batch; PyTorch's momentum is 1 - keep */ \
    I(smoothed)      /* enum tarn_smoothed */ \
    I(correction)    /* the batch's variance that is smoothed: sum of squares / (rows - correction), 0 or 1 */ \
    P(input)         /* (n, hw, c) */ \
    P(residual)      /* (n, hw, c) or null, added after scale and shift, before act */ \
    P(output)        /* (n, hw, c) */ \
    P(weight) P(bias)                  /* (c) */ \
    P(running_mean) P(running_var)     /* (c) */ \
    P(mean) P(inv_std)                 /* (c), saved by forward for backward */ \
    P(mask)          /* (n, hw, (c+7)/8) uint8_t, channel 0 lowest, or null: not wanted, no act */ \
    P(grad_output)   /* (n, hw, c) */ \
    P(grad_input)    /* (n, hw, c), overwritten; may be grad_output */ \
    P(grad_residual) /* (n, hw, c) or null: grad_output behind the mask; may be grad_output */ \
    P(grad_weight) P(grad_bias)        /* (c), accumulated, or null: not wanted */

/* Eval-mode statistics folded into the linear operation before: weight' = weight * g, bias' = (bias - mean) * g + bn_bias
 * with g = bn_weight / sqrt(var + eps), or bn_weight / var where var holds deviations. out_weight may be weight and out_bias
 * bias. n is 1. */
#define TARN_FOLD(I, D, P) TARN_HEADER(I, D, P) \
    I(rows) I(c) \
    I(smoothed)      /* enum tarn_smoothed: what var holds */ \
    D(eps) \
    P(weight)        /* (rows, c) */ \
    P(bias)          /* (c) or null */ \
    P(bn_weight) P(bn_bias) P(mean) P(var)  /* (c) */ \
    P(out_weight)    /* (rows, c) */ \
    P(out_bias)      /* (c) */

/* Normalisation of each example by itself, over its hw pixels and the c/groups channels of each group. */
#define TARN_GROUPNORM(I, D, P) TARN_HEADER(I, D, P) \
    I(hw) I(c) \
    I(groups)        /* divides c */ \
    TARN_ACTIVATION(I, D) /* of forward */ \
    D(eps)           /* inside the root */ \
    P(input)         /* (n, hw, c) */ \
    P(output)        /* (n, hw, c) */ \
    P(weight) P(bias)                  /* (c) */ \
    P(mean) P(inv_std)                 /* (n, groups), saved by forward for backward, or null: not wanted */ \
    P(grad_output)   /* (n, hw, c) */ \
    P(grad_input)    /* (n, hw, c), overwritten; may be grad_output */ \
    P(grad_weight) P(grad_bias)        /* (c), accumulated, or null: not wanted */

/* Elementwise over n*count elements. */
#define TARN_ELEMENTWISE(I, D, P) TARN_HEADER(I, D, P) \
    I(count) \
    TARN_ACTIVATION(I, D) /* add: act of the sum */ \
    P(a) P(b)        /* b: second operand of add; grad_output of activation_backward, where a is the output, of SWISH the input */ \
    P(out)           /* may be a or b */

/* Per-channel bias over n*hw rows of c channels; output may be input. Backward takes the gradient before act: 0. */
#define TARN_BIAS(I, D, P) TARN_HEADER(I, D, P) \
    I(hw) I(c) \
    TARN_ACTIVATION(I, D) \
    P(input) P(bias) P(output) \
    P(grad_output) \
    P(grad_bias)     /* (c), accumulated */

/* Activations whose alpha is learned, one for all channels or one for each: LEAKY_RELU (then named PReLU) and SWISH. */
#define TARN_PARAMETRIC(I, D, P) TARN_HEADER(I, D, P) \
    I(hw) I(c) \
    I(activation) \
    I(alphas)        /* 1 or c */ \
    P(input)         /* (n, hw, c) */ \
    P(alpha)         /* (alphas) */ \
    P(output)        /* (n, hw, c) */ \
    P(grad_output) \
    P(grad_input)    /* overwritten; may be grad_output */ \
    P(grad_alpha)    /* (alphas), accumulated */

/* Maxout: output[r, c] = max over j of input[r, j*c + c], for each of n*hw rows; of equals the first wins. */
#define TARN_MAXOUT(I, D, P) TARN_HEADER(I, D, P) \
    I(hw) I(c)       /* channels of the output */ \
    I(pieces)        /* 2 .. 256 */ \
    P(input)         /* (n, hw, pieces, c) */ \
    P(output)        /* (n, hw, c) */ \
    P(index)         /* (n, hw, c) uint8_t: which piece won; null: not wanted */ \
    P(grad_output)   /* (n, hw, c) */ \
    P(grad_input)    /* (n, hw, pieces, c), overwritten */

/* Copies c channels of n*hw rows between tensors of other widths (concat, padding with zero channels, and their backward). */
#define TARN_CHANNELS(I, D, P) TARN_HEADER(I, D, P) \
    I(hw) I(c) \
    I(input_pitch) I(input_channel)    /* channels of a row of input, first channel read */ \
    I(output_pitch) I(output_channel) \
    P(input) P(output)

/* (n, rows, cols) to (n, cols, rows): flatten of channels-last images into logical channel, row, column order, and back. */
#define TARN_TRANSPOSE(I, D, P) TARN_HEADER(I, D, P) \
    I(rows) I(cols) \
    P(input) P(output)

/*
 * Dropout over n*count elements: with probability keep x * scale + shift, else the constant dropped; all three are rounded
 * to real. Inverted dropout has scale 1 / keep, plain dropout 1, both shift and dropped 0. Scale 1 with shift 0 copies to the
 * bit. The gradient is that of y times scale, or 0. src/dropout/dropout.h defines which elements are kept. output may be
 * input, grad_input grad_output.
 */
#define TARN_DROPOUT(I, D, P) TARN_HEADER(I, D, P) \
    I(count) \
    I(seed) I(stream)  /* key of the Philox generator; the lower 32 bits of stream tell dropouts of one model apart */ \
    D(keep)            /* probability of keeping, in (0, 1] */ \
    D(scale) D(shift) D(dropped) /* finite */ \
    P(step)            /* int64_t[1], read at run time: with the element's number the generator's counter */ \
    P(input) P(output) \
    P(mask)            /* one bit for each element, in bytes from the lowest bit up: (n*count + 7) / 8 bytes */ \
    P(grad_output) P(grad_input)

/*
 * Softmax cross-entropy with label smoothing, target = (1 - smoothing) * onehot + smoothing / classes, and weights of classes:
 * sum over examples and k of -target[k] * class_weights[k] * log(probability[k]), / sum of the labels' weights.
 */
#define TARN_CROSS_ENTROPY(I, D, P) TARN_HEADER(I, D, P) \
    I(classes) \
    D(smoothing) \
    P(logits)        /* (n, classes) */ \
    P(labels)        /* (n) int32_t */ \
    P(class_weights) /* double[classes], or null: all 1 */ \
    P(divisor)       /* double[1], read at run time, in place of the sum of the labels' weights; or null */ \
    P(probabilities) /* (n, classes), saved by forward for backward */ \
    P(loss)          /* double[1] */ \
    P(grad_logits)   /* (n, classes), overwritten */

/* Multiclass hinge loss, mean over n examples: sum over k but the label of max(0, scores[k] - scores[label] + 1). */
#define TARN_HINGE(I, D, P) TARN_HEADER(I, D, P) \
    I(classes) \
    P(scores)        /* (n, classes) */ \
    P(labels)        /* (n) int32_t */ \
    P(divisor)       /* double[1], read at run time, in place of n; or null */ \
    P(loss)          /* double[1] */ \
    P(grad_scores)   /* (n, classes), overwritten; at a kink the gradient is 0 */

/* Mean of squared differences over all n*count elements. */
#define TARN_MSE(I, D, P) TARN_HEADER(I, D, P) \
    I(count) \
    P(input) P(target) \
    P(divisor)       /* double[1], read at run time, in place of n; or null */ \
    P(loss)          /* double[1] */ \
    P(grad_input)    /* overwritten */

/*
 * A step of an optimizer over flat memory, in one pass. With rate the rate of the run times rate_factor, p = param - rate *
 * decay * param and d = grad + l2 * param + l1 * sign(param), where sign(0) = 0, param becomes
 *
 *     sgd               p - rate * d
 *     momentum          v = momentum * v + d;         p - rate * v, with nesterov p - rate * (d + momentum * v)
 *       rate_inside     v = momentum * v - rate * d;  p + v, with nesterov p - momentum * (old v) + (1 + momentum) * v
 *     adagrad           r = r + d * d;                                p - rate * d / (sqrt(r) + epsilon)
 *     rmsprop           r = keep * r + (1 - keep) * d * d;            p - rate * d / (sqrt(r) + epsilon)
 *     rmsprop_nesterov  r likewise, v = momentum * v - rate * d / (sqrt(r) + epsilon);
 *                                                     p - momentum * (old v) + (1 + momentum) * v
 *     adam              v = momentum * v + (1 - momentum) * d;        r likewise, t = step + 1;
 *                       p - rate * (v / (1 - momentum^t)) / (sqrt(r / (1 - keep^t)) + epsilon)
 *
 * A quotient by 0 counts as 0. Sets grad to zero. n is 1.
 */
#define TARN_UPDATE(I, D, P) TARN_HEADER(I, D, P) \
    I(count) \
    I(nesterov) I(rate_inside)   /* 1: yes */ \
    D(momentum) D(keep)          /* in [0, 1); those of Adam are called beta1 and beta2 */ \
    D(epsilon) \
    D(rate_factor) D(l1) D(l2) D(decay) \
    P(rate)          /* double[1], read at run time */ \
    P(step)          /* int64_t[1], steps before this one, read at run time; null: moments are not corrected */ \
    P(param) P(grad) \
    P(velocity)      /* v, as param, or null where it is not in the formula */ \
    P(squares)       /* r, likewise */

/* Sums over flat memory, in double. n is 1. */
#define TARN_SUMS(I, D, P) TARN_HEADER(I, D, P) \
    I(count) \
    P(input) \
    P(sums)          /* double[2]: sum of squares, sum of absolute values */

/* Gradients in flat memory that are too large: clip_norm multiplies by factor, clip_value takes them to [-limit, limit] and
 * leaves a NaN. n is 1. */
#define TARN_CLIP(I, D, P) TARN_HEADER(I, D, P) \
    I(count) \
    D(limit)         /* clip_value: positive */ \
    P(factor)        /* clip_norm: double[1], read at run time */ \
    P(grad)

/* Scales each column of a weight whose norm is larger than limit down to it, and leaves the others. n is 1. */
#define TARN_MAX_NORM(I, D, P) TARN_HEADER(I, D, P) \
    I(rows) I(c) \
    D(limit) \
    P(weight)        /* (rows, c): the incoming weights of an output are a column */

/* Chains of multiply-adds on registers, src/peak/peak.h: a measure of the processor, not of any network. */
#define TARN_FMA(I, D, P) TARN_HEADER(I, D, P) \
    I(steps)         /* multiply-adds of each chain */ \
    P(output)        /* (n, 384), where each chain ended */

#define TARN_ARGS_LIST(S) \
    S(conv2d, TARN_CONV2D) \
    S(pool2d, TARN_POOL2D) \
    S(fractional, TARN_FRACTIONAL) \
    S(batchnorm, TARN_BATCHNORM) \
    S(fold, TARN_FOLD) \
    S(groupnorm, TARN_GROUPNORM) \
    S(elementwise, TARN_ELEMENTWISE) \
    S(bias, TARN_BIAS) \
    S(parametric, TARN_PARAMETRIC) \
    S(maxout, TARN_MAXOUT) \
    S(channels, TARN_CHANNELS) \
    S(transpose, TARN_TRANSPOSE) \
    S(dropout, TARN_DROPOUT) \
    S(cross_entropy, TARN_CROSS_ENTROPY) \
    S(hinge, TARN_HINGE) \
    S(mse, TARN_MSE) \
    S(update, TARN_UPDATE) \
    S(sums, TARN_SUMS) \
    S(clip, TARN_CLIP) \
    S(max_norm, TARN_MAX_NORM) \
    S(fma, TARN_FMA)

#define TARN_MEMBER_I(name) int64_t name;
#define TARN_MEMBER_D(name) double name;
#define TARN_MEMBER_P(name) void *name;
#define TARN_STRUCT(name, FIELDS) typedef struct { FIELDS(TARN_MEMBER_I, TARN_MEMBER_D, TARN_MEMBER_P) } tarn_##name##_args;
TARN_ARGS_LIST(TARN_STRUCT)

#endif
