package dev.tarn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProbeCommandTest {
    @TempDir
    Path folder;

    private Cli probe(String... more) {
        List<String> args = new ArrayList<>(
                List.of("probe", "--model", "lenet5", "--data", "digits:400", "--out", chart().toString()));
        args.addAll(List.of(more));
        return Cli.run(args.toArray(String[]::new));
    }

    private Path chart() {
        return folder.resolve("probe.svg");
    }

    @Test
    void r6_each_rate_is_an_event_and_the_best_has_the_lowest_validation_loss() throws Exception {
        Cli run = probe("--lr", "0.02,1e30,1e-9", "--steps", "12", "--validation", "0.25", "--json");
        List<Map<String, Object>> events = run.events();
        assertEquals(4, events.size(), run.err());
        assertEquals(
                List.of("event", "name", "optimizer", "lr", "steps", "losses", "val_loss", "val_accuracy"),
                List.copyOf(events.getFirst().keySet()));
        assertEquals("lr 0.02", events.getFirst().get("name"));
        assertEquals(12L, events.getFirst().get("steps"));
        assertNull(events.get(1).get("val_loss"));
        assertEquals(
                ((List<?>) events.getFirst().get("losses")).getFirst(),
                ((List<?>) events.get(2).get("losses")).getFirst());
        assertEquals("lr 0.02", run.lastEvent().get("best"));
        assertEquals(chart().toString(), run.lastEvent().get("chart"));
        assertTrue(Files.readString(chart()).startsWith("<svg "));
        try (var files = Files.list(folder)) {
            assertEquals(List.of(chart()), files.toList());
        }
    }

    @Test
    void optimizers_come_with_their_own_rates_or_with_every_rate_that_is_named() {
        Cli own = probe("--optimizer", "nesterov,adam", "--steps", "12");
        assertTrue(
                own.out().contains("nesterov, lr 0.02 ") && own.out().contains("adam, lr 0.001 "),
                own.out() + own.err());
        assertTrue(own.out().contains("best on validation: "), own.out());
        Cli both = probe("--optimizer", "momentum,adam", "--lr", "0.1,0.001", "--steps", "12", "--json");
        assertEquals(5, both.events().size(), both.err());
    }

    @Test
    void what_cannot_be_is_one_sentence() {
        probe("--steps", "0").assertFails(2, "at least one step");
        probe("--lr", "0.1,0").assertFails(2, "rate");
        probe("--memory", "1m").assertFails(2, "1,048,576");
        Cli all = probe("--lr", "1e30,1e31");
        assertTrue(all.out().contains("best on validation: none"), all.out() + all.err());
    }
}
