package dev.tarn.data;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.stream.IntStream;

/**
 * A training split in two: what is trained on, and what is held out to choose by. An image is held out if the first
 * eight bytes of its pixels' (where it is a file, of its file's) SHA-256, as a fraction of 2^64, are below the share. So images that are added or
 * removed, or another order of files, move no other image to the other side, and equal images are on one side.
 *
 * @param train the rest, in its order
 * @param validation what is held out, in its order
 */
public record HeldOut(Dataset train, Dataset validation) {
    /**
     * Splits a data set; reads all of it once.
     *
     * @param share to hold out, within (0, 1); how many images that are is up to chance
     * @throws DataException if it leaves one side without images
     */
    public static HeldOut split(Dataset dataset, double share) {
        return split(dataset, share, 0);
    }

    /** @param from which eight bytes of the digest decide; others split independently of these */
    static HeldOut split(Dataset dataset, double share, int from) {
        if (!(share > 0 && share < 1)) {
            throw new IllegalArgumentException("the share to hold out is within (0, 1), not " + share);
        }
        int size = Math.toIntExact(dataset.size());
        boolean[] isHeldOut = new boolean[size];
        MessageDigest sha256 = sha256();
        try (var contents = new Contents(dataset)) {
            for (int i = 0; i < size; i++) {
                contents.read(i, sha256::update);
                // The upper 53 bits, which a double holds exactly.
                double place = (ByteBuffer.wrap(sha256.digest()).getLong(from) >>> 11) * 0x1p-53;
                isHeldOut[i] = place < share;
            }
        }
        int[] validation = IntStream.range(0, size).filter(i -> isHeldOut[i]).toArray();
        int[] train = IntStream.range(0, size).filter(i -> !isHeldOut[i]).toArray();
        if (train.length == 0 || validation.length == 0) {
            throw new DataException("a share of %s of %,d images leaves %,d to train on and %,d to validate; change it"
                    .formatted(share, size, train.length, validation.length));
        }
        return new HeldOut(Subset.of(dataset, train), Subset.of(dataset, validation));
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }
}
