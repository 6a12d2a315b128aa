package dev.tarn.data;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;

/** Picture files for tests: made here, or by Pillow as {@code pillow/recipe.py} says. */
final class Pictures {
    private Pictures() {}

    static byte[] pillow(String name) {
        try (InputStream in = Pictures.class.getResourceAsStream("pillow/" + name)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static List<String[]> pillowTable(String name) {
        return new String(pillow(name), StandardCharsets.US_ASCII)
                .lines()
                .map(line -> line.split(" "))
                .toList();
    }

    /** A picture whose colours are a function of place and {@code number}. */
    static BufferedImage scene(int width, int height, int number) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int red = 255 * x / width;
                int green = 255 * y / height;
                image.setRGB(x, y, red << 16 | green << 8 | 37 * number & 0xFF);
            }
        }
        return image;
    }

    static byte[] encode(BufferedImage image, String format) {
        try {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            ImageIO.write(image, format, out);
            return out.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static byte[] jpeg(int width, int height, int number) {
        return encode(scene(width, height, number), "jpg");
    }

    static byte[] png(int width, int height, int number) {
        return encode(scene(width, height, number), "png");
    }

    /** The same JPEG with an EXIF segment that says an orientation, after its start. */
    static byte[] oriented(byte[] jpeg, int orientation, boolean littleEndian) {
        byte[] exif = ByteBuffer.allocate(36)
                .putShort((short) 0xFFE1)
                .putShort((short) 34) // bytes from here
                .put("Exif\0\0".getBytes(StandardCharsets.US_ASCII))
                .put((littleEndian ? "II" : "MM").getBytes(StandardCharsets.US_ASCII))
                .order(littleEndian ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN)
                .putShort((short) 42)
                .putInt(8) // where the directory is
                .putShort((short) 1) // entry
                .putShort((short) 0x112)
                .putShort((short) 3) // a short
                .putInt(1)
                .putShort((short) orientation)
                .putShort((short) 0)
                .putInt(0) // no other directory
                .array();
        return ByteBuffer.allocate(jpeg.length + exif.length)
                .put(jpeg, 0, 2)
                .put(exif)
                .put(jpeg, 2, jpeg.length - 2)
                .array();
    }

    /** The start of a PNG that claims a size. */
    static byte[] pngOf(int width, int height) {
        byte[] png = png(1, 1, 0);
        ByteBuffer.wrap(png).putInt(16, width).putInt(20, height);
        return png;
    }

    static Path write(Path file, byte[] bytes) {
        try {
            Files.createDirectories(file.getParent());
            return Files.write(file, bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What a file is decoded to, plane by plane, behind its height and width. */
    record Decoded(int height, int width, byte[] planes) {}

    static Decoded decode(Path file) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            Picture picture = ImageDecoder.decode(file, arena);
            return new Decoded(picture.height, picture.width, bytes(picture.pixels(), 3L * picture.plane()));
        }
    }

    static byte[] bytes(MemorySegment segment, long count) {
        return segment.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE);
    }

    static String crc(byte[] bytes) {
        CRC32 crc = new CRC32();
        crc.update(bytes);
        return "%08x".formatted(crc.getValue());
    }
}
