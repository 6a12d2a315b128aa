package dev.tarn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.io.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TrainCommandTest {
    private static final String SMALL = "digits:300";

    @TempDir
    Path folder;

    private Cli train(Path out, String... more) {
        List<String> args = new java.util.ArrayList<>(List.of(
                "train", "--model", "lenet5", "--data", SMALL, "--epochs", "2", "--out", out.toString(), "--json"));
        args.addAll(List.of(more));
        return Cli.run(args.toArray(String[]::new));
    }

    @Test
    void events_have_the_documented_fields_and_files_appear() throws IOException {
        Cli run = train(folder.resolve("run"));
        List<Map<String, Object>> events = run.events();
        assertEquals(3, events.size(), run.err());
        Map<String, Object> second = events.get(1);
        assertEquals(
                List.of(
                        "event",
                        "epoch",
                        "step",
                        "passes",
                        "train_loss",
                        "train_accuracy",
                        "val_loss",
                        "val_accuracy",
                        "learning_rate",
                        "regularization_loss",
                        "total_loss",
                        "images_per_second",
                        "seconds",
                        "elapsed_seconds",
                        "plan_bytes",
                        "offheap_bytes",
                        "resident_bytes"),
                List.copyOf(second.keySet()));
        assertEquals("epoch", second.get("event"));
        assertTrue(second.get("resident_bytes") instanceof Long bytes && bytes > 10_000_000, second.toString());
        assertEquals(2L, second.get("epoch"));
        assertEquals(10L, second.get("step")); // two epochs of 300 images in batches of 64
        Map<String, Object> done = run.lastEvent();
        assertEquals(
                List.of(
                        "event",
                        "best_epoch",
                        "best_val_accuracy",
                        "weights",
                        "plan_bytes",
                        "peak_offheap_bytes",
                        "peak_heap_bytes",
                        "weights_sha256"),
                List.copyOf(done.keySet()));
        Path weights = Path.of((String) done.get("weights"));
        assertEquals(Sha256.of(weights), done.get("weights_sha256"));
        Set<String> files = Set.of("run.json", "metrics.jsonl", "best.safetensors", "last.ckpt");
        try (var listing = Files.list(folder.resolve("run"))) {
            assertEquals(
                    files,
                    Set.copyOf(listing.map(f -> f.getFileName().toString()).toList()));
        }
        assertEquals(2, Files.readAllLines(folder.resolve("run/metrics.jsonl")).size());
        Map<String, Object> best = events.get((int) (long) done.get("best_epoch") - 1);
        assertEquals(best.get("val_accuracy"), done.get("best_val_accuracy"));
    }

    @Test
    void without_json_people_read_standard_output() {
        Cli run = Cli.run(
                "train",
                "--model",
                "lenet5",
                "--data",
                SMALL,
                "--epochs",
                "1",
                "--out",
                folder.resolve("p").toString());
        assertEquals(0, run.code(), run.err());
        assertTrue(run.out().contains("epoch 1/1  train loss "), run.out());
        assertTrue(run.out().contains("memory: "), run.out());
        assertEquals("", run.err());
    }

    @Test
    void warnings_are_printed_once_unless_they_are_silenced() {
        Cli run = train(folder.resolve("raw"), "--preprocess", "none", "--init", "constant=0");
        List<String> warnings =
                run.err().lines().filter(l -> l.startsWith("warning: ")).toList();
        assertEquals(6, warnings.size(), run.err()); // five layers, and images
        assertTrue(warnings.getFirst().startsWith("warning: conv1.weight: all weights are 0.0, "), run.err());
        assertTrue(warnings.getLast().endsWith("[--silence uncentred-input]"), run.err());
        Cli some = train(
                folder.resolve("some"), "--preprocess", "none", "--init", "constant=0", "--silence", "equal-weights");
        assertEquals(
                1, some.err().lines().filter(l -> l.startsWith("warning: ")).count(), some.err());
        Cli none = train(folder.resolve("none"), "--preprocess", "none", "--silence", "all");
        assertFalse(none.err().contains("warning"), none.err());
        train(folder.resolve("wrong"), "--silence", "nonsense").assertFails(2, "no warning 'nonsense'");
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void g15_any_number_of_threads_gives_the_same_bits(int threads) {
        String all = "crop,flip,resized-crop,jitter,erase";
        String one = hash(train(folder.resolve("one"), "--threads", "1", "--augment", all));
        assertEquals(one, hash(train(folder.resolve("more"), "--threads", "" + threads, "--augment", all)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"channel-mean", "mean-image", "feature", "min-max", "pca=20", "whiten=20", "none"})
    void p1_weights_are_evaluated_with_the_preprocessing_that_they_were_trained_with(String choice) {
        Map<String, Object> done =
                train(folder.resolve("run"), "--preprocess", choice).lastEvent();
        Map<String, Object> evaluated = Cli.run(
                        "eval", "--weights", (String) done.get("weights"), "--data", SMALL, "--json")
                .lastEvent();
        assertEquals(done.get("best_val_accuracy"), evaluated.get("accuracy"));
        assertTrue((double) evaluated.get("accuracy") > 0.12, evaluated.toString()); // it learns
    }

    @Test
    void p8_images_are_centred_and_scaled_by_channel_unless_told_otherwise() {
        String own = hash(train(folder.resolve("own")));
        assertEquals(own, hash(train(folder.resolve("named"), "--preprocess", "channel-mean-std")));
        train(folder.resolve("wrong"), "--preprocess", "zca").assertFails(2, "'zca' is unknown", "whiten=K");
    }

    @ParameterizedTest
    @ValueSource(strings = {"xavier", "xavier-average", "lecun", "orthogonal", "lsuv", "gaussian=0.1"})
    void i11_first_values_by_name_learn_and_are_the_same_bits_each_time(String name) {
        String[] options = {"--init", name, "--bias-init", "0.01"};
        Cli one = train(folder.resolve("one"), options);
        assertEquals(hash(one), hash(train(folder.resolve("again"), options)));
        assertFalse(hash(one).equals(hash(train(folder.resolve("own")))));
        assertTrue((double) one.lastEvent().get("best_val_accuracy") > 0.12, one.out());
    }

    @Test
    void i11_lsuv_stays_within_the_plan() throws Exception {
        String out = folder.resolve("run").toString();
        Map<String, Object> done = Cli.fork(
                        folder,
                        List.of(),
                        "train",
                        "--model",
                        "lenet5",
                        "--data",
                        SMALL,
                        "--epochs",
                        "1",
                        "--init",
                        "lsuv",
                        "--out",
                        out,
                        "--json")
                .lastEvent();
        assertEquals(done.get("plan_bytes"), done.get("peak_offheap_bytes"));
    }

    @Test
    void first_values_that_cannot_be() {
        train(folder.resolve("a"), "--init", "kaiming").assertFails(2, "'kaiming' is unknown", "xavier-average");
        train(folder.resolve("b"), "--init-distribution", "uniform").assertFails(2, "--init he");
        train(folder.resolve("c"), "--init", "lsuv", "--init-distribution", "uniform")
                .assertFails(2, "uniform");
        assertFalse(Files.exists(folder.resolve("a")));
    }

    @Test
    void a_style_is_stored_with_the_weights_and_the_run() throws IOException {
        Path out = folder.resolve("run");
        String[] style = {"--activation", "prelu-channel", "--dropout-keep", "0.5"};
        Map<String, Object> done = train(out, style).lastEvent();
        String weights = (String) done.get("weights");
        Map<String, Object> evaluated =
                Cli.run("eval", "--weights", weights, "--data", SMALL, "--json").lastEvent();
        assertEquals(done.get("best_val_accuracy"), evaluated.get("accuracy"));
        Cli predicted = Cli.run("predict", "--weights", weights, "--input", SMALL);
        assertEquals(0, predicted.code(), predicted.err());
        Map<?, ?> settings =
                (Map<?, ?>) Json.read(Files.readString(out.resolve("run.json"))).get("settings");
        assertEquals("prelu-channel", settings.get("activation"));
        assertEquals(0.5, settings.get("dropout_keep"));
        train(out, "--resume").assertFails(2, "another activation", "prelu-channel");
        train(out, "--resume", style[0], style[1]).assertFails(2, "another dropout_keep");
    }

    @Test
    void styles_that_cannot_be() {
        train(folder.resolve("a"), "--activation", "gelu").assertFails(2, "'gelu' is unknown", "leaky-relu");
        train(folder.resolve("b"), "--activation", "maxout").assertFails(2, "architecture made for it");
        train(folder.resolve("c"), "--dropout-keep", "0").assertFails(2, "(0, 1]");
        assertFalse(Files.exists(folder.resolve("a")));
    }

    @Test
    void selu_begins_with_lecuns_numbers_unless_told_otherwise() {
        String own = hash(train(folder.resolve("own"), "--activation", "selu"));
        assertEquals(own, hash(train(folder.resolve("lecun"), "--activation", "selu", "--init", "lecun")));
        assertFalse(own.equals(hash(train(folder.resolve("he"), "--activation", "selu", "--init", "he"))));
    }

    @Test
    void t3_a_run_stops_after_so_many_steps_and_resumes_to_the_same_bits() throws IOException {
        Path out = folder.resolve("run");
        Cli run = train(out, "--max-steps", "7"); // five steps are an epoch
        assertEquals(7L, run.events().get(1).get("step"));
        assertEquals(1 + 2 * 64 / 300.0, run.events().get(1).get("passes"));
        assertTrue(run.err().contains("stopped early, after 1.43 of 2 epochs"), run.err());
        assertEquals(hash(run), hash(train(out, "--max-steps", "7", "--resume")));
        train(out, "--resume").assertFails(2, "another stopping", "max_steps=7");
    }

    @Test
    void e1_a_run_stops_when_nothing_improves() throws IOException {
        for (String metric : List.of("val_accuracy", "val_loss")) {
            String out = folder.resolve(metric).toString();
            String[] idle = {"train", "--model", "lenet5", "--data", SMALL, "--epochs", "9", "--lr", "1e-12", "--json"};
            Cli run = Cli.run(
                    append(idle, "--out", out, "--patience", "2", "--stop-metric", metric, "--min-delta", "0.001"));
            assertEquals(1 + 3 + 1, run.events().size(), run.err()); // one that sets the mark, three idle, and done
        }
        train(folder.resolve("a"), "--min-delta", "0.1").assertFails(2, "--patience 5");
        train(folder.resolve("b"), "--patience", "-1").assertFails(2, "patience");
        train(folder.resolve("c"), "--max-steps", "0").assertFails(2, "at least one step");
        train(folder.resolve("d"), "--max-minutes", "0").assertFails(2, "takes some time");
        assertEquals(
                1L,
                train(folder.resolve("e"), "--max-minutes", "1e-9")
                        .events()
                        .getFirst()
                        .get("step"));
    }

    @Test
    void a_run_that_goes_astray_says_where() {
        Cli run = train(folder.resolve("run"), "--optimizer", "sgd", "--lr", "1e30");
        run.assertFails(1, "the loss is NaN in epoch 1, step 2 of the run", "image ", "--lr");
        Map<String, Object> event = run.events().getLast();
        assertEquals(List.of("event", "step", "layer", "samples"), List.copyOf(event.keySet()));
        assertEquals("diverged", event.get("event"));
        assertEquals(64, ((List<?>) event.get("samples")).size());
    }

    @ParameterizedTest
    @ValueSource(strings = {"sequential", "with-replacement"})
    void t5_sampling_by_name(String sampling) {
        String own = hash(train(folder.resolve("own"), "--sampling", "shuffled"));
        assertFalse(own.equals(hash(train(folder.resolve("other"), "--sampling", sampling))));
    }

    @Test
    void another_seed_gives_other_weights() {
        assertFalse(hash(train(folder.resolve("a"))).equals(hash(train(folder.resolve("b"), "--seed", "2"))));
    }

    @Test
    void off_heap_memory_is_what_was_planned() throws Exception {
        Map<String, Object> done = Cli.fork(
                        folder,
                        List.of(),
                        "train",
                        "--model",
                        "resnet20",
                        "--data",
                        CifarLike.write(folder),
                        "--epochs",
                        "1",
                        "--batch",
                        "16",
                        "--out",
                        folder.resolve("run").toString(),
                        "--json")
                .lastEvent();
        assertEquals(done.get("plan_bytes"), done.get("peak_offheap_bytes"));
        assertTrue((long) done.get("peak_heap_bytes") <= 64 << 20);
    }

    @Test
    void a_collector_that_frees_nothing_suffices() throws Exception {
        Cli run = Cli.fork(
                folder,
                // Starting leaves some 70 MB of garbage, reading options most of it; 160 steps fit into the rest.
                List.of("-Xmx96m", "-XX:+UnlockExperimentalVMOptions", "-XX:+UseEpsilonGC"),
                "train",
                "--model",
                "lenet5",
                "--data",
                "digits:2000",
                "--epochs",
                "5",
                "--out",
                folder.resolve("run").toString(),
                "--json");
        assertTrue((double) run.lastEvent().get("best_val_accuracy") > 0.9);
    }

    @Test
    void killed_and_resumed_equals_undisturbed() throws Exception {
        String[] args = {"train", "--model", "lenet5", "--data", "digits:600", "--epochs", "6", "--json", "--out"};
        Path whole = folder.resolve("whole");
        String undisturbed = hash(Cli.fork(folder, List.of(), append(args, whole.toString())));
        Path broken = folder.resolve("broken");
        Process process = Cli.start(folder, List.of(), append(args, broken.toString()));
        while (process.isAlive() && !Files.exists(broken.resolve("last.ckpt"))) {
            Thread.sleep(5);
        }
        process.destroyForcibly().waitFor();
        assertEquals(137, process.exitValue(), "the run ended before it could be killed");
        Cli resumed = Cli.fork(folder, List.of(), append(args, broken.toString(), "--resume"));
        assertEquals(undisturbed, hash(resumed));
        assertEquals(Sha256.of(whole.resolve("last.ckpt")), Sha256.of(broken.resolve("last.ckpt")));
        List<Object> epochs = Files.readAllLines(broken.resolve("metrics.jsonl")).stream()
                .map(line -> Json.read(line).get("epoch"))
                .toList();
        assertEquals(List.of(1L, 2L, 3L, 4L, 5L, 6L), epochs);
    }

    @Test
    void resuming_what_is_done_changes_nothing() {
        String hash = hash(train(folder.resolve("run")));
        Cli again = train(folder.resolve("run"), "--resume");
        assertEquals(1, again.events().size());
        assertEquals(hash, hash(again));
    }

    @Test
    void resuming_with_other_settings_is_refused() {
        train(folder.resolve("run"));
        train(folder.resolve("run"), "--resume", "--lr", "0.5").assertFails(2, "another recipe", "--out");
    }

    private static String hash(Cli run) {
        return (String) run.lastEvent().get("weights_sha256");
    }

    private static String[] append(String[] args, String... more) {
        String[] all = java.util.Arrays.copyOf(args, args.length + more.length);
        System.arraycopy(more, 0, all, args.length, more.length);
        return all;
    }
}
