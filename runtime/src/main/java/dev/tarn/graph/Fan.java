package dev.tarn.graph;

import dev.tarn.tensor.Shape;

/**
 * What a weight connects: how many inputs go into one of its outputs, and how many outputs one of its inputs goes
 * into. Every position of a convolution's window counts; groups do not see each other.
 *
 * @param in KH * KW * I/groups of a convolution (O, I/groups, KH, KW), I of a linear layer (O, I)
 * @param out KH * KW * O/groups, or O
 */
public record Fan(long in, long out) {
    /** Of a weight of that shape; of vectors, such as biases, both are 1. */
    public static Fan of(Shape weight, long groups) {
        if (weight.rank() < 2) {
            return new Fan(1, 1);
        }
        long elements = weight.elementCount();
        return new Fan(elements / weight.size(0), elements / weight.size(1) / groups);
    }
}
