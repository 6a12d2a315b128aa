package dev.tarn.nn.loss;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Value;
import dev.tarn.graph.op.CrossEntropyOp;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Softmax cross-entropy of logits (N, classes) with labels I32 (N):
 *
 * <pre>loss = -1/N sum_n sum_c t[n,c] log softmax(logits[n])[c],  t = (1 - smoothing) * onehot(label) + smoothing / classes</pre>
 *
 * Computed in one by log-sum-exp, so that large logits do no harm. Classes may have weights w, which make rare ones count for more:
 * then t[n,c] is multiplied by w[c], and the sum is divided by that of w[label] over the batch instead of N, as PyTorch does
 * also where labels are smoothed. A label outside [0, classes) is an error, and a network with another number of outputs than
 * there are weights is refused.
 */
public final class CrossEntropyLoss implements Loss {
    private final double smoothing;
    private final double[] weights;

    /** Without label smoothing. */
    public CrossEntropyLoss() {
        this(0);
    }

    /**
     * @param smoothing share of the target that is spread over all classes, in [0, 1)
     * @throws IllegalArgumentException if it is not
     */
    public CrossEntropyLoss(double smoothing) {
        this(smoothing, new double[0]);
    }

    private CrossEntropyLoss(double smoothing, double[] weights) {
        if (!(smoothing >= 0 && smoothing < 1)) {
            throw new IllegalArgumentException("label smoothing is in [0, 1), not " + smoothing);
        }
        this.smoothing = smoothing;
        this.weights = weights;
    }

    /**
     * The same loss with a weight for each class. A batch whose labels all have weight 0 has no mean: its loss is NaN.
     *
     * @throws IllegalArgumentException if there are none, or one is negative or not finite
     */
    public CrossEntropyLoss withClassWeights(double... classWeights) {
        if (classWeights.length == 0) {
            throw new IllegalArgumentException("there is a weight for each class, so at least one");
        }
        for (double weight : classWeights) {
            if (!(weight >= 0 && weight < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("weights of classes are finite and not negative, not " + weight);
            }
        }
        return new CrossEntropyLoss(smoothing, classWeights.clone());
    }

    /** {@code cross-entropy, smoothing 0.1, weights [1.0, 2.0]} */
    @Override
    public String toString() {
        return "cross-entropy"
                + (smoothing == 0 ? "" : ", smoothing " + smoothing)
                + (weights.length == 0 ? "" : ", weights " + Arrays.toString(weights));
    }

    @Override
    public Value target(Graph graph, Shape output) {
        return graph.input("labels", DType.I32, Shape.of(output.size(0)));
    }

    @Override
    public Value forward(Value output, Value target) {
        var op = new CrossEntropyOp(smoothing);
        Value divisor = output.graph().lossDivisor();
        return weights.length == 0
                ? output.apply(op, "loss", target, divisor)
                : output.apply(op, "loss", target, divisor, output.graph().constant("class_weights", weights));
    }

    /** The number of examples, or the sum of their labels' weights; a label that is none, which forward refuses, has no weight. */
    @Override
    public double weight(Tensor labels) {
        if (weights.length == 0) {
            return Loss.super.weight(labels);
        }
        double sum = 0;
        for (long i = 0; i < labels.shape().size(0); i++) {
            int label = labels.data().getAtIndex(ValueLayout.JAVA_INT, i);
            sum += label >= 0 && label < weights.length ? weights[label] : 0;
        }
        return sum;
    }
}
