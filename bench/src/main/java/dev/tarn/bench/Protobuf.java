package dev.tarn.bench;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Writes one message of Protocol Buffers: fields in the order of the calls, each a number and a value. */
final class Protobuf {
    private static final int VARINT = 0;
    private static final int LENGTH_DELIMITED = 2;
    private static final int FIXED_32 = 5;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /** An integer field: int64, int32 or an enum. */
    Protobuf add(int field, long value) {
        varint((long) field << 3 | VARINT);
        varint(value);
        return this;
    }

    /** A float field. */
    Protobuf add(int field, float value) {
        varint((long) field << 3 | FIXED_32);
        int bits = Float.floatToRawIntBits(value);
        for (int i = 0; i < Float.BYTES; i++) {
            out.write(bits >>> (Byte.SIZE * i));
        }
        return this;
    }

    Protobuf add(int field, String value) {
        return add(field, value.getBytes(StandardCharsets.UTF_8));
    }

    /** A message within this one. */
    Protobuf add(int field, Protobuf message) {
        return add(field, message.toBytes());
    }

    Protobuf add(int field, byte[] bytes) {
        varint((long) field << 3 | LENGTH_DELIMITED);
        varint(bytes.length);
        out.writeBytes(bytes);
        return this;
    }

    /** Seven bits a byte, the lowest first; all but the last byte have the highest bit set. */
    private void varint(long value) {
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            out.write((int) (rest & 0x7F | 0x80));
            rest >>>= 7;
        }
        out.write((int) rest);
    }

    byte[] toBytes() {
        return out.toByteArray();
    }
}
