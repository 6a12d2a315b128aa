/** OpenBLAS as Java: matrix products, its processor kernels and its single thread. */
@NullMarked
package dev.tarn.ffm.blas;

import org.jspecify.annotations.NullMarked;
