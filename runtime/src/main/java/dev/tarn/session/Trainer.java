package dev.tarn.session;

import dev.tarn.data.Batch;
import dev.tarn.data.DataLoader;
import dev.tarn.data.Dataset;
import dev.tarn.io.RunFolder;
import dev.tarn.memory.MemoryPlan;
import dev.tarn.nn.Layer;
import dev.tarn.nn.init.Initialization;
import dev.tarn.nn.init.Initialization.Rescaling;
import dev.tarn.optim.LearningRate;
import dev.tarn.optim.Plateau;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.ShapeException;
import dev.tarn.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/**
 * Trains a classifier over epochs and keeps the best weights and the last state in a run folder. After each epoch it is
 * validated and its state is written, and within epochs as often as {@link #checkpointedEvery} says; the best epoch is the first with the highest accuracy there. A run that was killed and resumed gives the
 * same bits as one that was not, at any number of threads; so does one that stopped early, up to where it stopped.
 *
 * <p>All memory is planned and checked against the budget before any of it is allocated, and no step allocates more.
 */
public final class Trainer {
    /** Whether a run begins or goes on from the folder's last checkpoint; without one it begins. */
    public enum Start {
        FRESH,
        RESUME
    }

    /**
     * What a run came to.
     *
     * @param bestEpoch counted from 1
     * @param plan all memory of the run: model, sessions and loaders
     */
    public record Result(long bestEpoch, double bestAccuracy, MemoryPlan plan) {}

    private static final Duration FOREVER = Duration.ofNanos(Long.MAX_VALUE);

    private final Layer layer;
    private final ModelCard card;
    private final Recipe recipe;
    private final Initialization initialization;
    private final SessionOptions options;
    private Stopping stopping = Stopping.NEVER;
    private long checkpointSteps = Long.MAX_VALUE;
    private Duration checkpointTime = FOREVER;

    /** Begins with the values that the layers ask for. */
    public Trainer(Layer layer, ModelCard card, Recipe recipe, SessionOptions options) {
        this(layer, card, recipe, Initialization.OWN, options);
    }

    /**
     * @param initialization how a fresh run begins
     * @param options of both sessions; the budget is that of the whole run
     */
    public Trainer(Layer layer, ModelCard card, Recipe recipe, Initialization initialization, SessionOptions options) {
        this.layer = layer;
        this.card = card;
        this.recipe = recipe;
        this.initialization = initialization;
        this.options = options;
    }

    /** Ends runs before their last epoch; a run that is resumed should be given what it began with. Returns this trainer. */
    public Trainer stoppedBy(Stopping criterion) {
        stopping = criterion;
        return this;
    }

    /**
     * Also writes the state within epochs, after each step whose number is a multiple of this. Returns this trainer.
     *
     * @throws IllegalArgumentException if there is not one step between
     */
    public Trainer checkpointedEvery(long steps) {
        if (steps < 1) {
            throw new IllegalArgumentException(
                    "there is at least one step from a checkpoint to the next, not " + steps);
        }
        checkpointSteps = steps;
        return this;
    }

    /**
     * Also writes the state within epochs, with the first step after so much time. Returns this trainer.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    public Trainer checkpointedEvery(Duration time) {
        if (!time.isPositive()) {
            throw new IllegalArgumentException("there is some time from a checkpoint to the next, not " + time);
        }
        checkpointTime = time;
        return this;
    }

    private Shape batchShape(Dataset data) {
        Shape image = card.image();
        if (!data.imageShape().equals(image) || data.classNames().size() != card.classes()) {
            throw new ShapeException(
                    "data",
                    "%s in %d classes".formatted(image, card.classes()),
                    "%s in %d classes"
                            .formatted(data.imageShape(), data.classNames().size()),
                    "training and validation data are what the model was made for");
        }
        return Shape.of(Math.min(recipe.microBatch(), data.size()), image.size(0), image.size(1), image.size(2));
    }

    private DataLoader trainLoader(Dataset train) {
        return DataLoader.of(train, recipe.batchSize())
                .readers(options.threads())
                .preprocessed(card.preprocessing())
                .augmented(recipe.augmentation())
                .sampled(recipe.sampling(), recipe.seed());
    }

    private DataLoader valLoader(Dataset validation) {
        return DataLoader.of(validation, recipe.microBatch())
                .readers(options.threads())
                .preprocessed(card.preprocessing());
    }

    /** All off-heap memory that a run takes, beside the data sets themselves; allocates nothing. */
    public MemoryPlan plan(Dataset train, Dataset validation) {
        return plan(train, otherPlans(train, validation));
    }

    private MemoryPlan plan(Dataset train, List<MemoryPlan> others) {
        return MemoryPlan.together(Stream.concat(others.stream(), Stream.of(trainingPlan(train, others)))
                .toList());
    }

    /** Of all but the training session. */
    private List<MemoryPlan> otherPlans(Dataset train, Dataset validation) {
        var table = new ParameterTable(layer, DType.F32);
        var inference = new InferencePlan(layer, table, recipe.seed(), batchShape(validation), options);
        try (var trainLoader = trainLoader(train);
                var valLoader = valLoader(validation)) {
            return List.of(table.plan(), inference.planner.plan(), trainLoader.memory(), valLoader.memory());
        }
    }

    private MemoryPlan trainingPlan(Dataset train, List<MemoryPlan> others) {
        var table = new ParameterTable(layer, DType.F32);
        return new TrainingPlan(
                        layer, table, recipe.seed(), batchShape(train), recipe.loss(), recipe.optimizer(), rest(others))
                .planner.plan();
    }

