package dev.tarn.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.tensor.Shape;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class DigitsTest {
    @Test
    void a_function_of_seed_and_index_alone() {
        Dataset few = Digits.generate(25, 5, Split.TRAIN);
        Dataset many = Digits.generate(60, 5, Split.TRAIN);
        assertEquals(Shape.of(1, 28, 28), few.imageShape());
        for (long i = 0; i < few.size(); i++) {
            assertEquals(many.label(i), few.label(i));
            assertArrayEquals(IdxTest.pixels(many, i), IdxTest.pixels(few, i));
        }
    }

    @Test
    void other_seeds_and_splits_draw_other_images() {
        Dataset train = Digits.generate(10, 5, Split.TRAIN);
        for (Dataset other : new Dataset[] {Digits.generate(10, 5, Split.TEST), Digits.generate(10, 6, Split.TRAIN)}) {
            for (long i = 0; i < 10; i++) {
                assertFalse(Arrays.equals(IdxTest.pixels(train, i), IdxTest.pixels(other, i)));
            }
        }
    }

    @Test
    void every_ten_hold_each_digit_once_in_changing_order() {
        Dataset dataset = Digits.generate(100, 1, Split.TRAIN);
        boolean orderChanges = false;
        for (int block = 0; block < 10; block++) {
            int[] seen = new int[10];
            for (int i = 0; i < 10; i++) {
                seen[dataset.label(block * 10 + i)]++;
                orderChanges |= dataset.label(block * 10 + i) != dataset.label(i);
            }
            assertArrayEquals(new int[] {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, seen);
        }
        assertTrue(orderChanges);
    }

    @Test
    void images_of_a_class_are_nearer_to_their_mean_than_to_another_class() {
        Dataset train = Digits.generate(2000, 1, Split.TRAIN);
        double[][] means = new double[10][784];
        for (long i = 0; i < train.size(); i++) {
            byte[] image = IdxTest.pixels(train, i);
            for (int p = 0; p < 784; p++) {
                means[train.label(i)][p] += (image[p] & 0xFF) / 200.0;
            }
        }
        Dataset test = Digits.generate(500, 1, Split.TEST);
        int correct = 0;
        for (long i = 0; i < test.size(); i++) {
            byte[] image = IdxTest.pixels(test, i);
            int nearest = 0;
            double least = Double.MAX_VALUE;
            for (int c = 0; c < 10; c++) {
                double distance = 0;
                for (int p = 0; p < 784; p++) {
                    double d = (image[p] & 0xFF) - means[c][p];
                    distance += d * d;
                }
                if (distance < least) {
                    least = distance;
                    nearest = c;
                }
            }
            correct += nearest == test.label(i) ? 1 : 0;
        }
        // Labels fit the images (chance would be 50), and the classes are no child's play either.
        assertTrue(correct > 200 && correct < 475, "correct: " + correct);
    }

    @Test
    void counts_that_cannot_be() {
        assertThrows(DataException.class, () -> Digits.generate(0, 1, Split.TRAIN));
        assertThrows(DataException.class, () -> Digits.generate(10_000_001, 1, Split.TRAIN));
    }
}
