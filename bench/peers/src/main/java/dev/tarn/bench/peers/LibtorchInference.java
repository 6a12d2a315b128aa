package dev.tarn.bench.peers;

import dev.tarn.bench.Contender.Work;
import dev.tarn.bench.Fastest;
import dev.tarn.bench.Job;
import dev.tarn.bench.Network;
import dev.tarn.bench.Weights;
import dev.tarn.bench.Workload;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.QualifiedName;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Inference in frozen TorchScript: the module is compiled from source text ({@link TorchScript}), batch normalisation
 * is folded before, and of the frozen module and the one that {@code optimize_for_inference} makes of it the faster is
 * kept.
 */
final class LibtorchInference implements Work {
    private final IValueVector arguments;
    private final Fastest<JitModule> modules;
    /** Keeps gradients and version counters off for the whole process. */
    private final InferenceMode mode = new InferenceMode();

    LibtorchInference(Job job, torch.ScalarType type) throws IOException {
        Workload workload = Workload.of(job);
        Network.Folded folded = Network.of(workload).fold(Weights.read(job.weights()));
        JitModule module = new JitModule(new QualifiedName("network"));
        for (Map.Entry<String, Weights.Array> entry : folded.weights().arrays().entrySet()) {
            Weights.Array array = entry.getValue();
            Tensor tensor = LibtorchContender.tensor(array.values(), array.shape());
            module.register_parameter(TorchScript.attribute(entry.getKey()), tensor.to(type), false);
        }
        module.define(TorchScript.source(folded.network()));
        module.eval();
        arguments = new IValueVector(
                new IValue(LibtorchContender.tensor(workload.images(), workload.input().toArray())
                        .to(type)));
        Map<String, JitModule> forms = new LinkedHashMap<>();
        forms.put("frozen", torch.freeze(module));
        forms.put("frozen, optimize_for_inference", torch.optimize_for_inference(module));
        modules = Fastest.of(forms, this::run);
    }

    @SuppressWarnings("try") // the scope acts by being open
    private void run(JitModule module) {
        try (PointerScope scope = new PointerScope()) {
            module.forward(arguments);
        }
    }

    @Override
    public void run() {
        run(modules.best());
    }

    @Override
    public float[] outputs() {
        return LibtorchContender.values(modules.best().forward(arguments).toTensor());
    }

    @Override
    public String form() {
        return modules.name();
    }

    @Override
    public void close() {
        mode.close();
    }
}