    /** The options of the training session, which has what others leave of the budget. */
    private SessionOptions rest(List<MemoryPlan> others) {
        return options.withBudgetLessBy(
                others.stream().mapToLong(MemoryPlan::byteSize).sum());
    }

    /**
     * Trains to the end, or until the stopping criterion is due.
     *
     * @throws IOException if the folder cannot be written, with its last checkpoint untouched, or holds one that does not belong to
     *     the run
     * @throws dev.tarn.memory.MemoryBudgetException if the plan is over the budget
     * @throws DivergenceException if the loss stops being finite; it names the step, the layer where that began and the images
     * @throws dev.tarn.data.DataException if images cannot be read; it names the step
     */
    public Result run(Dataset train, Dataset validation, RunFolder folder, Start start, TrainingListener listener)
            throws IOException {
        List<MemoryPlan> others = otherPlans(train, validation);
        MemoryPlan plan = plan(train, others).requireWithin(options.memoryBudget());
        requireRoom(folder);
        SessionOptions unlimited = options.withMemoryBudget(Long.MAX_VALUE);
        SessionOptions rest = rest(others);
        boolean resumes = start == Start.RESUME && Files.exists(folder.last());
        try (var trainLoader = trainLoader(train);
                var model = create(resumes, trainLoader, unlimited);
                var training = model.training(batchShape(train), recipe.loss(), recipe.optimizer(), rest);
                var inference = model.inference(batchShape(validation), unlimited);
                var valLoader = valLoader(validation)) {
            long batches = trainLoader.batches();
            Plateau plateau = recipe.schedule().plateau();
            LearningRate planned = recipe.schedule().over(recipe.epochs(), batches, recipe.rate());
            var progress = resumes ? RunProgress.of(folder.last(), training.resume(folder.last())) : RunProgress.NONE;
            folder.truncateMetrics(progress.validations().size());
            if (!resumes) {
                listener.linted(lints(model, trainLoader));
            }
            double seconds = EpochResult.elapsedSeconds(folder.metrics())
                    + progress.sums().seconds();
            var clock = new RunClock(training, trainLoader, stopping, seconds);
            var keeper = new RunKeeper(folder, model, card, training, checkpointSteps, checkpointTime);
            // An epoch that is under way is validated before the run ends.
            boolean over = resumes && progress.epoch() == null && clock.isOver(progress.validations());
            for (long epoch = progress.epochAt(training.step(), batches); epoch < recipe.epochs() && !over; epoch++) {
                listener.epochStarted(epoch + 1, recipe.epochs(), batches);
                LearningRate rate = plateau == null ? planned : plateau.of(planned, progress.stateOf(plateau));
                var pass =
                        new TrainingPass(training, rate, recipe.microBatch(), epoch, progress.sums(), clock, listener);
                over = pass.run(train, trainLoader, progress, keeper);
                EpochSums trained = pass.sums();
                progress = progress.with(validate(epoch, inference, valLoader));
                over |= clock.isOver(progress.validations());
                EpochResult result = pass.result(trained, progress.validations().getLast());
                keeper.afterEpoch(progress, result);
                listener.epochDone(result);
            }
            Validation best = progress.best();
            return new Result(best.epoch(), best.accuracy(), plan);
        }
    }

    private static Validation validate(long epoch, InferenceSession inference, DataLoader loader) {
        Evaluation evaluation = Evaluation.of(inference, loader);
        if (!Double.isFinite(evaluation.loss())) {
            throw DivergenceException.ofLoss(evaluation.loss(), " of the validation data after epoch " + (epoch + 1));
        }
        return new Validation(epoch + 1, evaluation.loss(), evaluation.accuracy());
    }

    /** Before the sessions, whose memory is more than what the first batch needs here. */
    private Model create(boolean resumes, DataLoader trainLoader, SessionOptions unlimited) {
        Model model = Model.create(layer, recipe.seed(), initialization);
        boolean done = resumes || initialization.rescaling() == Rescaling.NONE;
        try {
            if (!done) {
                Batch first = trainLoader.epoch(0).iterator().next();
                Lsuv.rescale(model, first.parts(recipe.microBatch()).getFirst(), unlimited);
                done = true;
            }
        } finally {
            if (!done) {
                model.close();
            }
        }
        return model;
    }

    /** Of the network, its first values and its first batch. */
    private List<Lint> lints(Model model, DataLoader trainLoader) {
        Batch first = trainLoader.epoch(0).iterator().next();
        return Stream.of(Lints.of(layer, first.images().shape()), Lints.of(model), Lints.of(first))
                .flatMap(List::stream)
                .toList();
    }

    /**
     * Judges weights of such a model by data that had no part in training; for a run that is over, within the run's memory.
     *
     * @param weights such as a run's best
     */
    public Evaluation evaluate(Path weights, Dataset data) throws IOException {
        try (var model = Model.load(layer, weights);
                var inference = model.inference(batchShape(data), options);
                var loader = valLoader(data)) {
            return Evaluation.of(inference, loader);
        }
    }

    /** Both files, and the new one beside the old one while it replaces it. */
    private void requireRoom(RunFolder folder) throws IOException {
        var table = new ParameterTable(layer, DType.F32);
        long weights = table.byteSize();
        long statistics =
                card.toTensors().values().stream().mapToLong(Tensor::byteSize).sum();
        long checkpoint = weights + recipe.optimizer().state().size() * table.trainableByteSize();
        long needed = weights + statistics + 2 * checkpoint;
        long free = Files.getFileStore(folder.path()).getUsableSpace();
        if (free < needed) {
            throw new IllegalArgumentException(
                    "%s: the disk has room for %,d bytes and the run's files take %,d; free some space or choose another --out"
                            .formatted(folder.path(), free, needed));
        }
    }
}
