/** Kernels one by one under JMH, in shares of what the machine can do. */
@NullMarked
package dev.tarn.bench.kernels;

import org.jspecify.annotations.NullMarked;
