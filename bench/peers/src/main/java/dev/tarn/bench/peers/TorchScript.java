package dev.tarn.bench.peers;

import dev.tarn.bench.Network;
import dev.tarn.bench.Network.Step;
import dev.tarn.graph.Window;
import java.util.Arrays;
import java.util.Objects;

/** A network as the source text of a TorchScript method, whose parameters are attributes of the module. */
final class TorchScript {
    private TorchScript() {}

    /** The attribute that holds a parameter: its name with the dots replaced, since they mean submodules. */
    static String attribute(String parameter) {
        return parameter.replace('.', '_');
    }

    static String source(Network network) {
        StringBuilder source = new StringBuilder("def forward(self, %s):\n".formatted(Network.IMAGES));
        for (Step step : network.steps()) {
            source.append("    %s = %s\n".formatted(step.output(), expression(step)));
        }
        return source.append(
                        "    return %s\n".formatted(network.steps().getLast().output()))
                .toString();
    }

    private static String expression(Step step) {
        String x = step.input();
        return switch (step.op()) {
            case CONV -> {
                Window window = Objects.requireNonNull(step.window());
                yield "torch.conv2d(%s, %s, %s, %s, %s, [1, 1], %d)"
                        .formatted(
                                x,
                                attribute(step, 0),
                                attribute(step, 1),
                                list(LibtorchTraining.strides(window)),
                                list(LibtorchTraining.paddings(window)),
                                step.groups());
            }
            case LINEAR -> "torch.linear(%s, %s, %s)".formatted(x, attribute(step, 0), attribute(step, 1));
            case RELU -> "torch.relu(%s)".formatted(x);
            case RELU6 -> "torch.hardtanh(%s, 0., 6.)".formatted(x);
            case ADD -> "torch.add(%s, %s)".formatted(x, step.inputs().get(1));
            case CONCAT -> "torch.cat([%s], 1)".formatted(String.join(", ", step.inputs()));
            case AVERAGE_POOL -> pool("avg_pool2d", step, "False, True");
            case MAX_POOL -> pool("max_pool2d", step, "[1, 1], False");
            case GLOBAL_AVERAGE_POOL -> "torch.adaptive_avg_pool2d(%s, [1, 1])".formatted(x);
            case FLATTEN -> "torch.flatten(%s, 1)".formatted(x);
            case BATCH_NORM -> throw new IllegalArgumentException("batch normalisation is folded before");
        };
    }

    private static String pool(String function, Step step, String last) {
        Window window = Objects.requireNonNull(step.window());
        return "torch.%s(%s, %s, %s, %s, %s)"
                .formatted(
                        function,
                        step.input(),
                        list(LibtorchTraining.kernel(window)),
                        list(LibtorchTraining.strides(window)),
                        list(LibtorchTraining.paddings(window)),
                        last);
    }

    private static String attribute(Step step, int place) {
        String name = step.parameter(place);
        return name == null ? "None" : "self." + attribute(name);
    }

    private static String list(long[] values) {
        return Arrays.toString(values);
    }
}
