package dev.tarn.lab;

import dev.tarn.session.StepCost;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/** What budgets of memory cost, as SVG: arithmetic and transfers over planned bytes. */
public final class BudgetCurve {
    private static final int WIDTH = 640;
    private static final int HEIGHT = 360;
    private static final int MARGIN = 56;
    private static final double MIB = 1 << 20;

    private BudgetCurve() {}

    /** The picture as text; the first cost is that of the largest plan. */
    public static String svg(String title, List<StepCost> costs) {
        double most = costs.getFirst().plan().byteSize();
        double flops = Math.max(
                0.01, costs.stream().mapToDouble(StepCost::repeatedShare).max().orElse(0));
        double spilled = Math.max(
                1, costs.stream().mapToDouble(StepCost::spilledBytes).max().orElse(0));
        StringBuilder svg = new StringBuilder();
        append(
                svg,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\""
                        + " font-size=\"11\">%n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>%n"
                        + "<path d=\"M%d %dV%dH%dV%d\" fill=\"none\" stroke=\"black\"/>%n",
                WIDTH,
                HEIGHT,
                MARGIN,
                MARGIN,
                HEIGHT - MARGIN,
                WIDTH - MARGIN,
                MARGIN);
        text(svg, WIDTH / 2, MARGIN / 3, "middle", "black", title);
        text(svg, WIDTH / 2, HEIGHT - MARGIN / 4, "middle", "black", "planned MiB");
        text(svg, MARGIN, HEIGHT - MARGIN / 2, "middle", "black", "0");
        text(svg, WIDTH - MARGIN, HEIGHT - MARGIN / 2, "middle", "black", "%,.0f".formatted(most / MIB));
        line(svg, costs, most, "#0072b2", c -> c.repeatedShare() / flops);
        text(svg, MARGIN, MARGIN - 6, "middle", "#0072b2", "%.1f %% more FLOPs".formatted(100 * flops));
        line(svg, costs, most, "#d55e00", c -> c.spilledBytes() / spilled);
        text(svg, WIDTH - MARGIN, MARGIN - 6, "middle", "#d55e00", "%,.0f MiB to file".formatted(spilled / MIB));
        return svg.append("</svg>\n").toString();
    }

    private static void line(
            StringBuilder svg, List<StepCost> costs, double most, String colour, ToDoubleFunction<StepCost> height) {
        append(svg, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" points=\"", colour);
        for (StepCost cost : costs) {
            append(
                    svg,
                    "%.1f,%.1f ",
                    MARGIN + cost.plan().byteSize() / most * (WIDTH - 2 * MARGIN),
                    HEIGHT - MARGIN - height.applyAsDouble(cost) * (HEIGHT - 2 * MARGIN));
        }
        append(svg, "\"/>%n");
    }

    private static void text(StringBuilder svg, int x, int y, String anchor, String colour, String text) {
        append(svg, "<text x=\"%d\" y=\"%d\" text-anchor=\"%s\" fill=\"%s\">%s</text>%n", x, y, anchor, colour, text);
    }

    private static void append(StringBuilder svg, String format, Object... values) {
        svg.append(String.format(Locale.ROOT, format, values));
    }
}
