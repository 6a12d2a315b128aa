package dev.tarn.optim;

/**
 * What is done to large gradients of the loss before a step (Pascanu, Mikolov and Bengio, "On the difficulty of
 * training recurrent neural networks", 2013). Norms are summed in double, in an order that does not depend on
 * threads; gradients within the limit stay as they are, to the bit.
 *
 * @param limit the largest norm or value
 */
public record Clipping(Kind kind, double limit) {
    /** What is limited. */
    public enum Kind {
        NONE,
        /** The norm of all gradients together. */
        NORM,
        /** The norm of each layer's gradients, its weights and biases together. */
        LAYER_NORM,
        /** The size of each element. */
        VALUE
    }

    /** Leaves gradients as they are. */
    public static final Clipping NONE = new Clipping(Kind.NONE, Double.POSITIVE_INFINITY);

    public Clipping {
        Checks.positive("the limit of gradients", limit);
    }

    /** Multiplies all gradients by limit / norm if the norm of all together is larger than the limit. */
    public static Clipping norm(double limit) {
        return new Clipping(Kind.NORM, limit);
    }

    /** The same for the gradients of each layer by themselves. */
    public static Clipping layerNorm(double limit) {
        return new Clipping(Kind.LAYER_NORM, limit);
    }

    /** Takes each element to the nearest number in [-limit, limit]. */
    public static Clipping value(double limit) {
        return new Clipping(Kind.VALUE, limit);
    }
}
