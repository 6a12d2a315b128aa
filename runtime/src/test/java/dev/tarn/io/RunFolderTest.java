package dev.tarn.io;

import static dev.tarn.Messages.assertSays;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunFolderTest {
    @TempDir
    Path parent;

    private List<String> metrics(RunFolder run) throws IOException {
        return Files.readAllLines(run.path().resolve("metrics.jsonl"));
    }

    @Test
    void settings_and_metrics() throws IOException {
        RunFolder run = RunFolder.create(parent.resolve("runs/a"));
        run.writeSettings(Map.of("seed", 42));
        run.appendMetrics(Map.of("epoch", 0));
        run.appendMetrics(Map.of("epoch", 1));
        RunFolder again = RunFolder.open(run.path());
        assertEquals(Map.of("seed", 42L), again.settings());
        assertEquals(List.of("{\"epoch\":0}", "{\"epoch\":1}"), metrics(again));
        assertEquals(run.path().resolve("best.safetensors"), again.best());
        assertEquals(run.path().resolve("last.ckpt"), again.last());
    }

    @Test
    void a_run_is_never_overwritten() throws IOException {
        RunFolder run = RunFolder.create(parent.resolve("a"));
        RunFolder.create(parent.resolve("a")); // nothing is there yet
        run.writeSettings(Map.of());
        assertSays(
                IOException.class,
                assertThrows(IOException.class, () -> RunFolder.create(parent.resolve("a"))),
                "holds a run already (run.json)",
                "--resume",
                "--out");
    }

    @Test
    void nothing_to_resume() {
        assertSays(
                IOException.class,
                assertThrows(IOException.class, () -> RunFolder.open(parent.resolve("a"))),
                "holds no run");
    }

    @Test
    void path_that_is_a_file() throws IOException {
        Files.writeString(parent.resolve("f"), "");
        assertSays(
                IOException.class,
                assertThrows(IOException.class, () -> RunFolder.create(parent.resolve("f"))),
                "cannot be written");
    }

    @Test
    void metrics_go_back_to_the_checkpoint() throws IOException {
        RunFolder run = RunFolder.create(parent.resolve("a"));
        assertEquals(0, run.truncateMetrics(3));
        for (int i = 0; i < 1000; i++) {
            run.appendMetrics(Map.of("epoch", i));
        }
        assertEquals(700, run.truncateMetrics(700));
        assertEquals(700, metrics(run).size());
        assertEquals("{\"epoch\":699}", metrics(run).getLast());
        run.appendMetrics(Map.of("epoch", 700));
        assertEquals("{\"epoch\":700}", metrics(run).getLast());
        assertEquals(0, run.truncateMetrics(0));
        assertEquals(List.of(), metrics(run));
    }

    @Test
    void line_that_a_kill_cut_off() throws IOException {
        RunFolder run = RunFolder.create(parent.resolve("a"));
        run.appendMetrics(Map.of("epoch", 0));
        Files.writeString(run.path().resolve("metrics.jsonl"), "{\"epo", StandardOpenOption.APPEND);
        assertEquals(1, run.truncateMetrics(5));
        run.appendMetrics(Map.of("epoch", 1));
        assertEquals(List.of("{\"epoch\":0}", "{\"epoch\":1}"), metrics(run));
    }

    @Test
    void full_disk() throws IOException {
        Assumptions.assumeTrue(Files.exists(Path.of("/dev/full")), "needs /dev/full");
        RunFolder run = RunFolder.create(parent.resolve("a"));
        Files.createSymbolicLink(run.path().resolve("metrics.jsonl"), Path.of("/dev/full"));
        assertSays(
                IOException.class,
                assertThrows(IOException.class, () -> run.appendMetrics(Map.of("epoch", 0))),
                "metrics.jsonl",
                "No space left on device",
                "disk has room");
    }

    @Test
    void damaged_settings() throws IOException {
        Files.writeString(parent.resolve("run.json"), "{\"seed\":");
        RunFolder run = RunFolder.open(parent);
        assertSays(
                FileFormatException.class,
                assertThrows(IOException.class, run::settings),
                "run.json",
                "is damaged",
                "line 1");
    }
}
