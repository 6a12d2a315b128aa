/*
 * The optimizers. Each is one function, from a parameter, its gradient and its state to the new parameter, written
 * with the operators of C: on a vec of one number it is the reference, on a vec of the processor the fast variant.
 * Both round after every operation and fuse none, so all levels give the same bits.
 *
 * What all have in common is around that function: one pass, in which
 *
 *     d = grad + l2 * param + l1 * sign(param)         sign(0) = 0
 *     param = step(param - rate * decay * param, d)    with the rate of the run times rate_factor
 *     grad = 0
 */
#ifndef TARN_UPDATE_H
#define TARN_UPDATE_H

#include <math.h>

#include "kernel.h"

/* Elements in a task. */
#define UPDATE_TASK ((int64_t)1 << 15)

/* Which state an optimizer has. */
enum { NO_STATE = 0, VELOCITY = 1, SQUARES = 2 };

typedef struct {
    vec rate, shrink, l1, l2, momentum, ahead, fresh, keep, fresh_square, epsilon, first_correction, second_correction;
    int64_t nesterov, rate_inside;
} constants;

/* p is the parameter after decay; returns the new one. v and r are loaded and stored for those that have them. */
typedef vec update_step(const constants *c, vec p, vec d, vec *v, vec *r);

static inline vec real_set1(double x) { return vec_set1((real)x); }
/* a / b, and 0 where b is: a root of squares is 0 where no gradient has been, and epsilon may be 0. */
static inline vec ratio(vec a, vec b) { return vec_where_nonzero(b, a / b); }

static inline vec sgd_step(const constants *c, vec p, vec d, vec *v, vec *r) {
    (void)v, (void)r;
    return p - c->rate * d;
}

/* With the rate inside and nesterov, p stands for x + momentum * v, where the textbook takes the gradient. */
static inline vec momentum_step(const constants *c, vec p, vec d, vec *v, vec *r) {
    (void)r;
    const vec before = *v;
    if (c->rate_inside) {
        *v = c->momentum * before - c->rate * d;
        return c->nesterov ? p - c->momentum * before + c->ahead * *v : p + *v;
    }
    *v = c->momentum * before + d;
    return c->nesterov ? p - c->rate * (d + c->momentum * *v) : p - c->rate * *v;
}

static inline vec adagrad_step(const constants *c, vec p, vec d, vec *v, vec *r) {
    (void)v;
    *r = *r + d * d;
    return p - c->rate * ratio(d, vec_sqrt(*r) + c->epsilon);
}

static inline vec rmsprop_step(const constants *c, vec p, vec d, vec *v, vec *r) {
    (void)v;
    *r = c->keep * *r + c->fresh_square * (d * d);
    return p - c->rate * ratio(d, vec_sqrt(*r) + c->epsilon);
}

/* p stands for theta + momentum * v, as above. */
static inline vec rmsprop_nesterov_step(const constants *c, vec p, vec d, vec *v, vec *r) {
    const vec before = *v;
    *r = c->keep * *r + c->fresh_square * (d * d);
    *v = c->momentum * before - c->rate * ratio(d, vec_sqrt(*r) + c->epsilon);
    return p - c->momentum * before + c->ahead * *v;
}

/* v is the first moment, r the second. */
static inline vec adam_step(const constants *c, vec p, vec d, vec *v, vec *r) {
    *v = c->momentum * *v + c->fresh * d;
    *r = c->keep * *r + c->fresh_square * (d * d);
    return p - c->rate * ratio(*v * c->first_correction, vec_sqrt(*r * c->second_correction) + c->epsilon);
}

/* 1 / (1 - beta^t), which makes up for a moment that started at 0 */
static inline vec correction(const tarn_update_args *a, double beta) {
    return real_set1(a->step ? 1 / (1 - pow(beta, (double)(*(const int64_t *)a->step + 1))) : 1);
}

