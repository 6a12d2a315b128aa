package dev.tarn.bench;

import dev.tarn.lab.Svg;
import dev.tarn.lab.Svg.Anchor;
import java.util.List;

/** Curves over a logarithmic axis of sizes, each value labelled; the vertical axis starts at zero. */
final class LineChart {
    /** One measured point. */
    record Point(double x, double y) {}

    /** Points that belong together, from left to right. */
    record Curve(String name, List<Point> points) {}

    private static final List<String> COLOURS = List.of("#d1495b", "#2e6f95", "#5b8e4c", "#8d6a9f");
    private static final double LEFT = 70;
    private static final double WIDTH = 560;
    private static final double RIGHT = 130;
    private static final double TOP = 50;
    private static final double HEIGHT = 260;
    private static final double BOTTOM = 40;

    private LineChart() {}

    static Svg draw(String title, String xLabel, List<Curve> curves) {
        List<Point> all =
                curves.stream().flatMap(curve -> curve.points().stream()).toList();
        double left = all.stream().mapToDouble(Point::x).min().orElse(1);
        double right = all.stream().mapToDouble(Point::x).max().orElse(left);
        double top = all.stream().mapToDouble(Point::y).max().orElse(1);
        Svg svg = new Svg(LEFT + WIDTH + RIGHT, TOP + HEIGHT + BOTTOM)
                .text(LEFT, 18, Anchor.START, title)
                .line(LEFT, TOP + HEIGHT, LEFT + WIDTH, TOP + HEIGHT, "black")
                .text(LEFT + WIDTH / 2, TOP + HEIGHT + 34, Anchor.MIDDLE, xLabel);
        double octaves = Math.max(1e-9, Math.log(right / left));
        for (int i = 0; i < curves.size(); i++) {
            String colour = COLOURS.get(i % COLOURS.size());
            Point last = null;
            for (Point point : curves.get(i).points()) {
                double x = x(point, left, octaves);
                double y = y(point, top);
                if (last != null) {
                    svg.line(x(last, left, octaves), y(last, top), x, y, colour);
                }
                svg.rectangle(x - 2.5, y - 2.5, 5, 5, colour)
                        .text(x, y - 7, Anchor.MIDDLE, Spread.text(point.y()))
                        .text(x, TOP + HEIGHT + 16, Anchor.MIDDLE, Long.toString(Math.round(point.x())));
                last = point;
            }
            if (last != null) {
                svg.text(
                        LEFT + WIDTH + 12,
                        y(last, top) + 4,
                        Anchor.START,
                        curves.get(i).name());
            }
        }
        return svg;
    }

    private static double x(Point point, double left, double octaves) {
        return LEFT + WIDTH * Math.log(point.x() / left) / octaves;
    }

    private static double y(Point point, double top) {
        return TOP + HEIGHT * (1 - point.y() / top);
    }
}
