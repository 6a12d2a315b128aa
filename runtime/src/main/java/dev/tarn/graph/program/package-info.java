/** Graphs as programs: steps that are planned, then bound to memory, then run, and those who watch them run. */
@NullMarked
package dev.tarn.graph.program;

import org.jspecify.annotations.NullMarked;
