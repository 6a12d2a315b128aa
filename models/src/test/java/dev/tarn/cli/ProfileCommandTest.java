package dev.tarn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProfileCommandTest {
    @TempDir
    Path folder;

    private static List<Map<String, Object>> named(Cli run, String event) {
        return run.events().stream().filter(e -> e.get("event").equals(event)).toList();
    }

    @Test
    void a_recorded_run_is_told_apart_by_layer_and_pass() {
        String out = folder.resolve("run").toString();
        String[] train = {"train", "--model", "lenet5", "--data", "digits:300", "--epochs", "1", "--threads", "2"};
        List<String> words = new ArrayList<>(List.of(train));
        words.addAll(List.of("--checkpoint-steps", "2", "--profile", "--out", out));
        assertEquals(0, Cli.run(words.toArray(String[]::new)).code());
        Cli run = Cli.run("profile", out, "--json");
        Map<String, Object> total = run.lastEvent();
        assertEquals("profile", total.get("event"));
        assertEquals(2L, total.get("threads"));
        assertEquals(4L, total.get("writes")); // the state after steps 2, 4 and 5, and the best weights
        List<Map<String, Object>> passes = named(run, "pass");
        assertEquals(
                List.of("forward", "backward", "update", "inference"),
                passes.stream().map(e -> e.get("name")).toList());
        assertEquals(5L, passes.get(0).get("calls"));
        assertEquals(300L, passes.get(1).get("images"));
        List<Map<String, Object>> layers = named(run, "layer");
        Map<String, Object> conv = layers.getFirst();
        assertEquals("conv1", conv.get("name"));
        assertEquals("forward", conv.get("pass"));
        assertEquals(5L, conv.get("calls"));
        // 28 x 28 outputs of 6 channels, each of 25 products
        double flops = (double) conv.get("gflops") * 1e9 * (double) conv.get("seconds");
        assertEquals(2.0 * 300 * 28 * 28 * 6 * 25, flops, 1e-6 * flops);
        assertEquals(
                (double) conv.get("gflops") / (double) total.get("peak_gflops"), (double) conv.get("peak_share"), 1e-9);
        assertTrue(layers.stream()
                .anyMatch(e -> e.get("pass").equals("backward") && e.get("name").equals("conv2")));
        Cli text = Cli.run("profile", out);
        assertTrue(text.out().contains("all of backward") && text.out().contains("waiting for data"), text.out());
    }

    @Test
    void what_is_no_recording_is_refused() throws IOException {
        Cli.run("profile", folder.toString()).assertFails(2, "profile.jfr is missing", "tarn train --profile");
        Path file = Files.writeString(folder.resolve("x.jfr"), "nonsense");
        Cli.run("profile", file.toString()).assertFails(2, "x.jfr", "no recording");
    }
}
