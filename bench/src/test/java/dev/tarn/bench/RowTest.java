package dev.tarn.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.bench.Row.Verdict;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;

class RowTest {
    @Test
    void every_row_names_a_network_or_a_layer_that_exists() {
        List<Row> rows = Row.all();
        for (Row row : rows) {
            if (row.task().isNetwork()) {
                assertEquals(
                        row.batch(),
                        new Workload(row.subject(), row.batch()).input().size(0));
            } else {
                LayerShape shape = LayerShape.find(LayerShape.LAYERS, row.subject());
                assertEquals(row.batch(), shape.n(), row.name());
                assertTrue(shape.has(Direction.of(row.task())), row.name());
            }
            assertTrue(Double.isNaN(row.must()) || !row.measure().isBetter(row.must(), row.aim()), row.name());
        }
        assertEquals(rows.size(), new HashSet<>(rows.stream().map(Row::name).toList()).size());
    }

    @Test
    void more_images_and_less_memory_are_better() {
        Row rate = Row.parse("training lenet5 64   3 5");
        assertEquals(Verdict.MISSED, rate.verdict(2.9));
        assertEquals(Verdict.MET, rate.verdict(3));
        assertEquals(Verdict.AIM_REACHED, rate.verdict(5.1));
        Row memory = Row.parse("memory lenet5 64 0.7 0.5");
        assertEquals(Verdict.MISSED, memory.verdict(0.71));
        assertEquals(Verdict.MET, memory.verdict(0.6));
        assertEquals(Verdict.AIM_REACHED, memory.verdict(0.5));
        assertEquals(Verdict.NO_TARGET, Row.parse("start lenet5 1 - -").verdict(9));
        assertEquals(Verdict.MISSED, rate.verdict(Double.NaN));
    }

    @Test
    void a_row_that_makes_no_sense_is_refused() {
        assertThrows(IllegalArgumentException.class, () -> Row.parse("training lenet5 64 3"));
        assertThrows(IllegalArgumentException.class, () -> Row.parse("sleeping lenet5 64 3 5"));
    }
}
