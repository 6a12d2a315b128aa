package dev.tarn.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.bench.BarChart.Bar;
import dev.tarn.bench.BarChart.Group;
import dev.tarn.bench.LineChart.Curve;
import dev.tarn.bench.LineChart.Point;
import dev.tarn.lab.Svg;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

class ChartsTest {
    private static Document parse(Svg svg) throws Exception {
        byte[] bytes = svg.toString().getBytes(StandardCharsets.UTF_8);
        return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new ByteArrayInputStream(bytes));
    }

    private static double number(Document document, String tag, int index, String attribute) {
        return Double.parseDouble(((Element) document.getElementsByTagName(tag).item(index)).getAttribute(attribute));
    }

    @Test
    void bars_are_as_long_as_their_values_and_the_line_stands_at_its_own() throws Exception {
        Document chart = parse(BarChart.draw(
                "a < b & c",
                List.of(new Group("row", List.of(new Bar("ours", 50), new Bar("peer", 25)))),
                100,
                "limit"));
        assertEquals(3, chart.getElementsByTagName("rect").getLength()); // the first is the paper
        double ours = number(chart, "rect", 1, "width");
        assertEquals(ours, 2 * number(chart, "rect", 2, "width"), 0.2);
        assertEquals(number(chart, "rect", 1, "x") + 2 * ours, number(chart, "line", 0, "x1"), 0.2);
        assertEquals("a < b & c", chart.getElementsByTagName("text").item(0).getTextContent());
    }

    @Test
    void points_are_spaced_by_octaves() throws Exception {
        Document chart = parse(LineChart.draw(
                "time",
                "batch",
                List.of(new Curve("one", List.of(new Point(1, 4), new Point(2, 2), new Point(4, 0))))));
        double first = number(chart, "rect", 1, "x");
        double second = number(chart, "rect", 2, "x");
        assertEquals(second - first, number(chart, "rect", 3, "x") - second, 0.2);
        assertTrue(number(chart, "rect", 1, "y") < number(chart, "rect", 2, "y"));
    }
}
