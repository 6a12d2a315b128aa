package dev.tarn.data;

import dev.tarn.tensor.Shape;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * CIFAR-10 in its binary form (Krizhevsky, "Learning multiple layers of features from tiny images", 2009). A record has 3,073 bytes:
 * the label, then 32 x 32 red, green and blue bytes. Training images come from {@code data_batch_1.bin} to
 * {@code data_batch_5.bin}, as many as are there; test images from {@code test_batch.bin}. {@code batches.meta.txt}, if present,
 * names the ten classes.
 */
public final class Cifar10 {
    private static final int CLASSES = 10;
    private static final Shape IMAGE = Shape.of(3, 32, 32);
    private static final long RECORD = 1 + IMAGE.elementCount();
    private static final List<String> NAMES =
            List.of("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck");

    private Cifar10() {}

    /** @throws DataException if no file is there or one is damaged */
    public static Dataset read(Path folder, Split split) {
        DataFile.requireFolder(folder);
        List<Path> files = new ArrayList<>();
        if (split == Split.TEST) {
            addIfPresent(files, folder.resolve("test_batch.bin"));
        } else {
            for (int i = 1; i <= 5; i++) {
                addIfPresent(files, folder.resolve("data_batch_" + i + ".bin"));
            }
        }
        if (files.isEmpty()) {
            throw new DataException("%s has no %s; put CIFAR-10's binary files there"
                    .formatted(
                            folder, split == Split.TEST ? "test_batch.bin" : "data_batch_1.bin to data_batch_5.bin"));
        }
        return read(files, classNames(folder));
    }

    private static void addIfPresent(List<Path> files, Path file) {
        if (Files.exists(file)) {
            files.add(file);
        }
    }

    private static Dataset read(List<Path> files, List<String> classNames) {
        long size = 0;
        for (Path path : files) {
            size += recordCount(path);
        }
        MemoryDataset dataset = new MemoryDataset(size, IMAGE, classNames);
        long index = 0;
        for (Path path : files) {
            long first = index;
            long records = recordCount(path);
            try (DataFile file = DataFile.open(path)) {
                for (; index < first + records && index < size; index++) {
                    dataset.setLabel(index, file.readByte(), path, index - first);
                    file.read(dataset.images(), index * IMAGE.elementCount(), IMAGE.elementCount());
                }
                file.requireEnd();
            }
        }
        return dataset;
    }

    private static long recordCount(Path path) {
        try {
            long bytes = Files.size(path);
            if (bytes == 0 || bytes % RECORD != 0) {
                throw new DataException(
                        "%s has %,d bytes, which is not a whole number of records of %,d; it is truncated or not CIFAR-10"
                                .formatted(path, bytes, RECORD));
            }
            return bytes / RECORD;
        } catch (java.io.IOException e) {
            throw DataFile.unreadable(path, e);
        }
    }

    private static List<String> classNames(Path folder) {
        Path file = folder.resolve("batches.meta.txt");
        List<String> names = Files.exists(file) ? Idx.readNames(file) : NAMES;
        if (names.size() != CLASSES) {
            throw new DataException("%s names %d classes; CIFAR-10 has %d".formatted(file, names.size(), CLASSES));
        }
        return names;
    }
}
