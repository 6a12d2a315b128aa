/** Initialisers of parameters. */
@NullMarked
package dev.tarn.nn.init;

import org.jspecify.annotations.NullMarked;
