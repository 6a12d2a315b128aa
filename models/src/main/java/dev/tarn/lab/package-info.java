/** Experiments that show why networks are built and begun as they are. */
@NullMarked
package dev.tarn.lab;

import org.jspecify.annotations.NullMarked;
