package dev.tarn.bench;

import dev.tarn.data.Batch;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.optim.SGD;
import dev.tarn.session.Model;
import dev.tarn.session.SessionOptions;
import dev.tarn.session.TrainingSession;
import dev.tarn.tensor.Tensor;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/** What {@link Parity} compares, computed here. */
final class TarnParity {
    private TarnParity() {}

    static Map<String, Tensor> results(Job job) throws IOException {
        Workload workload = Workload.of(job);
        Map<String, Tensor> results = new LinkedHashMap<>();
        float[] losses = new float[Parity.STEPS];
        try (Model model = Model.load(workload.layer(), job.weights());
                TrainingSession session = model.training(
                        workload.input(),
                        new CrossEntropyLoss(),
                        new SGD().momentum(Workload.MOMENTUM),
                        SessionOptions.DEFAULT.withThreads(job.threads()));
                var feed = new TarnContender.Repeated(workload)) {
            Map<String, float[]> before = new LinkedHashMap<>();
            model.tensors().forEach((name, tensor) -> before.put(name, tensor.toArray()));
            Batch batch = feed.next();
            results.put(Parity.LOSS, Parity.result((float) session.forward(batch)));
            results.put(
                    Parity.LOGITS,
                    Parity.result(session.output(workload.batch()).toArray()));
            session.backward();
            for (String name : before.keySet()) {
                if (!Weights.isStatistic(name)) {
                    results.put(
                            Parity.GRADIENT + name,
                            Parity.result(session.gradient(name).toArray()));
                }
            }
            session.update(Workload.LEARNING_RATE);
            for (int i = 0; i < losses.length; i++) {
                losses[i] = (float) session.forward(batch);
                session.backward();
                session.update(Workload.LEARNING_RATE);
            }
            results.put(Parity.LOSSES, Parity.result(losses));
            before.forEach((name, old) -> results.put(
                    Parity.CHANGE + name, Parity.change(old, model.tensor(name).toArray())));
        }
        return results;
    }
}
