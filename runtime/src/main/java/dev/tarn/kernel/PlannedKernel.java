package dev.tarn.kernel;

import static java.util.Objects.requireNonNull;

import dev.tarn.ffm.blas.OpenBlas;
import dev.tarn.ffm.kernels.NativeField;
import dev.tarn.ffm.kernels.NativeStruct;
import dev.tarn.ffm.kernels.NativeVariant;
import dev.tarn.ffm.kernels.PlanLayout;
import dev.tarn.ffm.kernels.Status;
import dev.tarn.ffm.kernels.TarnLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A call with the variant that will run it, and what that variant needs.
 *
 * @param sharedBytes memory that lives from its first phase to its last
 * @param scratchBytes memory for each thread, dead after every kernel call
 * @param reusable whether phase 0 reads parameters only, so that its result in the shared memory serves until they change
 */
public record PlannedKernel<P>(
        KernelCall<P> call,
        NativeVariant variant,
        NativeStruct struct,
        long n,
        long sharedBytes,
        long scratchBytes,
        boolean reusable) {
    static <P> @Nullable PlannedKernel<P> tryPlan(KernelCall<P> call, NativeVariant variant, long n) {
        NativeStruct struct = requireNonNull(TarnLibrary.get().structs().get(variant.args()));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment block = arena.allocate(struct.byteSize(), 8);
            writeNumbers(struct, block, call, n);
            // Planners look at which operands are given and which are the same, and never follow a pointer.
            for (String field : call.pointers().keySet()) {
                setAddress(
                        struct,
                        block,
                        field,
                        MemorySegment.ofAddress(1 + struct.field(field).offset()));
            }
            MemorySegment out = arena.allocate(PlanLayout.BYTE_SIZE, 8);
            Status status = Status.of(TarnLibrary.get().plan(variant.planner(), block, out));
            if (status == Status.DECLINED) {
                return null;
            }
            if (status != Status.OK) {
                throw new IllegalArgumentException("%s does not accept n=%d %s with operands %s"
                        .formatted(variant.name(), n, call, call.pointers().keySet()));
            }
            return new PlannedKernel<>(
                    call,
                    variant,
                    struct,
                    n,
                    PlanLayout.shared(out),
                    PlanLayout.scratch(out),
                    PlanLayout.reusable(out));
        }
    }

    /** The chosen variant: {@code conv2d_forward_f32__avx512}. */
    public String name() {
        return variant.name();
    }

    /** Bytes of argument blocks for a number of threads; threads differ in their scratch memory only. */
    public long argumentBytes(int threads) {
        return struct.byteSize() * blocks(threads) + PlanLayout.BYTE_SIZE;
    }

    /**
     * Writes the argument blocks, after which the kernel can run.
     *
     * @param arguments memory of {@link #argumentBytes} bytes
     * @param addresses the memory of each operand
     * @param shared memory of {@link #sharedBytes} bytes
     * @param scratch memory of {@link #scratchBytes} bytes for each thread
     */
    public BoundKernel bind(
            MemorySegment arguments,
            int threads,
            Function<P, MemorySegment> addresses,
            MemorySegment shared,
            MemorySegment[] scratch) {
        MemorySegment[] blocks = new MemorySegment[blocks(threads)];
        for (int i = 0; i < blocks.length; i++) {
            MemorySegment block = arguments.asSlice(i * struct.byteSize(), struct.byteSize());
            block.fill((byte) 0);
            writeNumbers(struct, block, call, n);
            for (Map.Entry<String, P> operand : call.pointers().entrySet()) {
                setAddress(struct, block, operand.getKey(), addresses.apply(operand.getValue()));
            }
            setAddress(struct, block, "shared", sharedBytes > 0 ? shared : MemorySegment.NULL);
            setAddress(struct, block, "scratch", scratchBytes > 0 ? scratch[i] : MemorySegment.NULL);
            blocks[i] = block;
        }
        MemorySegment plan = arguments.asSlice(blocks.length * struct.byteSize(), PlanLayout.BYTE_SIZE);
        BoundKernel bound = new BoundKernel(this, blocks, plan);
        if (!call.isBatched()) {
            bound.setBatch(n);
        }
        return bound;
    }

    private int blocks(int threads) {
        return scratchBytes > 0 ? threads : 1;
    }

    private static <P> void writeNumbers(NativeStruct struct, MemorySegment block, KernelCall<P> call, long n) {
        block.set(ValueLayout.JAVA_LONG, offset(struct, "n", NativeField.Kind.INT64), n);
        call.numbers().forEach((field, value) -> {
            if (value instanceof Double) {
                block.set(ValueLayout.JAVA_DOUBLE, offset(struct, field, NativeField.Kind.DOUBLE), value.doubleValue());
            } else {
                block.set(ValueLayout.JAVA_LONG, offset(struct, field, NativeField.Kind.INT64), value.longValue());
            }
        });
        // Every convolution may use OpenBLAS; its variants decline when the address is null.
        if (struct.fields().stream().anyMatch(f -> f.name().equals("sgemm"))) {
            setAddress(
                    struct,
                    block,
                    "sgemm",
                    OpenBlas.get().map(OpenBlas::sgemmAddress).orElse(MemorySegment.NULL));
        }
    }

    private static void setAddress(NativeStruct struct, MemorySegment block, String field, MemorySegment address) {
        block.set(ValueLayout.ADDRESS, offset(struct, field, NativeField.Kind.POINTER), address);
    }

    private static long offset(NativeStruct struct, String name, NativeField.Kind kind) {
        NativeField field = struct.field(name);
        if (field.kind() != kind) {
            throw new IllegalArgumentException(
                    "field %s of struct %s is %s, not %s".formatted(name, struct.name(), field.kind(), kind));
        }
        return field.offset();
    }
}
