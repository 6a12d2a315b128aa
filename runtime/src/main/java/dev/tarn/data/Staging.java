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

/** The planned memory of one loader: a ring of batches, the order of an epoch, one image as it was read, and,
 * where images are augmented, room for the next step of it. */
final class Staging {
    /** One batch that the consumer holds, one that is ready, one that is being filled. */
    static final int SLOTS = 3;

    private static final int SPARE = 2 + 2 * SLOTS; // the last of the plan's buffers, if it is there

    private final OwnedMemory memory;
    private final MemorySegment order; // I32 (size)
    private final MemorySegment image; // U8 (C, H, W)
    private final MemorySegment spare; // likewise, or nothing
    private final Batch[] whole = new Batch[SLOTS];
    private final Batch[] last = new Batch[SLOTS];

    private Staging(OwnedMemory memory, MemoryPlan plan, Shape batch, long lastSize) {
        MemorySegment slab = memory.allocate(plan.byteSize());
        this.memory = memory;
        this.order = slice(slab, plan, 0);
        this.image = slice(slab, plan, 1);
        this.spare = plan.buffers().size() > SPARE ? slice(slab, plan, SPARE) : MemorySegment.NULL;
        for (int i = 0; i < SLOTS; i++) {
            Tensor images = Tensor.view(slice(slab, plan, 2 + 2 * i), DType.F32, batch, Layout.CHANNELS_LAST);
            Tensor labels =
                    Tensor.view(slice(slab, plan, 3 + 2 * i), DType.I32, Shape.of(batch.size(0)), Layout.ROW_MAJOR);
            whole[i] = new Batch(images, labels, memory);
            last[i] = new Batch(images.prefix(lastSize), labels.prefix(lastSize), memory);
        }
    }

    /** The plan for a data set of {@code size} images; {@code batch} is (n, C, H, W). */
    static MemoryPlan plan(long size, Shape batch, Augmentation augmentation) {
        MemoryPlanner planner = new MemoryPlanner();
        planner.addPersistent("order", Family.STAGING, size * DType.I32.byteSize());
        long image = batch.elementCount() / batch.size(0);
        planner.addPersistent("image", Family.STAGING, image);
        for (int i = 0; i < SLOTS; i++) {
            long bytes = Math.multiplyExact(batch.elementCount(), DType.F32.byteSize());
            planner.addPersistent("batch " + i + " images", Family.STAGING, bytes);
            planner.addPersistent("batch " + i + " labels", Family.STAGING, batch.size(0) * DType.I32.byteSize());
        }
        if (!augmentation.equals(Augmentation.NONE)) {
            planner.addPersistent("augmented image", Family.STAGING, image);
        }
        return planner.plan();
    }

    /** Allocates what a plan says; {@code lastSize} is the size of an epoch's last batch. */
    static Staging allocate(MemoryPlan plan, Shape batch, long lastSize) {
        OwnedMemory memory = OwnedMemory.open("data loader");
        try {
            return new Staging(memory, plan, batch, lastSize);
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

    MemorySegment image() {
        return image;
    }

    MemorySegment spare() {
        return spare;
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
