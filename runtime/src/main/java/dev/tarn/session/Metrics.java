package dev.tarn.session;

import dev.tarn.tensor.Tensor;

/** Numbers about outputs (n, classes) and labels (n). */
public final class Metrics {
    private Metrics() {}

    /** The class with the largest output; the first of equals. */
    public static int predicted(Tensor output, long row) {
        long classes = output.shape().size(1);
        long base = row * classes;
        int best = 0;
        double most = output.getAt(base);
        for (int c = 1; c < classes; c++) {
            double value = output.getAt(base + c);
            if (value > most) {
                most = value;
                best = c;
            }
        }
        return best;
    }

    /** How many rows predict their label. */
    public static long correct(Tensor output, Tensor labels) {
        long correct = 0;
        for (long i = 0; i < labels.shape().size(0); i++) {
            if (predicted(output, i) == (int) labels.getAt(i)) {
                correct++;
            }
        }
        return correct;
    }

    /** Cross-entropy of one row of logits with a label, by log-sum-exp. */
    public static double crossEntropy(Tensor logits, long row, int label) {
        long classes = logits.shape().size(1);
        long base = row * classes;
        double most = Double.NEGATIVE_INFINITY;
        for (int c = 0; c < classes; c++) {
            most = Math.max(most, logits.getAt(base + c));
        }
        double sum = 0;
        for (int c = 0; c < classes; c++) {
            sum += Math.exp(logits.getAt(base + c) - most);
        }
        return Math.log(sum) + most - logits.getAt(base + label);
    }

    /** Softmax of one row of logits. */
    public static double[] probabilities(Tensor logits, long row) {
        double[] p = new double[Math.toIntExact(logits.shape().size(1))];
        probabilities(logits, row, p);
        return p;
    }

    /** As above, into an array of as many elements as there are classes. */
    static void probabilities(Tensor logits, long row, double[] p) {
        double most = Double.NEGATIVE_INFINITY;
        for (int c = 0; c < p.length; c++) {
            p[c] = logits.getAt(row * p.length + c);
            most = Math.max(most, p[c]);
        }
        double sum = 0;
        for (int c = 0; c < p.length; c++) {
            p[c] = Math.exp(p[c] - most);
            sum += p[c];
        }
        for (int c = 0; c < p.length; c++) {
            p[c] /= sum;
        }
    }
}
