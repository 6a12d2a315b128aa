package dev.tarn.io;

import dev.tarn.io.SafeTensors.Entry;
import dev.tarn.tensor.Shape;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;

/**
 * Reads the header of a safetensors file as if its author meant harm: every length, type, shape and offset is checked, and what
 * it may take of the heap is bounded, before any of it is used.
 */
final class SafeTensorsHeader {
    static final String METADATA = "__metadata__";
    static final int LENGTH_BYTES = 8;

    private static final long MOST_BYTES = 100_000_000; // the format's own limit
    private static final int MOST_TENSORS = 100_000;
    private static final int MOST_DIMENSIONS = 64;
    private static final int MOST_TEXT = 8 << 20; // characters of all names and metadata together
    private static final ValueLayout.OfLong LITTLE_LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Bits of one element of every type that the format knows. */
    private static final Map<String, Integer> BITS = Map.ofEntries(
            Map.entry("F4", 4),
            Map.entry("F6_E2M3", 6),
            Map.entry("F6_E3M2", 6),
            Map.entry("BOOL", 8),
            Map.entry("U8", 8),
            Map.entry("I8", 8),
            Map.entry("F8_E5M2", 8),
            Map.entry("F8_E4M3", 8),
            Map.entry("F8_E8M0", 8),
            Map.entry("F8_E4M3FNUZ", 8),
            Map.entry("F8_E5M2FNUZ", 8),
            Map.entry("U16", 16),
            Map.entry("I16", 16),
            Map.entry("F16", 16),
            Map.entry("BF16", 16),
            Map.entry("U32", 32),
            Map.entry("I32", 32),
            Map.entry("F32", 32),
            Map.entry("C64", 64),
            Map.entry("U64", 64),
            Map.entry("I64", 64),
            Map.entry("F64", 64));

    private final Path path;
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private final List<Entry> entries = new ArrayList<>();
    private long text;
    private long dataStart;

    private SafeTensorsHeader(Path path) {
        this.path = path;
    }

    /** Reads the header of a mapped file. */
    static SafeTensorsHeader read(Path path, MemorySegment file) throws FileFormatException {
        SafeTensorsHeader header = new SafeTensorsHeader(path);
        if (file.byteSize() < LENGTH_BYTES) {
            throw header.damaged("it has %,d bytes, and the length of the header alone takes 8", file.byteSize());
        }
        long length = file.get(LITTLE_LONG, 0);
        if (length < 2 || length > MOST_BYTES) {
            throw header.damaged(
                    "its header claims %s bytes, allowed are 2 to %,d", Long.toUnsignedString(length), MOST_BYTES);
        }
        header.dataStart = LENGTH_BYTES + length;
        if (header.dataStart > file.byteSize()) {
            throw header.damaged("its header claims %,d bytes, and the file ends after %,d", length, file.byteSize());
        }
        if (file.get(ValueLayout.JAVA_BYTE, LENGTH_BYTES) != '{') {
            throw header.damaged("its header does not start with {");
        }
        header.parse(file.asSlice(LENGTH_BYTES, length));
        header.requireCovered(file.byteSize() - header.dataStart);
        return header;
    }

    Map<String, String> metadata() {
        return metadata;
    }

    /** In the order of their bytes in the file. */
    List<Entry> entries() {
        return entries;
    }

    /** Where the tensors' bytes start. */
    long dataStart() {
        return dataStart;
    }

    private FileFormatException damaged(String what, Object... arguments) {
        return new FileFormatException(
                path, "not a sound safetensors file: " + what.formatted(arguments) + "; fetch or write it again");
    }

    private void parse(MemorySegment json) throws FileFormatException {
        // A decoder of its own: the parser would guess the encoding, and the format allows UTF-8 alone.
        var reader = new InputStreamReader(new SegmentStream(json), StandardCharsets.UTF_8.newDecoder());
        try (JsonParser parser = Json.FACTORY.createParser(ObjectReadContext.empty(), reader)) {
            parser.nextToken();
            for (String name = parser.nextName(); name != null; name = parser.nextName()) {
                countText(name);
                require(parser.nextToken() == JsonToken.START_OBJECT, "'%s' is not an object", name);
                if (name.equals(METADATA)) {
                    readMetadata(parser);
                } else {
                    require(entries.size() < MOST_TENSORS, "it has more than %,d tensors", MOST_TENSORS);
                    entries.add(readEntry(parser, name));
                }
            }
            require(parser.nextToken() == null, "something follows the header's object");
        } catch (JacksonException e) {
            throw new FileFormatException(
                    path, "not a sound safetensors file: its header is not valid JSON: " + Json.explain(e), e);
        }
    }

