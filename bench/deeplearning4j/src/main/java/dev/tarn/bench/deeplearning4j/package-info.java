/** Deeplearning4j on the same workload, in a process of its own. */
@NullMarked
package dev.tarn.bench.deeplearning4j;

import org.jspecify.annotations.NullMarked;
