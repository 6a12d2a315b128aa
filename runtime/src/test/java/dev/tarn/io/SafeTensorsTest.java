package dev.tarn.io;

import static dev.tarn.Messages.assertSays;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.TestData;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Layout;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafeTensorsTest {
    @TempDir
    Path folder;

    /** A tensor with the values 0, 1, 2, ... in logical order, modulo 251 so that bytes hold them. */
    private static Tensor counting(DType dtype, Layout layout, long... sizes) {
        Shape shape = Shape.of(sizes);
        long bytes = shape.elementCount() * dtype.byteSize();
        Tensor tensor =
                Tensor.view(Arena.ofAuto().allocate(Math.max(1, bytes), 64).asSlice(0, bytes), dtype, shape, layout);
        double[] values = new double[(int) shape.elementCount()];
        for (int i = 0; i < values.length; i++) {
            values[i] = i % 251;
        }
        tensor.copyFrom(values);
        return tensor;
    }

    @Test
    void every_type_layout_and_rank_comes_back() throws IOException {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        long[][] shapes = {{}, {1}, {7}, {5, 3}, {2, 3, 5}, {4, 3, 2, 5}, {3, 0}, {2, 1, 1, 3}};
        for (DType dtype : DType.values()) {
            for (Layout layout : Layout.values()) {
                for (long[] shape : shapes) {
                    tensors.put("%s.%s.%d".formatted(dtype, layout, tensors.size()), counting(dtype, layout, shape));
                }
            }
        }
        Path file = folder.resolve("all.safetensors");
        SafeTensors.write(file, Map.of("format", "pt"), tensors);
        SafeTensors read = SafeTensors.open(file);
        assertEquals("pt", read.metadata().get("format"));
        assertEquals(tensors.size(), read.names().size());
        tensors.forEach((name, written) -> {
            Tensor tensor = read.tensor(name);
            assertEquals(written.shape(), tensor.shape());
            assertEquals(written.dtype(), tensor.dtype());
            assertArrayEquals(written.toDoubleArray(), tensor.toDoubleArray(), name);
        });
    }

    @Test
    void larger_than_the_buffer_in_every_layout() throws IOException {
        Map<String, Tensor> tensors = new HashMap<>();
        for (Layout layout : Layout.values()) {
            tensors.put(layout.name(), counting(DType.F32, layout, 300, 7, 29, 11)); // 2.7 MB
        }
        Path file = folder.resolve("large.safetensors");
        SafeTensors.write(file, Map.of(), tensors);
        SafeTensors read = SafeTensors.open(file);
        double[] expected =
                counting(DType.F32, Layout.ROW_MAJOR, 300, 7, 29, 11).toDoubleArray();
        for (String name : read.names()) {
            assertArrayEquals(expected, read.tensor(name).toDoubleArray(), name);
        }
    }

    @Test
    void equal_content_gives_equal_bytes() throws IOException {
        Tensor a = counting(DType.F32, Layout.ROW_MAJOR, 4, 3);
        Tensor b = counting(DType.I64, Layout.ROW_MAJOR, 2);
        Map<String, Tensor> forwards = new LinkedHashMap<>();
        forwards.put("a", a);
        forwards.put("b", b);
        Map<String, Tensor> backwards = new LinkedHashMap<>();
        backwards.put("b", b);
        backwards.put("a", counting(DType.F32, Layout.WEIGHT, 4, 3)); // the same numbers
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put("x", "1");
        metadata.put("c", "2");
        SafeTensors.write(folder.resolve("1"), metadata, forwards);
        SafeTensors.write(folder.resolve("2"), new java.util.TreeMap<>(metadata), backwards);
        assertEquals(-1, Files.mismatch(folder.resolve("1"), folder.resolve("2")));
    }

    @Test
    void data_start_at_a_multiple_of_64_and_wide_types_come_first() throws IOException {
        Path file = folder.resolve("f");
        SafeTensors.write(
                file,
                Map.of(),
                Map.of(
                        "a", counting(DType.U8, Layout.ROW_MAJOR, 3),
                        "b", counting(DType.F64, Layout.ROW_MAJOR, 1),
                        "c", counting(DType.F32, Layout.ROW_MAJOR, 1)));
        assertEquals(List.of("b", "c", "a"), SafeTensors.open(file).names());
        assertEquals(0, (Files.size(file) - 8 - 4 - 3) % 64);
    }

    @Test
    void saved_again_with_the_metadata_it_came_with() throws IOException {
        Path file = folder.resolve("f");
        SafeTensors.write(file, Map.of("k", "v"), Map.of("a", counting(DType.F32, Layout.ROW_MAJOR, 3)));
        SafeTensors read = SafeTensors.open(file);
        Path other = folder.resolve("g");
        SafeTensors.write(other, read.metadata(), Map.of("a", counting(DType.F32, Layout.ROW_MAJOR, 4)));
        assertEquals(4, SafeTensors.open(other).tensor("a").shape().elementCount());
        SafeTensors.write(other, read.metadata(), Map.of("a", read.tensor("a")));
        assertEquals(-1, Files.mismatch(file, other));
    }

    @Test
    void numbers_at_odd_bytes() throws IOException {
        String header = "{\"u\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                + "\"f\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[1,9]},"
                + "\"d\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[9,17]}}";
        byte[] data = {9, 0, 0, (byte) 0x80, 0x3f, 0, 0, 0, 0x40, 5, 0, 0, 0, 0, 0, 0, 0};
        Path file = folder.resolve("odd");
        Files.write(file, HostileSafeTensorsTest.bytes(header, data));
        SafeTensors read = SafeTensors.open(file);
        assertArrayEquals(new float[] {1, 2}, read.tensor("f").toArray());
        assertEquals(5, read.tensor("d").get());
        assertEquals(List.of("u", "f", "d"), read.names());
    }

    @Test
    void type_that_tensors_do_not_have() throws IOException {
        String header = "{\"h\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,4]}}";
        Path file = folder.resolve("f16");
        Files.write(file, HostileSafeTensorsTest.bytes(header, new byte[4]));
        SafeTensors read = SafeTensors.open(file);
        assertEquals("F16", read.entry("h").dtype());
        assertEquals(Shape.of(2), read.entry("h").shape());
        assertSays(
                IllegalArgumentException.class,
                assertThrows(IllegalArgumentException.class, () -> read.tensor("h")),
                "'h' is of type F16",
                "F32");
    }

    @Test
    void more_dimensions_than_tensors_have() throws IOException {
        String header = "{\"h\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1],\"data_offsets\":[0,1]}}";
        Path file = folder.resolve("rank5");
        Files.write(file, HostileSafeTensorsTest.bytes(header, new byte[1]));
        SafeTensors read = SafeTensors.open(file);
        assertSays(
                IllegalArgumentException.class,
                assertThrows(IllegalArgumentException.class, () -> read.tensor("h")),
                "'h'",
                "at most 4 dimensions");
    }

    @Test
    void unknown_name() throws IOException {
        Path file = folder.resolve("f");
        SafeTensors.write(file, Map.of(), Map.of("fc.weight", counting(DType.F32, Layout.ROW_MAJOR, 3)));
        SafeTensors read = SafeTensors.open(file);
        assertSays(
                IllegalArgumentException.class,
                assertThrows(IllegalArgumentException.class, () -> read.tensor("fc.bias")),
                "no tensor 'fc.bias' among its 1: fc.weight");
        Map<String, Tensor> reserved = Map.of("__metadata__", counting(DType.F32, Layout.ROW_MAJOR, 3));
        assertThrows(IllegalArgumentException.class, () -> SafeTensors.write(file, Map.of(), reserved));
    }

    @Test
    void one_flipped_bit_in_the_data() throws IOException {
        Path file = folder.resolve("f");
        SafeTensors.write(file, Map.of(), Map.of("a", counting(DType.F32, Layout.ROW_MAJOR, 100)));
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length - 77] ^= 4;
        Files.write(file, bytes);
        assertSays(
                FileFormatException.class,
                assertThrows(IOException.class, () -> SafeTensors.open(file)),
                file.toString(),
                "CRC-32C");
    }

    @Test
    void mapped_tensors_outlive_a_replaced_file_and_cannot_be_written() throws IOException {
        Path file = folder.resolve("f");
        SafeTensors.write(file, Map.of(), Map.of("a", Tensor.of(Shape.of(2), 1, 2)));
        Tensor old = SafeTensors.open(file).tensor("a");
        SafeTensors.write(file, Map.of(), Map.of("a", Tensor.of(Shape.of(2), 3, 4)));
        assertArrayEquals(new float[] {1, 2}, old.toArray());
        assertThrows(IllegalArgumentException.class, () -> old.set(5, 0));
    }

    @Test
    void tensor_of_a_closed_owner() throws IOException {
        Path file = folder.resolve("f");
        SafeTensors.write(file, Map.of(), Map.of("a", Tensor.of(Shape.of(1), 1)));
        Tensor dead;
        try (Arena arena = Arena.ofShared()) {
            dead = Tensor.view(arena.allocate(4, 4), DType.F32, Shape.of(1), Layout.ROW_MAJOR);
        }
        assertThrows(IllegalStateException.class, () -> SafeTensors.write(file, Map.of(), Map.of("a", dead)));
        assertArrayEquals(new float[] {1}, SafeTensors.open(file).tensor("a").toArray());
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(file), files.toList());
        }
    }

    @Test
    void files_written_by_others() throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.walk(TestData.require("models"))) {
            files = all.filter(f -> f.toString().endsWith(".safetensors")).toList();
        }
        assertFalse(files.isEmpty());
        for (Path file : files) {
            SafeTensors read = SafeTensors.open(file);
            assertFalse(read.names().isEmpty(), file.toString());
            Map<String, Tensor> tensors = new HashMap<>();
            for (String name : read.names()) {
                Tensor tensor = read.tensor(name);
                for (double value : tensor.toDoubleArray()) {
                    assertTrue(Double.isFinite(value), () -> file + " " + name);
                }
                tensors.put(name, tensor);
            }
            Path copy = folder.resolve("copy");
            SafeTensors.write(copy, read.metadata(), tensors);
            SafeTensors again = SafeTensors.open(copy);
            for (String name : read.names()) {
                assertEquals(
                        -1, read.tensor(name).data().mismatch(again.tensor(name).data()), name);
            }
        }
    }

    @Test
    void resnet20_as_published() throws IOException {
        SafeTensors read = SafeTensors.open(TestData.require("models/resnet20-cifar10/resnet20.safetensors"));
        assertEquals(Shape.of(16, 3, 3, 3), read.tensor("conv1.weight").shape());
        assertEquals(Shape.of(10, 64), read.tensor("linear.weight").shape());
        String header = new String(
                Files.readAllBytes(TestData.require("models/resnet20-cifar10/resnet20.safetensors")),
                StandardCharsets.ISO_8859_1);
        assertTrue(header.contains("linear.bias") && read.names().contains("linear.bias"));
    }
}
