package dev.tarn.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads the images of one epoch's batches: the calling thread one after another or, where they are decoded, together with helpers that live
 * as long as this does. Each image is read into its own place by one of them, so that it does not matter by which.
 */
final class BatchReader implements AutoCloseable {
    private static final ThreadFactory DAEMONS =
            task -> Thread.ofPlatform().daemon().name("tarn-data-reader").unstarted(task);

    private final Prefetch.Source source;
    private final long epoch;
    private final BooleanSupplier stopping;
    private final int classes;
    private final @Nullable ExecutorService helpers;

    /** @param stopping whether no more images are wanted */
    BatchReader(Prefetch.Source source, long epoch, BooleanSupplier stopping) {
        this.source = source;
        this.epoch = epoch;
        this.stopping = stopping;
        this.classes = source.dataset().classNames().size();
        int readers = source.writers().length;
        this.helpers = readers == 1 ? null : Executors.newFixedThreadPool(readers - 1, DAEMONS);
    }

    /** One batch under way: images are claimed in order, so that of several that cannot be read the first is always among those tried. */
    private final class Work {
        private final Batch batch;
        private final long first;
        private final AtomicInteger claimed = new AtomicInteger();
        private int failedAt = Integer.MAX_VALUE;
        private @Nullable Throwable failure;

        Work(Batch batch, long first) {
            this.batch = batch;
            this.first = first;
        }

        void run(int reader) {
            int size = (int) batch.size();
            for (int i = claimed.getAndIncrement();
                    i < size && !stopping.getAsBoolean();
                    i = claimed.getAndIncrement()) {
                try {
                    readImage(reader, batch, i, first + i);
                } catch (Throwable e) { // also errors: the consumer must learn of them
                    claimed.set(size);
                    fail(i, e);
                }
            }
        }

        private synchronized void fail(int place, Throwable e) {
            if (place < failedAt) {
                failedAt = place;
                failure = e;
            }
        }

        synchronized void requireRead() {
            switch (failure) {
                case null -> {}
                case Error e -> throw e;
                case RuntimeException e -> throw e;
                default -> throw new IllegalStateException(failure);
            }
        }
    }

    /**
     * Fills a batch, unless it is stopped within.
     *
     * @param first where its images begin in the order of the epoch
     */
    void read(Batch batch, long first) throws InterruptedException {
        if (helpers == null) {
            for (long i = 0; i < batch.size() && !stopping.getAsBoolean(); i++) {
                readImage(0, batch, i, first + i);
            }
            return;
        }
        Work work = new Work(batch, first);
        List<Future<?>> helping = new ArrayList<>();
        for (int reader = 1; reader < source.writers().length; reader++) {
            int number = reader;
            helping.add(helpers.submit(() -> work.run(number)));
        }
        work.run(0);
        for (Future<?> helper : helping) {
            try {
                helper.get();
            } catch (ExecutionException e) {
                throw new IllegalStateException(e); // work fails within
            }
        }
        work.requireRead();
    }

    private void readImage(int reader, Batch batch, long i, long place) {
        Staging staging = source.staging();
        MemorySegment image = staging.image(reader);
        long example = source.sample(place);
        long imageBytes = image.byteSize() * Float.BYTES;
        MemorySegment images = batch.images().data();
        try {
            source.writers()[reader].write(epoch, example, image, staging.spare(reader), images, i * imageBytes);
        } catch (DataException e) {
            throw e; // says itself where
        } catch (RuntimeException e) {
            throw new DataException("%s: %s".formatted(source.dataset().name(example), e.getMessage()), e);
        }
        int label = source.dataset().label(example);
        if (label < 0 || label >= classes) { // a loss kernel would read beside its row
            throw new DataException("%s has label %d, and there are %d classes"
                    .formatted(source.dataset().name(example), label, classes));
        }
        batch.labels().data().setAtIndex(ValueLayout.JAVA_INT, i, label);
    }

    @Override
    public void close() {
        if (helpers != null) {
            helpers.close();
        }
    }
}
