package dev.tarn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.session.GradientCheck;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class GradCheckCommandTest {
    @Test
    void k1_gradcheck_reports_every_parameter_and_the_worst() {
        Cli run = Cli.run("gradcheck", "--model", "lenet5", "--batch", "2", "--json");
        assertEquals(0, run.code(), run.err());
        List<Map<String, Object>> events = run.events();
        assertEquals(11, events.size()); // five weights, five biases, and the sum
        double worst = 0;
        for (Map<String, Object> parameter : events.subList(0, 10)) {
            assertEquals(List.of("event", "name", "error"), List.copyOf(parameter.keySet()));
            worst = Math.max(worst, (double) parameter.get("error"));
        }
        Map<String, Object> sum = run.lastEvent();
        assertEquals(
                List.of("event", "model", "input_shape", "samples", "skipped", "worst", "worst_error", "bound"),
                List.copyOf(sum.keySet()));
        assertEquals(List.of(2L, 1L, 28L, 28L), sum.get("input_shape"));
        assertEquals(worst, sum.get("worst_error"));
        assertTrue(worst < 1e-4, sum.toString());
    }

    @Test
    void k1_a_network_with_batch_normalisation_passes() {
        Cli run = Cli.run("gradcheck", "--model", "resnet20", "--input", "3x8x8");
        assertEquals(0, run.code(), run.err());
        assertTrue(run.out().contains("worst: "), run.out());
    }

    @Test
    void what_cannot_be_is_one_sentence() {
        Cli.run("gradcheck", "--model", "lenet6").assertFails(2, "lenet6", "lenet5");
        Cli.run("gradcheck", "--model", "lenet5", "--samples", "0").assertFails(2, "--samples");
        Cli.run("gradcheck", "--model", "vgg11", "--input", "3x8x8").assertFails(2, "rows");
    }

    @Test
    void k1_a_gradient_outside_the_bound_is_a_failure_at_work() {
        var wrong = new GradientCheck.Report(Map.of("conv1.weight", 0.01, "conv1.bias", 1e-9), 2, 0);
        var e = assertThrows(FailedCheckException.class, () -> GradCheckCommand.requireWithinBound(wrong));
        assertEquals("the gradient of conv1.weight is off by 0.010, more than 1e-04", e.getMessage());
        var streams = new Streams(System.out, System.err, Progress.Style.LINES);
        var command = new CommandLine(new GradCheckCommand(streams), new CommandFactory(streams));
        assertEquals(1, Failure.report(e, command, System.err));
        assertThrows(
                FailedCheckException.class,
                () -> GradCheckCommand.requireWithinBound(new GradientCheck.Report(Map.of("w", 0.0), 3, 3)));
    }
}
