package dev.tarn.lab;

import dev.tarn.lab.InitExperiment.LayerStatistics;
import dev.tarn.lab.InitExperiment.Setting;
import dev.tarn.lab.Svg.Anchor;
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
        Svg svg = new Svg(width, height);
        for (int layer = 1; layer <= InitExperiment.LAYERS; layer++) {
            svg.text(left(layer), 16, Anchor.START, "layer " + layer);
        }
        int top = TITLE_HEIGHT;
        for (var entry : results.entrySet()) {
            Setting setting = entry.getKey();
            svg.text(6, top + PANEL_HEIGHT / 2, Anchor.START, setting.label());
            for (int layer = 1; layer <= InitExperiment.LAYERS; layer++) {
                panel(svg, setting, entry.getValue().get(layer - 1), left(layer), top);
            }
            top += PANEL_HEIGHT + 2 * MARGIN;
        }
        return svg.toString();
    }

    private static int left(int layer) {
        return LABEL_WIDTH + (layer - 1) * (PANEL_WIDTH + MARGIN);
    }

    private static void panel(Svg svg, Setting setting, LayerStatistics layer, int left, int top) {
        long most = layer.histogram().stream().mapToLong(count -> count).max().orElse(1);
        double bar = PANEL_WIDTH / (double) InitExperiment.BINS;
        int floor = top + PANEL_HEIGHT;
        for (int bin = 0; bin < InitExperiment.BINS; bin++) {
            double height = PANEL_HEIGHT * layer.histogram().get(bin) / (double) most;
            svg.rectangle(left + bin * bar, floor - height, bar, height, "steelblue");
        }
        svg.line(left, floor, left + PANEL_WIDTH, floor, "black")
                .text(left, floor + 12, Anchor.START, "%.0f".formatted(setting.least()))
                .text(left + PANEL_WIDTH, floor + 12, Anchor.END, "%.0f".formatted(setting.greatest()))
                .text(
                        left + PANEL_WIDTH / 2,
                        floor + 12,
                        Anchor.MIDDLE,
                        String.format(Locale.ROOT, "std %.2f", layer.std()));
    }
}
