package dev.tarn.bench;

import dev.tarn.io.SafeTensors;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/** A network's parameters by name, in logical order, for contenders that keep them in their own form. */
public final class Weights {
    /**
     * One parameter.
     *
     * @param source reads its values anew each time, so that a process whose memory is measured keeps no second copy
     * @param buffer the same, off the heap where they lie in a file
     */
    @SuppressWarnings("ArrayRecordComponent") // compared by nobody
    public record Array(long[] shape, Supplier<float[]> source, Supplier<FloatBuffer> buffer) {
        Array(long[] shape, Supplier<float[]> source) {
            this(shape, source, () -> FloatBuffer.wrap(source.get()));
        }

        public float[] values() {
            return source.get();
        }
    }

    private final Map<String, Array> arrays;

    Weights(Map<String, Array> arrays) {
        this.arrays = Collections.unmodifiableMap(new LinkedHashMap<>(arrays));
    }

    /** Whether a parameter is tracked and not learned. */
    public static boolean isStatistic(String name) {
        return name.contains("running_");
    }

    /** Reads a safetensors file. */
    public static Weights read(Path file) throws IOException {
        SafeTensors source = SafeTensors.open(file);
        Map<String, Array> arrays = new LinkedHashMap<>();
        for (String name : source.names()) {
            var tensor = source.tensor(name);
            arrays.put(
                    name,
                    new Array(
                            tensor.shape().toArray(),
                            tensor::toArray,
                            () -> tensor.data()
                                    .asByteBuffer()
                                    .order(ByteOrder.nativeOrder())
                                    .asFloatBuffer()));
        }
        return new Weights(arrays);
    }

    /** All parameters, running statistics included. */
    public Map<String, Array> arrays() {
        return arrays;
    }

    /** @throws IllegalArgumentException if there is none of that name */
    public Array array(String name) {
        Array array = arrays.get(name);
        if (array == null) {
            throw new IllegalArgumentException("the weights have no " + name);
        }
        return array;
    }
}
