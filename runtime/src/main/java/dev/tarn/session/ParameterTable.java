package dev.tarn.session;

import static java.util.Objects.requireNonNull;

import dev.tarn.graph.Parameter;
import dev.tarn.memory.Family;
import dev.tarn.memory.MemoryPlan;
import dev.tarn.memory.MemoryPlanner;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.Layer;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Layout;
import dev.tarn.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where each parameter lies in flat memory. Parameters, gradients and each optimizer moment share this one table, so
 * that an update is one pass over each range: first the weights, then biases and the like, then statistics, which
 * have no gradient. Each parameter starts at a multiple of 64 bytes; the gaps stay zero.
 */
final class ParameterTable {
    private record Place(Parameter parameter, long offset, long byteSize) {}

    /** A learned parameter's part of flat memory, with the gap behind it. */
    record Range(String path, Parameter parameter, long start, long byteSize) {
        /** The memory from this parameter to a later one, both included. */
        Range to(Range last) {
            return new Range(path, parameter, start, last.start + last.byteSize - start);
        }

        /** So many bytes of it. */
        Range part(long from, long bytes) {
            return new Range(path, parameter, start + from, bytes);
        }
    }

    private final DType dtype;
    private final Map<String, Place> places = new LinkedHashMap<>();
    private final Map<Parameter, String> paths = new LinkedHashMap<>();
    private final long[] ends = new long[Parameter.Role.values().length];

    ParameterTable(Layer layer, DType dtype) {
        this.dtype = dtype;
        Map<String, Parameter> byPath = layer.parametersByPath();
        Map<String, Place> placed = new LinkedHashMap<>();
        long offset = 0;
        for (Parameter.Role role : Parameter.Role.values()) {
            for (Map.Entry<String, Parameter> entry : byPath.entrySet()) {
                Parameter p = entry.getValue();
                if (p.role() == role) {
                    long bytes = Math.multiplyExact(p.shape().elementCount(), dtype.byteSize());
                    placed.put(entry.getKey(), new Place(p, offset, bytes));
                    offset = Math.addExact(offset, align(bytes));
                }
            }
            ends[role.ordinal()] = offset;
        }
        byPath.forEach((path, p) -> {
            places.put(path, requireNonNull(placed.get(path)));
            paths.put(p, path);
        });
    }

    DType dtype() {
        return dtype;
    }

    /** All paths in the order in which layers stated them. */
    Iterable<String> paths() {
        return places.keySet();
    }

    String path(Parameter parameter) {
        String path = paths.get(parameter);
        if (path == null) {
            throw new IllegalArgumentException(
                    "parameter %s %s is not part of the model; state it with parameter() in a layer"
                            .formatted(parameter.name(), parameter.shape()));
        }
        return path;
    }

    @Nullable
    Parameter parameter(String path) {
        Place place = places.get(path);
        return place == null ? null : place.parameter;
    }

    /** Bytes of all parameters, gaps included. */
    long byteSize() {
        return ends[Parameter.Role.STATISTIC.ordinal()];
    }

    /** The model's memory, before it is allocated. */
    MemoryPlan plan() {
        var planner = new MemoryPlanner();
        planner.addPersistent("parameters", Family.PARAMETERS, byteSize());
        return planner.plan();
    }

    /** Bytes of those that have gradients; they come first. */
    long trainableByteSize() {
        return ends[Parameter.Role.BIAS.ordinal()];
    }

    /** The learned parameters in the order of flat memory. */
    List<Range> learned() {
        return places.entrySet().stream()
                .filter(e -> e.getValue().parameter.role().isTrainable())
                .map(e -> range(e.getKey(), e.getValue()))
                .sorted(Comparator.comparingLong(Range::start))
                .toList();
    }

    private static Range range(String path, Place place) {
        return new Range(path, place.parameter, place.offset, align(place.byteSize));
    }

    private static long align(long bytes) {
        return Math.addExact(bytes, OwnedMemory.ALIGNMENT - 1) & -OwnedMemory.ALIGNMENT;
    }

    /** Number of learned numbers. */
    long trainableCount() {
        return places.values().stream()
                .filter(p -> p.parameter.role().isTrainable())
                .mapToLong(p -> p.parameter.shape().elementCount())
                .sum();
    }

    /** A parameter's part of flat memory: of the parameters, or of gradients or moments where it has them. */
    MemorySegment slice(MemorySegment flat, Parameter parameter) {
        Place place = requireNonNull(places.get(path(parameter)));
        return flat.asSlice(place.offset, place.byteSize);
    }

    Tensor tensor(MemorySegment flat, Parameter parameter) {
        return Tensor.view(slice(flat, parameter), dtype, parameter.shape(), Layout.WEIGHT);
    }
}
