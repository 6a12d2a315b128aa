/** The operations of the kernel library: choosing a variant, planning it, and running it on a team of threads. */
@NullMarked
package dev.tarn.kernel;

import org.jspecify.annotations.NullMarked;
