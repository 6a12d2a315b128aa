package dev.tarn.data;

import dev.tarn.tensor.Shape;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The MNIST family: four files in a folder, each plain or packed as {@code .gz}: {@code train-images-idx3-ubyte},
 * {@code train-labels-idx1-ubyte}, {@code t10k-images-idx3-ubyte}, {@code t10k-labels-idx1-ubyte}.
 *
 * <p>All numbers are big-endian. Images: 2051, count, rows, columns, then bytes. Labels: 2049, count, then bytes. The format has no
 * names for classes: a file {@code classes.txt} in the folder gives them, one a line; a folder called {@code fashion-mnist} has
 * its well-known ten; otherwise they are "0" to "9".
 */
public final class Idx {
    private static final int IMAGES = 0x803;
    private static final int LABELS = 0x801;
    private static final int HEADER = 16; // bytes before the pixels
    private static final int MOST_CLASSES = 256;
    private static final List<String> FASHION = List.of(
            "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot");

    private Idx() {}

    /** @throws DataException if a file is missing or damaged, or the two do not go together */
    public static Dataset read(Path folder, Split split) {
        String stem = split == Split.TRAIN ? "train" : "t10k";
        try (DataFile images = DataFile.open(folder, stem + "-images-idx3-ubyte");
                DataFile labels = DataFile.open(folder, stem + "-labels-idx1-ubyte")) {
            requireMagic(images, IMAGES, "images");
            requireMagic(labels, LABELS, "labels");
            int count = images.readInt();
            int rows = images.readInt();
            int columns = images.readInt();
            requireSize(images, count, rows, columns);
            int labelCount = labels.readInt();
            if (labelCount != count) {
                throw new DataException("%s holds %,d images and %s %,d labels; the two do not belong together"
                        .formatted(images.path(), count, labels.path(), labelCount));
            }
            MemoryDataset dataset = new MemoryDataset(count, Shape.of(1, rows, columns), classNames(folder));
            images.read(dataset.images(), 0, dataset.images().byteSize());
            images.requireEnd();
            for (int i = 0; i < count; i++) {
                dataset.setLabel(i, labels.readByte(), labels.path(), i);
            }
            labels.requireEnd();
            return dataset;
        }
    }

    private static void requireMagic(DataFile file, int expected, String what) {
        int found = file.readInt();
        if (found != expected) {
            throw new DataException("%s starts with 0x%08x (%d), but idx files of %s start with 0x%08x (%d)"
                    .formatted(file.path(), found, found, what, expected, expected));
        }
    }

    /** Checked before anything is allocated, against what the file can hold at most. */
    private static void requireSize(DataFile file, int count, int rows, int columns) {
        if (count <= 0 || rows <= 0 || columns <= 0) {
            throw new DataException("%s claims %d images of %d x %d; each number must be positive"
                    .formatted(file.path(), count, rows, columns));
        }
        long image = (long) rows * columns;
        long most = file.capacity();
        if (Math.multiplyHigh(image, count) != 0 || image * count < 0 || image * count > most - HEADER) {
            throw new DataException(
                    "%s claims %,d images of %,d x %,d but holds at most %,d bytes; it is truncated or damaged"
                            .formatted(file.path(), count, rows, columns, most));
        }
    }

    private static List<String> classNames(Path folder) {
        Path file = folder.resolve("classes.txt");
        if (Files.exists(file)) {
            return readNames(file);
        }
        Path name = folder.toAbsolutePath().normalize().getFileName();
        return name != null && name.toString().equals("fashion-mnist")
                ? FASHION
                : IntStream.range(0, 10).mapToObj(Integer::toString).toList();
    }

    /** The lines of a small text file that are not blank: one name for each class. */
    static List<String> readNames(Path file) {
        List<String> names = new ArrayList<>();
        try (BufferedReader reader = Files.newBufferedReader(file)) {
            for (String line = reader.readLine();
                    line != null && names.size() <= MOST_CLASSES;
                    line = reader.readLine()) {
                if (!line.isBlank()) {
                    names.add(line.strip());
                }
            }
        } catch (IOException e) {
            throw DataFile.unreadable(file, e);
        }
        if (names.isEmpty() || names.size() > MOST_CLASSES) {
            throw new DataException("%s must name 1 to %d classes, one a line".formatted(file, MOST_CLASSES));
        }
        return names;
    }
}
