package dev.tarn.bench;

import dev.tarn.lab.Svg;
import dev.tarn.lab.Svg.Anchor;
import java.util.List;
import java.util.Locale;

/** Bars in groups, with a line across all of them: what was reached beside what is possible. */
final class BarChart {
    /**
     * One bar.
     *
     * @param value its length
     */
    record Bar(String label, double value) {}

    /** Bars with a common name. */
    record Group(String name, List<Bar> bars) {}

    private static final List<String> COLOURS = List.of("#d1495b", "#7a9cc6", "#a9c5a0", "#c9b88d");
    private static final double LEFT = 230;
    private static final double SCALE = 520;
    private static final double RIGHT = 230;
    private static final double TOP = 50;
    private static final double BAR = 14;
    private static final double GAP = 10;

    private BarChart() {}

    /** @param line the value at which the line is drawn, and {@code lineLabel} what it means */
    static Svg draw(String title, List<Group> groups, double line, String lineLabel) {
        double most = Math.max(
                line,
                groups.stream()
                        .flatMap(group -> group.bars().stream())
                        .mapToDouble(Bar::value)
                        .max()
                        .orElse(1));
        long bars = groups.stream().mapToLong(group -> group.bars().size()).sum();
        double height = TOP + bars * BAR + groups.size() * GAP + GAP;
        Svg svg = new Svg(LEFT + SCALE + RIGHT, height).text(LEFT, 18, Anchor.START, title);
        double y = TOP;
        for (Group group : groups) {
            svg.text(LEFT - 8, y + BAR - 3, Anchor.END, group.name());
            for (int i = 0; i < group.bars().size(); i++) {
                Bar bar = group.bars().get(i);
                double length = SCALE * bar.value() / most;
                svg.rectangle(LEFT, y, length, BAR - 2, COLOURS.get(i % COLOURS.size()));
                svg.text(
                        LEFT + length + 4,
                        y + BAR - 3,
                        Anchor.START,
                        String.format(Locale.ROOT, "%.0f %% %s", bar.value(), bar.label()));
                y += BAR;
            }
            y += GAP;
        }
        double x = LEFT + SCALE * line / most;
        return svg.line(x, TOP - 12, x, height - GAP, "black").text(x, TOP - 16, Anchor.MIDDLE, lineLabel);
    }
}
