package dev.tarn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tarn.io.Json;
import dev.tarn.kernel.KernelLevel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The JSON contract of eval, predict, summary, doctor and demo. */
class CommandsTest {
    @TempDir
    static Path folder;

    private static String weights = "";
    private static double accuracy;

    @BeforeAll
    static void train() {
        Cli run = Cli.run(
                "train",
                "--model",
                "lenet5",
                "--data",
                "digits:600",
                "--epochs",
                "2",
                "--out",
                folder.resolve("run").toString(),
                "--json");
        weights = (String) run.lastEvent().get("weights");
        accuracy = (double) run.lastEvent().get("best_val_accuracy");
    }

    @Test
    void eval_finds_the_accuracy_that_training_reported() {
        Map<String, Object> event = Cli.run(
                        "eval", "--weights", weights, "--data", "digits:600", "--batch", "7", "--json")
                .lastEvent();
        assertEquals(
                List.of("event", "examples", "accuracy", "loss", "images_per_second", "confusion"),
                List.copyOf(event.keySet()));
        assertEquals(1000L, event.get("examples"));
        assertEquals(accuracy, event.get("accuracy"));
    }

    @Test
    void eval_prints_a_confusion_matrix_to_people() {
        Cli run = Cli.run("eval", "--weights", weights, "--data", "digits:600");
        assertTrue(run.out().contains("1,000 right: accuracy"), run.out());
        assertEquals(12, run.out().lines().count());
    }

    @Test
    void predict_lists_the_most_probable_classes() {
        Cli run = Cli.run("predict", "--weights", weights, "--input", "digits:600", "digits:601", "--top", "3");
        List<Map<String, Object>> predictions = run.events();
        assertEquals(2000, predictions.size());
        Map<String, Object> last = run.lastEvent();
        assertEquals(List.of("input", "index", "top"), List.copyOf(last.keySet()));
        assertEquals("digits:601", last.get("input"));
        assertEquals(999L, last.get("index"));
        List<?> top = (List<?>) last.get("top");
        assertEquals(3, top.size());
        double before = 1;
        for (Object entry : top) {
            Map<?, ?> fields = (Map<?, ?>) entry;
            assertEquals(List.of("class", "name", "probability"), List.copyOf(fields.keySet()));
            assertEquals(fields.get("class").toString(), fields.get("name"));
            assertTrue((double) fields.get("probability") <= before);
            before = (double) fields.get("probability");
        }
    }

    @Test
    void predict_gives_the_same_bits_in_any_batch() {
        String alone = Cli.run("predict", "--weights", weights, "--input", "digits:600", "--batch", "1")
                .out();
        assertEquals(
                alone,
                Cli.run("predict", "--weights", weights, "--input", "digits:600", "--batch", "97")
                        .out());
    }

    @Test
    void predict_writes_a_file_that_equals_its_output() throws IOException {
        Path file = folder.resolve("predictions.jsonl");
        Cli run = Cli.run("predict", "--weights", weights, "--input", "digits:600", "--output", file.toString());
        assertEquals(0, run.code(), run.err());
        assertEquals("", run.out());
        assertEquals(
                Cli.run("predict", "--weights", weights, "--input", "digits:600")
                        .out(),
                Files.readString(file));
    }

    /** LeNet-5 draws nothing: mean and spread of any number of passes are those of one. */
    @Test
    void g11_passes_tell_mean_and_spread() {
        List<Map<String, Object>> plain = Cli.run("predict", "--weights", weights, "--input", "digits:600")
                .events();
        List<Map<String, Object>> passes = Cli.run(
                        "predict", "--weights", weights, "--input", "digits:600", "--mc-passes", "3")
                .events();
        assertEquals(plain.size(), passes.size());
        Map<?, ?> first = (Map<?, ?>) ((List<?>) passes.getFirst().get("top")).getFirst();
        assertEquals(List.of("class", "name", "probability", "spread"), List.copyOf(first.keySet()));
        for (int i = 0; i < plain.size(); i++) {
            Map<?, ?> one = (Map<?, ?>) ((List<?>) plain.get(i).get("top")).getFirst();
            Map<?, ?> many = (Map<?, ?>) ((List<?>) passes.get(i).get("top")).getFirst();
            assertEquals(one.get("class"), many.get("class"));
            assertEquals(one.get("probability"), many.get("probability"));
            assertEquals(0, ((Number) many.get("spread")).doubleValue());
        }
        Cli.run("predict", "--weights", weights, "--input", "digits:600", "--mc-passes", "-1")
                .assertFails(2, "--mc-passes");
        Cli.run("predict", "--weights", weights, "--input", "digits:600", "--mc-passes", "3", "--precision", "bf16")
                .assertFails(2, "f32");
    }

    @Test
    void weights_that_say_who_they_are_are_not_contradicted() {
        Cli.run("eval", "--weights", weights, "--data", "digits:600", "--model", "resnet20")
                .assertFails(2, "lenet5", "leave out --model");
        Cli.run("eval", "--weights", weights, "--data", "digits:600", "--mean", "0.5", "--std", "0.5")
                .assertFails(2, "leave out --mean");
    }

    @Test
    void data_of_another_shape_are_refused() throws IOException {
        Cli.run("eval", "--weights", weights, "--data", CifarLike.write(folder)).assertFails(2, "3x32x32", "1x28x28");
    }

