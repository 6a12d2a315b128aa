package dev.tarn.bench;

import dev.tarn.data.Batch;
import dev.tarn.io.Json;
import dev.tarn.memory.MemoryAccount;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.models.ModelZoo;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.optim.Optimizer;
import dev.tarn.session.Model;
import dev.tarn.session.SessionOptions;
import dev.tarn.session.StepCost;
import dev.tarn.session.TrainingSession;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Layout;
import dev.tarn.tensor.Rng;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/** A few training steps within a budget, in a process whose resident memory is looked at meanwhile. */
final class BudgetWorker {
    private static final int STEPS = 5;
    private static final int WARM_UP_STEPS = 200;
    private static final long LOOK_EVERY_MILLIS = 200;
    private static final int LOOKS_AT_IDLE = 25;
    private static final double RATE = 1e-3;
    private static final String SMALL = "lenet5";

    private BudgetWorker() {}

    public static void main(String[] arguments) throws Exception {
        String model = arguments[0];
        int batch = Integer.parseInt(arguments[1]);
        SessionOptions options = SessionOptions.DEFAULT
                .withThreads(Integer.parseInt(arguments[3]))
                .withSpillFolder(Path.of(arguments[4]));
        // Whatever the virtual machine and OpenBLAS take for themselves is there before anything is measured.
        train(new Workload(SMALL, batch), WARM_UP_STEPS, options, Long.MAX_VALUE);
        long idle = idleBytes();
        Map<String, Object> result = train(new Workload(model, batch), STEPS, options, Long.parseLong(arguments[2]));
        result.put("idle_resident_bytes", idle);
        System.out.println(Json.line(result));
    }

    /** What is left when the compiler has given back what it worked in. */
    private static long idleBytes() throws InterruptedException {
        long least = Machine.residentBytes();
        for (int i = 0; i < LOOKS_AT_IDLE; i++) {
            Thread.sleep(LOOK_EVERY_MILLIS);
            least = Math.min(least, Machine.residentBytes());
        }
        return least;
    }

    private static Map<String, Object> train(Workload work, int steps, SessionOptions options, long budget)
            throws Exception {
        Optimizer optimizer = ModelZoo.find(work.model()).recipe().optimizer();
        var loss = new CrossEntropyLoss();
        Map<String, Object> result = new LinkedHashMap<>();
        try (var memory = OwnedMemory.open("batch");
                var model = Model.create(work.layer(), 1)) {
            Batch batch = batch(memory, work);
            long others = model.memory().byteSize() + memory.byteSize();
            SessionOptions within =
                    budget == Long.MAX_VALUE ? options : options.withMemoryBudget(Math.max(0, budget - others));
            StepCost cost = StepCost.of(
                    work.layer(), work.input(), loss, optimizer, options.withMemoryBudget(budget - memory.byteSize()));
            try (TrainingSession session = model.training(work.input(), loss, optimizer, within)) {
                AtomicLong most = new AtomicLong(Machine.residentBytes());
                Thread watcher = Thread.ofPlatform().daemon().start(() -> watch(most));
                double fastest = Double.POSITIVE_INFINITY;
                for (int i = 0; i < steps; i++) {
                    long start = System.nanoTime();
                    session.forward(batch);
                    session.backward();
                    session.update(RATE);
                    fastest = Math.min(fastest, (System.nanoTime() - start) / 1e9);
                }
                most.accumulateAndGet(Machine.residentBytes(), Math::max);
                watcher.interrupt();
                result.put("model", work.model());
                result.put("batch", work.batch());
                result.put("planned_bytes", others + session.memory().byteSize());
                result.put("allocated_bytes", MemoryAccount.current());
                result.put("most_resident_bytes", most.get());
                result.put("step_seconds", fastest);
                result.put("repeated_share", cost.repeatedShare());
                result.put("spilled_bytes", cost.spilledBytes());
                result.put("weights_sha256", sha256(model));
            }
        }
        return result;
    }

    private static Batch batch(OwnedMemory memory, Workload work) {
        Shape shape = work.input();
        Rng rng = new Rng(1, Rng.Stream.DIGITS, 0);
        Tensor images = Tensor.view(
                memory.allocate(shape.elementCount() * Float.BYTES), DType.F32, shape, Layout.CHANNELS_LAST);
        images.fill(rng::nextGaussian);
        Tensor labels = Tensor.view(
                memory.allocate((long) work.batch() * Integer.BYTES),
                DType.I32,
                Shape.of(work.batch()),
                Layout.ROW_MAJOR);
        labels.fill(() -> rng.nextLong(work.classes()));
        return new Batch(images, labels, memory);
    }

    private static void watch(AtomicLong most) {
        try {
            while (true) {
                Thread.sleep(LOOK_EVERY_MILLIS);
                most.accumulateAndGet(Machine.residentBytes(), Math::max);
            }
        } catch (InterruptedException e) {
            // the steps are done
        }
    }

    private static String sha256(Model model) throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        for (Tensor tensor : model.tensors().values()) {
            digest.update(tensor.data().asByteBuffer());
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}
