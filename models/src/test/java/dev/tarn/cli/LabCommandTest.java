package dev.tarn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
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
    void what_cannot_be_is_one_sentence() {
        Cli.run("lab").assertFails(2, "init-stats");
        Cli.run("lab", "init-stats", "--width", "0").assertFails(2, "at least one unit");
    }
}
