package dev.tarn.lab;

import dev.tarn.lab.Svg.Anchor;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The losses of a probe as SVG: a line for each candidate over the steps. */
public final class LossCurves {
    private static final int WIDTH = 640;
    private static final int HEIGHT = 360;
    private static final int MARGIN = 40;
    private static final int FLOOR = HEIGHT - MARGIN;
    private static final int RIGHT = WIDTH - MARGIN;
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
        Svg svg = new Svg(WIDTH + LEGEND_WIDTH, HEIGHT)
                .line(MARGIN, MARGIN, MARGIN, FLOOR, "black")
                .line(MARGIN, FLOOR, RIGHT, FLOOR, "black")
                .text(MARGIN, MARGIN - LINE_HEIGHT, Anchor.START, "loss of each batch")
                .text(MARGIN - 4, MARGIN + 4, Anchor.END, String.format(Locale.ROOT, "%.2f", highest))
                .text(MARGIN - 4, FLOOR, Anchor.END, "0")
                .text(RIGHT, FLOOR + LINE_HEIGHT, Anchor.END, steps + " steps");
        for (int i = 0; i < outcomes.size(); i++) {
            Probe.Outcome outcome = outcomes.get(i);
            String colour = COLOURS[i % COLOURS.length];
            String name = outcome.name() + (outcome.validated() == null ? ": not finite" : "");
            svg.curve(points(outcome.losses(), steps, highest), colour)
                    .text(WIDTH, MARGIN + i * LINE_HEIGHT, Anchor.START, name, colour);
        }
        return svg.toString();
    }

    private static Stream<Svg.Point> points(List<Double> losses, int steps, double highest) {
        return IntStream.range(0, losses.size())
                .mapToObj(step -> new Svg.Point(
                        MARGIN + step / (double) Math.max(1, steps - 1) * (RIGHT - MARGIN),
                        FLOOR - Math.min(losses.get(step), highest) / highest * (FLOOR - MARGIN)));
    }
}
