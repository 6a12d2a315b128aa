package dev.tarn.kernel;

import dev.tarn.ffm.blas.OpenBlas;
import dev.tarn.ffm.blas.OpenBlas.Transpose;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.tensor.DType;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * The memory that OpenBLAS takes beside what sessions plan: it packs matrices into buffers of its own, one for each thread that multiplies
 * at the same time, and never gives them back.
 *
 * @param libraryBytes resident of its code and data, with the libraries that it needs
 * @param bufferBytes resident of one thread's buffer after a large product
 */
public record OpenBlasMemory(long libraryBytes, long bufferBytes) {
    private static final Path MAPPINGS = Path.of("/proc/self/smaps");
    private static final Pattern MAPPING =
            Pattern.compile("[0-9a-f]+-[0-9a-f]+ "); // its addresses; a file's name follows
    private static final List<String> LIBRARIES = List.of("libopenblas", "libgfortran", "libquadmath");
    private static final int HIGH_DIGITS = 12; // of addresses where the system maps memory; Java's heap has fewer
    private static final int ROWS = 512;
    private static final int SIZE = 2048; // inner and columns: what does not fit the buffer is packed piece by piece

    /**
     * Measures it, on a process that has not used OpenBLAS before; empty without OpenBLAS or where Linux does not tell. It takes about 20
     * MB for a moment.
     */
    public static Optional<OpenBlasMemory> measure() {
        try (var memory = OwnedMemory.open("openblas")) {
            if (OpenBlas.get().isEmpty()) {
                return Optional.empty();
            }
            OpenBlas blas = OpenBlas.get().get();
            MemorySegment a = matrix(memory, ROWS, SIZE);
            MemorySegment b = matrix(memory, SIZE, SIZE);
            MemorySegment c = matrix(memory, ROWS, SIZE);
            blas.sgemm(Transpose.NO, Transpose.NO, 1, 1, 1, 1, a, b, 0, c); // the call itself has been linked then
            long before = buffers();
            blas.sgemm(Transpose.NO, Transpose.NO, ROWS, SIZE, SIZE, 1, a, b, 0, c);
            long buffer = Math.max(0, buffers() - before);
            return Optional.of(new OpenBlasMemory(mappedBytes(), buffer));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** Every page of it is there: the system gives pages when they are written. */
    private static MemorySegment matrix(OwnedMemory memory, long rows, long columns) {
        return memory.allocate(rows * columns * DType.F32.byteSize()).fill((byte) 0);
    }

    private static long mappedBytes() throws IOException {
        return sum("Rss:", mapping -> LIBRARIES.stream().anyMatch(mapping::contains));
    }

    /** All memory that belongs to no file and lies above Java's heap. */
    private static long buffers() throws IOException {
        return sum("Anonymous:", mapping -> mapping.indexOf('-') >= HIGH_DIGITS);
    }

    /** Of a field of those mappings whose first line, with addresses and the file's name, passes. */
    private static long sum(String field, Predicate<String> chosen) throws IOException {
        long sum = 0;
        boolean counts = false;
        try (BufferedReader lines = Files.newBufferedReader(MAPPINGS, StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (MAPPING.matcher(line).lookingAt()) {
                    counts = chosen.test(line);
                } else if (counts && line.startsWith(field)) {
                    sum += bytes(line);
                }
            }
        }
        return sum;
    }

    /** {@code Rss: 1904 kB} */
    private static long bytes(String line) {
        return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
    }
}
