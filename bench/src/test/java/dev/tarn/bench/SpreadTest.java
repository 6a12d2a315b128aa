package dev.tarn.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;

class SpreadTest {
    @Test
    void an_odd_count_has_a_middle_and_an_even_one_the_mean_of_two() {
        assertEquals(new Spread(3, 1, 9), Spread.of(List.of(9.0, 1.0, 3.0)));
        assertEquals(new Spread(2.5, 1, 9), Spread.of(List.of(9.0, 1.0, 3.0, 2.0)));
        assertThrows(IllegalArgumentException.class, () -> Spread.of(List.of()));
    }

    @Test
    void ratios_are_taken_round_by_round() {
        assertEquals(new Spread(2, 0.5, 4), Spread.ofRatios(List.of(4.0, 2.0, 8.0), List.of(2.0, 4.0, 2.0)));
        assertThrows(IllegalArgumentException.class, () -> Spread.ofRatios(List.of(1.0), List.of(1.0, 2.0)));
    }

    @Test
    void numbers_keep_three_digits() {
        assertEquals("1,235 (12.3 .. 0.12)", new Spread(1234.6, 12.34, 0.123).toString());
    }
}
