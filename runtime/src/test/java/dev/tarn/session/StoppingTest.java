package dev.tarn.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.session.Stopping.Metric;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StoppingTest {
    /** The epoch after which a scripted series stops, or 0. */
    private static int stopsAfter(Stopping stopping, Metric metric, double... series) {
        List<Validation> validations = new ArrayList<>();
        for (double value : series) {
            int epoch = validations.size() + 1;
            validations.add(
                    metric == Metric.VAL_LOSS ? new Validation(epoch, value, 0.5) : new Validation(epoch, 1, value));
            if (stopping.isDue(10L * epoch, epoch, epoch, validations)) {
                return epoch;
            }
        }
        return 0;
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0, 4", // 0.6 is the first that is not above the best
        "1, 0, 7", // 0.7 makes progress in between, and then two do not
        "2, 0, 8",
        "3, 0, 0",
        "0, 0.09, 3", // 0.65 is not more than 0.09 above 0.6
        "1, 0.09, 4",
        "2, 0.09, 8", // 0.7 is more than that above 0.6, and nothing after it
        "8, 0.9, 0"
    })
    void e1_a_scripted_accuracy_stops_at_the_right_epoch(long patience, double minDelta, int epoch) {
        double[] accuracies = {0.5, 0.6, 0.65, 0.6, 0.7, 0.7, 0.69, 0.65};
        assertEquals(
                epoch,
                stopsAfter(
                        Stopping.patience(patience, minDelta, Metric.VAL_ACCURACY), Metric.VAL_ACCURACY, accuracies));
    }

    @Test
    void e1_patience_0_is_literal() {
        Stopping loss = Stopping.patience(0, 0, Metric.VAL_LOSS);
        assertEquals(0, stopsAfter(loss, Metric.VAL_LOSS, 3, 2, 1, 0.5, 0.25));
        assertEquals(3, stopsAfter(loss, Metric.VAL_LOSS, 3, 2, 2.001, 1));
        assertEquals(2, stopsAfter(loss, Metric.VAL_LOSS, 3, 3, 2));
    }

    @Test
    void e1_the_metric_is_the_one_that_was_chosen() {
        List<Validation> fallingAccuracy = List.of(new Validation(1, 2, 0.5), new Validation(2, 1, 0.4));
        assertTrue(Stopping.patience(0, 0, Metric.VAL_ACCURACY).isDue(2, 2, 1, fallingAccuracy));
        assertFalse(Stopping.patience(0, 0, Metric.VAL_LOSS).isDue(2, 2, 1, fallingAccuracy));
    }

    @Test
    void t3_criteria_by_step_and_time_compose() {
        Stopping steps = Stopping.afterSteps(17);
        Stopping time = Stopping.after(Duration.ofSeconds(90));
        assertFalse(steps.isDue(16, 1, 1e9, List.of()));
        assertTrue(steps.isDue(17, 1, 0, List.of()));
        assertFalse(time.isDue(1 << 30, 1, 89.9, List.of()));
        assertTrue(time.isDue(1, 1, 90, List.of()));
        assertTrue(steps.or(time).isDue(17, 1, 0, List.of()) && steps.or(time).isDue(1, 1, 90, List.of()));
        assertFalse(
                steps.and(time).isDue(17, 1, 0, List.of()) || steps.and(time).isDue(1, 1, 90, List.of()));
        assertTrue(steps.and(time).isDue(17, 1, 90, List.of()));
        assertFalse(Stopping.NEVER.or(Stopping.NEVER).isDue(1L << 60, 1e9, 1e9, List.of()));
    }

    @Test
    void criteria_that_are_none() {
        assertThrows(IllegalArgumentException.class, () -> Stopping.afterSteps(0));
        assertThrows(IllegalArgumentException.class, () -> Stopping.after(Duration.ZERO));
        assertThrows(IllegalArgumentException.class, () -> Stopping.patience(-1, 0, Metric.VAL_LOSS));
        assertThrows(IllegalArgumentException.class, () -> Stopping.patience(1, Double.NaN, Metric.VAL_LOSS));
    }
}
