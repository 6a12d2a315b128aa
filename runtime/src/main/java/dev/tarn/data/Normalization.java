package dev.tarn.data;

import dev.tarn.tensor.Shape;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * Centres and scales pixels channel by channel: a byte b becomes {@code (b / 255 - mean) / std}. The numbers belong to the
 * training split, are stored with the model, and are applied unchanged everywhere else.
 *
 * @param mean of each channel, on the scale of 0 to 1
 * @param std standard deviation of each channel, on that scale
 */
public record Normalization(List<Float> mean, List<Float> std) implements Preprocessing {
    private static final System.Logger LOG = System.getLogger(Normalization.class.getName());
    private static final int VALUES = 256;

    public Normalization {
        mean = List.copyOf(mean);
        std = List.copyOf(std);
        if (mean.isEmpty() || mean.size() != std.size()) {
            throw new IllegalArgumentException(
                    "normalization has %d means and %d standard deviations; each channel has one of both"
                            .formatted(mean.size(), std.size()));
        }
        for (int c = 0; c < mean.size(); c++) {
            if (!Float.isFinite(mean.get(c)) || !Float.isFinite(std.get(c)) || std.get(c) <= 0) {
                throw new IllegalArgumentException(
                        "normalization of channel %d: mean %s and standard deviation %s; both must be finite, the latter positive"
                                .formatted(c, mean.get(c), std.get(c)));
            }
        }
    }

    /** Only the scale of 0 to 1: mean 0, standard deviation 1. */
    public static Normalization unit(int channels) {
        return new Normalization(Collections.nCopies(channels, 0f), Collections.nCopies(channels, 1f));
    }

    /**
     * The mean and {@code sqrt(E[x^2] - E[x]^2)} of each channel over all pixels of all images. Exact up to the last rounding. A
     * channel without any variation gets the standard deviation 1 and a warning.
     */
    public static Normalization measure(Dataset train) {
        List<Float> mean = new ArrayList<>();
        List<Float> std = new ArrayList<>();
        for (Moments moments : Moments.ofChannels(train)) {
            if (moments.std() == 0) {
                LOG.log(
                        Level.WARNING,
                        "channel {0} is constant over all images; its standard deviation is taken as 1",
                        mean.size());
            }
            mean.add((float) (moments.mean() / 255));
            std.add(moments.std() == 0 ? 1f : (float) (moments.std() / 255));
        }
        return new Normalization(mean, std);
    }

    /** The mean of each channel alone, with the standard deviation 1. */
    public static Normalization measureMean(Dataset train) {
        List<Float> mean = Arrays.stream(Moments.ofChannels(train))
                .map(moments -> (float) (moments.mean() / 255))
                .toList();
        return new Normalization(mean, Collections.nCopies(mean.size(), 1f));
    }

    /** The number of channels. */
    public int channels() {
        return mean.size();
    }

    @Override
    public void requireImages(Shape image) {
        if (image.size(0) != channels()) {
            throw new IllegalArgumentException(
                    "the normalization is of %d channels, and the images have %d".formatted(channels(), image.size(0)));
        }
    }

    /**
     * What each byte of each channel becomes, channel by channel. In float and in this order of operations, as torchvision
     * does it, so that both give the same bits.
     */
    float[] table() {
        float[] table = new float[channels() * VALUES];
        for (int c = 0; c < channels(); c++) {
            float m = mean.get(c);
            float s = std.get(c);
            for (int value = 0; value < VALUES; value++) {
                table[c * VALUES + value] = (value / 255f - m) / s;
            }
        }
        return table;
    }
}
