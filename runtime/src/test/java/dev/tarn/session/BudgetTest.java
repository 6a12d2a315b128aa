package dev.tarn.session;

import static dev.tarn.Allocations.assertAllocatesNothing;
import static dev.tarn.graph.Window.window;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.data.Batch;
import dev.tarn.graph.Value;
import dev.tarn.graph.op.Activation;
import dev.tarn.memory.MemoryAccount;
import dev.tarn.memory.MemoryBudgetException;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.BatchNorm2d;
import dev.tarn.nn.Bias;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.DropConnect;
import dev.tarn.nn.Dropout;
import dev.tarn.nn.Flatten;
import dev.tarn.nn.FractionalMaxPool2d;
import dev.tarn.nn.GroupNorm;
import dev.tarn.nn.Layer;
import dev.tarn.nn.LayerNorm;
import dev.tarn.nn.Linear;
import dev.tarn.nn.MaxPool2d;
import dev.tarn.nn.Maxout;
import dev.tarn.nn.PReLU;
import dev.tarn.nn.ReLU;
import dev.tarn.nn.SELU;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.Sigmoid;
import dev.tarn.nn.StochasticPool2d;
import dev.tarn.nn.Swish;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.optim.Adam;
import dev.tarn.optim.SGD;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import java.io.UncheckedIOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BudgetTest {
    private static final Shape INPUT = Shape.of(8, 3, 12, 12);
    private static final int CLASSES = 5;

    private final OwnedMemory batchMemory = OwnedMemory.open("batch");
    private final Batch batch = Batches.labelled(batchMemory, DType.F32, INPUT, CLASSES, 1);

    @TempDir
    private Path folder;

    @AfterEach
    void close() {
        batchMemory.close();
    }

    /** Residual and dense connections, pooling, dropout, and activations that are fused, in place and neither. */
    private static final class Mixed extends Layer {
        private final Conv2d stem = child("stem", new Conv2d(3, 8, window(3).padding(1), Bias.NONE));
        private final BatchNorm2d norm = child("norm", new BatchNorm2d(8));
        private final List<Layer> convolutions = IntStream.range(0, 6)
                .<Layer>mapToObj(
                        i -> child("conv" + i, new Conv2d(8, 8, window(3).padding(1), Bias.NONE)))
                .toList();
        private final List<Layer> norms = IntStream.range(0, 6)
                .<Layer>mapToObj(i -> child("norm" + i, new BatchNorm2d(8)))
                .toList();
        private final Layer grow = child("grow", new Conv2d(16, 24, window(1)));
        private final Layer pool = child("pool", new MaxPool2d(2));
        private final Layer dropout = child("dropout", Dropout.keep(0.8));
        private final Layer fc = child("fc", new Linear(24 * 6 * 6, CLASSES));

        @Override
        public Value forward(Value images) {
            Value x = norm.forward(stem.forward(images)).relu();
            Value first = x;
            for (int i = 0; i < convolutions.size(); i++) {
                Value y = norms.get(i).forward(convolutions.get(i).forward(x));
                x = i % 2 == 0 ? y.add(x).relu() : y.activate(Activation.TANH);
            }
            x = grow.forward(x.concat(first)).relu();
            return fc.forward(dropout.forward(pool.forward(x)).flatten());
        }
    }

    private SessionOptions within(long budget) {
        return SessionOptions.DEFAULT.withMemoryBudget(budget).withSpillFolder(folder);
    }

    private static TrainingSession train(Model model, SessionOptions options) {
        return model.training(INPUT, new CrossEntropyLoss(), new SGD().momentum(0.9), options);
    }

    private static TrainingPlan plan(SessionOptions options) {
        var layer = new Mixed();
        return new TrainingPlan(
                layer,
                new ParameterTable(layer, DType.F32),
                4,
                INPUT,
                new CrossEntropyLoss(),
                new SGD().momentum(0.9),
                options);
    }

    private static void step(TrainingSession session, Batch batch) {
        session.forward(batch);
        session.backward();
        session.update(0.05);
    }

    /** Every other layer, most of which compute again; random ones must draw the same then. */
    private static Layer others() {
        return new Sequential(
                new Conv2d(3, 12, window(3).padding(1)),
                new GroupNorm(3, 12),
                new PReLU(12),
                new Conv2d(12, 12, window(3).padding(1)),
                new StochasticPool2d(window(3).padding(1)),
                Swish.learned(12),
                new Conv2d(12, 24, window(1)),
                new Maxout(2),
                new FractionalMaxPool2d(1.5),
                new Conv2d(12, 12, window(3).padding(1)),
                new LayerNorm(12),
                new SELU(),
                Dropout.keep(0.9).alpha(),
                new Flatten(),
                DropConnect.keep(0.8, 12 * 8 * 8, 30),
                new Sigmoid(),
                new Linear(30, CLASSES));
    }

    /** All weights and statistics after four steps, one of them on a smaller batch. */
    private byte[] trained(SessionOptions options) {
        return trained(new Mixed(), options);
    }

    private byte[] trained(Layer layer, SessionOptions options) {
        try (Model model = Model.create(layer, 4);
                TrainingSession session = train(model, options)) {
            assertTrue(session.memory().byteSize() <= options.memoryBudget());
            for (int examples : new int[] {8, 8, 3, 8}) {
                step(
                        session,
                        new Batch(
                                batch.images().prefix(examples), batch.labels().prefix(examples), batchMemory));
            }
            return model.flat().toArray(ValueLayout.JAVA_BYTE);
        }
    }

    private static long whole() {
        return plan(SessionOptions.DEFAULT).planner.plan().byteSize();
    }

    /** What a budget of nothing is told. */
    private long least() {
        try (Model model = Model.create(new Mixed(), 4)) {
            return assertThrows(MemoryBudgetException.class, () -> train(model, within(0)))
                    .needed();
        }
    }

    @Test
    void no_budget_changes_a_bit() {
        byte[] unlimited = trained(SessionOptions.DEFAULT);
        long least = least();
        long whole = whole();
        assertTrue(least < 0.5 * whole, least + " of " + whole);
        for (int i = 0; i <= 10; i++) {
            long budget = least + (whole - least) * i / 10;
            assertTrue(Arrays.equals(unlimited, trained(within(budget))), "budget " + budget);
        }
    }

    @Test
    void every_layer_computes_the_same_again() {
        byte[] unlimited = trained(others(), SessionOptions.DEFAULT);
        long whole;
        long least;
        try (Model model = Model.create(others(), 4)) {
            try (TrainingSession session = train(model, SessionOptions.DEFAULT)) {
                whole = session.memory().byteSize();
            }
            least = assertThrows(MemoryBudgetException.class, () -> train(model, within(0)))
                    .needed();
        }
        for (int i = 0; i <= 6; i++) {
            long budget = least + (whole - least) * i / 6;
            assertTrue(Arrays.equals(unlimited, trained(others(), within(budget))), "budget " + budget);
        }
    }

    @Test
    void values_are_computed_again_before_any_goes_to_a_file() {
        long whole = whole();
        TrainingPlan looser = plan(within(whole * 4 / 5));
        assertEquals(0, looser.program.spill().byteSize());
        assertTrue(
                looser.graph.nodes().size() > plan(within(whole)).graph.nodes().size());
        assertTrue(plan(within(least())).program.spill().byteSize() > 0);
    }

    @Test
    void a_plan_that_fits_computes_nothing_again() {
        TrainingPlan plan = plan(within(whole()));
        assertEquals(0, plan.program.repeatedFlops());
        assertEquals(0, plan.program.spill().byteSize());
    }

    @Test
    void one_byte_less_than_the_least_is_refused_before_anything_is_allocated() {
        long least = least();
        try (Model model = Model.create(new Mixed(), 4)) {
            long before = MemoryAccount.allocated();
            var e = assertThrows(MemoryBudgetException.class, () -> train(model, within(least - 1)));
            assertEquals(before, MemoryAccount.allocated());
            assertTrue(e.getMessage().contains("at least %,d bytes".formatted(least)), e.getMessage());
            train(model, within(least)).close();
        }
    }

    @Test
    void steps_that_spill_allocate_nothing_and_leave_no_file() throws Exception {
        try (Model model = Model.create(new Mixed(), 4);
                TrainingSession session = train(model, within(least()))) {
            assertAllocatesNothing(() -> step(session, batch));
            try (var files = Files.list(folder)) {
                assertEquals(0, files.count());
            }
        }
    }

    /** Weights that outweigh everything else. */
    private static Layer wide() {
        return new Sequential(new Flatten(), new Linear(3 * 12 * 12, 4_000), new ReLU(), new Linear(4_000, CLASSES));
    }

    private TrainingSession wide(Model model, SessionOptions options) {
        return model.training(INPUT, new CrossEntropyLoss(), new Adam(), options);
    }

    @Test
    void optimizer_state_in_a_file_changes_no_bit_and_is_part_of_checkpoints() throws Exception {
        Path checkpoint = folder.resolve("last.ckpt");
        byte[] undisturbed;
        long whole;
        try (Model model = Model.create(wide(), 4);
                TrainingSession session = wide(model, SessionOptions.DEFAULT)) {
            whole = session.memory().byteSize();
            for (int i = 0; i < 5; i++) {
                step(session, batch);
            }
            undisturbed = model.flat().toArray(ValueLayout.JAVA_BYTE);
        }
        try (Model model = Model.create(wide(), 4)) {
            long least = assertThrows(MemoryBudgetException.class, () -> wide(model, within(0)))
                    .needed();
            long parameters = model.memory().byteSize();
            assertTrue(least < whole - 1.5 * parameters + 4 * UpdatePlan.WINDOW, least + " of " + whole);
            try (TrainingSession session = wide(model, within(least))) {
                step(session, batch);
                step(session, batch);
                session.checkpoint(checkpoint, Map.of());
            }
            try (TrainingSession session = wide(model, SessionOptions.DEFAULT)) {
                session.resume(checkpoint);
                step(session, batch);
                session.checkpoint(checkpoint, Map.of());
            }
            try (TrainingSession session = wide(model, within(least))) {
                session.resume(checkpoint);
                step(session, batch);
                step(session, batch);
            }
            assertTrue(Arrays.equals(undisturbed, model.flat().toArray(ValueLayout.JAVA_BYTE)));
        }
    }

    @Test
    void a_folder_that_cannot_be_written_is_an_error_that_leaves_nothing_behind() {
        long least = least();
        long before = MemoryAccount.current();
        try (Model model = Model.create(new Mixed(), 4)) {
            SessionOptions nowhere = within(least).withSpillFolder(folder.resolve("missing"));
            var e = assertThrows(UncheckedIOException.class, () -> train(model, nowhere));
            assertTrue(e.getMessage().contains("missing"), e.getMessage());
        }
        assertEquals(before, MemoryAccount.current());
    }

    @Test
    void a_forward_pass_may_follow_another_while_values_move() {
        try (Model model = Model.create(new Mixed(), 4);
                TrainingSession session = train(model, within(least()))) {
            double loss = session.forward(batch);
            // The running statistics of batch normalisation have moved; the batch's own, which training uses, have not.
            assertEquals(loss, plainLoss(model));
            session.forward(batch);
            step(session, batch);
        }
    }

    private double plainLoss(Model model) {
        try (TrainingSession session = train(model, SessionOptions.DEFAULT)) {
            return session.forward(batch);
        }
    }
}
