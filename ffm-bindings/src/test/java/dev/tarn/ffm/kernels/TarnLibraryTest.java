package dev.tarn.ffm.kernels;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.ffm.load.LoadedLibrary;
import dev.tarn.ffm.load.NativeLoadException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandles;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TarnLibraryTest {
    private static final TarnLibrary LIBRARY = TarnLibrary.get();
    private static final int RELU = 1;

    /** Variants of ReLU that this processor can run. */
    static Stream<NativeVariant> relus() {
        return LIBRARY.variants().stream()
                .filter(v -> v.op().equals("activation_forward") && v.level().compareTo(LIBRARY.cpuLevel()) <= 0);
    }

    private static NativeVariant reluRef() {
        return relus().filter(v -> v.name().equals("activation_forward_f32__ref"))
                .findFirst()
                .orElseThrow();
    }

    /** Arguments of ReLU from x to y. */
    private static MemorySegment reluArgs(Arena arena, MemorySegment x, MemorySegment y, long count) {
        NativeStruct struct = LIBRARY.structs().get("elementwise");
        MemorySegment args = arena.allocate(struct.byteSize(), Long.BYTES);
        args.set(JAVA_LONG, struct.field("n").offset(), 1);
        args.set(JAVA_LONG, struct.field("count").offset(), count);
        args.set(JAVA_LONG, struct.field("activation").offset(), RELU);
        args.set(ADDRESS, struct.field("a").offset(), x);
        args.set(ADDRESS, struct.field("out").offset(), y);
        return args;
    }

    @Test
    void every_operation_ends_with_its_reference_in_both_types() {
        List<NativeVariant> variants = LIBRARY.variants();
        assertFalse(variants.isEmpty());
        var names = new HashSet<String>();
        for (NativeVariant variant : variants) {
            assertTrue(names.add(variant.name()), () -> variant.name() + " is listed twice");
            assertTrue(LIBRARY.structs().containsKey(variant.args()), variant.args());
            for (NativeType type : NativeType.values()) {
                List<Level> levels = variants.stream()
                        .filter(v -> v.op().equals(variant.op()) && v.dtype() == type)
                        .map(NativeVariant::level)
                        .toList();
                assertEquals(Level.REF, levels.getLast(), variant.op());
                assertEquals(levels.stream().sorted((a, b) -> b.compareTo(a)).toList(), levels, variant.op());
            }
        }
    }

    @Test
    void structs_begin_with_n_shared_and_scratch() {
        assertTrue(LIBRARY.structs().size() >= 12);
        for (NativeStruct struct : LIBRARY.structs().values()) {
            assertEquals(new NativeField("n", 0, NativeField.Kind.INT64), struct.field("n"), struct.name());
            assertEquals(new NativeField("shared", 8, NativeField.Kind.POINTER), struct.field("shared"), struct.name());
            assertEquals(new NativeField("scratch", 16, NativeField.Kind.POINTER), struct.field("scratch"));
        }
        assertEquals(
                NativeField.Kind.DOUBLE,
                LIBRARY.structs().get("batchnorm").field("eps").kind());
    }

    @Test
    void unknown_field_names_the_struct_and_its_fields() {
        NativeStruct struct = LIBRARY.structs().get("mse");
        String message = assertThrows(IllegalArgumentException.class, () -> struct.field("traget"))
                .getMessage();
        assertTrue(message.contains("mse") && message.contains("traget") && message.contains("target"), message);
    }

    @ParameterizedTest
    @MethodSource("relus")
    void relu_runs_in_two_ranges_of_tasks(NativeVariant relu) {
        long count = 100_003;
        int width = relu.dtype() == NativeType.F32 ? 4 : 8;
        try (var arena = Arena.ofShared()) {
            MemorySegment x = arena.allocate(count * width, 64);
            MemorySegment y = arena.allocate(count * width, 64);
            for (long i = 0; i < count; i++) {
                set(x, width, i, ramp(i));
                set(y, width, i, Double.NaN);
            }
            MemorySegment args = reluArgs(arena, x, y, count);
            MemorySegment plan = arena.allocate(PlanLayout.BYTE_SIZE, Long.BYTES);
            assertEquals(Status.OK, Status.of(LIBRARY.plan(relu.planner(), args, plan)));
            assertEquals(1, relu.phases().size());
            assertEquals(0, PlanLayout.shared(plan));
            assertEquals(0, PlanLayout.scratch(plan));
            assertFalse(PlanLayout.reusable(plan));
            long tasks = PlanLayout.tasks(plan, 0);
            assertTrue(tasks > 0);
            assertEquals(0, PlanLayout.tasks(plan, 1));
            long split = tasks / 2;
            Status.check("relu", LIBRARY.run(relu.phases().getFirst(), args, split, tasks));
            Status.check("relu", LIBRARY.run(relu.phases().getFirst(), args, 0, split));
            for (long i = 0; i < count; i++) {
                assertEquals(Math.max(0, ramp(i)), get(y, width, i));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("relus")
    void denormals_survive_in_java_after_a_kernel(NativeVariant relu) {
        try (var arena = Arena.ofShared()) {
            MemorySegment x = arena.allocate(64, 64);
            MemorySegment args = reluArgs(arena, x, x, 4);
            double quarter = Double.MIN_NORMAL / Double.parseDouble("4");
            Status.check("relu", LIBRARY.run(relu.phases().getFirst(), args, 0, 1));
            assertEquals(quarter, Double.MIN_NORMAL / Double.parseDouble("4"));
            assertEquals(Double.MIN_NORMAL, quarter * Double.parseDouble("4"));
            assertTrue(Float.MIN_VALUE * Float.parseFloat("2") > 0);
        }
    }

    @Test
    void closed_argument_block_is_an_illegal_state() {
        NativeVariant relu = reluRef();
        MemorySegment args;
        try (var arena = Arena.ofShared()) {
            args = reluArgs(arena, arena.allocate(64, 64), arena.allocate(64, 64), 4);
        }
        assertThrows(
                IllegalStateException.class, () -> LIBRARY.run(relu.phases().getFirst(), args, 0, 1));
    }

    @Test
    void heap_memory_is_refused() {
        NativeVariant relu = reluRef();
        MemorySegment args = MemorySegment.ofArray(new long[16]);
        assertThrows(
                IllegalArgumentException.class, () -> LIBRARY.run(relu.phases().getFirst(), args, 0, 1));
    }

    @Test
    void plan_that_is_too_small_is_refused() {
        NativeVariant relu = reluRef();
        try (var arena = Arena.ofConfined()) {
            MemorySegment args = reluArgs(arena, arena.allocate(64), arena.allocate(64), 4);
            MemorySegment plan = arena.allocate(PlanLayout.BYTE_SIZE - 8, 8);
            assertThrows(IllegalArgumentException.class, () -> LIBRARY.plan(relu.planner(), args, plan));
        }
    }

    @Test
    void planner_refuses_a_negative_count() {
        NativeVariant relu = reluRef();
        try (var arena = Arena.ofConfined()) {
            MemorySegment args = reluArgs(arena, arena.allocate(64), arena.allocate(64), -4);
            MemorySegment plan = arena.allocate(PlanLayout.BYTE_SIZE, 8);
            int status = LIBRARY.plan(relu.planner(), args, plan);
            NativeException e = assertThrows(NativeException.class, () -> Status.check("activation_forward", status));
            assertEquals(Status.BAD_ARGUMENT, e.status());
            assertEquals("activation_forward", e.function());
        }
    }

    @Test
    @SuppressWarnings("restricted") // an upcall stands in for a library of another version
    void another_version_of_the_interface_is_refused() throws Exception {
        try (var arena = Arena.ofConfined()) {
            var ninetyNine = MethodHandles.constant(int.class, 99);
            MemorySegment abi = Linker.nativeLinker().upcallStub(ninetyNine, FunctionDescriptor.of(JAVA_INT), arena);
            SymbolLookup symbols = name -> name.equals("tarn_abi") ? Optional.of(abi) : Optional.empty();
            var library = new LoadedLibrary(LIBRARY.file(), symbols);
            String message = assertThrows(NativeLoadException.class, () -> new TarnLibrary(library))
                    .getMessage();
            assertTrue(
                    message.contains("version 99")
                            && message.contains(LIBRARY.file().toString()),
                    message);
        }
    }

    @Test
    void library_without_our_functions_is_refused() {
        var library = new LoadedLibrary(LIBRARY.file(), name -> Optional.empty());
        String message = assertThrows(NativeLoadException.class, () -> new TarnLibrary(library))
                .getMessage();
        assertTrue(message.contains("has no function tarn_abi"), message);
    }

    @Test
    void unknown_status_is_an_error_of_its_own() {
        assertThrows(IllegalArgumentException.class, () -> Status.of(99));
        assertThrows(IllegalArgumentException.class, () -> Status.of(-1));
    }

    private static double ramp(long index) {
        return Math.toIntExact(index % 7) - 3;
    }

    private static void set(MemorySegment segment, int width, long index, double value) {
        if (width == 4) {
            segment.setAtIndex(JAVA_FLOAT, index, (float) value);
        } else {
            segment.setAtIndex(JAVA_DOUBLE, index, value);
        }
    }

    private static double get(MemorySegment segment, int width, long index) {
        return width == 4 ? segment.getAtIndex(JAVA_FLOAT, index) : segment.getAtIndex(JAVA_DOUBLE, index);
    }
}
