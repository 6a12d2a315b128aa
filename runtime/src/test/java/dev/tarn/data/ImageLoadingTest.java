package dev.tarn.data;

import static dev.tarn.Messages.assertSays;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.data.ImageFiles.Corrupt;
import dev.tarn.memory.MemoryAccount;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Pictures on their way through a loader. */
@Timeout(120)
class ImageLoadingTest {
    private static final Fit FIT = new Fit(16, 18);
    private static final int SIZE = 30;

    @TempDir
    private Path root;

    private Dataset pictures(Corrupt corrupt) {
        List<Path> files = new ArrayList<>();
        for (int i = 0; i < SIZE; i++) {
            files.add(Pictures.write(root.resolve(i + ".jpg"), Pictures.jpeg(20 + 3 * i, 90 - 2 * i, i)));
        }
        return ImageFiles.of(files, FIT, corrupt);
    }

    private void damage(int i) {
        byte[] jpeg = Pictures.jpeg(60, 60, i);
        Pictures.write(root.resolve(i + ".jpg"), Arrays.copyOf(jpeg, jpeg.length / 2 + 200));
    }

    private static DataLoader loader(Dataset dataset, int readers, String augmentation) {
        return DataLoader.of(dataset, 8).readers(readers).shuffled(3).augmented(Augmentation.parse(augmentation));
    }

    private static List<float[]> epoch(DataLoader loader, long epoch, long firstBatch) {
        List<float[]> batches = new ArrayList<>();
        loader.epoch(epoch, firstBatch)
                .forEach(batch -> batches.add(batch.images().toArray()));
        return batches;
    }

    private static void assertSame(List<float[]> expected, List<float[]> got) {
        assertEquals(expected.size(), got.size());
        for (int k = 0; k < expected.size(); k++) {
            assertArrayEquals(expected.get(k), got.get(k), "batch " + k);
        }
    }

    /** An executor counts a thread as ended a moment before it is; one that stays runs into the timeout. */
    private static void awaitNoReaders() {
        while (Thread.getAllStackTraces().keySet().stream()
                .anyMatch(t -> t.getName().startsWith("tarn-data-"))) {
            Thread.onSpinWait();
        }
    }

    @Test
    void the_same_pixels_at_any_number_of_readers_and_after_any_batch() {
        Dataset dataset = pictures(Corrupt.FAIL);
        for (String augmentation : List.of("none", "resized-crop,flip,jitter")) {
            List<float[]> expected;
            try (DataLoader loader = loader(dataset, 1, augmentation)) {
                expected = epoch(loader, 5, 0);
            }
            for (int readers : new int[] {2, 3, 8, 50}) {
                try (DataLoader loader = loader(dataset, readers, augmentation)) {
                    assertSame(expected, epoch(loader, 5, 0));
                    for (int from = 1; from <= 4; from++) {
                        assertSame(expected.subList(from, 4), epoch(loader, 5, from));
                    }
                }
            }
        }
        awaitNoReaders();
    }

    @Test
    void a_resized_crop_is_cut_from_the_original() {
        Dataset dataset = pictures(Corrupt.FAIL);
        Augmentation augmentation = Augmentation.NONE.resizedCrop(0.3);
        for (int i = 0; i < SIZE; i++) {
            MemorySegment out = Arena.ofAuto().allocate(4 * 3 * 16 * 16, 4);
            MemorySegment spare = Arena.ofAuto().allocate(3 * 16 * 16);
            var writer = new ImageWriter(dataset, Normalization.unit(3), augmentation, 7);
            writer.write(2, i, Arena.ofAuto().allocate(3 * 16 * 16), spare, out, 0);
            try (Arena arena = Arena.ofConfined()) {
                Picture original = ((DecodedDataset) dataset).decode(i, arena);
                Draws draws = new Draws(7);
                draws.image(2, i);
                Picture image = new Picture(dataset.imageShape());
                image.load(MemorySegment.NULL, Arena.ofAuto().allocate(3 * 16 * 16));
                new ResizedCrop(0.3).cut(original, draws, image);
                for (int p = 0; p < 256; p++) {
                    float got = out.getAtIndex(java.lang.foreign.ValueLayout.JAVA_FLOAT, 3L * p);
                    assertEquals((image.spare().get(java.lang.foreign.ValueLayout.JAVA_BYTE, p) & 0xFF) / 255f, got);
                }
            }
        }
    }

