package dev.tarn.nn;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Value;
import dev.tarn.graph.op.Activation;
import dev.tarn.graph.op.DropoutOp;

/**
 * Dropout (Srivastava and others, "Dropout: a simple way to prevent neural networks from overfitting", 2014), elementwise, any
 * shape: in training an element is kept with probability {@code keep}, else it is dropped. Three forms:
 *
 * <pre>
 *            kept        dropped     inference
 * inverted   x / keep    0           x              the default
 * vanilla    x           0           keep * x       {@link #vanilla()}
 * alpha      a x + b     a L + b     x              {@link #alpha()}
 * </pre>
 *
 * where a, b and SELU's limit L = -1.758 are such that alpha dropout keeps mean 0 and variance 1 (Klambauer and others,
 * "Self-normalizing neural networks", 2017). The probability is named in full, since papers and libraries disagree on what p is.
 */
public final class Dropout extends Layer {
    private enum Form {
        INVERTED,
        VANILLA,
        ALPHA
    }

    private final double keep;
    private final Form form;

    /** Keeps and drops each element with probability one half, the usual choice. */
    public Dropout() {
        this(0.5, Form.INVERTED);
    }

    private Dropout(double keep, Form form) {
        this.keep = requireKeep(keep);
        this.form = form;
    }

    static double requireKeep(double keep) {
        if (!(keep > 0 && keep <= 1)) {
            throw new IllegalArgumentException("the probability of keeping is in (0, 1], not " + keep);
        }
        return keep;
    }

    /**
     * Keeps each element with this probability.
     *
     * @throws IllegalArgumentException if it is not in (0, 1]
     */
    public static Dropout keep(double probability) {
        return new Dropout(probability, Form.INVERTED);
    }

    /**
     * Drops each element with this probability: PyTorch's p.
     *
     * @throws IllegalArgumentException if it is not in [0, 1)
     */
    public static Dropout drop(double probability) {
        return keep(1 - probability);
    }

    /** The original form: kept elements stay as they are, and inference multiplies all by the probability of keeping. */
    public Dropout vanilla() {
        return new Dropout(keep, Form.VANILLA);
    }

    /** The form for networks of {@link SELU}: what is dropped becomes SELU's limit, and mean and variance stay as they are. */
    public Dropout alpha() {
        return new Dropout(keep, Form.ALPHA);
    }

    @Override
    public Value forward(Value x) {
        Graph graph = x.graph();
        if (graph.randomness() == Graph.Randomness.EXPECTED) {
            return form == Form.VANILLA ? x.activate(Activation.scale(keep)) : x;
        }
        if (keep == 1) {
            return x;
        }
        DropoutOp op = switch (form) {
            case INVERTED -> DropoutOp.inverted(keep, graph);
            case VANILLA -> DropoutOp.plain(keep, graph);
            case ALPHA -> DropoutOp.alpha(keep, graph);
        };
        return x.apply(op, label(), graph.step());
    }
}
