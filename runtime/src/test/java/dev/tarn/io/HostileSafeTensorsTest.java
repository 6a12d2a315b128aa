package dev.tarn.io;

import static dev.tarn.Messages.assertSays;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Damaged and malicious files: each gets an error that names the file and the fault, and takes next to no memory. */
class HostileSafeTensorsTest {
    @TempDir
    Path folder;

    /** A file with a header and data. */
    static byte[] bytes(String header, byte[] data) {
        return bytes(header.getBytes(StandardCharsets.UTF_8), data);
    }

    private static byte[] bytes(byte[] header, byte[] data) {
        return ByteBuffer.allocate(8 + header.length + data.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(header.length)
                .put(header)
                .put(data)
                .array();
    }

    private static byte[] length(long length, int rest) {
        return ByteBuffer.allocate(8 + rest)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(length)
                .array();
    }

    private static String entry(String name, String dtype, String shape, String offsets) {
        return "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}".formatted(name, dtype, shape, offsets);
    }

    private static Arguments header(String fault, String header, int data) {
        return arguments(bytes(header, new byte[data]), fault);
    }

    static Stream<Arguments> files() {
        String four = entry("a", "F32", "[1]", "[0,4]");
        return Stream.of(
                arguments(new byte[0], "0 bytes"),
                arguments(new byte[7], "7 bytes"),
                arguments(length(0, 8), "claims 0 bytes"),
                arguments(length(-1, 8), "claims 18446744073709551615 bytes"),
                arguments(length(100_000_001, 8), "allowed are 2 to 100,000,000"),
                arguments(length(Long.MAX_VALUE, 8), "claims 9223372036854775807 bytes"),
                arguments(length(50, 8), "claims 50 bytes, and the file ends after 16"),
                header("does not start with {", " {}", 0),
                header("does not start with {", "[]", 0),
                header("not valid JSON", "{\"a\"", 0),
                header("not valid JSON", "{\"a\":{\"x\":" + "[".repeat(50_000), 0),
                header("'a' is not an object", "{\"a\":[[[[]]]]}", 0),
                header("not valid JSON", "{" + four + "," + four + "}", 4),
                header("something follows", "{}{}", 0),
                header("not valid JSON", "{} x", 0),
                header("'a' is not an object", "{\"a\":1}", 0),
                header("not an object", "{\"__metadata__\":\"x\"}", 0),
                header("metadata 'k' is not a string", "{\"__metadata__\":{\"k\":1}}", 0),
                header("needs dtype, shape and data_offsets", "{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4),
                header("needs dtype, shape and data_offsets", "{" + entry("a", "F32", "[1]", "[0,4,8]") + "}", 4),
                header("dtype 'F33' is unknown", "{" + entry("a", "F33", "[1]", "[0,4]") + "}", 4),
                header("dtype '' is unknown", "{\"a\":{}}", 0),
                header("shape holds -1", "{" + entry("a", "F32", "[-1]", "[0,4]") + "}", 4),
                header("shape holds 1.0", "{" + entry("a", "F32", "[1.0]", "[0,4]") + "}", 4),
                header("shape holds null", "{" + entry("a", "F32", "[null]", "[0,4]") + "}", 4),
                header(
                        "shape holds 99999999999999999999",
                        "{" + entry("a", "F32", "[99999999999999999999]", "[0,4]") + "}",
                        4),
                header("shape is not a list", "{" + entry("a", "F32", "4", "[0,4]") + "}", 4),
                header("beyond 2^63", "{" + entry("a", "F32", "[4294967296,4294967296]", "[0,4]") + "}", 4),
                header("beyond 2^63", "{" + entry("a", "F32", "[2305843009213693953]", "[0,4]") + "}", 4),
                header("longer than 64", "{" + entry("a", "F32", "[" + "1,".repeat(64) + "1]", "[0,4]") + "}", 4),
                header("takes 8 bytes, and its offsets are [0, 4]", "{" + entry("a", "F32", "[2]", "[0,4]") + "}", 4),
                header("offsets are [4, 0]", "{" + entry("a", "F32", "[1]", "[4,0]") + "}", 4),
                header("data_offsets holds -4", "{" + entry("a", "F32", "[1]", "[-4,0]") + "}", 4),
                header("tensors take 4 bytes, and it holds 3", "{" + four + "}", 3),
                header("tensors take 4 bytes, and it holds 5", "{" + four + "}", 5),
                header("tensors take 0 bytes, and it holds 1", "{}", 1),
                header("starts at byte 2", "{" + four + "," + entry("b", "F32", "[1]", "[2,6]") + "}", 6),
                header("starts at byte 0", "{" + four + "," + entry("b", "F32", "[1]", "[0,4]") + "}", 4),
                header("starts at byte 5", "{" + four + "," + entry("b", "U8", "[1]", "[5,6]") + "}", 6),
                header("starts at byte 1", "{" + entry("a", "U8", "[1]", "[1,2]") + "}", 2),
                header(
                        "starts at byte 9223372036854775800".replaceAll("(\\d)(?=(\\d{3})+$)", "$1,"),
                        "{" + entry("a", "U8", "[7]", "[9223372036854775800,9223372036854775807]") + "}",
                        7),
                header("does not end at a whole byte", "{" + entry("a", "F4", "[3]", "[0,1]") + "}", 1),
                header("CRC-32C", "{\"__metadata__\":{\"tarn.crc32c\":\"x\"}," + four + "}", 4),
                arguments(bytes(new byte[] {'{', '"', (byte) 0xC3, '"', '}'}, new byte[0]), "not valid JSON"),
                arguments(bytes("{}".getBytes(StandardCharsets.UTF_16LE), new byte[0]), "not valid JSON"));
    }

    @ParameterizedTest
    @MethodSource("files")
    void gets_an_error_that_names_the_fault(byte[] content, String fault) throws IOException {
        Path file = folder.resolve("bad.safetensors");
        Files.write(file, content);
        assertSays(
                FileFormatException.class,
                assertThrows(IOException.class, () -> SafeTensors.open(file)),
                file.toString(),
                fault);
    }

    @Test
    void more_text_than_a_small_heap_takes() throws IOException {
        Path file = folder.resolve("text");
        String value = "x".repeat(7 << 20);
        Files.write(file, bytes("{\"__metadata__\":{\"a\":\"" + value + "\",\"b\":\"" + value + "\"}}", new byte[0]));
        assertSays(
                FileFormatException.class,
                assertThrows(IOException.class, () -> SafeTensors.open(file)),
                "more than 8,388,608 characters");
    }

    @Test
    void more_tensors_than_a_small_heap_takes() throws IOException {
        StringBuilder header = new StringBuilder("{");
        for (int i = 0; i <= 100_000; i++) {
            header.append(i == 0 ? "" : ",").append(entry("" + i, "U8", "[0]", "[0,0]"));
        }
        Path file = folder.resolve("many");
        Files.write(file, bytes(header.append('}').toString(), new byte[0]));
        assertSays(
                FileFormatException.class,
                assertThrows(IOException.class, () -> SafeTensors.open(file)),
                "more than 100,000 tensors");
    }

    @Test
    void missing_file_and_folder() {
        assertSays(
                IOException.class,
                assertThrows(IOException.class, () -> SafeTensors.open(folder.resolve("no"))),
                "no is missing");
        assertSays(IOException.class, assertThrows(IOException.class, () -> SafeTensors.open(folder)), "is not a file");
    }

    /** Whatever byte is hit, opening either works or throws an {@link IOException}, and nothing else. */
    @Test
    void random_damage() throws IOException {
        byte[] good = bytes(
                "{\"__metadata__\":{\"k\":\"v\"}," + entry("a", "F32", "[2,1]", "[0,8]") + ","
                        + entry("b", "I64", "[1]", "[8,16]") + "}",
                new byte[16]);
        Path file = folder.resolve("f");
        Random random = new Random(20261121);
        for (int i = 0; i < 1000; i++) {
            byte[] bad = good.clone();
            for (int hits = 1 + random.nextInt(3); hits > 0; hits--) {
                bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
            }
            Files.write(file, bad);
            try {
                SafeTensors read = SafeTensors.open(file);
                read.names().forEach(read::entry);
            } catch (FileFormatException expected) {
                assertSays(FileFormatException.class, expected, file.toString());
            }
        }
    }
}
