package dev.tarn.io;

import static dev.tarn.Messages.assertSays;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
    @Test
    void every_kind_of_value_in_order() {
        Map<String, @Nullable Object> object = new LinkedHashMap<>();
        object.put("text", "a \"quoted\"\nline, \u00e9");
        object.put("long", Long.MIN_VALUE);
        object.put("int", 7);
        object.put("float", 0.1f);
        object.put("double", 1e300);
        object.put("yes", true);
        object.put("none", null);
        object.put("list", Arrays.asList(1, "two", null, List.of()));
        object.put("map", Map.of("k", 1.5));
        String line = Json.line(object);
        assertEquals(
                "{\"text\":\"a \\\"quoted\\\"\\n"
                    + "line, \u00e9\",\"long\":-9223372036854775808,\"int\":7,\"float\":0.1,"
                    + "\"double\":1.0E300,\"yes\":true,\"none\":null,\"list\":[1,\"two\",null,[]],\"map\":{\"k\":1.5}}",
                line);
        Map<String, @Nullable Object> back = Json.read(line);
        assertEquals(List.copyOf(object.keySet()), List.copyOf(back.keySet()));
        assertEquals(object.get("text"), back.get("text"));
        assertEquals(7L, back.get("int"));
        assertEquals(0.1, back.get("float"));
        assertEquals(Map.of("k", 1.5), back.get("map"));
        assertEquals(line, Json.line(back));
    }

    @Test
    void what_json_has_no_number_for_is_null() {
        assertEquals(
                "{\"a\":[null,null,null]}",
                Json.line(Map.of("a", List.of(Double.NaN, Float.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY))));
    }

    @Test
    void value_of_another_type() {
        assertSays(
                IllegalArgumentException.class,
                assertThrows(IllegalArgumentException.class, () -> Json.line(Map.of("a", new Object()))),
                "java.lang.Object");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[]",
                "{",
                "{}{}",
                "{\"a\":}",
                "{\"a\":1,\"a\":2}",
                "{'a':1}",
                "{\"a\":NaN}",
                "{\"a\":99999999999999999999}",
                "nonsense"
            })
    void text_that_is_not_one_object(String text) {
        assertThrows(IllegalArgumentException.class, () -> Json.read(text));
    }

    @Test
    void depth_and_position() {
        assertSays(
                IllegalArgumentException.class,
                assertThrows(IllegalArgumentException.class, () -> Json.read("{\"a\":" + "[".repeat(100_000))),
                "not valid JSON");
        assertSays(
                IllegalArgumentException.class,
                assertThrows(IllegalArgumentException.class, () -> Json.read("{\n \"a\": 1 2}")),
                "line 2, column");
    }
}
