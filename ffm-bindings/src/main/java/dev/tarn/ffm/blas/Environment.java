package dev.tarn.ffm.blas;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/** The environment as C code sees it. {@link System#getenv} is a copy from the start of the process and stays as it is. */
final class Environment {
    private Environment() {}

    /** Sets a variable, or removes it if the value is null. */
    @SuppressWarnings("restricted") // calls of the C library, with the signatures of stdlib.h
    static void set(String name, @Nullable String value) {
        Linker linker = Linker.nativeLinker();
        try (var arena = Arena.ofConfined()) {
            MemorySegment key = arena.allocateFrom(name);
            int failed = value == null
                    ? (int) linker.downcallHandle(
                                    linker.defaultLookup().findOrThrow("unsetenv"),
                                    FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS))
                            .invokeExact(key)
                    : (int) linker.downcallHandle(
                                    linker.defaultLookup().findOrThrow("setenv"),
                                    FunctionDescriptor.of(
                                            ValueLayout.JAVA_INT,
                                            ValueLayout.ADDRESS,
                                            ValueLayout.ADDRESS,
                                            ValueLayout.JAVA_INT))
                            .invokeExact(key, arena.allocateFrom(value), 1);
            if (failed != 0) {
                throw new IllegalStateException("the environment variable " + name + " cannot be changed");
            }
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
