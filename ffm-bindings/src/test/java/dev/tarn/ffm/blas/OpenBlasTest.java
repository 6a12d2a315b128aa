package dev.tarn.ffm.blas;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.ffm.blas.OpenBlas.Transpose;
import dev.tarn.ffm.kernels.Level;
import dev.tarn.ffm.kernels.TarnLibrary;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OpenBlasTest {
    private static OpenBlas blas() {
        return OpenBlas.get().orElseThrow(() -> new AssertionError(OpenBlas.absence()));
    }

    /** Prints what another process gets: core, threads, note, absence, number of our own variants. */
    static final class Report {
        public static void main(String[] ignored) {
            System.out.println(OpenBlas.get().map(OpenBlas::coreName).orElse("none"));
            System.out.println(OpenBlas.get().map(OpenBlas::threads).orElse(0));
            System.out.println(OpenBlas.get().map(OpenBlas::note).orElse(""));
            System.out.println(OpenBlas.absence());
            System.out.println(TarnLibrary.get().variants().size());
        }
    }

    @ParameterizedTest
    @CsvSource({"1,1,1", "3,5,7", "17,1,13", "1,33,64", "64,48,100"})
    void product_agrees_with_its_definition(int m, int n, int k) {
        var random = new Random(42);
        try (var arena = Arena.ofShared()) {
            for (Transpose transposeA : Transpose.values()) {
                for (Transpose transposeB : Transpose.values()) {
                    MemorySegment a = random(arena, random, (long) m * k);
                    MemorySegment b = random(arena, random, (long) k * n);
                    MemorySegment c = random(arena, random, (long) m * n);
                    float[] before = c.toArray(JAVA_FLOAT);
                    blas().sgemm(transposeA, transposeB, m, n, k, 2, a, b, 0.5f, c);
                    for (int i = 0; i < m; i++) {
                        for (int j = 0; j < n; j++) {
                            double sum = 0;
                            for (int p = 0; p < k; p++) {
                                sum += (double) at(a, transposeA == Transpose.NO ? i * k + p : p * m + i)
                                        * at(b, transposeB == Transpose.NO ? p * n + j : j * k + p);
                            }
                            // k + 3 roundings of terms that are at most 2 in sum of each: (k + 3) * 2^-24 * (2 k + 1)
                            double bound = (k + 3) * 0x1p-24 * (2.0 * k + 1);
                            assertEquals(2 * sum + 0.5 * before[i * n + j], at(c, i * n + j), bound);
                        }
                    }
                }
            }
        }
    }

    @Test
    void segments_that_are_too_small_are_refused_by_name() {
        try (var arena = Arena.ofShared()) {
            MemorySegment six = arena.allocate(JAVA_FLOAT, 6);
            MemorySegment five = arena.allocate(JAVA_FLOAT, 5);
            for (String name : List.of("a", "b", "c")) {
                String message = assertThrows(
                                IllegalArgumentException.class,
                                () -> blas().sgemm(
                                                Transpose.NO,
                                                Transpose.NO,
                                                name.equals("b") ? 1 : 2,
                                                name.equals("a") ? 1 : 3,
                                                name.equals("c") ? 1 : name.equals("a") ? 3 : 2,
                                                1,
                                                name.equals("a") ? five : six,
                                                name.equals("b") ? five : six,
                                                0,
                                                name.equals("c") ? five : six))
                        .getMessage();
                assertTrue(message.startsWith("sgemm: " + name + " is "), message);
            }
            assertThrows(
                    IllegalArgumentException.class,
                    () -> blas().sgemm(Transpose.NO, Transpose.NO, 0, 1, 1, 1, six, six, 0, six));
        }
    }

    @Test
    void one_thread_and_a_named_core() {
        assertEquals(1, blas().threads());
        assertTrue(blas().config().startsWith("OpenBLAS 0.3.31"), blas().config());
        assertTrue(blas().config().contains(blas().coreName()), blas().config());
        assertNotEquals(MemorySegment.NULL, blas().sgemmAddress());
    }

    @Test
    void weaker_core_in_the_environment_is_repaired() throws Exception {
        Assumptions.assumeTrue(TarnLibrary.get().cpuLevel().compareTo(Level.AVX512) >= 0);
        List<String> repaired = report(classPath(), "env", "Haswell");
        assertNotEquals("Haswell", repaired.get(0));
        assertEquals("1", repaired.get(1));
        assertTrue(repaired.get(2).startsWith("OPENBLAS_CORETYPE=Haswell"), repaired.get(2));
    }

    @Test
    void property_names_the_core() throws Exception {
        Assumptions.assumeTrue(TarnLibrary.get().cpuLevel().compareTo(Level.AVX2) >= 0);
        assertEquals("Haswell", report(classPath(), "Haswell", "Zen").get(0));
    }

    @Test
    void without_its_jar_our_own_kernels_remain() throws Exception {
        String without = Arrays.stream(classPath().split(File.pathSeparator))
                .filter(entry -> !Path.of(entry).getFileName().toString().startsWith("openblas"))
                .collect(Collectors.joining(File.pathSeparator));
        assertNotEquals(classPath(), without);
        List<String> report = report(without, "env", "");
        assertEquals("none", report.get(0));
        assertTrue(report.get(3).contains("add the jar org.bytedeco:openblas"), report.get(3));
        assertEquals(Integer.toString(TarnLibrary.get().variants().size()), report.get(4));
    }

    private static String classPath() {
        return System.getProperty("java.class.path");
    }

    /** What {@link Report} prints in a process of its own. */
    private static List<String> report(String classPath, String property, String environment)
            throws IOException, InterruptedException {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-Xmx64m", "--enable-native-access=ALL-UNNAMED", "-cp", classPath));
        command.add("-Dtarn.openblas.coretype=" + property);
        command.add("-Dtarn.cache=" + System.getProperty("tarn.cache", ""));
        command.add(Report.class.getName());
        var builder = new ProcessBuilder(command);
        builder.environment().put("OPENBLAS_CORETYPE", environment);
        builder.redirectErrorStream(true);
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
        return output.lines().toList();
    }

    private static MemorySegment random(Arena arena, Random random, long count) {
        MemorySegment segment = arena.allocate(JAVA_FLOAT, count);
        for (long i = 0; i < count; i++) {
            segment.setAtIndex(JAVA_FLOAT, i, random.nextFloat(-1, 1));
        }
        return segment;
    }

    private static float at(MemorySegment matrix, int index) {
        return matrix.getAtIndex(JAVA_FLOAT, index);
    }
}
