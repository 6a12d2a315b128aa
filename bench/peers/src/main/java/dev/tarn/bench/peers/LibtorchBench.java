package dev.tarn.bench.peers;

import dev.tarn.bench.Throughput;
import java.io.IOException;

/** Images per second of training in libtorch; options as for the benchmark of this library. */
public final class LibtorchBench {
    private LibtorchBench() {}

    public static void main(String[] arguments) throws IOException {
        Throughput.main(new LibtorchContender(), arguments);
    }
}
