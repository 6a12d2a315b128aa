package dev.tarn.session;

/**
 * Training went astray: the loss or the gradients are not finite any more. What earlier epochs left on disk is
 * untouched.
 */
public final class DivergenceException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private static final String HELP = "; a smaller --lr usually helps, and so does looking for broken images";

    private DivergenceException(String what) {
        super(what + HELP);
    }

    DivergenceException(double loss, String where) {
        this("the loss is %s %s".formatted(loss, where));
    }

    /** A norm that gradients should be clipped to; the parameters have not changed yet. */
    static DivergenceException ofGradients(double norm, String layer) {
        return new DivergenceException(
                "the norm of the gradients of %s is %s".formatted(layer.isEmpty() ? "the model" : layer, norm));
    }
}
