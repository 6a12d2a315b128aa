/* The two running averages that batch normalisation can keep of how far values spread. */
#ifndef TARN_SMOOTHED_H
#define TARN_SMOOTHED_H

#include <math.h>

#include "kernel.h"

#define SMOOTHED_VALID(args) ((args)->smoothed == TARN_VARIANCE || (args)->smoothed == TARN_DEVIATION)

/* What the average takes in of a batch. */
static inline double smoothed_of(int64_t smoothed, double variance, double eps) {
    return smoothed == TARN_DEVIATION ? sqrt(variance + eps) : variance;
}

/* The divisor of evaluation; a deviation has eps inside already. */
static inline double smoothed_deviation(int64_t smoothed, double running, double eps) {
    return smoothed == TARN_DEVIATION ? running : sqrt(running + eps);
}

#endif
