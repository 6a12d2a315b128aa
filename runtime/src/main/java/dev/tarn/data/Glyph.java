package dev.tarn.data;

import java.util.ArrayList;
import java.util.List;

/**
 * The strokes of one way to write a digit, as polylines in a unit box: x to the right, y downwards. Curves are arcs of ellipses,
 * cut into chords.
 */
final class Glyph {
    /** By digit: the ways people write it. */
    static final List<List<Glyph>> DIGITS = List.of(
            List.of(new Glyph().arc(.5, .5, .26, .4, 270, 630), new Glyph().arc(.5, .5, .2, .4, 250, 600)),
            List.of(
                    new Glyph().line(.5, .1, .5, .9),
                    new Glyph().line(.34, .28, .53, .1, .53, .9),
                    new Glyph().line(.34, .28, .53, .1, .53, .9).line(.34, .9, .72, .9)),
            List.of(
                    new Glyph().arc(.5, .33, .24, .23, 190, 395).to(.25, .9).to(.77, .9),
                    new Glyph()
                            .arc(.48, .32, .24, .22, 200, 400)
                            .to(.36, .82)
                            .arc(.36, .8, .08, .08, 90, 330)
                            .to(.76, .88)),
            List.of(
                    new Glyph().arc(.47, .3, .24, .2, 200, 450).arc(.47, .7, .27, .2, 270, 520),
                    new Glyph().line(.26, .12, .7, .12, .46, .42).arc(.46, .66, .27, .24, 270, 515)),
            List.of(
                    new Glyph().line(.32, .1, .25, .58, .78, .58).line(.62, .3, .62, .9),
                    new Glyph().line(.8, .64, .2, .64, .6, .1, .6, .9)),
            List.of(
                    new Glyph().line(.74, .1, .33, .1, .3, .45).arc(.48, .64, .27, .25, 225, 510),
                    new Glyph()
                            .line(.34, .12, .31, .46)
                            .arc(.48, .64, .26, .25, 225, 500)
                            .line(.34, .12, .74, .1)),
            List.of(
                    new Glyph().arc(.66, .62, .4, .52, 262, 180).arc(.5, .67, .24, .23, 180, 540),
                    new Glyph().line(.62, .1, .3, .58).arc(.5, .68, .22, .22, 200, 550)),
            List.of(
                    new Glyph().line(.22, .12, .78, .12, .42, .9),
                    new Glyph().line(.22, .12, .78, .12, .42, .9).line(.36, .5, .72, .5),
                    new Glyph().line(.24, .24, .24, .12, .76, .12).arc(1.1, .9, .6, .7, 236, 180)),
            List.of(
                    new Glyph().arc(.5, .3, .2, .2, 90, 450).arc(.5, .7, .26, .2, 270, 630),
                    new Glyph()
                            .line(.68, .18, .34, .72)
                            .arc(.5, .74, .18, .17, 190, -10)
                            .to(.34, .3)
                            .arc(.51, .26, .18, .16, 170, 330)),
            List.of(
                    new Glyph().arc(.5, .34, .24, .23, 0, 360).arc(.34, .38, .4, .52, 0, 65),
                    new Glyph().arc(.48, .33, .22, .22, -20, 330).to(.68, .2).to(.64, .9)));

    private static final double CHORD = 24; // degrees; a chord then leaves the arc by a tenth of a pixel at most

    private final List<double[]> strokes = new ArrayList<>();
    private double[] open = {};

    private Glyph() {}

    /** Each stroke as x0, y0, x1, y1, ... */
    List<double[]> strokes() {
        return strokes;
    }

    /** A new stroke through points. */
    private Glyph line(double... points) {
        open = points;
        strokes.add(points);
        return this;
    }

    /** Draws on to a point. */
    private Glyph to(double x, double y) {
        return extend(x, y);
    }

    /** An arc between two angles in degrees, 0 to the right and 90 downwards; joined to the stroke before if that ends near. */
    private Glyph arc(double x, double y, double radiusX, double radiusY, double from, double to) {
        int chords = (int) Math.ceil(Math.abs(to - from) / CHORD);
        for (int i = 0; i <= chords; i++) {
            double angle = StrictMath.toRadians(from + (to - from) * i / chords);
            double pointX = x + radiusX * StrictMath.cos(angle);
            double pointY = y + radiusY * StrictMath.sin(angle);
            if (i == 0 && strokes.isEmpty()) {
                line(pointX, pointY);
            } else {
                extend(pointX, pointY);
            }
        }
        return this;
    }

    private Glyph extend(double x, double y) {
        double[] longer = java.util.Arrays.copyOf(open, open.length + 2);
        longer[open.length] = x;
        longer[open.length + 1] = y;
        strokes.set(strokes.size() - 1, longer);
        open = longer;
        return this;
    }
}
