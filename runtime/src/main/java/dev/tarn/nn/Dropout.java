package dev.tarn.nn;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Value;
import dev.tarn.graph.op.DropoutOp;

/**
 * Inverted dropout: in training an element is kept with probability {@code keep} and scaled by 1 / keep, else it is zero; in
 * inference the layer does nothing at all. The probability is named in full, since papers and libraries disagree on what p is.
 */
public final class Dropout extends Layer {
    private final double keep;

    private Dropout(double keep) {
        if (!(keep > 0 && keep <= 1)) {
            throw new IllegalArgumentException("the probability of keeping is in (0, 1], not " + keep);
        }
        this.keep = keep;
    }

    /** Keeps each element with this probability. */
    public static Dropout keep(double probability) {
        return new Dropout(probability);
    }

    /** Drops each element with this probability: PyTorch's p. */
    public static Dropout drop(double probability) {
        return new Dropout(1 - probability);
    }

    @Override
    public Value forward(Value x) {
        Graph graph = x.graph();
        if (graph.mode() == Graph.Mode.INFERENCE) {
            return x;
        }
        return x.apply(new DropoutOp(keep, graph.seed(), graph.nextRandomStream()), label(), graph.step());
    }
}
