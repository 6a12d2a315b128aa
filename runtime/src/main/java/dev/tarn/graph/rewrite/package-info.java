/** Small named passes over a graph that make it cheaper and leave its results within rounding. */
@NullMarked
package dev.tarn.graph.rewrite;

import org.jspecify.annotations.NullMarked;
