package dev.tarn.lab;

import java.util.List;
import java.util.Locale;

/** The losses of a probe as SVG: a line for each candidate over the steps. */
public final class LossCurves {
    private static final int WIDTH = 640;
    private static final int HEIGHT = 360;
    private static final int MARGIN = 40;
    private static final int LEGEND_WIDTH = 220;
    private static final int LINE_HEIGHT = 18;
    /** Losses beyond this many times the first are cut off: those of a candidate that goes astray would flatten all others. */
    private static final double HIGHEST = 1.5;

    private static final String[] COLOURS = {
        "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999"
    };

    private LossCurves() {}

    /** The picture as text. */
    public static String svg(List<Probe.Outcome> outcomes) {
        int steps = outcomes.stream().mapToInt(o -> o.losses().size()).max().orElse(0);
        double highest = HIGHEST
                * outcomes.stream()
                        .filter(o -> !o.losses().isEmpty())
                        .mapToDouble(o -> o.losses().getFirst())
                        .max()
                        .orElse(1);
        StringBuilder svg = new StringBuilder();
        append(
                svg,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\""
                        + " font-size=\"11\">%n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>%n"
                        + "<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"black\"/>%n"
                        + "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.2f</text>"
                        + "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">0</text>"
                        + "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%d steps</text>"
                        + "<text x=\"%d\" y=\"%d\">loss of each batch</text>%n",
                WIDTH + LEGEND_WIDTH,
                HEIGHT,
                MARGIN,
                MARGIN,
                HEIGHT - MARGIN,
                WIDTH - MARGIN,
                MARGIN - 4,
                MARGIN + 4,
                highest,
                MARGIN - 4,
                HEIGHT - MARGIN,
                WIDTH - MARGIN,
                HEIGHT - MARGIN + LINE_HEIGHT,
                steps,
                MARGIN,
                MARGIN - LINE_HEIGHT);
        for (int i = 0; i < outcomes.size(); i++) {
            line(svg, outcomes.get(i), i, steps, highest);
        }
        return svg.append("</svg>\n").toString();
    }

    private static void line(StringBuilder svg, Probe.Outcome outcome, int index, int steps, double highest) {
        String colour = COLOURS[index % COLOURS.length];
        append(svg, "<polyline fill=\"none\" stroke=\"%s\" points=\"", colour);
        for (int step = 0; step < outcome.losses().size(); step++) {
            double x = step / (double) Math.max(1, steps - 1);
            double y = Math.min(outcome.losses().get(step), highest) / highest;
            append(svg, "%.1f,%.1f ", MARGIN + x * (WIDTH - 2 * MARGIN), HEIGHT - MARGIN - y * (HEIGHT - 2 * MARGIN));
        }
        append(
                svg,
                "\"/>%n<text x=\"%d\" y=\"%d\" fill=\"%s\">%s%s</text>%n",
                WIDTH,
                MARGIN + index * LINE_HEIGHT,
                colour,
                outcome.name(),
                outcome.validated() == null ? ": not finite" : "");
    }

    private static void append(StringBuilder svg, String format, Object... values) {
        svg.append(String.format(Locale.ROOT, format, values));
    }
}
