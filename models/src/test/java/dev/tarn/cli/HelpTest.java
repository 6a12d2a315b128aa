package dev.tarn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Model.OptionSpec;

class HelpTest {
    private static final List<String> HEADINGS =
            List.of(SetupOptions.HEADING, RecipeOptions.HEADING, ValidationOptions.HEADING);
    private static final Set<String> OF_EVERY_COMMAND = Set.of("--help", "--version", "--json", "--stacktrace");

    @Test
    void t11_options_of_training_stand_under_set_up_dynamics_and_evaluation() {
        CommandLine train = new CommandLine(
                        new Main(), new CommandFactory(new Streams(System.out, System.err, Progress.Style.LINES)))
                .getSubcommands()
                .get("train");
        assertNotNull(train);
        List<OptionSpec> options = new ArrayList<>(train.getCommandSpec().options());
        options.removeIf(option -> OF_EVERY_COMMAND.contains(option.longestName()));
        assertTrue(options.size() > 30, "there are " + options.size());
        for (OptionSpec option : options) {
            ArgGroupSpec group = option.group();
            while (group != null && group.parentGroup() != null) {
                group = group.parentGroup();
            }
            assertNotNull(group, option.longestName());
            assertTrue(HEADINGS.contains(group.heading()), option.longestName());
        }
        String text = Cli.run("train", "--help").out();
        List<Integer> places =
                HEADINGS.stream().map(h -> text.indexOf(h.replace("%n", ""))).toList();
        assertEquals(places.stream().sorted().toList(), places);
        assertTrue(places.getFirst() > 0, text);
        assertTrue(text.indexOf("--preprocess=") < places.get(1), text); // the synopsis comes first
        assertTrue(text.lastIndexOf("--sampling=") > places.get(1), text);
        assertTrue(text.lastIndexOf("--patience=") > places.get(2), text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"train", "probe"})
    void what_must_be_said_is_asked_for(String command) {
        Cli.run(command, "--data", "digits:100").assertFails(2, "--model NAME is missing");
        Cli.run(command, "--model", "lenet5").assertFails(2, "--data URI is missing");
    }
}
