package dev.tarn.bench;

import dev.tarn.data.Dataset;
import dev.tarn.data.MemoryDataset;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.stream.IntStream;

/** Random bytes with random labels: as much work for a loader as any other data set, and no file. */
final class SyntheticDataset {
    /** Large against caches and against a loader's ring, and a multiple of the usual batches. */
    private static final int IMAGES = 8192;

    private SyntheticDataset() {}

    /** Whole batches only, so that each step is as large as the others. */
    static Dataset of(Workload workload) {
        long size = Math.ceilDiv(IMAGES, workload.batch()) * (long) workload.batch();
        var dataset = new MemoryDataset(
                size,
                workload.image(),
                IntStream.range(0, workload.classes())
                        .mapToObj(Integer::toString)
                        .toList());
        Random random = new Random(1);
        byte[] image = new byte[Math.toIntExact(workload.image().elementCount())];
        for (long i = 0; i < size; i++) {
            random.nextBytes(image);
            MemorySegment.copy(
                    image, 0, dataset.images(), ValueLayout.JAVA_BYTE, i * image.length, image.length);
            dataset.setLabel(i, random.nextInt(workload.classes()), "synthetic images", i);
        }
        return dataset;
    }
}
