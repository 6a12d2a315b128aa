package dev.tarn.session;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What an epoch of training came to.
 *
 * @param epoch counted from 1
 * @param step updates since the start of the run
 * @param trainLoss mean over the epoch's examples, each as the network was when it met them
 * @param trainAccuracy likewise
 * @param valLoss mean over the validation split, after the epoch
 * @param learningRate of the last step
 * @param regularizationLoss what L2 and L1 add to the loss, at the weights after the epoch; not part of the other
 *     losses
 * @param imagesPerSecond training images by the time that training alone took
 * @param seconds of training, validation and writing files
 */
public record EpochResult(
        long epoch,
        long step,
        double trainLoss,
        double trainAccuracy,
        double valLoss,
        double valAccuracy,
        double learningRate,
        double regularizationLoss,
        double imagesPerSecond,
        double seconds) {

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
        fields.put("train_loss", trainLoss);
        fields.put("train_accuracy", trainAccuracy);
        fields.put("val_loss", valLoss);
        fields.put("val_accuracy", valAccuracy);
        fields.put("learning_rate", learningRate);
        fields.put("regularization_loss", regularizationLoss);
        fields.put("total_loss", totalLoss());
        fields.put("images_per_second", imagesPerSecond);
        fields.put("seconds", seconds);
        return fields;
    }
}
