package dev.tarn.ffm.blas;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.tarn.ffm.kernels.TarnLibrary;
import dev.tarn.ffm.load.LibraryLoader;
import dev.tarn.ffm.load.LoadedLibrary;
import dev.tarn.ffm.load.NativeLoadException;
import dev.tarn.ffm.load.Platform;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.net.URL;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * OpenBLAS, if it is there: the processor's kernels for matrix products. Its own threads are off, for all parallelism is in
 * Java; any number of threads may call it at once. Without it Tarn runs on its own kernels.
 */
public final class OpenBlas {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final int ROW_MAJOR = 101; // CblasRowMajor

    /** Whether a matrix is used as it lies in memory or transposed. */
    public enum Transpose {
        NO(111),
        YES(112);

        private final int code;

        Transpose(int code) {
            this.code = code;
        }
    }

    /** Linked when Java first asks for a product, which is seldom: kernels call OpenBLAS by its address. */
    private static final class Sgemm {
        @SuppressWarnings("restricted") // signature of cblas.h, with 32-bit integers
        static final MethodHandle HANDLE = LINKER.downcallHandle(FunctionDescriptor.ofVoid(
                JAVA_INT,
                JAVA_INT,
                JAVA_INT,
                JAVA_INT,
                JAVA_INT,
                JAVA_INT,
                JAVA_FLOAT,
                ADDRESS,
                JAVA_INT,
                ADDRESS,
                JAVA_INT,
                JAVA_FLOAT,
                ADDRESS,
                JAVA_INT));
    }

    private final String coreName;
    private final String config;
    private final int threads;
    private final String note;
    private final MemorySegment sgemm;

    private OpenBlas(LoadedLibrary library, String note) {
        coreName = text(library, "openblas_get_corename");
        config = text(library, "openblas_get_config");
        threads = threads(library);
        sgemm = library.symbol("cblas_sgemm");
        this.note = note;
    }

    /** OpenBLAS, loaded on first use; empty if it cannot be used, see {@link #absence}. */
    public static Optional<OpenBlas> get() {
        return Optional.ofNullable(Attempt.RESULT.library);
    }

    /** Why {@link #get} is empty, as a sentence; empty if it is not. */
    public static String absence() {
        return Attempt.RESULT.reason;
    }

    /** The one attempt of this process to load it: a library is not worth a second try that ends in another state. */
    private record Attempt(@Nullable OpenBlas library, String reason) {
        static final Attempt RESULT = make();

        private static Attempt make() {
            try {
                return new Attempt(load(), "");
            } catch (NativeLoadException e) {
                return new Attempt(null, String.valueOf(e.getMessage()));
            }
        }
    }

    private static OpenBlas load() {
        List<URL> files = files();
        var core = CoreType.choose(
                System.getProperty("tarn.openblas.coretype", "env"),
                System.getenv("OPENBLAS_CORETYPE"),
                TarnLibrary.get().cpuLevel());
        // Both are read while the library is being opened, so this comes first.
        Environment.set("OPENBLAS_CORETYPE", core.forced());
        Environment.set("OPENBLAS_NUM_THREADS", "1");
        var loader = LibraryLoader.standard();
        for (URL file : files.subList(0, files.size() - 1)) {
            loader.open(file);
        }
        return new OpenBlas(loader.open(files.getLast()), core.note());
    }

    /**
     * What to open, in order. Libraries find what they need among those already open; on their own they would look for the
     * Fortran run time in the system, where it may be missing.
     */
    private static List<URL> files() {
        String platform = Platform.name();
        List<String> names = switch (platform) {
            case "linux-x86_64" -> List.of("libgcc_s.so.1", "libquadmath.so.0", "libgfortran.so.5", "libopenblas.so.0");
            case "linux-arm64" -> List.of("libgcc_s.so.1", "libgfortran.so.5", "libopenblas.so.0");
            case "macosx-arm64", "macosx-x86_64" ->
                List.of("libgcc_s.1.1.dylib", "libquadmath.0.dylib", "libgfortran.5.dylib", "libopenblas.0.dylib");
            default -> throw new NativeLoadException("Tarn knows no OpenBLAS for " + platform);
        };
        return names.stream()
                .map(name -> resource("/org/bytedeco/openblas/" + platform + "/" + name))
                .toList();
    }

    private static URL resource(String path) {
        URL url = OpenBlas.class.getResource(path);
        if (url == null) {
            throw new NativeLoadException(
                    "There is no " + path + " on the class path: add the jar org.bytedeco:openblas with"
                            + " the classifier " + Platform.name());
        }
        return url;
    }

    /** Calls {@code char *function(void)}. */
    @SuppressWarnings("restricted") // signatures of cblas.h; the texts live as long as the library
    private static String text(LoadedLibrary library, String function) {
        try {
            MemorySegment text =
                    (MemorySegment) LINKER.downcallHandle(library.symbol(function), FunctionDescriptor.of(ADDRESS))
                            .invokeExact();
            return text.reinterpret(Long.MAX_VALUE).getString(0).strip();
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Calls {@code int openblas_get_num_threads(void)}. */
    @SuppressWarnings("restricted") // signature of cblas.h
    private static int threads(LoadedLibrary library) {
        try {
            return (int)
                    LINKER.downcallHandle(library.symbol("openblas_get_num_threads"), FunctionDescriptor.of(JAVA_INT))
                            .invokeExact();
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** The processor whose kernels it uses, for instance {@code Cooperlake}. */
    public String coreName() {
        return coreName;
    }

    /** Version and build settings. */
    public String config() {
        return config;
    }

    /** Threads that one product uses; 1 unless the library ignores what it is told. */
    public int threads() {
        return threads;
    }

    /** What was repaired in its settings, as a sentence; empty if nothing. */
    public String note() {
        return note;
    }

    /** Address of {@code cblas_sgemm}, for the field {@code sgemm} of kernel arguments. */
    public MemorySegment sgemmAddress() {
        return sgemm;
    }

    /**
     * Single-precision matrix product on row-major matrices without gaps between rows: {@code c = alpha op(a) op(b) + beta c}.
     *
     * @param m rows of op(a) and c
     * @param n columns of op(b) and c
     * @param k columns of op(a), rows of op(b)
     * @param a native memory, m x k floats, or k x m if transposed
     * @param b native memory, k x n floats, or n x k if transposed
     * @param c native memory, m x n floats
     * @throws IllegalArgumentException if a segment is too small, or a size is not positive
     */
    public void sgemm(
            Transpose transposeA,
            Transpose transposeB,
            int m,
            int n,
            int k,
            float alpha,
            MemorySegment a,
            MemorySegment b,
            float beta,
            MemorySegment c) {
        if (m <= 0 || n <= 0 || k <= 0) {
            throw new IllegalArgumentException("sgemm needs positive sizes, got m=" + m + " n=" + n + " k=" + k);
        }
        requireFloats("a", a, m, k);
        requireFloats("b", b, k, n);
        requireFloats("c", c, m, n);
        int lda = transposeA == Transpose.NO ? k : m;
        int ldb = transposeB == Transpose.NO ? n : k;
        try {
            Sgemm.HANDLE.invokeExact(
                    sgemm, ROW_MAJOR, transposeA.code, transposeB.code, m, n, k, alpha, a, lda, b, ldb, beta, c, n);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private static void requireFloats(String name, MemorySegment matrix, long rows, long columns) {
        if (matrix.byteSize() / Float.BYTES < rows * columns) {
            throw new IllegalArgumentException("sgemm: " + name + " is " + rows + " x " + columns
                    + " floats, the segment has " + matrix.byteSize() + " bytes");
        }
    }
}
