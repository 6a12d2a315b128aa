/**
 * Networks as data: tracing a layer's {@code forward} gives nodes and values, which are differentiated, {@linkplain
 * dev.tarn.graph.rewrite rewritten}, {@linkplain dev.tarn.graph.plan planned} and made a {@linkplain dev.tarn.graph.program program}.
 * Nothing here owns memory; a session does.
 */
@NullMarked
package dev.tarn.graph;

import org.jspecify.annotations.NullMarked;
