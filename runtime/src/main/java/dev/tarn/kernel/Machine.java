package dev.tarn.kernel;

import dev.tarn.ffm.blas.OpenBlas;
import dev.tarn.ffm.blas.OpenBlas.Transpose;
import dev.tarn.ffm.kernels.TarnLibrary;
import dev.tarn.ffm.load.NativeLoadException;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.tensor.DType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Stream;

/** Facts about this machine and the native libraries in use, in words and numbers. */
public final class Machine {
    private static final Path CPU_INFO = Path.of("/proc/cpuinfo");
    /** Rows and columns of the products that {@link #peak} measures with: three matrices of 4 MiB. */
    private static final int SIDE = 1024;

    private static final int RUNS = 6;

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
     * Multiplications and additions a second of so many threads, each multiplying its own 1024 x 1024 matrices with OpenBLAS,
     * the best of {@value #RUNS} runs: what kernels can hope for. Empty without OpenBLAS.
     */
    public static OptionalDouble peak(int threads) {
        Optional<OpenBlas> blas = OpenBlas.get();
        if (blas.isEmpty()) {
            return OptionalDouble.empty();
        }
        double[] rates = new double[threads];
        Thread[] workers = new Thread[threads];
        for (int t = 0; t < threads; t++) {
            int worker = t;
            workers[t] = Thread.ofPlatform().start(() -> rates[worker] = productRate(blas.get()));
        }
        for (Thread worker : workers) {
            try {
                worker.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return OptionalDouble.empty();
            }
        }
        return OptionalDouble.of(Arrays.stream(rates).sum());
    }

    private static double productRate(OpenBlas blas) {
        try (Arena arena = Arena.ofConfined()) {
            long bytes = DType.F32.byteSize() * SIDE * SIDE;
            MemorySegment a = arena.allocate(bytes, OwnedMemory.ALIGNMENT);
            MemorySegment b = arena.allocate(bytes, OwnedMemory.ALIGNMENT);
            MemorySegment c = arena.allocate(bytes, OwnedMemory.ALIGNMENT);
            long best = Long.MAX_VALUE;
            for (int run = 0; run < RUNS; run++) {
                long start = System.nanoTime();
                blas.sgemm(Transpose.NO, Transpose.NO, SIDE, SIDE, SIDE, 1, a, b, 0, c);
                best = Math.min(best, System.nanoTime() - start);
            }
            return 2.0 * SIDE * SIDE * SIDE / best * 1e9;
        }
    }
}
