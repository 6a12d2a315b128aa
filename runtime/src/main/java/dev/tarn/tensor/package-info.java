/** Shapes, number types, views of off-heap memory, and counter-based random numbers. */
@NullMarked
package dev.tarn.tensor;

import org.jspecify.annotations.NullMarked;
