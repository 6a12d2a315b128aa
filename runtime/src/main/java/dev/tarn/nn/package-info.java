/** Layers: what a network is made of. A layer describes and owns nothing. */
@NullMarked
package dev.tarn.nn;

import org.jspecify.annotations.NullMarked;
