package dev.tarn.ffm.kernels;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.tarn.ffm.load.LoadedLibrary;
import dev.tarn.ffm.load.NativeLoadException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads the tables that the native library exports, and refuses those that this version would misread. */
@SuppressWarnings("restricted") // follows pointers of constant tables, whose length and layout tarn.h states
final class NativeTables {
    private static final long VARIANT_BYTES =
            9 * Long.BYTES; // tarn_variant: op, args, dtype, level, plan, phase[3], technique
    private static final long STRUCT_BYTES = 4 * Long.BYTES; // tarn_struct: name, field_count, fields, size
    private static final long FIELD_BYTES = 2 * Long.BYTES; // tarn_field: name, kind

    private NativeTables() {}

    static Map<String, NativeStruct> structs(LoadedLibrary library) {
        var structs = new LinkedHashMap<String, NativeStruct>();
        MemorySegment table = table(library, "tarn_structs", STRUCT_BYTES);
        for (MemorySegment row : rows(table, STRUCT_BYTES)) {
            NativeStruct struct = struct(library, row);
            structs.put(struct.name(), struct);
        }
        return Collections.unmodifiableMap(structs);
    }

    private static NativeStruct struct(LoadedLibrary library, MemorySegment row) {
        String name = text(row, 0);
        long count = word(row, 1);
        long size = word(row, 3);
        var fields = new ArrayList<NativeField>();
        var names = new HashSet<String>();
        MemorySegment table = pointer(row, 2).reinterpret(count * FIELD_BYTES);
        for (MemorySegment field : rows(table, FIELD_BYTES)) {
            fields.add(new NativeField(
                    text(field, 0), fields.size() * (long) Long.BYTES, NativeField.Kind.of(word(field, 1))));
            require(names.add(text(field, 0)), library, "struct " + name + " has two fields " + text(field, 0));
        }
        require(
                size == count * Long.BYTES,
                library,
                "struct " + name + " of " + count + " fields takes " + size + " bytes");
        return new NativeStruct(name, fields);
    }

    static List<NativeVariant> variants(LoadedLibrary library, Map<String, NativeStruct> structs) {
        var variants = new ArrayList<NativeVariant>();
        MemorySegment table = table(library, "tarn_variants", Long.BYTES);
        for (MemorySegment row : rows(table, Long.BYTES)) {
            NativeVariant variant = variant(library, pointer(row, 0).reinterpret(VARIANT_BYTES));
            require(
                    structs.containsKey(variant.args()),
                    library,
                    variant.name() + " takes an unknown " + variant.args());
            variants.add(variant);
        }
        return Collections.unmodifiableList(variants);
    }

    private static NativeVariant variant(LoadedLibrary library, MemorySegment row) {
        var phases = new ArrayList<MemorySegment>();
        for (int i = 0; i < PlanLayout.PHASES && !isNull(pointer(row, 5 + i)); i++) {
            phases.add(pointer(row, 5 + i));
        }
        var variant = new NativeVariant(
                text(row, 0),
                text(row, 1),
                NativeType.of(word(row, 2)),
                Level.of(word(row, 3)),
                pointer(row, 4),
                Collections.unmodifiableList(phases),
                text(row, 5 + PlanLayout.PHASES));
        require(!isNull(variant.planner()) && !phases.isEmpty(), library, variant.name() + " cannot be planned or run");
        return variant;
    }

    /** Calls {@code const void *function(int64_t *count)}. */
    private static MemorySegment table(LoadedLibrary library, String function, long rowBytes) {
        var call =
                Linker.nativeLinker().downcallHandle(library.symbol(function), FunctionDescriptor.of(ADDRESS, ADDRESS));
        try (var arena = Arena.ofConfined()) {
            MemorySegment count = ((SegmentAllocator) arena).allocate(JAVA_LONG);
            MemorySegment table = (MemorySegment) call.invokeExact(count);
            return table.reinterpret(count.get(JAVA_LONG, 0) * rowBytes);
        } catch (Throwable e) {
            throw new NativeLoadException(library.file() + ": " + function + " cannot be called: " + e, e);
        }
    }

    private static List<MemorySegment> rows(MemorySegment table, long rowBytes) {
        var rows = new ArrayList<MemorySegment>();
        for (long offset = 0; offset < table.byteSize(); offset += rowBytes) {
            rows.add(table.asSlice(offset, rowBytes));
        }
        return rows;
    }

    private static long word(MemorySegment row, int index) {
        return row.getAtIndex(JAVA_LONG, index);
    }

    private static MemorySegment pointer(MemorySegment row, int index) {
        return row.getAtIndex(ADDRESS, index);
    }

    private static String text(MemorySegment row, int index) {
        return pointer(row, index).reinterpret(Long.MAX_VALUE).getString(0);
    }

    private static boolean isNull(MemorySegment pointer) {
        return pointer.equals(MemorySegment.NULL);
    }

    private static void require(boolean holds, LoadedLibrary library, String otherwise) {
        if (!holds) {
            throw new NativeLoadException(library.file() + " does not fit this version of Tarn: " + otherwise);
        }
    }
}
