/**
 * Networks as data: tracing a layer's {@code forward} gives nodes and values, which are differentiated, rewritten, planned and
 * bound. Nothing here owns memory; a session does.
 */
@NullMarked
package dev.tarn.graph;

import org.jspecify.annotations.NullMarked;
