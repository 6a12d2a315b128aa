package dev.tarn.bench.peers;

import dev.tarn.bench.Contender;
import dev.tarn.bench.Job;
import dev.tarn.bench.Worker;
import java.io.IOException;
import java.util.Map;
import org.bytedeco.dnnl.dnnl_version_t;
import org.bytedeco.dnnl.global.dnnl;

/** oneDNN on single layers, in the layouts that it prefers; moving operands into those is not timed. */
public final class OneDnnContender implements Contender {
    private OneDnnContender() {}

    public static void main(String[] arguments) throws IOException {
        Worker.main(new OneDnnContender(), arguments);
    }

    @Override
    public Map<String, String> environment() {
        dnnl_version_t version = dnnl.dnnl_version();
        return Map.of(
                "onednn",
                "%d.%d.%d, isa %s"
                        .formatted(
                                version.major(),
                                version.minor(),
                                version.patch(),
                                Integer.toHexString(dnnl.dnnl_get_effective_cpu_isa())));
    }

    @Override
    public Work open(Job job) {
        return new OneDnnLayer(job);
    }
}
