package dev.tarn.data;

import static dev.tarn.Allocations.assertAllocatesNothing;
import static dev.tarn.Messages.assertSays;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.memory.Family;
import dev.tarn.memory.MemoryAccount;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Layout;
import dev.tarn.tensor.Shape;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60) // a deadlock fails instead of hanging
class DataLoaderTest {
    private static final Shape IMAGE = Shape.of(2, 3, 5);

    static DataLoader loader(long size, long batchSize) {
        return DataLoader.of(new PatternDataset(size, IMAGE), batchSize);
    }

    /** The image that a pattern came from: its first pixel is 31 i modulo 256, and 31 is invertible. */
    private static List<Long> indices(Batch batch) {
        List<Long> indices = new ArrayList<>();
        for (long i = 0; i < batch.size(); i++) {
            long first = Math.round(batch.images().get(i, 0, 0, 0) * 255);
            indices.add(first * 223 & 0xFF); // 31 * 223 = 1 modulo 256
            assertEquals(indices.getLast() % 10, (long) batch.labels().get(i));
        }
        return indices;
    }

    static List<Long> indices(Iterable<Batch> batches) {
        List<Long> all = new ArrayList<>();
        batches.forEach(batch -> all.addAll(indices(batch)));
        return all;
    }

    private static List<Thread> loaderThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(t -> t.getName().equals("tarn-data-loader") && t.isAlive())
                .toList();
    }

    @Test
    void batches_in_order_with_a_smaller_last() {
        try (DataLoader loader = loader(10, 4)) {
            assertEquals(3, loader.batches());
            List<Long> sizes = new ArrayList<>();
            List<Long> order = new ArrayList<>();
            for (Batch batch : loader.epoch(0)) {
                sizes.add(batch.size());
                order.addAll(indices(batch));
                assertEquals(Shape.of(batch.size(), 2, 3, 5), batch.images().shape());
                assertEquals(DType.F32, batch.images().dtype());
                assertEquals(Layout.CHANNELS_LAST, batch.images().layout());
                assertEquals(DType.I32, batch.labels().dtype());
                assertEquals(Shape.of(batch.size()), batch.labels().shape());
            }
            assertEquals(List.of(4L, 4L, 2L), sizes);
            assertEquals(List.of(0L, 1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L), order);
        }
    }

    @Test
    void every_pixel_in_logical_order() {
        try (DataLoader loader = loader(5, 5)) {
            Batch batch = loader.epoch(0).iterator().next();
            float[] pixels = batch.images().toArray();
            for (int i = 0; i < pixels.length; i++) {
                assertEquals(PatternDataset.pixel(i / 30, i % 30) / 255f, pixels[i]);
            }
        }
    }

    @Test
    void batch_larger_than_the_data_set() {
        try (DataLoader loader = loader(3, 100)) {
            assertEquals(1, loader.batches());
            assertEquals(List.of(0L, 1L, 2L), indices(loader.epoch(0)));
        }
    }

    @Test
    void every_epoch_is_another_permutation() {
        List<Long> sorted = new ArrayList<>();
        for (long i = 0; i < 250; i++) {
            sorted.add(i);
        }
        try (DataLoader loader = loader(250, 32).shuffled(9)) {
            List<List<Long>> epochs = new ArrayList<>();
            for (int e = 0; e < 4; e++) {
                List<Long> order = indices(loader.epoch(e));
                assertFalse(epochs.contains(order));
                assertNotEquals(sorted, order);
                epochs.add(order);
                assertEquals(sorted, order.stream().sorted().toList());
            }
        }
    }

    @Test
    void order_and_pixels_are_a_function_of_seed_and_epoch() {
        Augmentation all = Augmentation.NONE.crop(1).flip();
        List<float[]> first = new ArrayList<>();
        try (DataLoader loader = loader(40, 8).shuffled(5).augmented(all)) {
            loader.epoch(0).forEach(batch -> assertEquals(8, batch.size()));
            loader.epoch(3).forEach(batch -> first.add(batch.images().toArray()));
        }
        try (DataLoader loader = loader(40, 8).augmented(all).shuffled(5)) {
            Iterator<Batch> again = loader.epoch(3).iterator();
            for (float[] pixels : first) {
                assertArrayEquals(pixels, again.next().images().toArray());
            }
        }
        try (DataLoader loader = loader(40, 8).augmented(all).shuffled(6)) {
            assertFalse(Arrays.equals(
                    first.getFirst(), loader.epoch(3).iterator().next().images().toArray()));
        }
    }

    @Test
    void resumed_at_any_batch() {
        try (DataLoader loader = loader(50, 8).shuffled(1)) {
            List<Long> whole = indices(loader.epoch(2));
            for (int k = 0; k <= loader.batches(); k++) {
                assertEquals(whole.subList(Math.min(50, 8 * k), 50), indices(loader.epoch(2, k)));
            }
        }
    }

    @Test
    void batch_stays_until_the_next_is_taken() throws InterruptedException {
        try (DataLoader loader = loader(100, 4).shuffled(1)) {
            Iterator<Batch> epoch = loader.epoch(0).iterator();
            for (int k = 0; k < 5; k++) {
                epoch.next();
            }
            Batch held = epoch.next();
            float[] before = held.images().toArray();
            Thread.sleep(50); // lets the loader run as far ahead as it may
            assertArrayEquals(before, held.images().toArray());
            Iterator<Batch> other = loader.epoch(1).iterator();
            Thread.sleep(50);
            assertArrayEquals(before, held.images().toArray(), "also when another epoch begins");
            assertTrue(other.hasNext());
        }
    }

    @Test
    void abandoned_epoch_gives_way_to_another() {
        try (DataLoader loader = loader(100, 4)) {
            Iterator<Batch> first = loader.epoch(0).iterator();
            first.next();
            first.next();
            assertEquals(100, indices(loader.epoch(1)).size());
            var e = assertThrows(IllegalStateException.class, first::next);
            assertSays(Exception.class, e, "another epoch of the loader was started");
        }
    }

    @Test
    void second_consumer() throws InterruptedException {
        try (DataLoader loader = loader(100, 4)) {
            Iterator<Batch> epoch = loader.epoch(0).iterator();
            epoch.next();
            AtomicReference<Throwable> thrown = new AtomicReference<>();
            Thread other = Thread.ofPlatform().name("other").start(() -> {
                try {
                    epoch.next();
                } catch (Throwable e) {
                    thrown.set(e);
                }
            });
            other.join();
            assertSays(IllegalStateException.class, thrown.get(), "one consumer");
            assertEquals(List.of(4L, 5L, 6L, 7L), indices(epoch.next()), "the first one goes on");
        }
    }

    @Test
    void error_in_the_thread_reaches_the_consumer_after_the_good_batches() {
        Dataset broken = new PatternDataset(20, IMAGE) {
            @Override
            public void read(long index, MemorySegment target) {
                if (index == 13) {
                    throw new UncheckedIOException("sector 13", new java.io.IOException("disk"));
                }
                super.read(index, target);
            }
        };
        try (DataLoader loader = DataLoader.of(broken, 5)) {
            Iterator<Batch> epoch = loader.epoch(7).iterator();
            epoch.next();
            assertEquals(List.of(5L, 6L, 7L, 8L, 9L), indices(epoch.next()));
            assertArrayEquals(new long[] {5, 6, 7, 8, 9}, loader.samples());
            DataException e = assertThrows(DataException.class, epoch::next);
            assertSays(Exception.class, e, "batch 2 of epoch 7 cannot be read: image 13: sector 13");
            assertSays(UncheckedIOException.class, e.getCause().getCause(), "sector 13");
            assertEquals(List.of(15L, 16L, 17L, 18L, 19L), indices(loader.epoch(8, 3)), "and the loader goes on");
        }
    }

    @Test
    void label_beyond_the_classes() {
        Dataset broken = new PatternDataset(3, IMAGE) {
            @Override
            public int label(long index) {
                return 10;
            }
        };
        try (DataLoader loader = DataLoader.of(broken, 3)) {
            var epoch = loader.epoch(0).iterator();
            DataException e = assertThrows(DataException.class, epoch::next);
            assertSays(Exception.class, e, "image 0 has label 10, and there are 10 classes");
        }
    }

    @Test
    void close_while_filling_leaves_no_thread_and_no_memory() {
        long before = MemoryAccount.current();
        for (int i = 0; i < 20; i++) {
            DataLoader loader = loader(1000, 50).shuffled(i);
            Iterator<Batch> epoch = loader.epoch(0).iterator();
            if (i % 2 == 0) {
                epoch.next();
            }
            loader.close();
            loader.close();
            assertThrows(IllegalStateException.class, epoch::next);
            var again = loader.epoch(1);
            assertThrows(IllegalStateException.class, again::iterator);
        }
        assertEquals(before, MemoryAccount.current());
        assertEquals(List.of(), loaderThreads());
    }

    @Test
    void close_while_held_fails_and_loses_nothing() {
        try (DataLoader loader = loader(100, 10)) {
            Iterator<Batch> epoch = loader.epoch(0).iterator();
            Batch batch = epoch.next();
            batch.memory().acquire();
            assertThrows(IllegalStateException.class, loader::close);
            batch.memory().release();
            List<Long> rest = new ArrayList<>();
            epoch.forEachRemaining(b -> rest.addAll(indices(b)));
            assertEquals(90, rest.size());
            assertEquals(10L, rest.getFirst());
            assertEquals(99L, rest.getLast());
        }
        assertEquals(List.of(), loaderThreads());
    }

    @Test
    void close_wakes_a_waiting_consumer() throws InterruptedException {
        CountDownLatch reading = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        Dataset slow = new PatternDataset(10, IMAGE) {
            @Override
            public void read(long index, MemorySegment target) {
                reading.countDown();
                try {
                    goOn.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            }
        };
        DataLoader loader = DataLoader.of(slow, 5);
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Thread consumer = Thread.ofPlatform().start(() -> {
            try {
                var epoch = loader.epoch(0).iterator();
                while (true) {
                    epoch.next();
                }
            } catch (Throwable e) {
                thrown.set(e);
            }
        });
        reading.await();
        Thread closer = Thread.ofPlatform().start(loader::close);
        while (closer.getState() != Thread.State.WAITING && closer.isAlive()) {
            Thread.onSpinWait();
        }
        goOn.countDown();
        closer.join();
        consumer.join();
        assertSays(IllegalStateException.class, thrown.get(), "closed");
    }

    @Test
    void steady_state_allocates_nothing_in_either_thread() {
        try (DataLoader loader = DataLoader.of(new PatternDataset(1_000_000, Shape.of(1, 4, 4)), 16)
                .augmented(Augmentation.parse("crop=1,flip,resized-crop,jitter,erase=0.5"))
                .shuffled(1)) {
            long taken = MemoryAccount.allocated();
            Iterator<Batch> epoch = loader.epoch(0).iterator();
            Runnable batches = () -> {
                for (int i = 0; i < 9; i++) {
                    epoch.next();
                }
            };
            assertAllocatesNothing(batches);
            assertAllocatesNothing(loaderThreads().getFirst(), batches);
            assertEquals(loader.memory().byteSize(), MemoryAccount.allocated() - taken);
        }
    }

    @Test
    void plan_is_staging_and_exact() {
        try (DataLoader loader = loader(100, 8)) {
            long images = 3 * 8 * 30 * 4;
            long labels = 3 * 8 * 4;
            assertEquals(
                    images + labels + 100 * 4 + 30,
                    loader.memory().bytesByFamily().get(Family.STAGING));
            Batch first = loader.epoch(0).iterator().next();
            assertEquals(loader.memory().byteSize(), first.memory().byteSize());
        }
    }

    @Test
    void end_of_an_epoch() {
        try (DataLoader loader = loader(4, 4)) {
            Iterator<Batch> epoch = loader.epoch(0).iterator();
            epoch.next();
            assertFalse(epoch.hasNext());
            assertThrows(NoSuchElementException.class, epoch::next);
            assertFalse(loader.epoch(0, 1).iterator().hasNext());
        }
    }

    @Test
    void settings_after_the_first_epoch() {
        try (DataLoader loader = loader(4, 2)) {
            loader.epoch(0).iterator().next();
            assertThrows(IllegalStateException.class, () -> loader.shuffled(1));
            assertThrows(IllegalStateException.class, () -> loader.augmented(Augmentation.NONE));
            assertThrows(IllegalStateException.class, () -> loader.preprocessed(Normalization.unit(2)));
        }
    }

    @Test
    void wrong_arguments() {
        assertThrows(IllegalArgumentException.class, () -> loader(4, 0));
        assertThrows(IllegalArgumentException.class, () -> loader(0, 1));
        try (DataLoader loader = loader(4, 2)) {
            assertThrows(IllegalArgumentException.class, () -> loader.preprocessed(Normalization.unit(1)));
            assertThrows(IllegalArgumentException.class, () -> loader.augmented(Augmentation.NONE.crop(3)));
            assertThrows(IllegalArgumentException.class, () -> loader.epoch(-1));
            assertThrows(IllegalArgumentException.class, () -> loader.epoch(0, 3));
            assertSame(loader, loader.shuffled(1));
        }
    }
}
