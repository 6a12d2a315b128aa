/** The operations of a graph: each states its shape rule, its gradient in terms of other operations, and its kernel calls. */
@NullMarked
package dev.tarn.graph.op;

import org.jspecify.annotations.NullMarked;
