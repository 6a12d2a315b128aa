package dev.tarn.cli;

import dev.tarn.cli.NetworkOptions.Network;
import dev.tarn.graph.Graph.Mode;
import dev.tarn.memory.Family;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.session.Summary;
import dev.tarn.tensor.Shape;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows what a model is made of and what running it would take, without allocating any of it. */
@Command(name = "summary", description = "Shows layers, shapes, parameters, FLOPs and the memory plan.")
final class SummaryCommand extends Subcommand {
    @Mixin
    private NetworkOptions options = new NetworkOptions();

    @Option(names = "--classes", paramLabel = "N", description = "Default: ${DEFAULT-VALUE}.")
    private int classes = 10;

    @Option(names = "--mode", paramLabel = "MODE", description = "training (default) or inference.")
    private Mode mode = Mode.TRAINING;

    @Mixin
    private Compute compute = new Compute();

    SummaryCommand(Streams streams) {
        super(streams);
    }

    @Override
    void execute() {
        Network network = options.network(classes);
        Summary summary = mode == Mode.INFERENCE
                ? Summary.ofInference(network.layer(), network.input(), compute.options())
                : Summary.ofTraining(
                        network.layer(),
                        network.input(),
                        new CrossEntropyLoss(),
                        network.entry().recipe().optimizer(),
                        compute.options());
        summary.plan().requireWithin(compute.options().memoryBudget());
        print(summary, network);
        emit(summary, network);
    }

    private void print(Summary summary, Network network) {
        PrintStream text = text();
        text.printf("%s, %s of %s%n", network.entry().name(), mode.name().toLowerCase(Locale.ROOT), network.input());
        int width = summary.rows().stream()
                .mapToInt(row -> row.name().length())
                .max()
                .orElse(0);
        String names = "%-" + Math.max(26, width) + "s";
        text.printf(names + " %-14s %-20s %12s %16s%n", "layer", "type", "output", "parameters", "FLOPs forward");
        for (Summary.Row row : summary.rows()) {
            text.printf(
                    Locale.ROOT,
                    names + " %-14s %-20s %,12d %,16d%n",
                    row.name(),
                    row.type(),
                    row.output(),
                    row.parameters(),
                    row.flops());
        }
        text.printf(
                Locale.ROOT,
                "%,d parameters; %,d FLOPs forward, %,d in all%n",
                summary.parameters(),
                summary.forwardFlops(),
                summary.flops());
        text.println("memory by family (activations, workspace and scratch share bytes over time):");
        summary.plan()
                .bytesByFamily()
                .forEach((family, bytes) -> text.printf(Locale.ROOT, "  %-12s %,16d%n", family.label(), bytes));
        text.printf(Locale.ROOT, "  %-12s %,16d%n", "planned", summary.plan().byteSize());
    }

    private void emit(Summary summary, Network network) {
        for (Summary.Row row : summary.rows()) {
            Map<String, Object> event = new LinkedHashMap<>();
            event.put("event", "layer");
            event.put("name", row.name());
            event.put("type", row.type());
            event.put("output_shape", sizes(row.output()));
            event.put("parameters", row.parameters());
            event.put("flops", row.flops());
            emit(event);
        }
        Map<String, Long> families = new LinkedHashMap<>();
        for (Family family : Family.values()) {
            families.put(family.label(), summary.plan().bytesByFamily().getOrDefault(family, 0L));
        }
        Map<String, Object> totals = new LinkedHashMap<>();
        totals.put("event", "total");
        totals.put("model", network.entry().name());
        totals.put("mode", mode.name().toLowerCase(Locale.ROOT));
        totals.put("batch", network.input().size(0));
        totals.put("parameters", summary.parameters());
        totals.put("forward_flops", summary.forwardFlops());
        totals.put("flops", summary.flops());
        totals.put("plan_bytes", summary.plan().byteSize());
        totals.put("family_bytes", families);
        emit(totals);
    }

    private static List<Long> sizes(Shape shape) {
        return Arrays.stream(shape.toArray()).boxed().toList();
    }
}
