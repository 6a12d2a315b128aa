package dev.tarn.cli;

import dev.tarn.io.RunFolder;
import dev.tarn.kernel.Machine;
import dev.tarn.memory.MemoryAccount;
import dev.tarn.session.DivergenceException;
import dev.tarn.session.EpochResult;
import dev.tarn.session.Evaluation;
import dev.tarn.session.Lint;
import dev.tarn.session.Lints;
import dev.tarn.session.Trainer;
import dev.tarn.session.TrainingListener;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryType;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** Says how a training run goes: to people as it happens, to programs as JSON. */
final class TrainReport implements TrainingListener {
    private final Subcommand command;
    private final Progress progress;
    private final RunFolder folder;
    private final Warnings warnings;
    private final long planned;
    private long epochs;
    private long stepsBefore;
    private double passes;
    private @Nullable EpochResult last;

    /** @param planned bytes that the run takes off the heap */
    TrainReport(Subcommand command, Progress progress, RunFolder folder, Warnings warnings, long planned) {
        this.command = command;
        this.progress = progress;
        this.folder = folder;
        this.warnings = warnings;
        this.planned = planned;
        progress.noting(this::memory);
    }

    /** What is held of what was planned, and what the process takes in all. */
    private String memory() {
        OptionalLong resident = Machine.residentBytes();
        return String.format(Locale.ROOT, ", %.1f of %.1f MB", MemoryAccount.current() / 1e6, planned / 1e6)
                + (resident.isPresent() ? String.format(Locale.ROOT, ", RSS %.0f MB", resident.getAsLong() / 1e6) : "");
    }

    Trainer.Result run(Trainer trainer, DataOptions.Data data, Trainer.Start start) throws IOException {
        try {
            Trainer.Result result = trainer.run(data.train(), data.validation(), folder, start, this);
            if (last != null) {
                warnings.print(Lints.ofGap(last.trainAccuracy(), last.valAccuracy()), command.errors());
            }
            report(result, data.test() == null ? null : trainer.evaluate(folder.best(), data.test()));
            return result;
        } catch (DivergenceException e) {
            command.emit(diverged(e));
            throw e;
        } finally {
            progress.clear();
        }
    }

    private static Map<String, Object> diverged(DivergenceException e) {
        Map<String, Object> event = new LinkedHashMap<>();
        event.put("event", "diverged");
        event.put("step", e.step());
        event.put("layer", e.layer());
        event.put("samples", Arrays.stream(e.samples()).boxed().toList());
        return event;
    }

    @Override
    public void linted(List<Lint> lints) {
        warnings.print(lints, command.errors());
    }

    @Override
    public void epochStarted(long epoch, long count, long steps) {
        epochs = count;
        stepsBefore = (epoch - 1) * steps;
        progress.start("epoch %d/%d".formatted(epoch, count), steps);
    }

    @Override
    public void stepDone(long step, double passesDone, double loss, double learningRate, double gradientNorm) {
        passes = passesDone;
        progress.update(step - stepsBefore, loss);
    }

    @Override
    public void epochDone(EpochResult result) {
        last = result;
        progress.clear();
        command.text()
                .printf(
                        Locale.ROOT,
                        "epoch %d/%d  train loss %.4f accuracy %.4f  val loss %.4f accuracy %.4f  %,.0f images/s  %.1f"
                                + " s%n",
                        result.epoch(),
                        epochs,
                        result.trainLoss(),
                        result.trainAccuracy(),
                        result.valLoss(),
                        result.valAccuracy(),
                        result.imagesPerSecond(),
                        result.seconds());
        Map<String, @Nullable Object> event = new LinkedHashMap<>(result.toJson());
        OptionalLong resident = Machine.residentBytes();
        event.put("plan_bytes", planned);
        event.put("offheap_bytes", MemoryAccount.current());
        event.put("resident_bytes", resident.isPresent() ? resident.getAsLong() : null);
        command.emit(event);
    }

    private void report(Trainer.Result result, @Nullable Evaluation test) throws IOException {
        String sha256 = Sha256.of(folder.best());
        if (passes < epochs) {
            command.text().printf(Locale.ROOT, "stopped early, after %.2f of %d epochs%n", passes, epochs);
        }
        command.text()
                .printf(
                        Locale.ROOT,
                        "best: epoch %d, validation accuracy %.4f%nweights: %s (sha256 %s)%nmemory: %,d bytes planned,"
                                + " peak %,d off-heap, peak %,d on the heap%n",
                        result.bestEpoch(),
                        result.bestAccuracy(),
                        folder.best(),
                        sha256,
                        result.plan().byteSize(),
                        MemoryAccount.peak(),
                        peakHeap());
        if (test != null) {
            command.text()
                    .printf(
                            Locale.ROOT,
                            "test: %,d of %,d right: accuracy %.4f, loss %.4f%n",
                            test.correct(),
                            test.examples(),
                            test.accuracy(),
                            test.loss());
        }
        Map<String, Object> done = new LinkedHashMap<>();
        done.put("event", "done");
        done.put("best_epoch", result.bestEpoch());
        done.put("best_val_accuracy", result.bestAccuracy());
        done.put("weights", folder.best().toString());
        done.put("plan_bytes", result.plan().byteSize());
        done.put("peak_offheap_bytes", MemoryAccount.peak());
        done.put("peak_heap_bytes", peakHeap());
        done.put("weights_sha256", sha256);
        if (test != null) {
            done.put("test_loss", test.loss());
            done.put("test_accuracy", test.accuracy());
        }
        command.emit(done);
    }

    /** The most that the heap's parts held, each at its own worst moment: an upper bound of what the heap held at once. */
    private static long peakHeap() {
        return ManagementFactory.getMemoryPoolMXBeans().stream()
                .filter(pool -> pool.getType() == MemoryType.HEAP)
                .mapToLong(pool -> pool.getPeakUsage().getUsed())
                .sum();
    }
}