    @Test
    void resnet20_scores_exactly_what_its_authors_state() {
        // Its logits of the first 1,000 images are compared at every level.
        assumeTrue(!KernelLevel.label().equals("ref"), "10,000 images take minutes in plain loops");
        Path file = Cli.requireData("models/resnet20-cifar10/resnet20.safetensors");
        Path data = Cli.requireData("cifar10");
        Map<String, Object> event = Cli.run(
                        "eval",
                        "--weights",
                        file.toString(),
                        "--data",
                        "cifar10:" + data,
                        "--model",
                        "resnet20",
                        "--mean",
                        "0.485,0.456,0.406",
                        "--std",
                        "0.229,0.224,0.225",
                        "--json")
                .lastEvent();
        assertEquals(10_000L, event.get("examples"));
        assertEquals(0.9173, event.get("accuracy"));
    }

    @Test
    void plan_says_what_a_budget_costs(@TempDir Path folder) throws Exception {
        Path chart = folder.resolve("budgets.svg");
        Cli run = Cli.run(
                "plan", "--model", "resnet20", "--batch", "16", "--budgets", "--chart", chart.toString(), "--json");
        Map<String, Object> whole = run.events().getFirst();
        assertEquals(1.0, whole.get("share_of_whole"));
        assertEquals(0L, whole.get("repeated_flops"));
        List<Map<String, Object>> costs = run.events().subList(1, run.events().size());
        assertEquals(whole.get("plan_bytes"), costs.getFirst().get("plan_bytes"));
        long least = (long) run.lastEvent().get("plan_bytes");
        assertTrue(least < (long) whole.get("plan_bytes") / 3, least + " of " + whole);
        assertTrue(Files.readString(chart).contains("<polyline"));
        planWithin(least - 1).assertFails(2, "at least %,d bytes".formatted(least));
        assertEquals(least, planWithin(least).lastEvent().get("plan_bytes"));
    }

    private static Cli planWithin(long bytes) {
        return Cli.run("plan", "--model", "resnet20", "--batch", "16", "--memory", Long.toString(bytes), "--json");
    }

    @Test
    void summary_adds_up() {
        Cli run = Cli.run("summary", "--model", "resnet18", "--batch", "4", "--mode", "training", "--json");
        List<Map<String, Object>> events = run.events();
        Map<String, Object> total = run.lastEvent();
        assertEquals(
                List.of(
                        "event",
                        "model",
                        "mode",
                        "batch",
                        "parameters",
                        "forward_flops",
                        "flops",
                        "plan_bytes",
                        "family_bytes"),
                List.copyOf(total.keySet()));
        long parameters = 0;
        long flops = 0;
        for (Map<String, Object> layer : events.subList(0, events.size() - 1)) {
            assertEquals(
                    List.of("event", "name", "type", "output_shape", "parameters", "flops"),
                    List.copyOf(layer.keySet()));
            parameters += (long) layer.get("parameters");
            flops += (long) layer.get("flops");
        }
        assertEquals(11_173_962L, parameters);
        assertEquals(parameters, total.get("parameters"));
        assertEquals(flops, total.get("forward_flops"));
        // 3x3 kernel, 3 to 64 channels, 32 x 32 pixels, 4 images; a multiplication and an addition each.
        assertEquals(2L * 9 * 3 * 64 * 32 * 32 * 4, events.getFirst().get("flops"));
        assertEquals(List.of(4L, 64L, 32L, 32L), events.getFirst().get("output_shape"));
        Map<?, ?> families = (Map<?, ?>) total.get("family_bytes");
        assertTrue((long) families.get("parameters") >= 4 * parameters);
        assertTrue((long) total.get("plan_bytes") >= 3 * 4 * parameters); // weights, gradients, velocities
    }

    @Test
    void inference_plans_less_than_training() {
        long training = planBytes("training");
        assertTrue(planBytes("inference") < training);
    }

    private static long planBytes(String mode) {
        return (long) Cli.run("summary", "--model", "vgg11", "--batch", "16", "--mode", mode, "--json")
                .lastEvent()
                .get("plan_bytes");
    }

    @Test
    void doctor_states_facts() {
        Map<String, Object> facts =
                Cli.run("doctor", "--threads", "1", "--json").lastEvent();
        assertEquals("doctor", facts.get("event"));
        assertEquals(1L, facts.get("threads"));
        assertTrue(((List<?>) facts.get("kernel_levels")).contains(facts.get("kernel_level")));
        assertTrue((double) facts.get("peak_gflops_one_thread") > 0);
        assertTrue(facts.get("problems") instanceof List<?>);
    }

    @Test
    void demo_tells_the_whole_story() throws Exception {
        Cli run = Cli.fork(
                folder, List.of(), "demo", "--out", folder.resolve("demo").toString());
        assertEquals(0, run.code(), run.err());
        String last = run.out().lines().reduce("", (a, b) -> b);
        assertTrue(
                last.matches(
                        "demo: 9\\d\\.\\d % of 1,000 unseen digits in \\d+ s, peak off-heap ([\\d,]+) bytes = planned"
                                + " \\1 bytes"),
                last);
        assertTrue(Files.exists(folder.resolve("demo/best.safetensors")));
        Map<String, Object> settings = Json.read(Files.readString(folder.resolve("demo/run.json")));
        assertEquals("digits:12000", settings.get("data"));
    }
}
