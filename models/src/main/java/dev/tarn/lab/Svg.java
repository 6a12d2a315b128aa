package dev.tarn.lab;

import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** An SVG picture, drawn from its upper left corner; later shapes cover earlier ones. */
public final class Svg {
    /** Where a text stands beside its point. */
    public enum Anchor {
        START,
        MIDDLE,
        END
    }

    /** A place in the picture. */
    public record Point(double x, double y) {}

    private final StringBuilder body = new StringBuilder();
    private final double width;
    private final double height;

    /** White paper. */
    public Svg(double width, double height) {
        this.width = width;
        this.height = height;
        rectangle(0, 0, width, height, "white");
    }

    public Svg rectangle(double x, double y, double w, double h, String fill) {
        return add("<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"%s\"/>", x, y, w, h, fill);
    }

    public Svg line(double x1, double y1, double x2, double y2, String stroke) {
        return add(
                "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" stroke-width=\"1.5\"/>",
                x1, y1, x2, y2, stroke);
    }

    /** A straight line from each point to the next. */
    public Svg curve(Stream<Point> points, String stroke) {
        String places = points.map(p -> String.format(Locale.ROOT, "%.1f,%.1f", p.x(), p.y()))
                .collect(Collectors.joining(" "));
        return add("<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\"/>", places, stroke);
    }

    /** Black text. */
    public Svg text(double x, double y, Anchor anchor, String text) {
        return text(x, y, anchor, text, "black");
    }

    public Svg text(double x, double y, Anchor anchor, String text, String fill) {
        return add(
                "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"%s\">%s</text>",
                x, y, anchor.name().toLowerCase(Locale.ROOT), fill, escape(text));
    }

    private Svg add(String format, Object... values) {
        body.append(String.format(Locale.ROOT, format, values)).append('\n');
        return this;
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }

    /** The picture as a file holds it. */
    @Override
    public String toString() {
        return String.format(
                        Locale.ROOT,
                        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\""
                                + " font-family=\"sans-serif\" font-size=\"12\">\n",
                        width,
                        height,
                        width)
                + body
                + "</svg>\n";
    }
}
