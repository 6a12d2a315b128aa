package dev.tarn.lab;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.data.Augmentation;
import dev.tarn.data.Dataset;
import dev.tarn.data.Digits;
import dev.tarn.data.Normalization;
import dev.tarn.data.Split;
import dev.tarn.graph.Initializer;
import dev.tarn.lab.Probe.Outcome;
import dev.tarn.nn.Bias;
import dev.tarn.nn.Flatten;
import dev.tarn.nn.Linear;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.init.He;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.optim.Adam;
import dev.tarn.optim.Optimizer;
import dev.tarn.optim.SGD;
import dev.tarn.optim.Schedule;
import dev.tarn.session.ModelCard;
import dev.tarn.session.Recipe;
import dev.tarn.session.SessionOptions;
import dev.tarn.session.Trainer;
import dev.tarn.tensor.Shape;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProbeTest {
    private static final int BATCH = 10;
    private static final int STEPS = 60; // over the end of an epoch of 50
    private static final Dataset TRAIN = Digits.generate(500, 1, Split.TRAIN);
    private static final Dataset VALIDATION = Digits.generate(200, 1, Split.TEST);

    private final List<double[]> starts = new ArrayList<>();
    private final List<Long> reads = Collections.synchronizedList(new ArrayList<>());

    /** Notes what weights begin as. */
    private final Initializer recording = (tensor, fan, rng) -> {
        He.normal().initialize(tensor, fan, rng);
        starts.add(tensor.toDoubleArray());
    };

    /** Notes which images are read. */
    private final Dataset watched = new Dataset() {
        @Override
        public long size() {
            return TRAIN.size();
        }

        @Override
        public Shape imageShape() {
            return TRAIN.imageShape();
        }

        @Override
        public List<String> classNames() {
            return TRAIN.classNames();
        }

        @Override
        public int label(long index) {
            return TRAIN.label(index);
        }

        @Override
        public void read(long index, MemorySegment target) {
            reads.add(index);
            TRAIN.read(index, target);
        }
    };

    private Trainer trainer(Recipe recipe) {
        var card = new ModelCard("linear", TRAIN.imageShape(), Normalization.measure(TRAIN), TRAIN.classNames());
        var net = new Sequential(new Flatten(), new Linear(28 * 28, 10, Bias.LEARNED, recording));
        return new Trainer(net, card, recipe, SessionOptions.DEFAULT);
    }

    private Outcome probe(String name, Optimizer optimizer, double rate) throws IOException {
        var recipe =
                new Recipe(3, BATCH, optimizer, Schedule.CONSTANT, rate, new CrossEntropyLoss(), Augmentation.NONE, 7);
        return Probe.run(name, recipe, this::trainer, STEPS, watched, VALIDATION);
    }

    @Test
    void r6_each_candidate_starts_from_bitwise_equal_parameters_and_data_order() throws IOException {
        List<List<Long>> orders = new ArrayList<>();
        List<Outcome> outcomes = new ArrayList<>();
        for (double rate : new double[] {0.1, 0.01, 0.001}) {
            reads.clear();
            outcomes.add(probe("lr " + rate, new SGD(), rate));
            orders.add(order());
        }
        reads.clear();
        outcomes.add(probe("adam", new Adam(), 0.001));
        orders.add(order());
        assertEquals(4, starts.size());
        for (int i = 1; i < 4; i++) {
            assertArrayEquals(starts.getFirst(), starts.get(i));
            assertEquals(orders.getFirst(), orders.get(i));
            assertEquals(
                    outcomes.getFirst().losses().getFirst(),
                    outcomes.get(i).losses().getFirst());
            assertNotEquals(outcomes.getFirst().losses(), outcomes.get(i).losses());
            assertEquals(STEPS, outcomes.get(i).losses().size());
            var validated = outcomes.get(i).validated();
            assertNotNull(validated);
            assertEquals(STEPS, validated.step());
        }
        assertEquals(
                outcomes.getFirst().losses(), probe("again", new SGD(), 0.1).losses());
    }

    /** The order of the first epoch. Its first batch is read twice, by what warns of it too, and the loader is ahead by some. */
    private List<Long> order() {
        synchronized (reads) {
            return List.copyOf(new LinkedHashSet<>(reads));
        }
    }

    @Test
    void r6_a_candidate_that_goes_astray_is_reported_so_and_the_best_is_one_that_does_not() throws IOException {
        Outcome astray = probe("far", new SGD(), 1e39);
        assertNull(astray.validated());
        assertTrue(astray.losses().size() < STEPS);
        Outcome slow = probe("slow", new SGD(), 1e-9);
        Outcome good = probe("good", new SGD(), 0.01);
        assertEquals(good, Probe.best(List.of(astray, slow, good)).orElseThrow());
        assertFalse(Probe.best(List.of(astray)).isPresent());
        String svg = LossCurves.svg(List.of(astray, slow, good));
        assertTrue(svg.startsWith("<svg ") && svg.contains("far: not finite"), svg);
        assertEquals(3, svg.split("<polyline", -1).length - 1);
    }
}
