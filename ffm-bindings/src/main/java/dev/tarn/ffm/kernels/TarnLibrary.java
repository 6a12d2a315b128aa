package dev.tarn.ffm.kernels;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.tarn.ffm.load.LibraryLoader;
import dev.tarn.ffm.load.LoadedLibrary;
import dev.tarn.ffm.load.NativeLoadException;
import dev.tarn.ffm.load.Platform;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.net.URL;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Tarn's kernel library. It is loaded on first use from the class path, or from the file that the property {@code tarn.library}
 * names.
 *
 * <p>The two calls of the hot path, {@link #plan} and {@link #run}, use the linker's default mode: a call costs about 8 ns (18
 * ns with memory of a shared arena), which a kernel of microseconds does not notice, and never holds up the garbage collector,
 * as calls linked as critical do.
 */
public final class TarnLibrary {
    /** The native interface that this class speaks: TARN_ABI. */
    private static final int ABI = 1;

    private static final Linker LINKER = Linker.nativeLinker();

    @SuppressWarnings("restricted") // signatures of tarn.h
    private static final MethodHandle PLAN =
            LINKER.downcallHandle(FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS));

    @SuppressWarnings("restricted")
    private static final MethodHandle RUN =
            LINKER.downcallHandle(FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG));

    private static @Nullable TarnLibrary loaded;

    private final Path file;
    private final Level cpuLevel;
    private final Map<String, NativeStruct> structs;
    private final List<NativeVariant> variants;
    private final MemorySegment planAddress;
    private final MemorySegment runAddress;

    TarnLibrary(LoadedLibrary library) {
        file = library.file();
        int abi = number(library, "tarn_abi");
        if (abi != ABI) {
            throw new NativeLoadException(
                    file + " speaks version " + abi + " of the native interface, this version of Tarn " + ABI
                            + ": use the tarn-native jar of the same version, and unset the property tarn.library");
        }
        cpuLevel = Level.of(number(library, "tarn_cpu_level"));
        structs = NativeTables.structs(library);
        variants = NativeTables.variants(library, structs);
        planAddress = library.symbol("tarn_plan_variant");
        runAddress = library.symbol("tarn_run");
    }

    /**
     * The library, loaded once.
     *
     * @throws NativeLoadException if it cannot be loaded or is of another version; it may be tried again
     */
    public static synchronized TarnLibrary get() {
        if (loaded == null) {
            loaded = new TarnLibrary(load());
        }
        return loaded;
    }

    private static LoadedLibrary load() {
        String chosen = System.getProperty("tarn.library", "");
        if (!chosen.isEmpty()) {
            return LibraryLoader.standard().open(Path.of(chosen).toAbsolutePath());
        }
        String resource = "/META-INF/native/" + Platform.name() + "/" + System.mapLibraryName("tarn");
        URL url = TarnLibrary.class.getResource(resource);
        if (url == null) {
            throw new NativeLoadException(
                    "There is no " + resource + " on the class path: add the tarn-native jar built for "
                            + Platform.name() + ", or name the library's file with -Dtarn.library=FILE");
        }
        return LibraryLoader.standard().open(url);
    }

    /** Calls {@code int32_t function(void)}. */
    @SuppressWarnings("restricted") // signatures of tarn.h
    private static int number(LoadedLibrary library, String function) {
        try {
            return (int) LINKER.downcallHandle(library.symbol(function), FunctionDescriptor.of(JAVA_INT))
                    .invokeExact();
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Where it was loaded from. */
    public Path file() {
        return file;
    }

    /** The highest level that this processor and its operating system can run. */
    public Level cpuLevel() {
        return cpuLevel;
    }

    /** All variants, grouped by operation, best first. */
    public List<NativeVariant> variants() {
        return variants;
    }

    /** Argument structs by name. */
    public Map<String, NativeStruct> structs() {
        return structs;
    }

    /**
     * Asks a variant what running it on given arguments takes. It checks every size and which pointers are given, and follows
     * none.
     *
     * @param planner of the variant
     * @param args its argument struct, filled but for shared and scratch
     * @param plan receives the answer: {@link PlanLayout#BYTE_SIZE} bytes
     * @return a code for {@link Status#of}; {@link Status#DECLINED} means that the next variant is to be asked
     */
    public int plan(MemorySegment planner, MemorySegment args, MemorySegment plan) {
        if (plan.byteSize() < PlanLayout.BYTE_SIZE) {
            throw new IllegalArgumentException(
                    "a plan takes " + PlanLayout.BYTE_SIZE + " bytes, the segment has " + plan.byteSize());
        }
        try {
            return (int) PLAN.invokeExact(planAddress, planner, args, plan);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /**
     * Runs tasks [begin, end) of a phase. Denormals are flushed to zero inside the kernel and only there. The call keeps the
     * argument block alive, not the memory that its pointers name: the caller holds that until the call returns.
     *
     * @param kernel of the variant's phase
     * @param args the block that was planned
     * @return a code for {@link Status#of}
     */
    public int run(MemorySegment kernel, MemorySegment args, long begin, long end) {
        try {
            return (int) RUN.invokeExact(runAddress, kernel, args, begin, end);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
