/**
 * How the values of a graph use memory while it runs and, where that is too much, which of them to compute again or to move to a file
 * and back.
 */
@NullMarked
package dev.tarn.graph.plan;

import org.jspecify.annotations.NullMarked;
