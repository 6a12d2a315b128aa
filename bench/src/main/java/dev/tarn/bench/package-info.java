/** Measurements: kernels, whole networks, other runtimes beside them. */
@NullMarked
package dev.tarn.bench;

import org.jspecify.annotations.NullMarked;
