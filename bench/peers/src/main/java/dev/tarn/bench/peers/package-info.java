/** Other runtimes on the same workloads, each in a process of its own. */
@NullMarked
package dev.tarn.bench.peers;

import org.jspecify.annotations.NullMarked;
