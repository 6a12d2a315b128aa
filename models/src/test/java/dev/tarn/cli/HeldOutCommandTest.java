package dev.tarn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Row E3 at the command: a part of the training images chooses, the test split judges. */
class HeldOutCommandTest {
    @TempDir
    Path folder;

    private Cli train(String name, String... more) {
        List<String> args = new java.util.ArrayList<>(List.of(
                "train",
                "--model",
                "lenet5",
                "--data",
                "digits:400",
                "--epochs",
                "2",
                "--out",
                folder.resolve(name).toString(),
                "--json"));
        args.addAll(List.of(more));
        return Cli.run(args.toArray(String[]::new));
    }

    @Test
    void e3_the_test_split_judges_what_the_held_out_images_chose() {
        Cli run = train("run", "--validation", "0.25");
        Map<String, Object> done = run.lastEvent();
        Map<String, Object> evaluated = Cli.run(
                        "eval", "--weights", (String) done.get("weights"), "--data", "digits:400", "--json")
                .lastEvent();
        assertEquals(evaluated.get("accuracy"), done.get("test_accuracy"));
        assertEquals(evaluated.get("loss"), done.get("test_loss"));
        // Binomial with n = 400 and p = 0.25: mean 300 stay, standard deviation 8.7; a step takes 64 of them.
        assertEquals(5L, run.events().getFirst().get("step"));
        Map<String, Object> without = train("without").lastEvent();
        assertFalse(without.containsKey("test_accuracy"));
    }

    @Test
    void e3_goes_on_with_the_same_images_and_no_others() {
        String hash = (String) train("run", "--validation", "0.25").lastEvent().get("weights_sha256");
        Cli again = train("run", "--validation", "0.25", "--resume");
        assertEquals(hash, again.lastEvent().get("weights_sha256"));
        train("run", "--validation", "0.3", "--resume").assertFails(2, "another train_data", "--out");
        train("wrong", "--validation", "1").assertFails(2, "(0, 1)");
    }
}
