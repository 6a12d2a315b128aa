package dev.tarn.data;

import dev.tarn.memory.MemoryPlan;
import dev.tarn.tensor.Shape;
import java.util.Arrays;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/**
 * Feeds batches of a data set, read and preprocessed by one thread (several, if images are decoded from files) ahead of the consumer, in
 * memory that is planned and allocated once: {@link #memory()}. Which images an epoch has in which order, and what augmentation does to them, is a pure function of
 * (seed, epoch), so training can be resumed at any batch.
 *
 * <pre>{@code
 * try (var loader = DataLoader.of(train, 128).preprocessed(Normalization.measure(train)).shuffled(42)) {
 *     for (Batch batch : loader.epoch(0)) ...
 * }
 * }</pre>
 *
 * <p>A loader serves one consumer: an iterator belongs to the thread that made it, and to start an epoch ends the one before.
 * Taking a batch allocates nothing. Decoding does; {@link ImageFiles} says what.
 */
public final class DataLoader implements AutoCloseable {
    private final Dataset dataset;
    private final long batchSize;
    private final Shape batchShape;
    private Preprocessing preprocessing;
    private Augmentation augmentation = Augmentation.NONE;
    private Sampling sampling = Sampling.SEQUENTIAL;
    private long seed;
    private long lastSize;
    private int readers = Runtime.getRuntime().availableProcessors();
    private Prefetch.@Nullable Source source; // from the first epoch on
    private @Nullable Prefetch current;
    private State state = State.NEW;

    private enum State {
        NEW,
        STARTED,
        CLOSED
    }

    private DataLoader(Dataset dataset, long batchSize) {
        this.dataset = dataset;
        this.batchSize = Math.min(batchSize, dataset.size());
        this.lastSize = (dataset.size() - 1) % this.batchSize + 1;
        Shape image = dataset.imageShape();
        this.batchShape = Shape.of(this.batchSize, image.size(0), image.size(1), image.size(2));
        this.preprocessing = Normalization.unit((int) image.size(0));
    }

    /**
     * A loader of batches of that size, in the data set's order, with pixels scaled to 0 .. 1.
     *
     * @throws IllegalArgumentException if {@code batchSize} is not positive or the data set is empty or beyond 2^31 - 1 images
     */
    public static DataLoader of(Dataset dataset, long batchSize) {
        if (batchSize < 1) {
            throw new IllegalArgumentException("a batch has at least one image, not " + batchSize);
        }
        if (dataset.size() < 1 || dataset.size() > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("a loader takes 1 to %,d images, and the data set has %,d"
                    .formatted(Integer.MAX_VALUE, dataset.size()));
        }
        if (dataset.imageShape().rank() != 3) {
            throw new IllegalArgumentException("images have the shape (C, H, W), not " + dataset.imageShape());
        }
        return new DataLoader(dataset, batchSize);
    }

    /**
     * Applies what was measured on the training split. Before the first epoch only, as every setting.
     *
     * @throws IllegalArgumentException if it is for images of another shape
     */
    public DataLoader preprocessed(Preprocessing preprocessing) {
        requireNew();
        preprocessing.requireImages(dataset.imageShape());
        this.preprocessing = preprocessing;
        return this;
    }

    /**
     * Changes images at random, by the seed of {@link #shuffled}, or 0 without.
     *
     * @throws IllegalArgumentException if a technique cannot be applied to images of that shape
     */
    public DataLoader augmented(Augmentation augmentation) {
        requireNew();
        augmentation.requireImages(dataset.imageShape());
        this.augmentation = augmentation;
        return this;
    }

    /** Visits the images of each epoch in a fresh random order. */
    public DataLoader shuffled(long seed) {
        return sampled(Sampling.SHUFFLED, seed);
    }

    /** Chooses the images of each epoch. */
    public DataLoader sampled(Sampling sampling, long seed) {
        requireNew();
        this.sampling = sampling;
        this.seed = seed;
        return this;
    }

