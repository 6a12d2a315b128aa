package dev.tarn.io;

import static dev.tarn.Messages.assertSays;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class AtomicFileTest {
    private static final int FLOATS = 1 << 20; // 4 MiB a file: a kill falls into the middle of one

    @TempDir
    Path folder;

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    private static void write(Path file, String text) throws IOException {
        AtomicFile.write(file, channel -> channel.write(ByteBuffer.wrap(text.getBytes())));
    }

    @Test
    void new_and_replaced() throws IOException {
        Path file = folder.resolve("a");
        write(file, "one");
        write(file, "two");
        assertEquals("two", Files.readString(file));
        assertEquals(List.of(file), files());
    }

    @Test
    void failure_half_way_leaves_the_old_file_alone() throws IOException {
        Path file = folder.resolve("a");
        write(file, "old");
        IOException e = assertThrows(
                IOException.class,
                () -> AtomicFile.write(file, channel -> {
                    channel.write(ByteBuffer.wrap(new byte[10]));
                    throw new IOException("No space left on device");
                }));
        assertSays(IOException.class, e, file.toString(), "No space left on device", "untouched", "disk has room");
        assertEquals("old", Files.readString(file));
        assertEquals(List.of(file), files());
    }

    @Test
    void error_half_way_leaves_the_old_file_alone() throws IOException {
        Path file = folder.resolve("a");
        write(file, "old");
        assertThrows(
                IllegalStateException.class,
                () -> AtomicFile.write(file, channel -> {
                    throw new IllegalStateException("closed");
                }));
        assertEquals("old", Files.readString(file));
        assertEquals(List.of(file), files());
    }

    @Test
    void folder_that_is_a_file_or_missing() throws IOException {
        Path file = folder.resolve("a");
        write(file, "x");
        assertSays(
                IOException.class,
                assertThrows(IOException.class, () -> write(file.resolve("b"), "y")),
                file.resolve("b").toString(),
                "check that the folder exists");
        assertThrows(IOException.class, () -> write(folder.resolve("no/b"), "y"));
        assertSays(IOException.class, assertThrows(IOException.class, () -> write(folder, "y")), "is a folder");
    }

    /** Run in a process of its own by the tests below: writes files of one value again and again. */
    public static void main(String[] arguments) throws IOException {
        Path file = Path.of(arguments[0]);
        for (float value = 1; ; value++) {
            float[] values = new float[FLOATS];
            java.util.Arrays.fill(values, value);
            try {
                SafeTensors.write(file, Map.of(), Map.of("w", Tensor.of(Shape.of(FLOATS), values)));
            } catch (IOException e) {
                System.out.println(e.getMessage());
                return;
            }
            System.out.println(value);
        }
    }

    private static ProcessBuilder writer(String limit, Path file) {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        return new ProcessBuilder(
                        "sh",
                        "-c",
                        limit + "exec \"$@\"",
                        "sh",
                        java,
                        "-Xmx64m",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        AtomicFileTest.class.getName(),
                        file.toString())
                .redirectErrorStream(true);
    }

    @Test
    void killed_at_any_moment() throws IOException, InterruptedException {
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/bin/sh")), "needs a POSIX shell");
        Path file = folder.resolve("last.ckpt");
        for (int files = 2; files <= 3; files++) {
            Process process = writer("", file).start();
            try (BufferedReader output = process.inputReader()) {
                for (int i = 0; i < files; i++) {
                    assertEquals((i + 1) + ".0", output.readLine());
                }
            } finally {
                process.destroyForcibly().waitFor();
            }
            float[] values = SafeTensors.open(file).tensor("w").toArray(); // its checksum holds
            assertEquals(FLOATS, values.length);
            for (float value : values) {
                assertEquals(values[0], value);
            }
            assertTrue(values[0] >= files, "an older file than the last that was reported");
        }
        Files.writeString(folder.resolve("run.json"), "{}");
        RunFolder.open(folder);
        assertEquals(2, files().size(), "what the kill left behind is cleared away");
    }

    @Test
    void no_room() throws IOException, InterruptedException {
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/bin/sh")), "needs a POSIX shell");
        Path file = folder.resolve("last.ckpt");
        SafeTensors.write(file, Map.of(), Map.of("old", Tensor.of(Shape.of(2), 1, 2)));
        // The shell's limit on file sizes makes a real write fail in the middle, as a full disk does.
        Process process = writer("ulimit -f 1000; ", file).start();
        try (BufferedReader output = process.inputReader()) {
            String line = output.readLine();
            assertTrue(
                    line != null && line.contains("last.ckpt cannot be written") && line.contains("untouched"),
                    "said: " + line);
        }
        process.waitFor();
        assertEquals(List.of("old"), SafeTensors.open(file).names());
        assertEquals(List.of(file), files());
    }
}