    @Test
    void a_crop_that_never_fits_is_the_largest_at_the_centre() {
        // 60 x 3: no window of all the area has an aspect within 3/4 .. 4/3; 4 x 3 at columns 28 .. 31 has.
        Picture strip = new Picture(1, 3, 60);
        strip.load(Arena.ofAuto().allocate(180), MemorySegment.NULL);
        for (int p = 0; p < 180; p++) {
            strip.set(p, p % 60);
        }
        Picture image = new Picture(1, 3, 4);
        image.load(MemorySegment.NULL, Arena.ofAuto().allocate(12));
        Draws draws = new Draws(1);
        draws.image(0, 0);
        new ResizedCrop(1).cut(strip, draws, image);
        assertArrayEquals(
                new byte[] {28, 29, 30, 31, 28, 29, 30, 31, 28, 29, 30, 31}, Pictures.bytes(image.spare(), 12));
    }

    @Test
    void the_first_corrupt_file_reaches_the_consumer_by_name() {
        Dataset dataset = pictures(Corrupt.FAIL);
        for (int i : new int[] {11, 12, 13, 14}) {
            damage(i);
        }
        for (int readers : new int[] {1, 2, 8}) {
            for (int again = 0; again < 5; again++) {
                try (DataLoader loader = DataLoader.of(dataset, 8).readers(readers)) {
                    Iterator<Batch> epoch = loader.epoch(0).iterator();
                    epoch.next();
                    var e = assertThrows(DataException.class, epoch::next);
                    assertSays(DataException.class, e, "batch 1 of epoch 0 cannot be read");
                    assertSays(DataException.class, e, "11.jpg cannot be used");
                }
            }
        }
        awaitNoReaders();
    }

    @Test
    void closed_at_any_time_no_thread_stays_and_no_memory() {
        Dataset dataset = pictures(Corrupt.FAIL);
        long before = MemoryAccount.current();
        for (int i = 0; i < 20; i++) {
            DataLoader loader = loader(dataset, 4, "resized-crop");
            Iterator<Batch> epoch = loader.epoch(0).iterator();
            for (int k = 0; k < i % 4; k++) {
                epoch.next();
            }
            loader.close();
            awaitNoReaders();
        }
        assertEquals(before, MemoryAccount.current());
    }

    @Test
    void statistics_are_those_of_the_same_pixels_in_memory() {
        Dataset dataset = pictures(Corrupt.FAIL);
        var copy = new MemoryDataset(SIZE, dataset.imageShape(), dataset.classNames());
        for (long i = 0; i < SIZE; i++) {
            dataset.read(i, copy.images().asSlice(i * 3 * 16 * 16, 3 * 16 * 16));
        }
        assertEquals(Normalization.measure(copy), Normalization.measure(dataset));
    }

    @Test
    void memory_is_planned_by_the_number_of_readers() {
        Dataset dataset = pictures(Corrupt.FAIL);
        try (DataLoader one = loader(dataset, 1, "flip");
                DataLoader three = loader(dataset, 3, "flip")) {
            long image = 3 * 16 * 16;
            assertEquals(one.memory().byteSize() + 2 * 2 * image, three.memory().byteSize());
            three.epoch(0)
                    .forEach(batch -> assertEquals(
                            three.memory().byteSize(), batch.memory().byteSize()));
        }
        assertThrows(IllegalArgumentException.class, () -> loader(dataset, 0, "none"));
    }

    /** A picture of 40 megapixels takes 120 MB off the heap, and on it less than the JDK would take for its single bits. */
    @Test
    void large_pictures_leave_the_heap_alone() {
        var threads = (com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean();
        Path file = Pictures.write(
                root.resolve("large.png"),
                Pictures.encode(
                        new java.awt.image.BufferedImage(8000, 5000, java.awt.image.BufferedImage.TYPE_BYTE_BINARY),
                        "png"));
        Dataset dataset = ImageFiles.of(List.of(file), FIT, Corrupt.FAIL);
        MemorySegment image = Arena.ofAuto().allocate(3 * 16 * 16);
        long before = threads.getCurrentThreadAllocatedBytes();
        dataset.read(0, image);
        long heap = threads.getCurrentThreadAllocatedBytes() - before;
        assertTrue(heap < 40_000_000 / 8, heap + " bytes of heap");
    }
}
