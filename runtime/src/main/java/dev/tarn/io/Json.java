package dev.tarn.io;

import java.io.StringWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.PrettyPrinter;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.util.DefaultPrettyPrinter;

/**
 * JSON objects as maps: names in order, values that are strings, numbers, booleans, null, lists or maps. Reading has limits on
 * depth and lengths and refuses duplicate names, since files may be hostile.
 */
public final class Json {
    private static final int DEPTH = 32;
    private static final int STRING = 8 << 20;
    static final JsonFactory FACTORY = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(DEPTH)
                    .maxStringLength(STRING)
                    .build())
            .build();

    private Json() {}

    /**
     * An object on one line, without a line end. NaN and infinities, which JSON does not have, become null.
     *
     * @throws IllegalArgumentException if a value is of another type
     */
    public static String line(Map<String, ? extends @Nullable Object> object) {
        return write(object, ObjectWriteContext.empty());
    }

    /** The same on several indented lines, for people. */
    public static String pretty(Map<String, ? extends @Nullable Object> object) {
        return write(object, new ObjectWriteContext.Base() {
            @Override
            public boolean hasPrettyPrinter() {
                return true;
            }

            @Override
            public PrettyPrinter getPrettyPrinter() {
                return new DefaultPrettyPrinter();
            }
        });
    }

    private static String write(Map<String, ? extends @Nullable Object> object, ObjectWriteContext context) {
        StringWriter out = new StringWriter();
        try (JsonGenerator generator = FACTORY.createGenerator(context, out)) {
            write(generator, object);
        }
        return out.toString();
    }

    private static void write(JsonGenerator out, @Nullable Object value) {
        switch (value) {
            case null -> out.writeNull();
            case String s -> out.writeString(s);
            case Boolean b -> out.writeBoolean(b);
            case Double d -> out.writeRawValue(Double.isFinite(d) ? d.toString() : "null");
            case Float f -> out.writeRawValue(Float.isFinite(f) ? f.toString() : "null");
            case Long l -> out.writeNumber(l);
            case Integer i -> out.writeNumber(i);
            case List<?> list -> {
                out.writeStartArray();
                list.forEach(element -> write(out, element));
                out.writeEndArray();
            }
            case Map<?, ?> map -> {
                out.writeStartObject();
                map.forEach((name, element) -> {
                    out.writeName((String) name);
                    write(out, element);
                });
                out.writeEndObject();
            }
            default ->
                throw new IllegalArgumentException(
                        "JSON has no form for " + value.getClass().getName());
        }
    }

    /**
     * Reads one object and nothing after it. Integers become {@link Long}, other numbers {@link Double}.
     *
     * @throws IllegalArgumentException if the text is not that; the message says where
     */
    public static Map<String, @Nullable Object> read(String text) {
        try (JsonParser parser = FACTORY.createParser(ObjectReadContext.empty(), text)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new IllegalArgumentException("JSON starts with {, and this does not");
            }
            Map<String, @Nullable Object> object = readObject(parser);
            if (parser.nextToken() != null) {
                throw new IllegalArgumentException("something follows the JSON object");
            }
            return object;
        } catch (JacksonException e) {
            throw new IllegalArgumentException("not valid JSON: " + explain(e), e);
        }
    }

    /** What is wrong and where, on one line. */
    static String explain(JacksonException e) {
        TokenStreamLocation place = e.getLocation(); // none if a limit was hit
        return place == null
                ? String.valueOf(e.getOriginalMessage())
                : "%s (line %d, column %d)".formatted(e.getOriginalMessage(), place.getLineNr(), place.getColumnNr());
    }

    private static Map<String, @Nullable Object> readObject(JsonParser parser) {
        Map<String, @Nullable Object> object = new LinkedHashMap<>();
        for (String name = parser.nextName(); name != null; name = parser.nextName()) {
            parser.nextToken();
            object.put(name, readValue(parser));
        }
        return object;
    }

    private static @Nullable Object readValue(JsonParser parser) {
        return switch (parser.currentToken()) {
            case VALUE_STRING -> parser.getString();
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            case VALUE_NUMBER_INT -> parser.getLongValue();
            case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
            case START_OBJECT -> readObject(parser);
            case START_ARRAY -> {
                List<@Nullable Object> list = new ArrayList<>();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    list.add(readValue(parser));
                }
                yield list;
            }
            default -> null;
        };
    }
}