    /**
     * Leaves out the last batch of an epoch where it would be smaller. Without this it is used, and the mean over it divides by its own
     * number of images.
     */
    public DataLoader dropLast() {
        requireNew();
        lastSize = batchSize;
        return this;
    }

    /**
     * How many threads read at a time, at most, where images are decoded from files; by default all processors. Others are copied by one.
     * What is read does not depend on it.
     */
    public DataLoader readers(int threads) {
        requireNew();
        if (threads < 1) {
            throw new IllegalArgumentException("at least one thread reads, not " + threads);
        }
        readers = threads;
        return this;
    }

    private synchronized void requireNew() {
        if (state != State.NEW) {
            throw new IllegalStateException("a data loader is set up before its first epoch and before it is closed");
        }
    }

    /** Batches of an epoch; the last may be smaller. */
    public long batches() {
        return (dataset.size() - lastSize) / batchSize + 1;
    }

    /** Passes over the images after so many batches: k after k whole epochs, exactly, and between them the share of images seen. */
    public double passes(long batchesDone) {
        double examples = (batches() - 1) * batchSize + lastSize;
        return batchesDone / batches() + batchesDone % batches() * batchSize / examples;
    }

    /** What the loader allocates when its first epoch starts. */
    public MemoryPlan memory() {
        return Staging.plan(dataset.size(), batchShape, augmentation, readersInUse());
    }

    private int readersInUse() {
        return dataset instanceof DecodedDataset ? (int) Math.min(readers, batchSize) : 1;
    }

    /** All batches of an epoch. */
    public Iterable<Batch> epoch(long epoch) {
        return epoch(epoch, 0);
    }

    /**
     * The batches of an epoch from one on: exactly those that the whole epoch has there.
     *
     * @param firstBatch from 0 to {@link #batches()}, where nothing is left
     */
    public Iterable<Batch> epoch(long epoch, long firstBatch) {
        if (epoch < 0 || firstBatch < 0 || firstBatch > batches()) {
            throw new IllegalArgumentException(
                    "epoch %d from batch %d: the epoch is not negative and the batch is within 0 .. %d"
                            .formatted(epoch, firstBatch, batches()));
        }
        return () -> start(epoch, firstBatch);
    }

    /**
     * Which images of the data set the batch that was taken last is of, for whoever wants to say what went wrong with it.
     *
     * @throws IllegalStateException if no batch was taken
     */
    public synchronized long[] samples() {
        if (current == null) {
            throw new IllegalStateException("no batch was taken from the data loader");
        }
        return current.samples();
    }

    private synchronized Iterator<Batch> start(long epoch, long firstBatch) {
        if (state == State.CLOSED) {
            throw new IllegalStateException("the data loader is closed");
        }
        state = State.STARTED;
        if (source == null) {
            Staging staging = Staging.allocate(memory(), batchShape, lastSize, readersInUse());
            ImageWriter[] writers = new ImageWriter[readersInUse()];
            Arrays.setAll(writers, i -> new ImageWriter(dataset, preprocessing, augmentation, seed));
            source = new Prefetch.Source(dataset, writers, staging, sampling, seed, batchSize);
        }
        long slot = 0;
        if (current != null) {
            current.stop();
            current.abandon("another epoch of the loader was started");
            slot = current.nextSlot();
        }
        current = new Prefetch(source, epoch, firstBatch, batches(), slot);
        current.start();
        return current;
    }

    /**
     * Ends the epoch under way and frees the memory. Closing again does nothing.
     *
     * @throws IllegalStateException if a session holds the memory; the loader then goes on as if nothing had happened
     */
    @Override
    public synchronized void close() {
        if (current != null) {
            current.stop();
        }
        if (source != null) {
            try {
                source.staging().memory().close();
            } catch (IllegalStateException e) {
                if (current != null) {
                    current.start();
                }
                throw e;
            }
        }
        if (current != null) {
            current.abandon("the data loader was closed");
        }
        state = State.CLOSED;
    }
}
