package dev.tarn.session;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What an epoch of training came to.
 *
 * @param epoch counted from 1
 * @param step updates since the start of the run
 * @param passes over the training images since the start of the run, see {@link dev.tarn.data.DataLoader#passes}; the epoch, unless the
 *     run stopped within it
 * @param trainLoss mean over the epoch's examples, each as the network was when it met them
 * @param trainAccuracy likewise
 * @param valLoss mean over the validation split, after the epoch
 * @param learningRate of the last step
 * @param regularizationLoss what L2 and L1 add to the loss, at the weights after the epoch; not part of the other
 *     losses
 * @param imagesPerSecond training images by the time that training alone took
 * @param seconds of training, validation and writing files
 * @param elapsedSeconds of wall time since the start of the run, without the time between a kill and a resumption
 */
public record EpochResult(
        long epoch,
        long step,
        double passes,
        double trainLoss,
        double trainAccuracy,
        double valLoss,
        double valAccuracy,
        double learningRate,
        double regularizationLoss,
        double imagesPerSecond,
        double seconds,
        double elapsedSeconds) {
    private static final String ELAPSED_SECONDS = "elapsed_seconds";

    /** What is minimised: the loss of the data and that of regularisation. */
    public double totalLoss() {
        return trainLoss + regularizationLoss;
    }

    /** The fields as they are called in JSON. */
    public Map<String, Object> toJson() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("event", "epoch");
        fields.put("epoch", epoch);
        fields.put("step", step);
        fields.put("passes", passes);
        fields.put("train_loss", trainLoss);
        fields.put("train_accuracy", trainAccuracy);
        fields.put("val_loss", valLoss);
        fields.put("val_accuracy", valAccuracy);
        fields.put("learning_rate", learningRate);
        fields.put("regularization_loss", regularizationLoss);
        fields.put("total_loss", totalLoss());
        fields.put("images_per_second", imagesPerSecond);
        fields.put("seconds", seconds);
        fields.put(ELAPSED_SECONDS, elapsedSeconds);
        return fields;
    }

    /** How long a run took so far, by the lines of its {@code metrics.jsonl}. */
    static double elapsedSeconds(List<Map<String, @Nullable Object>> lines) {
        return !lines.isEmpty() && lines.getLast().get(ELAPSED_SECONDS) instanceof Double seconds ? seconds : 0;
    }
}
