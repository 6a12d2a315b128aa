package dev.tarn.cli;

import dev.tarn.cli.NetworkOptions.Network;
import dev.tarn.io.AtomicFile;
import dev.tarn.lab.BudgetCurve;
import dev.tarn.memory.Family;
import dev.tarn.memory.MemoryPlan;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.session.SessionOptions;
import dev.tarn.session.StepCost;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Says what a training step takes, and what it costs to take less, without allocating any of it. */
@Command(name = "plan", description = "Shows what training takes in memory, and what a budget costs.")
final class PlanCommand extends Subcommand {
    private static final int LARGEST = 8;
    private static final int BUDGETS = 12;

    @Mixin
    private NetworkOptions options = new NetworkOptions();

    @Option(names = "--classes", paramLabel = "N", description = "Default: ${DEFAULT-VALUE}.")
    private int classes = 1000;

    @Option(names = "--budgets", description = "A table of budgets from the whole down to the least, with their price.")
    private boolean budgets;

    @Option(names = "--chart", paramLabel = "FILE", description = "Draws that table as an SVG picture.")
    private @Nullable Path chart;

    @Mixin
    private Compute compute = new Compute();

    PlanCommand(Streams streams) {
        super(streams);
    }

    @Override
    void execute() throws IOException {
        Network network = options.network(classes);
        SessionOptions limits = compute.options();
        StepCost whole = cost(network, limits.withMemoryBudget(Long.MAX_VALUE));
        StepCost cost = whole.plan().byteSize() <= limits.memoryBudget() ? whole : cost(network, limits);
        cost.plan().requireWithin(limits.memoryBudget());
        print(cost, network);
        emit(event("plan", network, cost, whole));
        if (budgets || chart != null) {
            List<StepCost> costs = costs(network, limits, whole);
            text().printf("%n%16s %9s %14s %18s%n", "bytes planned", "of whole", "FLOPs more", "to file and back");
            for (StepCost each : costs) {
                text().printf(
                                Locale.ROOT,
                                "%,16d %7.1f %% %12.1f %% %,18d%n",
                                each.plan().byteSize(),
                                percent(each, whole),
                                100 * each.repeatedShare(),
                                each.spilledBytes());
                emit(event("budget", network, each, whole));
            }
            if (chart != null) {
                AtomicFile.write(chart, BudgetCurve.svg(network.entry().name() + " " + network.input(), costs));
                text().printf("chart: %s%n", chart);
            }
        }
    }

    private static StepCost cost(Network of, SessionOptions limits) {
        return StepCost.of(
                of.layer(),
                of.input(),
                new CrossEntropyLoss(),
                of.entry().recipe().optimizer(),
                limits);
    }

    /** From the whole plan down to the least, in even steps. */
    private static List<StepCost> costs(Network network, SessionOptions limits, StepCost whole) {
        StepCost least = cost(network, limits.withMemoryBudget(0));
        long most = whole.plan().byteSize();
        long step = (most - least.plan().byteSize()) / (BUDGETS - 1);
        List<StepCost> costs = new ArrayList<>(List.of(whole));
        for (int i = 1; i < BUDGETS - 1; i++) {
            StepCost each = cost(network, limits.withMemoryBudget(most - i * step));
            if (each.plan().byteSize() < costs.getLast().plan().byteSize()) {
                costs.add(each);
            }
        }
        if (least.plan().byteSize() < costs.getLast().plan().byteSize()) {
            costs.add(least);
        }
        return costs;
    }

    private static double percent(StepCost cost, StepCost whole) {
        return 100.0 * cost.plan().byteSize() / whole.plan().byteSize();
    }

    private void print(StepCost cost, Network network) {
        PrintStream text = text();
        MemoryPlan plan = cost.plan();
        text.printf("%s, training of %s%n", network.entry().name(), network.input());
        text.println("bytes by family (activations, workspace and scratch share memory over time):");
        plan.bytesByFamily()
                .forEach((family, bytes) -> text.printf(Locale.ROOT, "  %-12s %,16d%n", family.label(), bytes));
        text.printf(Locale.ROOT, "  %-12s %,16d%n", "planned", plan.byteSize());
        text.printf(
                "peak: kernel %,d of %,d, %s; largest then:%n", cost.peakStep() + 1, cost.kernels(), cost.peakKernel());
        plan.aliveAt(cost.peakStep()).stream()
                .limit(LARGEST)
                .forEach(b -> text.printf(
                        Locale.ROOT, "  %-12s %,16d  %s%n", b.family().label(), b.byteSize(), b.name()));
        text.printf(
                Locale.ROOT,
                "a step: %,d FLOPs, of which %,d (%.1f %% of the rest) compute again what is not kept; %,d bytes go to"
                        + " a file and back%n",
                cost.flops(),
                cost.repeatedFlops(),
                100 * cost.repeatedShare(),
                cost.spilledBytes());
    }

    private Map<String, Object> event(String name, Network network, StepCost cost, StepCost whole) {
        Map<String, Object> event = new LinkedHashMap<>();
        event.put("event", name);
        event.put("model", network.entry().name());
        event.put("plan_bytes", cost.plan().byteSize());
        event.put(
                "share_of_whole", cost.plan().byteSize() / (double) whole.plan().byteSize());
        event.put("flops", cost.flops());
        event.put("repeated_flops", cost.repeatedFlops());
        event.put("spilled_bytes", cost.spilledBytes());
        event.put("peak_kernel", cost.peakKernel());
        Map<String, Long> families = new LinkedHashMap<>();
        for (Family family : Family.values()) {
            families.put(family.label(), cost.plan().bytesByFamily().getOrDefault(family, 0L));
        }
        event.put("family_bytes", families);
        return event;
    }
}
