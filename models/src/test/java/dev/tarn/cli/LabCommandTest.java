package dev.tarn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LabCommandTest {
    @TempDir
    Path folder;

    @Test
    void i8_init_stats_reports_every_layer_and_draws_a_histogram_of_each() throws Exception {
        Path svg = folder.resolve("stats.svg");
        Cli run = Cli.run("lab", "init-stats", "--width", "64", "--out", svg.toString(), "--json");
        List<Map<String, Object>> events = run.events();
        assertEquals(31, events.size(), run.err()); // five settings of six layers, and done
        assertEquals(
                List.of(
                        "event",
                        "setting",
                        "layer",
                        "mean",
                        "std",
                        "rms",
                        "saturated",
                        "weight_gradient_norm",
                        "histogram"),
                List.copyOf(events.getFirst().keySet()));
        assertEquals(svg.toString(), run.lastEvent().get("histograms"));
        assertTrue(Files.readString(svg).startsWith("<svg "));
    }

    @Test
    void k3_health_measures_every_layer_and_warns_once() {
        Path run = folder.resolve("run");
        String weights = (String) Cli.run(
                        "train",
                        "--model",
                        "lenet5",
                        "--data",
                        "digits:300",
                        "--epochs",
                        "2",
                        "--out",
                        run.toString(),
                        "--json")
                .lastEvent()
                .get("weights");
        Cli json = health(weights, "--lr", "1e4", "--json");
        List<Map<String, Object>> events = json.events();
        assertEquals(
                List.of("event", "layer", "function", "saturated", "units", "dead"),
                List.copyOf(events.getFirst().keySet()));
        assertEquals(4, count(events, "activation"));
        assertEquals(
                List.of("event", "name", "norm", "gradient_norm", "update_ratio"),
                List.copyOf(events.get(4).keySet()));
        assertEquals(5, count(events, "weight"));
        assertEquals(5, count(events, "warning")); // at such a rate every step is too long
        assertEquals(
                List.of("event", "id", "layer", "reason"),
                List.copyOf(events.get(9).keySet()));
        assertEquals(
                List.of(
                        "event",
                        "loss",
                        "gradient_variance",
                        "gradient_signal",
                        "balanced_batch",
                        "train_accuracy",
                        "test_accuracy"),
                List.copyOf(json.lastEvent().keySet()));

        Cli text = health(weights, "--lr", "1e4");
        assertTrue(text.out().contains("as much noise as signal"), text.out());
        assertEquals(
                5, text.err().lines().filter(l -> l.startsWith("warning: ")).count(), text.err());
        assertTrue(text.err().contains("[--silence update-ratio]"), text.err());
        assertEquals(
                "", health(weights, "--lr", "1e4", "--silence", "update-ratio").err());
        health(weights, "--silence", "update").assertFails(2, "no warning 'update'", "update-ratio");
        health(weights, "--lr", "0").assertFails(2, "--lr");
    }

    private static Cli health(String weights, String... more) {
        List<String> args = new ArrayList<>(List.of("lab", "health", "--weights", weights, "--data", "digits:300"));
        args.addAll(List.of(more));
        return Cli.run(args.toArray(String[]::new));
    }

    private static long count(List<Map<String, Object>> events, String event) {
        return events.stream().filter(e -> event.equals(e.get("event"))).count();
    }

    @Test
    void what_cannot_be_is_one_sentence() {
        Cli.run("lab").assertFails(2, "init-stats and health");
        Cli.run("lab", "init-stats", "--width", "0").assertFails(2, "at least one unit");
    }
}
