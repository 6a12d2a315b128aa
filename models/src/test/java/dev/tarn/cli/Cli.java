package dev.tarn.cli;

import dev.tarn.io.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/** Runs the command within this process or in one of its own, and holds what it said. */
record Cli(int code, String out, String err) {
    private static final long MOST_MINUTES = 5;

    /** Runs a command in this process, away from any terminal. */
    static Cli run(String... args) {
        var out = new ByteArrayOutputStream();
        var err = new ByteArrayOutputStream();
        int code = Main.run(stream(out), stream(err), Progress.Style.LINES, args);
        return new Cli(code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    private static PrintStream stream(ByteArrayOutputStream bytes) {
        return new PrintStream(bytes, true, StandardCharsets.UTF_8);
    }

    /** Starts a command in a process of its own with a heap of 64 MiB. */
    static Process start(Path folder, List<String> jvmOptions, String... args) throws IOException {
        return launch(folder, java(jvmOptions, System.getProperty("java.class.path"), Main.class.getName(), args));
    }

    /** The words that start a program in a virtual machine of its own. */
    static List<String> java(List<String> jvmOptions, String classPath, String mainClass, String... args) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-Xmx64m", "--enable-native-access=ALL-UNNAMED"));
        for (String property : List.of("tarn.cache", "tarn.level", "tarn.library", "tarn.without")) {
            if (System.getProperty(property) != null) {
                command.add("-D%s=%s".formatted(property, System.getProperty(property)));
            }
        }
        command.addAll(jvmOptions);
        command.addAll(List.of("-cp", classPath, mainClass));
        command.addAll(Arrays.asList(args));
        return command;
    }

    /** Starts a program; what it writes goes to {@code stdout} and {@code stderr} in the folder. */
    static Process launch(Path folder, List<String> command) throws IOException {
        return new ProcessBuilder(command)
                .redirectOutput(folder.resolve("stdout").toFile())
                .redirectError(folder.resolve("stderr").toFile())
                .start();
    }

    /** Runs a command in a process of its own, to its end. */
    static Cli fork(Path folder, List<String> jvmOptions, String... args) throws IOException, InterruptedException {
        return await(folder, start(folder, jvmOptions, args));
    }

    static Cli await(Path folder, Process process) throws IOException, InterruptedException {
        if (!process.waitFor(MOST_MINUTES, TimeUnit.MINUTES)) {
            process.destroyForcibly();
            Assertions.fail("the command did not end: " + Files.readString(folder.resolve("stderr")));
        }
        return new Cli(
                process.exitValue(),
                Files.readString(folder.resolve("stdout")),
                Files.readString(folder.resolve("stderr")));
    }

    /** What it wrote to standard output, which must be JSON Lines. */
    List<Map<String, Object>> events() {
        return out.lines().map(Json::read).toList();
    }

    /** The last of {@link #events}. */
    Map<String, Object> lastEvent() {
        Assertions.assertEquals(0, code, err);
        return events().getLast();
    }

    /** Asserts an exit code and a single sentence that holds some words, and no trace. */
    void assertFails(int expectedCode, String... words) {
        Assertions.assertEquals(expectedCode, code, err);
        String message = err.lines().reduce("", (a, b) -> b);
        Assertions.assertTrue(message.startsWith("tarn: "), err);
        Assertions.assertFalse(err.contains("\tat "), err);
        for (String word : words) {
            Assertions.assertTrue(message.contains(word), () -> "'%s' lacks '%s'".formatted(message, word));
        }
    }

    /** Real data that a test needs; without it the test is skipped, and says so. */
    static Path requireData(String name) {
        Path path = Path.of(System.getProperty("tarn.data", "../../shared/data"), name);
        Assumptions.assumeTrue(
                Files.exists(path), () -> path + " is missing; -Dtarn.data=DIR names the folder of test data");
        return path;
    }
}