    private void readMetadata(JsonParser parser) throws FileFormatException {
        for (String key = parser.nextName(); key != null; key = parser.nextName()) {
            require(parser.nextToken() == JsonToken.VALUE_STRING, "metadata '%s' is not a string", key);
            String value = parser.getString();
            countText(key);
            countText(value);
            metadata.put(key, value);
        }
    }

    private void countText(String string) throws FileFormatException {
        text += string.length();
        require(text <= MOST_TEXT, "names and metadata take more than %,d characters", MOST_TEXT);
    }

    private Entry readEntry(JsonParser parser, String name) throws FileFormatException {
        String dtype = "";
        long[] shape = null;
        long[] offsets = null;
        for (String key = parser.nextName(); key != null; key = parser.nextName()) {
            JsonToken token = parser.nextToken();
            switch (key) {
                case "dtype" -> {
                    require(token == JsonToken.VALUE_STRING, "tensor '%s': its dtype is not a string", name);
                    dtype = parser.getString();
                }
                case "shape" -> shape = readNumbers(parser, name, key);
                case "data_offsets" -> offsets = readNumbers(parser, name, key);
                default -> parser.skipChildren();
            }
        }
        Integer bits = BITS.get(dtype);
        require(bits != null, "tensor '%s': dtype '%s' is unknown", name, dtype);
        if (bits == null || shape == null || offsets == null || offsets.length != 2) {
            throw damaged("tensor '%s': needs dtype, shape and data_offsets with two numbers", name);
        }
        long bytes = byteSize(name, shape, bits);
        require(
                offsets[0] <= offsets[1] && offsets[1] - offsets[0] == bytes,
                "tensor '%s': %s %s takes %,d bytes, and its offsets are %s",
                name,
                dtype,
                Arrays.toString(shape),
                bytes,
                Arrays.toString(offsets));
        return new Entry(name, dtype, Shape.of(shape), offsets[0], offsets[1]);
    }

    private long[] readNumbers(JsonParser parser, String name, String key) throws FileFormatException {
        require(parser.currentToken() == JsonToken.START_ARRAY, "tensor '%s': its %s is not a list", name, key);
        long[] numbers = new long[MOST_DIMENSIONS];
        int count = 0;
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            require(
                    parser.currentToken() == JsonToken.VALUE_NUMBER_INT
                            && parser.getNumberType() != JsonParser.NumberType.BIG_INTEGER
                            && parser.getLongValue() >= 0,
                    "tensor '%s': its %s holds %s, which is not a whole number from 0 to 2^63 - 1",
                    name,
                    key,
                    parser.getString());
            require(count < MOST_DIMENSIONS, "tensor '%s': its %s is longer than %d", name, key, MOST_DIMENSIONS);
            numbers[count++] = parser.getLongValue();
        }
        return Arrays.copyOf(numbers, count);
    }

    private long byteSize(String name, long[] shape, int bits) throws FileFormatException {
        try {
            long total = bits;
            for (long size : shape) {
                total = Math.multiplyExact(total, size);
            }
            require(total % Byte.SIZE == 0, "tensor '%s' does not end at a whole byte", name);
            return total / Byte.SIZE;
        } catch (ArithmeticException e) {
            throw damaged("tensor '%s': shape %s is beyond 2^63 bits", name, Arrays.toString(shape));
        }
    }

    /** The format demands that the tensors cover the data without overlaps or holes. */
    private void requireCovered(long dataBytes) throws FileFormatException {
        entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
        long end = 0;
        for (Entry entry : entries) {
            require(
                    entry.begin() == end,
                    "tensor '%s' starts at byte %,d of the data, and the one before ends at %,d",
                    entry.name(),
                    entry.begin(),
                    end);
            end = entry.end();
        }
        require(end == dataBytes, "its tensors take %,d bytes, and it holds %,d bytes of data", end, dataBytes);
    }

    private void require(boolean condition, String what, Object... arguments) throws FileFormatException {
        if (!condition) {
            throw damaged(what, arguments);
        }
    }

    /** Off-heap bytes as a stream, so that a large header is never whole on the heap. */
    private static final class SegmentStream extends InputStream {
        private final MemorySegment segment;
        private long position;

        SegmentStream(MemorySegment segment) {
            this.segment = segment;
        }

        @Override
        public int read() {
            return position == segment.byteSize() ? -1 : segment.get(ValueLayout.JAVA_BYTE, position++) & 0xFF;
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            int count = (int) Math.min(length, segment.byteSize() - position);
            MemorySegment.copy(segment, ValueLayout.JAVA_BYTE, position, target, offset, count);
            position += count;
            return count == 0 && length > 0 ? -1 : count;
        }
    }
}