static inline constants constants_of(const tarn_update_args *a) {
    const double rate = *(const double *)a->rate * a->rate_factor;
    return (constants){
        .rate = real_set1(rate),
        .shrink = real_set1(rate * a->decay),
        .l1 = real_set1(a->l1),
        .l2 = real_set1(a->l2),
        .momentum = real_set1(a->momentum),
        .ahead = real_set1(1 + a->momentum),
        .fresh = real_set1(1 - a->momentum),
        .keep = real_set1(a->keep),
        .fresh_square = real_set1(1 - a->keep),
        .epsilon = real_set1(a->epsilon),
        .first_correction = correction(a, a->momentum),
        .second_correction = correction(a, a->keep),
        .nesterov = a->nesterov,
        .rate_inside = a->rate_inside,
    };
}

/* Updates n <= LANES parameters at i. Inlined, so that state and step are constants. */
static inline __attribute__((always_inline)) void update_at(
        const tarn_update_args *a, const constants *c, int state, update_step *step, int64_t i, int64_t n) {
    real *param = (real *)a->param + i, *grad = (real *)a->grad + i;
    real *velocity = (real *)a->velocity + (state & VELOCITY ? i : 0);
    real *squares = (real *)a->squares + (state & SQUARES ? i : 0);
    const vec p = vec_load_upto(param, n);
    vec v = state & VELOCITY ? vec_load_upto(velocity, n) : vec_zero();
    vec r = state & SQUARES ? vec_load_upto(squares, n) : vec_zero();
    const vec sign = vec_where_above(p, 0, c->l1) - vec_where_below(p, 0, c->l1);
    const vec d = vec_load_upto(grad, n) + c->l2 * p + sign;
    vec_store_upto(param, step(c, p - c->shrink * p, d, &v, &r), n);
    vec_store_upto(grad, vec_zero(), n);
    if (state & VELOCITY) {
        vec_store_upto(velocity, v, n);
    }
    if (state & SQUARES) {
        vec_store_upto(squares, r, n);
    }
}

static inline __attribute__((always_inline)) void update_range(
        const tarn_update_args *a, int64_t begin, int64_t end, int state, update_step *step) {
    const constants c = constants_of(a);
    int64_t i = begin * UPDATE_TASK, stop = tarn_min(a->count, end * UPDATE_TASK);
    for (; i + LANES <= stop; i += LANES) {
        update_at(a, &c, state, step, i, LANES);
    }
    if (i < stop) {
        update_at(a, &c, state, step, i, stop - i);
    }
}

static inline int is_share(double x) { return x >= 0 && x < 1; }

static int32_t plan_update(const tarn_update_args *a, int state, tarn_plan *plan) {
    if (a->n < 0 || a->n > 1 || TARN_PRODUCT(a->count) < 1 || !is_share(a->momentum) || !is_share(a->keep)
        || !(a->epsilon >= 0 && isfinite(a->epsilon)) || !isfinite(a->rate_factor) || !isfinite(a->l1)
        || !isfinite(a->l2) || !isfinite(a->decay) || !a->rate || !a->param || !a->grad
        || !a->velocity != !(state & VELOCITY) || !a->squares != !(state & SQUARES)) {
        return TARN_BAD_ARGUMENT;
    }
    return tarn_plan_tasks(plan, a->n * tarn_ceil_div(a->count, UPDATE_TASK));
}

#define OPTIMIZER(name, state) \
    static int32_t plan_##name(const void *args, tarn_plan *plan) { return plan_update(args, state, plan); } \
    static int32_t name##_update(const void *args, int64_t begin, int64_t end) { \
        update_range(args, begin, end, state, name##_step); \
        return TARN_OK; \
    } \
    VARIANT(name##_update, update, plan_##name, name##_update)

OPTIMIZER(sgd, NO_STATE);
OPTIMIZER(momentum, VELOCITY);
OPTIMIZER(adagrad, SQUARES);
OPTIMIZER(rmsprop, SQUARES);
OPTIMIZER(rmsprop_nesterov, VELOCITY | SQUARES);
OPTIMIZER(adam, VELOCITY | SQUARES);

#endif
