package dev.tarn.lab;

import dev.tarn.lab.Svg.Anchor;
import dev.tarn.session.StepCost;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/** What budgets of memory cost, as SVG: arithmetic and transfers over planned bytes. */
public final class BudgetCurve {
    private static final int WIDTH = 640;
    private static final int HEIGHT = 360;
    private static final int MARGIN = 56;
    private static final int FLOOR = HEIGHT - MARGIN;
    private static final int RIGHT = WIDTH - MARGIN;
    private static final double MIB = 1 << 20;

    private BudgetCurve() {}

    /** The picture as text; the first cost is that of the largest plan. */
    public static String svg(String title, List<StepCost> costs) {
        double most = costs.getFirst().plan().byteSize();
        double flops = Math.max(
                0.01, costs.stream().mapToDouble(StepCost::repeatedShare).max().orElse(0));
        double spilled = Math.max(
                1, costs.stream().mapToDouble(StepCost::spilledBytes).max().orElse(0));
        return new Svg(WIDTH, HEIGHT)
                .line(MARGIN, MARGIN, MARGIN, FLOOR, "black")
                .line(MARGIN, FLOOR, RIGHT, FLOOR, "black")
                .line(RIGHT, FLOOR, RIGHT, MARGIN, "black")
                .text(WIDTH / 2, MARGIN / 3, Anchor.MIDDLE, title)
                .text(WIDTH / 2, HEIGHT - MARGIN / 4, Anchor.MIDDLE, "planned MiB")
                .text(MARGIN, HEIGHT - MARGIN / 2, Anchor.MIDDLE, "0")
                .text(RIGHT, HEIGHT - MARGIN / 2, Anchor.MIDDLE, "%,.0f".formatted(most / MIB))
                .curve(points(costs, most, c -> c.repeatedShare() / flops), "#0072b2")
                .text(MARGIN, MARGIN - 6, Anchor.MIDDLE, "%.1f %% more FLOPs".formatted(100 * flops), "#0072b2")
                .curve(points(costs, most, c -> c.spilledBytes() / spilled), "#d55e00")
                .text(RIGHT, MARGIN - 6, Anchor.MIDDLE, "%,.0f MiB to file".formatted(spilled / MIB), "#d55e00")
                .toString();
    }

    /** @param height of a cost, at most 1 */
    private static Stream<Svg.Point> points(List<StepCost> costs, double most, ToDoubleFunction<StepCost> height) {
        return costs.stream()
                .map(cost -> new Svg.Point(
                        MARGIN + cost.plan().byteSize() / most * (RIGHT - MARGIN),
                        FLOOR - height.applyAsDouble(cost) * (FLOOR - MARGIN)));
    }
}
