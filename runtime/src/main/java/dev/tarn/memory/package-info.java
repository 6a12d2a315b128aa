/** Off-heap memory: who owns it, how much there is, and where a plan puts each buffer. */
@NullMarked
package dev.tarn.memory;

import org.jspecify.annotations.NullMarked;
