package dev.tarn.profile;

import dev.tarn.io.FileFormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;

/**
 * Where the time of a recorded run went: layer by layer, and beside them. Times are sums over the recording, whose events may come
 * from several sessions.
 *
 * @param layers by pass, then in the order in which they first ran
 * @param passes forward, backward, update and inference as far as they ran, with what their kernels do not account for
 * @param waits for batches of a loader that were not ready
 * @param writes of checkpoints and weights
 * @param wallNanos from the start of the first event to the end of the last
 * @param threads of the session with most of them
 */
public record Profile(
        List<Layer> layers, List<Pass> passes, Activity waits, Activity writes, long wallNanos, int threads) {
    private static final List<String> PASSES = List.of("forward", "backward", "update", "inference");

    public Profile {
        layers = List.copyOf(layers);
        passes = List.copyOf(passes);
    }

    /**
     * A layer in one pass, all its kernels together.
     *
     * @param calls how often it ran
     * @param kernels their names
     * @param flops multiplications and additions of all calls, by the direct definition
     * @param bytes of operands, each read or written once: the least that all calls moved
     */
    public record Layer(
            String name, String pass, long calls, long nanos, long flops, long bytes, List<String> kernels) {}

    /**
     * A part of a step, or runs of inference.
     *
     * @param nanos from beginning to end
     * @param kernelNanos within its layers' kernels; those of an update are not told apart
     */
    public record Pass(String name, long calls, long images, long nanos, long kernelNanos, long flops, long bytes) {}

    /** Something beside the passes, and how long it took in all. */
    public record Activity(long calls, long nanos, long bytes) {
        private static final Activity NONE = new Activity(0, 0, 0);

        private Activity with(long more, long moreBytes) {
            return new Activity(calls + 1, nanos + more, bytes + moreBytes);
        }
    }

    /**
     * Reads a recording, event by event.
     *
     * @throws FileFormatException if it is no recording, or holds no pass of a session
     */
    public static Profile read(Path file) throws IOException {
        var sums = new Sums();
        try (var events = new RecordingFile(file)) {
            while (events.hasMoreEvents()) {
                sums.add(events.readEvent());
            }
        } catch (IOException e) {
            throw new FileFormatException(file, "is no recording of JDK Flight Recorder: " + e.getMessage(), e);
        }
        if (sums.passes.isEmpty()) {
            throw new FileFormatException(
                    file, "holds no pass of a session; record one, for instance by tarn train --profile");
        }
        return sums.profile();
    }

    private record Place(String layer, String pass) {}

    private static final class LayerSums {
        private final Map<String, Long> calls = new LinkedHashMap<>(); // of each kernel
        private long first = Long.MAX_VALUE;
        private long nanos;
        private long flops;
        private long bytes;

        Layer layer(Place place) {
            long most = calls.values().stream().mapToLong(Long::longValue).max().orElse(0);
            return new Layer(place.layer, place.pass, most, nanos, flops, bytes, List.copyOf(calls.keySet()));
        }
    }

    private static final class PassSums {
        private long calls;
        private long images;
        private long nanos;

        Pass pass(String name, List<Layer> layers) {
            return new Pass(
                    name,
                    calls,
                    images,
                    nanos,
                    layers.stream().mapToLong(Layer::nanos).sum(),
                    layers.stream().mapToLong(Layer::flops).sum(),
                    layers.stream().mapToLong(Layer::bytes).sum());
        }
    }

    private static final class Sums {
        private final Map<Place, LayerSums> layers = new HashMap<>();
        private final Map<String, PassSums> passes = new HashMap<>();
        private Activity waits = Activity.NONE;
        private Activity writes = Activity.NONE;
        private long first = Long.MAX_VALUE;
        private long last = Long.MIN_VALUE;
        private int threads = 1;

        void add(RecordedEvent event) {
            long start = ChronoUnit.NANOS.between(Instant.EPOCH, event.getStartTime());
            long nanos = event.getDuration().toNanos();
            switch (event.getEventType().getName()) {
                case "dev.tarn.Kernel" -> addKernel(event, start, nanos);
                case "dev.tarn.Pass" -> addPass(event, nanos);
                case "dev.tarn.LoaderWait" -> waits = waits.with(nanos, 0);
                case "dev.tarn.Write" -> writes = writes.with(nanos, event.getLong("bytes"));
                default -> {
                    return;
                }
            }
            first = Math.min(first, start);
            last = Math.max(last, start + nanos);
        }

        private void addKernel(RecordedEvent event, long start, long nanos) {
            String path = event.getString("layer");
            int suffix = path.indexOf(".grad");
            var place = new Place(suffix < 0 ? path : path.substring(0, suffix), event.getString("pass"));
            LayerSums layer = layers.computeIfAbsent(place, p -> new LayerSums());
            layer.calls.merge(event.getString("kernel"), 1L, Long::sum);
            layer.first = Math.min(layer.first, start);
            layer.nanos += nanos;
            layer.flops += event.getLong("flops");
            layer.bytes += event.getLong("bytes");
        }

        private void addPass(RecordedEvent event, long nanos) {
            PassSums pass = passes.computeIfAbsent(event.getString("pass"), p -> new PassSums());
            pass.calls++;
            pass.images += event.getLong("images");
            pass.nanos += nanos;
            threads = Math.max(threads, event.getInt("threads"));
        }

        Profile profile() {
            List<Layer> rows = new ArrayList<>();
            List<Pass> parts = new ArrayList<>();
            for (String name : PASSES) {
                List<Layer> own = layers.entrySet().stream()
                        .filter(e -> e.getKey().pass.equals(name))
                        .sorted(Comparator.comparingLong(e -> e.getValue().first))
                        .map(e -> e.getValue().layer(e.getKey()))
                        .toList();
                rows.addAll(own);
                if (passes.containsKey(name)) {
                    parts.add(passes.get(name).pass(name, own));
                }
            }
            return new Profile(rows, parts, waits, writes, last - first, threads);
        }
    }
}
