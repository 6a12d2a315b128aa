package dev.tarn.data;

import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.IndexColorModel;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.spi.ImageReaderSpi;
import javax.imageio.stream.FileImageInputStream;
import org.jspecify.annotations.Nullable;

/**
 * Decodes JPEG and PNG files with the readers of the JDK to upright RGB off the heap. As Pillow's {@code convert("RGB")} and unlike
 * {@code BufferedImage.getRGB}, it applies no colour profile, repeats grey in all channels as it is, and ignores alpha. Samples of 16 bits
 * are rounded to 8.
 */
final class ImageDecoder {
    private static final int RGB = 3;
    private static final ImageReaderSpi JPEG = reader(ImageHeader.Format.JPEG);
    private static final ImageReaderSpi PNG = reader(ImageHeader.Format.PNG);

    private ImageDecoder() {}

    /** The JDK's own reader, whichever others there are on the class path. */
    private static ImageReaderSpi reader(ImageHeader.Format format) {
        Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName(format.name());
        while (readers.hasNext()) {
            ImageReader reader = readers.next();
            if (reader.getClass().getModule() == ImageIO.class.getModule()) {
                return reader.getOriginatingProvider();
            }
        }
        throw new IllegalStateException(
                "this Java has no reader of %s files; use one with the module java.desktop".formatted(format));
    }

    /**
     * Decodes a file.
     *
     * @param arena what the pixels live in
     * @throws IOException if it cannot be decoded to its end; the message says why, without the file's name
     */
    static Picture decode(Path path, Arena arena) throws IOException {
        ImageHeader header = ImageHeader.read(path);
        long plane = (long) header.width() * header.height();
        MemorySegment pixels = arena.allocate(Math.max(header.bands(), RGB) * plane);
        ImageReader reader = (header.format() == ImageHeader.Format.JPEG ? JPEG : PNG).createReaderInstance();
        try (var in = new FileImageInputStream(path.toFile())) {
            reader.setInput(in, true, true);
            read(reader, header, pixels);
            toRgb(header, palette(reader, header), pixels, plane);
        } catch (RuntimeException e) { // what the readers throw for some damaged files
            throw new IOException("it is damaged: " + e, e);
        } finally {
            reader.dispose();
        }
        boolean lies = header.orientation() > 4;
        Picture picture =
                new Picture(RGB, lies ? header.width() : header.height(), lies ? header.height() : header.width());
        picture.load(pixels, MemorySegment.NULL);
        return picture;
    }

    private static void read(ImageReader reader, ImageHeader header, MemorySegment pixels) throws IOException {
        if (reader.getWidth(0) != header.width() || reader.getHeight(0) != header.height()) {
            throw new IOException("its header says two sizes");
        }
        String[] damage = new String[1];
        reader.addIIOReadWarningListener((source, warning) -> {
            if (damage[0] == null && isDamage(warning)) {
                damage[0] = warning;
            }
        });
        int bands = header.bands();
        ImageReadParam param = reader.getDefaultReadParam();
        param.setDestination(image(header, pixels));
        // Bands that are said explicitly are given as they are: without a conversion by the file's colour profile.
        param.setSourceBands(IntStream.range(0, bands).toArray());
        reader.read(0, param);
        if (damage[0] != null) {
            throw new IOException("it is damaged: " + damage[0]);
        }
    }

    private static BufferedImage image(ImageHeader header, MemorySegment pixels) {
        int bands = header.bands();
        ColorSpace space = ColorSpace.getInstance(bands < RGB ? ColorSpace.CS_GRAY : ColorSpace.CS_sRGB);
        boolean hasMore = bands != space.getNumComponents();
        var colours = new ComponentColorModel(
                space,
                hasMore,
                false,
                hasMore ? ComponentColorModel.TRANSLUCENT : ComponentColorModel.OPAQUE,
                DataBuffer.TYPE_BYTE);
        return new BufferedImage(colours, new OffHeapRaster(pixels, header), false, null);
    }

    /** libjpeg goes on after damage, with grey or garbage for what is missing, and warns; bytes too many between segments do no harm. */
    private static boolean isDamage(String warning) {
        return warning.startsWith("Premature end")
                || warning.startsWith("Truncated File") // the JDK's own: there is no end marker
                || warning.startsWith("Corrupt JPEG data") && !warning.contains("extraneous bytes");
    }

    private static @Nullable IndexColorModel palette(ImageReader reader, ImageHeader header) throws IOException {
        return header.bands() == 1 && reader.getRawImageType(0).getColorModel() instanceof IndexColorModel colours
                ? colours
                : null;
    }

    private static void toRgb(ImageHeader header, @Nullable IndexColorModel palette, MemorySegment pixels, long plane) {
        MemorySegment first = pixels.asSlice(0, plane);
        if (palette != null) {
            Colours.ofPalette(palette, header.depth(), pixels, plane);
        } else if (header.bands() < RGB) {
            pixels.asSlice(plane, plane).copyFrom(first);
            pixels.asSlice(2 * plane, plane).copyFrom(first);
        } else if (header.bands() > RGB && header.format() == ImageHeader.Format.JPEG) {
            Colours.ofCmyk(pixels, plane);
        }
    }
}
