/** Tarn's kernel library as Java: its tables, and the two calls that plan and run a kernel. */
@NullMarked
package dev.tarn.ffm.kernels;

import org.jspecify.annotations.NullMarked;
