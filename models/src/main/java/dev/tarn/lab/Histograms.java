package dev.tarn.lab;

import dev.tarn.lab.InitExperiment.LayerStatistics;
import dev.tarn.lab.InitExperiment.Setting;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Histograms as SVG: a row for each setting, in it one for each layer. */
public final class Histograms {
    private static final int PANEL_WIDTH = 130;
    private static final int PANEL_HEIGHT = 70;
    private static final int MARGIN = 14;
    private static final int LABEL_WIDTH = 120;
    private static final int TITLE_HEIGHT = 24;

    private Histograms() {}

    /** The picture as text; all bars of a panel are relative to its highest. */
    public static String svg(Map<Setting, List<LayerStatistics>> results) {
        int width = LABEL_WIDTH + InitExperiment.LAYERS * (PANEL_WIDTH + MARGIN);
        int height = TITLE_HEIGHT + results.size() * (PANEL_HEIGHT + 2 * MARGIN);
        StringBuilder svg = new StringBuilder();
        append(
                svg,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\""
                        + " font-size=\"11\">%n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>%n",
                width,
                height);
        for (int layer = 1; layer <= InitExperiment.LAYERS; layer++) {
            append(svg, "<text x=\"%d\" y=\"16\">layer %d</text>%n", left(layer), layer);
        }
        int top = TITLE_HEIGHT;
        for (var entry : results.entrySet()) {
            Setting setting = entry.getKey();
            append(svg, "<text x=\"6\" y=\"%d\">%s</text>%n", top + PANEL_HEIGHT / 2, setting.label());
            for (int layer = 1; layer <= InitExperiment.LAYERS; layer++) {
                panel(svg, setting, entry.getValue().get(layer - 1), left(layer), top);
            }
            top += PANEL_HEIGHT + 2 * MARGIN;
        }
        return svg.append("</svg>\n").toString();
    }

    private static int left(int layer) {
        return LABEL_WIDTH + (layer - 1) * (PANEL_WIDTH + MARGIN);
    }

    private static void panel(StringBuilder svg, Setting setting, LayerStatistics layer, int left, int top) {
        long most = layer.histogram().stream().mapToLong(count -> count).max().orElse(1);
        double bar = PANEL_WIDTH / (double) InitExperiment.BINS;
        for (int bin = 0; bin < InitExperiment.BINS; bin++) {
            double height = PANEL_HEIGHT * layer.histogram().get(bin) / (double) most;
            append(
                    svg,
                    "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"steelblue\"/>%n",
                    left + bin * bar,
                    top + PANEL_HEIGHT - height,
                    bar,
                    height);
        }
        int floor = top + PANEL_HEIGHT;
        append(
                svg,
                "<path d=\"M%d %dh%d\" stroke=\"black\"/><text x=\"%d\" y=\"%d\">%.0f</text>"
                        + "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.0f</text>"
                        + "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">std %.2f</text>%n",
                left,
                floor,
                PANEL_WIDTH,
                left,
                floor + 12,
                setting.least(),
                left + PANEL_WIDTH,
                floor + 12,
                setting.greatest(),
                left + PANEL_WIDTH / 2,
                floor + 12,
                layer.std());
    }

    private static void append(StringBuilder svg, String format, Object... values) {
        svg.append(String.format(Locale.ROOT, format, values));
    }
}
