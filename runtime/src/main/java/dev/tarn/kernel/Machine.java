package dev.tarn.kernel;

import dev.tarn.ffm.blas.OpenBlas;
import dev.tarn.ffm.kernels.TarnLibrary;
import dev.tarn.ffm.load.NativeLoadException;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.tensor.DType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.stream.Stream;

/** Facts about this machine and the native libraries in use, in words and numbers. */
public final class Machine {
    private static final Path CPU_INFO = Path.of("/proc/cpuinfo");
    private static final Path STATUS = Path.of("/proc/self/status");

    /** Of each example of {@code fma_chains}. */
    private static final long CHAINS = 384;

    /** A task of {@link #peak}: about a millisecond of a processor with AVX-512. */
    private static final long STEPS = 1 << 18;

    private static final long TASKS_PER_THREAD = 8;
    private static final int RUNS = 30;

    /** No other run begins after so long: plain loops take seconds for one. */
    private static final long ENOUGH_NANOS = 500_000_000;

    private Machine() {}

    /** The processor as the system names it, else the architecture. */
    public static String cpu() {
        try (Stream<String> lines = Files.lines(CPU_INFO, StandardCharsets.UTF_8)) {
            return lines.filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse(System.getProperty("os.arch"));
        } catch (IOException e) {
            return System.getProperty("os.arch");
        }
    }

    /** What this process takes of the machine's memory at the moment, of Java, libraries and tensors; empty where Linux does not tell. */
    public static OptionalLong residentBytes() {
        try (Stream<String> lines = Files.lines(STATUS, StandardCharsets.UTF_8)) {
            return lines.filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst();
        } catch (IOException e) {
            return OptionalLong.empty();
        }
    }

    /** Where the kernel library was loaded from. */
    public static Path libraryFile() {
        return TarnLibrary.get().file();
    }

    /** The processor whose kernels OpenBLAS uses; empty without OpenBLAS. */
    public static String openBlasCore() {
        return OpenBlas.get().map(OpenBlas::coreName).orElse("");
    }

    /** What is wrong with OpenBLAS, or was repaired in its settings; empty if nothing. */
    public static String openBlasNote() {
        return OpenBlas.get().map(OpenBlas::note).orElseGet(OpenBlas::absence);
    }

    /** Threads that OpenBLAS starts on its own, which must be one; 0 without OpenBLAS. */
    public static int openBlasThreads() {
        return OpenBlas.get().map(OpenBlas::threads).orElse(0);
    }

    /** Whether an error says that the native libraries cannot be loaded; its message then says what to do. */
    public static boolean isLoadFailure(Throwable error) {
        return error instanceof NativeLoadException;
    }

    /**
     * Multiplications and additions a second of so many threads that do nothing but multiply-adds on registers, float32 at
     * the active level, the best of up to {@value #RUNS} runs: what no kernel can exceed.
     */
    public static double peak(int threads) {
        try (OwnedMemory memory = OwnedMemory.open("peak");
                Team team = new Team(threads)) {
            long n = threads * TASKS_PER_THREAD;
            KernelCall<MemorySegment> call = KernelCall.<MemorySegment>of("fma_chains", DType.F32)
                    .set("steps", STEPS)
                    .set("output", memory.allocate(n * CHAINS * DType.F32.byteSize()));
            PlannedKernel<MemorySegment> planned = Kernels.plan(call, n);
            BoundKernel kernel = planned.bind(
                    memory.allocate(planned.argumentBytes(threads)),
                    threads,
                    Function.identity(),
                    MemorySegment.NULL,
                    new MemorySegment[threads]);
            kernel.setBatch(n);
            long best = Long.MAX_VALUE;
            long begin = System.nanoTime();
            for (int run = 0; run < RUNS && (run == 0 || System.nanoTime() - begin < ENOUGH_NANOS); run++) {
                long start = System.nanoTime();
                team.run(kernel);
                best = Math.min(best, System.nanoTime() - start);
            }
            return 2.0 * n * CHAINS * STEPS / best * 1e9;
        }
    }
}
