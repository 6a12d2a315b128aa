package dev.tarn.data;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * What a JPEG or PNG file says of itself before its pixels. Read without decoding anything, so that it is cheap, and what it claims can
 * be refused before memory is taken for it.
 *
 * @param bands samples of a pixel: 1 grey or index of a colour, 2 grey and alpha, 3 colour, 4 colour and alpha or, in a JPEG, CMYK
 * @param depth bits of a sample
 * @param orientation which way up the pixels are, 1 to 8 as EXIF numbers it; 1 is upright
 */
record ImageHeader(Format format, int width, int height, int bands, int depth, int orientation) {
    /** The kinds of files that are read, as {@code javax.imageio} names them. */
    enum Format {
        JPEG,
        PNG
    }

    /** More pixels than this are refused: decoded they take three or four bytes each for every file under way. */
    static final long MOST_PIXELS = 64 << 20;

    private static final long PNG_SIGNATURE = 0x89504E470D0A1A0AL;
    private static final int IHDR = 0x49484452;
    private static final int[] PNG_BANDS = {1, 0, 3, 1, 2, 0, 4}; // by colour type
    private static final byte[] EXIF = "Exif\0\0".getBytes(StandardCharsets.US_ASCII);
    private static final int ORIENTATION = 0x112; // a tag of TIFF 6.0
    private static final int SHORT = 3; // likewise a type

    /** @throws IOException if the file is not a picture that can be decoded; the message says why, without the file's name */
    static ImageHeader read(Path path) throws IOException {
        try (var in = new DataInputStream(new BufferedInputStream(Files.newInputStream(path)))) {
            int start = in.readUnsignedShort();
            ImageHeader header;
            if (start == 0xFFD8) {
                header = jpeg(in);
            } else if (start == PNG_SIGNATURE >>> 48) {
                header = png(in);
            } else {
                throw new IOException("it is neither JPEG nor PNG");
            }
            return header.requireSane();
        } catch (EOFException e) {
            throw new IOException("it ends within its header", e);
        }
    }

    private ImageHeader requireSane() throws IOException {
        if (width < 1 || height < 1 || (long) width * height > MOST_PIXELS) {
            throw new IOException(
                    "it claims %,d x %,d pixels, where 1 to %,d are taken".formatted(width, height, MOST_PIXELS));
        }
        if (bands == 0 || format == Format.JPEG && (bands == 2 || bands > 4 || depth != 8)) {
            throw new IOException("%s with %d samples of %d bits is not supported".formatted(format, bands, depth));
        }
        return this;
    }

    private static ImageHeader png(DataInputStream in) throws IOException {
        long rest = (long) in.readUnsignedShort() << 32 | in.readInt() & 0xFFFFFFFFL;
        int length = in.readInt();
        if (rest != (PNG_SIGNATURE & 0xFFFFFFFFFFFFL) || in.readInt() != IHDR || length != 13) {
            throw new IOException("its header is not that of a PNG");
        }
        int width = in.readInt();
        int height = in.readInt();
        int depth = in.readUnsignedByte();
        int type = in.readUnsignedByte();
        return new ImageHeader(Format.PNG, width, height, type < PNG_BANDS.length ? PNG_BANDS[type] : 0, depth, 1);
    }

    private static ImageHeader jpeg(DataInputStream in) throws IOException {
        int orientation = 1;
        while (true) {
            int marker = marker(in);
            int length = in.readUnsignedShort() - 2;
            if (length < 0) {
                throw new IOException("a segment of it has no length");
            }
            if (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC) {
                if (marker > 0xC2) { // lossless, hierarchical or arithmetic
                    throw new IOException(
                            "it is a JPEG of a rare kind (SOF%d) that is not read".formatted(marker - 0xC0));
                }
                int depth = in.readUnsignedByte();
                int height = in.readUnsignedShort();
                int width = in.readUnsignedShort();
                return new ImageHeader(Format.JPEG, width, height, in.readUnsignedByte(), depth, orientation);
            }
            if (marker == 0xD9 || marker == 0xDA) {
                throw new IOException("its pixels begin before its size is said");
            }
            if (marker == 0xE1 && orientation == 1) {
                byte[] segment = in.readNBytes(length);
                orientation = orientation(segment);
            } else {
                in.skipNBytes(length);
            }
        }
    }

    private static int marker(DataInputStream in) throws IOException {
        if (in.readUnsignedByte() != 0xFF) {
            throw new IOException("its segments do not follow one another");
        }
        int marker = in.readUnsignedByte();
        while (marker == 0xFF) { // fill bytes
            marker = in.readUnsignedByte();
        }
        return marker;
    }

    /** The orientation that an APP1 segment says; upright if it says none, or nothing that makes sense. */
    private static int orientation(byte[] segment) {
        if (segment.length < EXIF.length + 8 || !startsWith(segment, EXIF)) {
            return 1;
        }
        ByteBuffer tiff = ByteBuffer.wrap(segment, EXIF.length, segment.length - EXIF.length)
                .slice();
        tiff.order(tiff.get(0) == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
        int directory = tiff.getInt(4);
        if (directory < 8 || directory > tiff.limit() - 2) {
            return 1;
        }
        int entries = tiff.getShort(directory) & 0xFFFF;
        for (int i = 0, at = directory + 2; i < entries && at <= tiff.limit() - 12; i++, at += 12) {
            if (tiff.getShort(at) == ORIENTATION && tiff.getShort(at + 2) == SHORT) {
                int value = tiff.getShort(at + 8);
                return value >= 1 && value <= 8 ? value : 1;
            }
        }
        return 1;
    }

    private static boolean startsWith(byte[] bytes, byte[] prefix) {
        return Arrays.mismatch(bytes, prefix) == prefix.length;
    }
}
