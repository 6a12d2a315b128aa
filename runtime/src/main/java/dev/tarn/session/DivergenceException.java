package dev.tarn.session;

/** Training went astray: the loss is not a finite number any more. What earlier epochs left on disk is untouched. */
public final class DivergenceException extends RuntimeException {
    private static final long serialVersionUID = 1;

    DivergenceException(double loss, String where) {
        super("the loss is %s %s; a smaller --lr usually helps, and so does looking for broken images"
                .formatted(loss, where));
    }
}
