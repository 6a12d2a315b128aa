package dev.tarn.nn;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Value;
import dev.tarn.graph.op.FractionalPool2dOp;
import dev.tarn.graph.op.FractionalPool2dOp.Regions;
import dev.tarn.graph.op.FractionalPool2dOp.Steps;

/**
 * Fractional max pooling (Graham, "Fractional max-pooling", 2014): (N, C, H, W) to (N, C, OH, OW) with
 *
 * <pre>OH = max(floor(H / ratio), ceil(H / 2)), OW likewise, 1 &lt; ratio &lt;= 2</pre>
 *
 * Windows begin at steps of 1 and 2 rows that add up to H, and of columns that add up to W. They are one or two rows high and
 * one or two columns wide, one more where they overlap. Training draws the sequences anew in each step, one of
 * rows and one of columns for the whole batch; inference takes {@link Steps#EVEN} ones. The gradient goes to each window's
 * maximum, of equals to the first in row-major order; a NaN in the window wins. Where both sizes are even, ratio 2 with disjoint
 * windows is {@link MaxPool2d} of size 2, to the bit.
 */
public final class FractionalMaxPool2d extends Layer {
    private final double ratio;
    private final Steps steps;
    private final Regions regions;

    /** Disjoint windows at random steps. */
    public FractionalMaxPool2d(double ratio) {
        this(ratio, Steps.RANDOM, Regions.DISJOINT);
    }

    /**
     * @param steps of training
     * @throws IllegalArgumentException if the ratio is not in (1, 2]
     */
    public FractionalMaxPool2d(double ratio, Steps steps, Regions regions) {
        new FractionalPool2dOp(ratio, steps, regions, 0, 0); // refuses a ratio that is none
        this.ratio = ratio;
        this.steps = steps;
        this.regions = regions;
    }

    @Override
    public Value forward(Value x) {
        Graph graph = x.graph();
        Steps taken = graph.randomness() == Graph.Randomness.DRAWN ? steps : Steps.EVEN;
        var op = new FractionalPool2dOp(ratio, taken, regions, graph.seed(), graph.nextRandomStream());
        return taken == Steps.EVEN ? x.apply(op, label()) : x.apply(op, label(), graph.step());
    }
}
