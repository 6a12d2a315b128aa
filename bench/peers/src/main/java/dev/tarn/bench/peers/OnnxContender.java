package dev.tarn.bench.peers;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import dev.tarn.bench.Contender;
import dev.tarn.bench.Fastest;
import dev.tarn.bench.Job;
import dev.tarn.bench.Network;
import dev.tarn.bench.Onnx;
import dev.tarn.bench.Task;
import dev.tarn.bench.Weights;
import dev.tarn.bench.Worker;
import dev.tarn.bench.Workload;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * ONNX Runtime on a model that {@link Onnx} writes: all graph optimisations, which fold batch normalisation and choose
 * blocked layouts; with its threads spinning or sleeping between runs, whichever is faster.
 */
public final class OnnxContender implements Contender {
    private final OrtEnvironment runtime = OrtEnvironment.getEnvironment();

    private OnnxContender() {}

    public static void main(String[] arguments) throws IOException {
        Worker.main(new OnnxContender(), arguments);
    }

    @Override
    public Map<String, String> environment() {
        return Map.of("onnxruntime", runtime.getVersion());
    }

    @Override
    public Work open(Job job) throws IOException {
        if (job.task() != Task.INFERENCE) {
            throw new IllegalArgumentException("ONNX Runtime here does inference in float32");
        }
        Workload workload = Workload.of(job);
        byte[] model = Onnx.model(Network.of(workload), Weights.read(job.weights()), workload);
        try {
            return new Inference(model, workload, job.threads());
        } catch (OrtException e) {
            throw new IOException(e);
        }
    }

    private final class Inference implements Work {
        private final Map<String, OnnxTensor> inputs;
        private final Fastest<OrtSession> sessions;

        Inference(byte[] model, Workload workload, int threads) throws OrtException {
            FloatBuffer pixels = ByteBuffer.allocateDirect(
                            Math.toIntExact(workload.input().elementCount() * Float.BYTES))
                    .order(ByteOrder.nativeOrder())
                    .asFloatBuffer()
                    .put(workload.images())
                    .flip();
            inputs = Map.of(
                    Network.IMAGES,
                    OnnxTensor.createTensor(runtime, pixels, workload.input().toArray()));
            Map<String, OrtSession> forms = new LinkedHashMap<>();
            forms.put("threads spin", session(model, threads, "1"));
            if (threads > 1) {
                forms.put("threads sleep", session(model, threads, "0"));
            }
            sessions = Fastest.of(forms, this::run);
        }

        private OrtSession session(byte[] model, int threads, String spinning) throws OrtException {
            SessionOptions options = new SessionOptions();
            options.setOptimizationLevel(SessionOptions.OptLevel.ALL_OPT);
            options.setIntraOpNumThreads(threads);
            options.setInterOpNumThreads(1);
            options.addConfigEntry("session.intra_op.allow_spinning", spinning);
            return runtime.createSession(model, options);
        }

        private void run(OrtSession session) {
            try {
                session.run(inputs).close();
            } catch (OrtException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void run() {
            run(sessions.best());
        }

        @Override
        public float[] outputs() {
            try (var result = sessions.best().run(inputs)) {
                FloatBuffer logits = ((OnnxTensor) result.get(0)).getFloatBuffer();
                float[] values = new float[logits.remaining()];
                logits.get(values);
                return values;
            } catch (OrtException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public String form() {
            return sessions.name();
        }

        /** Nothing: the process ends with its only job. */
        @Override
        public void close() {}
    }
}
