/** Optimizers and learning-rate schedules. */
@NullMarked
package dev.tarn.optim;

import org.jspecify.annotations.NullMarked;
