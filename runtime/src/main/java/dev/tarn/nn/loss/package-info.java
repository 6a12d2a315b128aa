/** Losses. */
@NullMarked
package dev.tarn.nn.loss;

import org.jspecify.annotations.NullMarked;
