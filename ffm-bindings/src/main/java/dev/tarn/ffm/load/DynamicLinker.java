package dev.tarn.ffm.load;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/** Asks the system's dynamic linker why it refuses a library: the JDK says only that it did. */
final class DynamicLinker {
    private static final int RTLD_LAZY = 1;

    private DynamicLinker() {}

    /** The linker's sentence, which names the file. */
    @SuppressWarnings("restricted") // calls of the C library, with the signatures of dlfcn.h
    static String refusal(Path file) {
        Linker linker = Linker.nativeLinker();
        try (var arena = Arena.ofConfined()) {
            var dlopen = linker.downcallHandle(
                    linker.defaultLookup().findOrThrow("dlopen"),
                    FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
            var dlerror = linker.downcallHandle(
                    linker.defaultLookup().findOrThrow("dlerror"), FunctionDescriptor.of(ValueLayout.ADDRESS));
            MemorySegment opened = (MemorySegment) dlopen.invokeExact(arena.allocateFrom(file.toString()), RTLD_LAZY);
            MemorySegment reason = (MemorySegment) dlerror.invokeExact();
            if (!opened.equals(MemorySegment.NULL) || reason.equals(MemorySegment.NULL)) {
                return file + " could not be opened";
            }
            String text = reason.reinterpret(Long.MAX_VALUE).getString(0);
            return text.contains("failed to map segment")
                    ? text + " (its folder is mounted without the right to execute)"
                    : text;
        } catch (Throwable e) {
            return file + " could not be opened, and the linker did not say why (" + e + ")";
        }
    }
}
