package dev.tarn.data;

import static dev.tarn.Messages.assertSays;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.awt.image.DataBuffer;
import java.awt.image.Raster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImageDecoderTest {
    @TempDir
    private Path folder;

    private Path file(byte[] bytes) {
        return Pictures.write(folder.resolve("picture"), bytes);
    }

    private Pictures.Decoded decode(byte[] bytes) throws IOException {
        return Pictures.decode(file(bytes));
    }

    private void assertRefused(byte[] bytes, String why) {
        assertSays(IOException.class, assertThrows(IOException.class, () -> decode(bytes)), why);
    }

    /** All chroma samplings, progressive, with a profile, turned, grey, CMYK; alpha, palettes of 2, 4 and 8 bits. */
    @Test
    void every_byte_is_that_of_pillow() throws IOException {
        for (String[] line : Pictures.pillowTable("decode.txt")) {
            Pictures.Decoded got = decode(Pictures.pillow(line[0]));
            assertEquals(line[1] + " x " + line[2], got.width() + " x " + got.height(), line[0]);
            assertEquals(line[3], Pictures.crc(got.planes()), line[0]);
        }
    }

    /** The pixel that EXIF 2.32 (table 6) says is at the upright place (x, y) of a picture that is stored as w x h. */
    private static int[] stored(int orientation, int x, int y, int w, int h) {
        return switch (orientation) {
            case 2 -> new int[] {w - 1 - x, y};
            case 3 -> new int[] {w - 1 - x, h - 1 - y};
            case 4 -> new int[] {x, h - 1 - y};
            case 5 -> new int[] {y, x};
            case 6 -> new int[] {y, h - 1 - x};
            case 7 -> new int[] {w - 1 - y, h - 1 - x};
            case 8 -> new int[] {w - 1 - y, x};
            default -> new int[] {x, y};
        };
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
    void pictures_are_turned_upright(int orientation) throws IOException {
        int w = 40;
        int h = 24;
        byte[] jpeg = Pictures.jpeg(w, h, 3);
        byte[] plain = decode(jpeg).planes();
        for (boolean littleEndian : new boolean[] {false, true}) {
            Pictures.Decoded got = decode(Pictures.oriented(jpeg, orientation, littleEndian));
            boolean lies = orientation >= 5 && orientation <= 8;
            assertEquals(lies ? h : w, got.width());
            assertEquals(lies ? w : h, got.height());
            for (int p = 0; p < w * h; p++) {
                int[] from = stored(orientation, p % got.width(), p / got.width(), w, h);
                for (int c = 0; c < 3; c++) {
                    assertEquals(plain[(c * h + from[1]) * w + from[0]], got.planes()[c * w * h + p], "pixel " + p);
                }
            }
        }
    }

    @Test
    void interlaced_png() throws IOException {
        BufferedImage scene = Pictures.scene(37, 21, 5);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        var writer = ImageIO.getImageWritersByFormatName("png").next();
        ImageWriteParam param = writer.getDefaultWriteParam();
        param.setProgressiveMode(ImageWriteParam.MODE_DEFAULT);
        try (var stream = ImageIO.createImageOutputStream(out)) {
            writer.setOutput(stream);
            writer.write(null, new IIOImage(scene, null, null), param);
        }
        assertEquals(1, out.toByteArray()[28], "Adam7");
        assertArrayEquals(
                decode(Pictures.png(37, 21, 5)).planes(),
                decode(out.toByteArray()).planes());
    }

    @Test
    void sixteen_bits_are_rounded_to_eight() throws IOException {
        BufferedImage deep = new BufferedImage(4, 1, BufferedImage.TYPE_USHORT_GRAY);
        deep.setData(Raster.createBandedRaster(
                new java.awt.image.DataBufferUShort(new short[] {0, 128, 129, (short) 65535}, 4),
                4,
                1,
                4,
                new int[] {0},
                new int[] {0},
                null));
        assertEquals(DataBuffer.TYPE_USHORT, deep.getRaster().getDataBuffer().getDataType());
        byte[] got = decode(Pictures.encode(deep, "png")).planes();
        assertArrayEquals(new byte[] {0, 0, 1, (byte) 255}, Arrays.copyOf(got, 4)); // 257 make one of 8 bits
    }

    @Test
    void what_is_no_picture() {
        assertRefused(new byte[0], "it ends within its header");
        assertRefused("Not a picture, only named like one".getBytes(), "neither JPEG nor PNG");
        assertRefused(new byte[] {(byte) 0xFF, (byte) 0xD8}, "it ends within its header");
        assertRefused(new byte[] {(byte) 0xFF, (byte) 0xD8, 0, 0, 0}, "do not follow one another");
        assertRefused(new byte[] {(byte) 0xFF, (byte) 0xD8, (byte) 0xFF, (byte) 0xD9, 0, 2}, "before its size is said");
        assertRefused(new byte[] {(byte) 0xFF, (byte) 0xD8, (byte) 0xFF, (byte) 0xE0, 0, 1, 0, 0}, "no length");
        assertRefused(
                new byte[] {(byte) 0x89, 'P', 'N', 'G', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, "not that of a PNG");
        assertThrows(IOException.class, () -> Pictures.decode(folder.resolve("missing.jpg")));
    }

    @Test
    void absurd_sizes_are_refused_before_memory_is_taken() {
        assertRefused(Pictures.pngOf(100_000, 100_000), "100,000 x 100,000 pixels");
        assertRefused(Pictures.pngOf(Integer.MAX_VALUE, Integer.MAX_VALUE), "pixels");
        assertRefused(Pictures.pngOf(-1, 5), "pixels");
        assertRefused(Pictures.pngOf(0, 5), "0 x 5 pixels");
        byte[] jpeg = Pictures.jpeg(8, 8, 0);
        int frame = 0;
        while (jpeg[frame] != (byte) 0xFF || jpeg[frame + 1] != (byte) 0xC0) {
            frame++;
        }
        jpeg[frame + 5] = jpeg[frame + 6] = jpeg[frame + 7] = jpeg[frame + 8] = -1;
        assertRefused(jpeg, "65,535 x 65,535 pixels");
        jpeg[frame + 1] = (byte) 0xC3;
        assertRefused(jpeg, "SOF3");
    }

    @Test
    void cut_off_anywhere() throws IOException {
        for (byte[] whole :
                new byte[][] {Pictures.jpeg(64, 48, 1), Pictures.pillow("progressive.jpg"), Pictures.png(64, 48, 1)}) {
            decode(whole);
            int harmless =
                    whole[1] == 'P' ? 12 + 8 : 0; // the end of a PNG and checksums, which the JDK does not ask for
            for (int length = 0; length < whole.length - harmless; length += 1 + length / 50) {
                byte[] part = Arrays.copyOf(whole, length);
                assertThrows(IOException.class, () -> decode(part), length + " of " + whole.length);
            }
        }
    }

    /** Whatever the bytes, a picture or an {@code IOException} comes out. */
    @Test
    void damaged_anywhere() {
        Random random = new Random(1);
        int refused = 0;
        for (String name :
                new String[] {"420.jpg", "progressive.jpg", "turned.jpg", "palette4.png", "rgb.png", "cmyk.jpg"}) {
            byte[] whole = Pictures.pillow(name);
            for (int i = 0; i < 150; i++) {
                byte[] bytes = whole.clone();
                for (int k = 0; k < 3; k++) {
                    bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
                }
                try {
                    decode(bytes);
                } catch (IOException e) {
                    refused++;
                }
            }
        }
        assertTrue(refused > 300, refused + " of 900 were found damaged");
    }
}
