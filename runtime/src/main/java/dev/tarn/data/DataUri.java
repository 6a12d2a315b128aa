package dev.tarn.data;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** Data sets by name, as the command takes them: {@code idx:DIR}, {@code cifar10:DIR}, {@code folder:DIR}, {@code digits:N}. */
public final class DataUri {
    private static final String FORMS =
            "the forms are idx:DIR (MNIST family), cifar10:DIR, folder:DIR (pictures by class), digits:N (N generated"
                    + " digits)";
    private static final long LEAST_TEST_DIGITS = 1000;
    private static final int USUAL_SIDE = 224;

    private DataUri() {}

    /**
     * Reads the data set, or generates it; pictures are brought to 224 x 224, and none may be corrupt.
     *
     * @param uri {@code digits:N} means N training images and N/5 test images, of the latter at least 1,000
     * @param seed what generated data are a function of
     * @throws DataException if the name has no known form, or the data cannot be used
     */
    public static Dataset open(String uri, Split split, long seed) {
        return open(uri, split, seed, Fit.of(USUAL_SIDE), ImageFiles.Corrupt.FAIL);
    }

    /**
     * Reads the data set, or generates it.
     *
     * @param fit how pictures become images of one size; of no meaning to data sets that are of one
     * @param corrupt what becomes of pictures that cannot be decoded
     */
    public static Dataset open(String uri, Split split, long seed, Fit fit, ImageFiles.Corrupt corrupt) {
        int colon = uri.indexOf(':');
        String rest = uri.substring(colon + 1);
        if (colon < 0 || rest.isEmpty()) {
            throw unknown(uri);
        }
        return switch (uri.substring(0, colon)) {
            case "idx" -> Idx.read(folder(uri, rest), split);
            case "cifar10" -> Cifar10.read(folder(uri, rest), split);
            case "folder" -> ImageFiles.folder(folder(uri, rest), split, fit, corrupt);
            case "digits" -> {
                long count = count(uri, rest);
                long test = Math.max(LEAST_TEST_DIGITS, count / 5);
                yield Digits.generate(split == Split.TRAIN ? count : test, seed, split);
            }
            default -> throw unknown(uri);
        };
    }

    private static Path folder(String uri, String name) {
        try {
            return Path.of(name);
        } catch (InvalidPathException e) {
            throw new DataException("data '%s': '%s' cannot be a folder's name; %s".formatted(uri, name, FORMS), e);
        }
    }

    private static long count(String uri, String digits) {
        try {
            return Long.parseLong(digits);
        } catch (NumberFormatException e) {
            throw new DataException("data '%s': '%s' is not a number of images; %s".formatted(uri, digits, FORMS), e);
        }
    }

    private static DataException unknown(String uri) {
        return new DataException("data '%s' is of no known form; %s".formatted(uri, FORMS));
    }
}
