package dev.tarn.session;

import dev.tarn.data.Batch;
import dev.tarn.data.DataLoader;
import dev.tarn.tensor.Tensor;

/**
 * How a classifier does on a data set.
 *
 * @param loss mean cross-entropy
 * @param confusion how often each true class (row) was predicted as each class (column)
 */
public record Evaluation(long examples, double loss, long[][] confusion) {
    /** Runs all images of a loader's first epoch. */
    public static Evaluation of(InferenceSession session, DataLoader loader) {
        long examples = 0;
        double loss = 0;
        long[][] confusion = new long[0][0];
        for (Batch batch : loader.epoch(0)) {
            Tensor logits = session.run(batch);
            int classes = Math.toIntExact(logits.shape().size(1));
            if (confusion.length == 0) {
                confusion = new long[classes][classes];
            }
            for (long i = 0; i < batch.size(); i++) {
                int label = (int) batch.labels().getAt(i);
                if (label >= classes) {
                    throw new IllegalArgumentException(
                            "the data has label %d, but the model knows %d classes".formatted(label, classes));
                }
                loss += Metrics.crossEntropy(logits, i, label);
                confusion[label][Metrics.predicted(logits, i)]++;
            }
            examples += batch.size();
        }
        return new Evaluation(examples, loss / examples, confusion);
    }

    /** How many were predicted right. */
    public long correct() {
        long sum = 0;
        for (int c = 0; c < confusion.length; c++) {
            sum += confusion[c][c];
        }
        return sum;
    }

    /** Share of right predictions, in [0, 1]. */
    public double accuracy() {
        return correct() / (double) examples;
    }
}
