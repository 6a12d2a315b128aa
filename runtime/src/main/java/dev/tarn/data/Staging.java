package dev.tarn.data;

import dev.tarn.memory.Family;
import dev.tarn.memory.MemoryPlan;
import dev.tarn.memory.MemoryPlanner;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Layout;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * The planned memory of one loader: the order of an epoch, a ring of batches, and for each thread that reads one image as it was read and,
 * where images are augmented, room for the next step of it.
 */
final class Staging {
    /** One batch that the consumer holds, one that is ready, one that is being filled. */
    static final int SLOTS = 3;

    private static final int IMAGES = 1 + 2 * SLOTS; // of the plan's buffers, where those of the threads begin

    private final OwnedMemory memory;
    private final MemorySegment order; // I32 (size)
    private final MemorySegment[] images; // U8 (C, H, W) of each thread
    private final MemorySegment[] spares; // likewise, or nothing
    private final Batch[] whole = new Batch[SLOTS];
    private final Batch[] last = new Batch[SLOTS];

    private Staging(OwnedMemory memory, MemoryPlan plan, Shape batch, long lastSize, int readers) {
        MemorySegment slab = memory.allocate(plan.byteSize());
        this.memory = memory;
        this.order = slice(slab, plan, 0);
        int buffers = plan.buffers().size() - IMAGES;
        this.images = new MemorySegment[readers];
        this.spares = new MemorySegment[readers];
        Arrays.setAll(images, r -> slice(slab, plan, IMAGES + r));
        Arrays.setAll(spares, r -> buffers > readers ? slice(slab, plan, IMAGES + readers + r) : MemorySegment.NULL);
        for (int i = 0; i < SLOTS; i++) {
            Tensor images = Tensor.view(slice(slab, plan, 1 + 2 * i), DType.F32, batch, Layout.CHANNELS_LAST);
            Tensor labels =
                    Tensor.view(slice(slab, plan, 2 + 2 * i), DType.I32, Shape.of(batch.size(0)), Layout.ROW_MAJOR);
            whole[i] = new Batch(images, labels, memory);
            last[i] = new Batch(images.prefix(lastSize), labels.prefix(lastSize), memory);
        }
    }

    /** The plan for a data set of {@code size} images that so many threads read; {@code batch} is (n, C, H, W). */
    static MemoryPlan plan(long size, Shape batch, Augmentation augmentation, int readers) {
        MemoryPlanner planner = new MemoryPlanner();
        planner.addPersistent("order", Family.STAGING, size * DType.I32.byteSize());
        for (int i = 0; i < SLOTS; i++) {
            long bytes = Math.multiplyExact(batch.elementCount(), DType.F32.byteSize());
            planner.addPersistent("batch " + i + " images", Family.STAGING, bytes);
            planner.addPersistent("batch " + i + " labels", Family.STAGING, batch.size(0) * DType.I32.byteSize());
        }
        long image = batch.elementCount() / batch.size(0);
        for (int r = 0; r < readers; r++) {
            planner.addPersistent("image " + r, Family.STAGING, image);
        }
        for (int r = 0; r < readers && !augmentation.equals(Augmentation.NONE); r++) {
            planner.addPersistent("augmented image " + r, Family.STAGING, image);
        }
        return planner.plan();
    }

    /** Allocates what a plan says; {@code lastSize} is the size of an epoch's last batch. */
    static Staging allocate(MemoryPlan plan, Shape batch, long lastSize, int readers) {
        OwnedMemory memory = OwnedMemory.open("data loader");
        try {
            return new Staging(memory, plan, batch, lastSize, readers);
        } catch (OutOfMemoryError e) {
            memory.close();
            throw e;
        }
    }

    private static MemorySegment slice(MemorySegment slab, MemoryPlan plan, int buffer) {
        MemoryPlan.Buffer b = plan.buffers().get(buffer);
        return slab.asSlice(b.offset(), b.byteSize());
    }

    OwnedMemory memory() {
        return memory;
    }

    MemorySegment order() {
        return order;
    }

    /** A thread's image as it was read. */
    MemorySegment image(int reader) {
        return images[reader];
    }

    /** Room for the next step of it, if images are augmented. */
    MemorySegment spare(int reader) {
        return spares[reader];
    }

    /** The batch in a slot, by its running number. */
    Batch whole(long slot) {
        return whole[(int) (slot % SLOTS)];
    }

    /** The same memory as an epoch's last batch, which may be smaller. */
    Batch last(long slot) {
        return last[(int) (slot % SLOTS)];
    }
}
