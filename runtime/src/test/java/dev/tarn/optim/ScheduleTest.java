package dev.tarn.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.Messages;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Learning rates over a run of 100 epochs of 7 steps. */
class ScheduleTest {
    private static final long EPOCHS = 100;
    private static final long BATCHES = 7;
    private static final double RATE = 0.3;

    private static LearningRate rate(String schedule) {
        return Schedule.parse(schedule).over(EPOCHS, BATCHES, RATE);
    }

    @Test
    void r1_step_decay_is_a_power_of_the_epochs_that_are_over() {
        LearningRate half = rate("step=20:0.5");
        LearningRate steps = rate("step=20:0.5,unit=step");
        for (long step = 0; step < EPOCHS * BATCHES; step++) {
            long epoch = step / BATCHES;
            assertEquals(RATE * StrictMath.pow(0.5, Math.floorDiv(epoch, 20L)), half.at(step));
            assertEquals(RATE * StrictMath.pow(0.5, Math.floorDiv(step, 20L)), steps.at(step));
        }
    }

    @Test
    void r1_step_decay_happens_at_the_epochs_of_a_list() {
        LearningRate list = rate("step=30/60/80:0.1");
        for (long step = 0; step < EPOCHS * BATCHES; step++) {
            long epoch = step / BATCHES;
            int cuts = epoch < 30 ? 0 : epoch < 60 ? 1 : epoch < 80 ? 2 : 3;
            assertEquals(RATE * StrictMath.pow(0.1, cuts), list.at(step));
        }
    }

    private static List<Integer> cuts(Plateau plateau, double... errors) {
        List<Integer> epochs = new ArrayList<>();
        Plateau.State state = Plateau.State.START;
        for (int epoch = 1; epoch <= errors.length; epoch++) {
            Plateau.State next = plateau.after(state, errors[epoch - 1]);
            if (next.cuts() > state.cuts()) {
                epochs.add(epoch);
            }
            state = next;
        }
        return epochs;
    }

    @Test
    void r2_plateau_cuts_at_the_expected_epochs() {
        double[] errors = {0.5, 0.4, 0.4, 0.45, 0.3, 0.3, 0.31, 0.32, 0.33, 0.2, 0.2, 0.2};
        assertEquals(List.of(3, 4, 6, 7, 8, 9, 11, 12), cuts(new Plateau(0.5, 0, 0, 0), errors));
        assertEquals(List.of(4, 7, 9, 12), cuts(new Plateau(0.5, 1, 0, 0), errors));
        assertEquals(List.of(8), cuts(new Plateau(0.5, 2, 0, 0), errors));
        assertEquals(List.of(3, 6, 9, 12), cuts(new Plateau(0.5, 0, 2, 0), errors));
        assertEquals(List.of(1), cuts(new Plateau(0.5, 0, 0, 0), Double.NaN));
    }

    @Test
    void r2_plateau_cuts_by_its_factor_down_to_the_smallest_rate() {
        Plateau plateau = new Plateau(0.5, 0, 0, 0.1);
        LearningRate constant = LearningRate.constant(RATE);
        double[] want = {0.3, 0.15, 0.1, 0.1};
        for (int cuts = 0; cuts < want.length; cuts++) {
            assertEquals(
                    want[cuts],
                    plateau.of(constant, new Plateau.State(0, 0, 0, cuts)).at(5));
        }
        assertEquals(
                0.01,
                plateau.of(LearningRate.constant(0.01), Plateau.State.START).at(5));
        assertEquals(plateau, Schedule.parse("plateau=0.5,patience=0,min=0.1").plateau());
        assertNull(Schedule.COSINE.plateau());
    }

    @Test
    void r3_exponential_decay_has_a_constant_ratio() {
        double k = 0.04;
        LearningRate epochs = rate("exponential=" + k);
        LearningRate steps = rate("exponential=%s,unit=step".formatted(k));
        assertEquals(RATE, epochs.at(BATCHES - 1));
        for (long t = 1; t < EPOCHS; t++) {
            double ratio = StrictMath.exp(-k * t);
            assertEquals(ratio, epochs.at(t * BATCHES) / epochs.at(0), 1e-15);
            assertEquals(ratio, steps.at(t + 5) / steps.at(5), 1e-15);
        }
    }

    @Test
    void r4_inverse_decay_grows_linearly_in_its_inverse() {
        double k = 0.04;
        LearningRate epochs = rate("inverse=" + k);
        LearningRate steps = rate("inverse=%s,unit=step".formatted(k));
        for (long t = 0; t < EPOCHS; t++) {
            assertEquals(k * t, RATE / epochs.at(t * BATCHES + 3) - 1, 1e-14);
            assertEquals(k * t, RATE / steps.at(t) - 1, 1e-14);
        }
    }

    @Test
    void r7_cosine_goes_down_to_zero_and_warm_up_grows_linearly() {
        LearningRate cosine = rate("cosine");
        LearningRate warm = rate("cosine,warmup=5");
        LearningRate warmBySteps = rate("cosine,warmup=5,unit=step");
        long steps = EPOCHS * BATCHES;
        for (long t = 0; t <= steps; t++) {
            double want = t == steps ? 0 : RATE * (1 + StrictMath.cos(StrictMath.PI * t / steps)) / 2;
            assertEquals(want, cosine.at(t));
            assertEquals(t < 5 * BATCHES ? want * (t + 1) / (5 * BATCHES) : want, warm.at(t));
            assertEquals(t < 5 ? want * (t + 1) / 5 : want, warmBySteps.at(t));
        }
        assertEquals(RATE / 2, cosine.at(steps / 2), 1e-15);
    }

    @Test
    void r7_schedules_follow_one_another() {
        LearningRate both = LearningRate.constant(1).then(10, LearningRate.step(0.5, 0.1, 5));
        assertEquals(1, both.at(9));
        assertEquals(0.5, both.at(10));
        assertEquals(0.05, both.at(15));
    }

    @Test
    void a_step_without_numbers_is_a_tenth_after_each_third() {
        LearningRate thirds = rate("STEP");
        assertEquals(RATE, thirds.at(233));
        assertEquals(RATE * 0.1, thirds.at(234));
        assertEquals(Schedule.STEP, Schedule.parse("step"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "linear",
                "cosine=3",
                "step=30",
                "step=30:0.1:2",
                "step=0:0.1",
                "step=30:1.5",
                "step=a:0.1",
                "exponential",
                "exponential=fast",
                "inverse=-1",
                "cosine,warmup=-1",
                "cosine,patience=3",
                "cosine,unit=hour",
                "warmup=5,cosine",
                "cosine,warmup=1,warmup=2",
                "plateau=2",
                "plateau,patience=x"
            })
    void what_is_no_schedule_is_refused(String text) {
        var e = assertThrows(IllegalArgumentException.class, () -> Schedule.parse(text));
        assertTrue(String.valueOf(e.getMessage()).length() > 20, e.getMessage());
    }

    @Test
    void an_error_says_what_may_be_there() {
        var e = assertThrows(IllegalArgumentException.class, () -> Schedule.parse("cosine,patience=3"));
        Messages.assertSays(IllegalArgumentException.class, e, "cosine,patience=3", "patience", "warmup");
    }
}
