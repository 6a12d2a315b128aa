package dev.tarn.data;

import static dev.tarn.Messages.assertSays;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.tarn.TestData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DataUriTest {
    @Test
    void generated_digits() {
        assertEquals(20, DataUri.open("digits:20", Split.TRAIN, 1).size());
        assertEquals(1000, DataUri.open("digits:20", Split.TEST, 1).size());
        assertEquals(1200, DataUri.open("digits:6000", Split.TEST, 1).size());
    }

    @Test
    void folders() {
        assertEquals(
                10_000,
                DataUri.open("idx:" + TestData.require("mnist"), Split.TEST, 0).size());
        assertEquals(
                10_000,
                DataUri.open("cifar10:" + TestData.require("cifar10"), Split.TEST, 0)
                        .size());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "digits", "digits:", "digits:many", "http://x", "idx:", ":x", "idx:a\0b"})
    void unknown_forms_list_the_known(String uri) {
        DataException e = assertThrows(DataException.class, () -> DataUri.open(uri, Split.TRAIN, 0));
        assertSays(Exception.class, e, "idx:DIR (MNIST family), cifar10:DIR, folder:DIR (pictures by class), digits:N");
    }
}
