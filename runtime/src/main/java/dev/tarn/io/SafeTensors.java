package dev.tarn.io;

import dev.tarn.tensor.DType;
import dev.tarn.tensor.Layout;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/**
 * A safetensors file, mapped: eight bytes of header length, a JSON header with names, types, shapes and offsets, then the tensors,
 * row-major and little-endian. Nothing in it is trusted: see {@link #open}.
 *
 * <p>The mapping lives as long as a tensor of it is reachable, and needs no closing. A file that somebody shortens while it is mapped
 * fails on access; files written by {@link #write} are never changed in place.
 */
public final class SafeTensors {
    /** Metadata key of the CRC-32C of all tensor bytes, eight hexadecimal digits. Written always, checked when present. */
    public static final String CHECKSUM = "tarn.crc32c";

    private static final long DATA_ALIGNMENT = 64;
    private static final long BUFFER = 1 << 20;
    private static final long CHECKSUM_CHUNK = 1 << 30;

    private final Path path;
    private final MemorySegment data;
    private final Map<String, String> metadata;
    private final Map<String, Entry> entries = new HashMap<>();
    private final List<String> names;

    /**
     * A tensor in a file.
     *
     * @param dtype as the format spells it; it may be one that {@link DType} does not have
     * @param begin first byte, from the start of the data
     * @param end byte after the last
     */
    public record Entry(String name, String dtype, Shape shape, long begin, long end) {}

    private SafeTensors(Path path, MemorySegment file, SafeTensorsHeader header) {
        this.path = path;
        this.data = file.asSlice(header.dataStart());
        this.metadata = Collections.unmodifiableMap(header.metadata());
        header.entries().forEach(entry -> entries.put(entry.name(), entry));
        this.names = header.entries().stream().map(Entry::name).toList();
    }

    /**
     * Maps a file, after checking every length, offset, type and shape, that tensors neither overlap nor leave holes, and the
     * checksum if there is one.
     *
     * @throws FileFormatException if anything is wrong with the content
     */
    public static SafeTensors open(Path path) throws IOException {
        if (!Files.isRegularFile(path)) {
            throw new IOException(
                    "%s is %s; name a safetensors file".formatted(path, Files.exists(path) ? "not a file" : "missing"));
        }
        MemorySegment file;
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            file = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), Arena.ofAuto());
        }
        SafeTensors result = new SafeTensors(path, file, SafeTensorsHeader.read(path, file));
        result.verify();
        return result;
    }

    private void verify() throws FileFormatException {
        String expected = metadata.get(CHECKSUM);
        if (expected == null) {
            return;
        }
        CRC32C checksum = new CRC32C();
        for (long at = 0; at < data.byteSize(); at += CHECKSUM_CHUNK) {
            long bytes = Math.min(CHECKSUM_CHUNK, data.byteSize() - at);
            checksum.update(data.asSlice(at, bytes).asByteBuffer());
        }
        String actual = HexFormat.of().toHexDigits((int) checksum.getValue());
        if (!actual.equals(expected)) {
            throw new FileFormatException(
                    path,
                    "the data are damaged: their CRC-32C is %s, and the file was written with %s; fetch or write it again"
                            .formatted(actual, expected));
        }
    }

    /** Everything that the file says beside its tensors. */
    public Map<String, String> metadata() {
        return metadata;
    }

    /** In the order of their bytes in the file. */
    public List<String> names() {
        return names;
    }

    /** @throws IllegalArgumentException if there is none of that name; the message lists what there is */
    public Entry entry(String name) {
        Entry entry = entries.get(name);
        if (entry == null) {
            String some = String.join(", ", names.subList(0, Math.min(names.size(), 8)));
            throw new IllegalArgumentException("%s has no tensor '%s' among its %d: %s%s"
                    .formatted(path, name, entries.size(), some, entries.size() > 8 ? ", ..." : ""));
        }
        return entry;
    }

    /**
     * A row-major view of mapped memory, which cannot be written and may start at any byte.
     *
     * @throws IllegalArgumentException if there is none of that name, or its type or rank is not one that tensors have
     */
    public Tensor tensor(String name) {
        Entry entry = entry(name);
        DType dtype = Arrays.stream(DType.values())
                .filter(t -> t.name().equals(entry.dtype()))
                .findAny()
                .orElseThrow(
                        () -> new IllegalArgumentException("%s: tensor '%s' is of type %s; tensors are of one of %s"
                                .formatted(path, name, entry.dtype(), Arrays.toString(DType.values()))));
        MemorySegment bytes = data.asSlice(entry.begin(), entry.end() - entry.begin());
        try {
            return Tensor.view(bytes, dtype, entry.shape(), Layout.ROW_MAJOR);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("%s: tensor '%s': %s".formatted(path, name, e.getMessage()), e);
        }
    }

    /**
     * Writes a file, or replaces it as a whole ({@link AtomicFile}). Tensors are written in logical order, whatever their layout.
     * Equal content gives equal bytes, whatever the order of the maps: metadata is sorted by key, tensors by falling element size,
     * so that each is aligned, and then by name.
     *
     * @param metadata what to say beside the tensors; {@link #CHECKSUM} is put in place of what it has under that key
     * @throws IOException if the file cannot be written; what was there before is then untouched
     */
    public static void write(Path path, Map<String, String> metadata, Map<String, Tensor> tensors) throws IOException {
        if (tensors.containsKey(SafeTensorsHeader.METADATA)) {
            throw new IllegalArgumentException("the format reserves the name " + SafeTensorsHeader.METADATA);
        }
        List<Map.Entry<String, Tensor>> order = tensors.entrySet().stream()
                .sorted(Comparator.comparing((Map.Entry<String, Tensor> e) ->
                                -e.getValue().dtype().byteSize())
                        .thenComparing(Map.Entry.comparingByKey()))
                .toList();
        WriteEvent.Recorded event = WriteEvent.start();
        AtomicFile.write(path, channel -> {
            CRC32C checksum = new CRC32C();
            writeFully(channel, header(metadata, order, checksum)); // of the right length; the checksum follows
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment buffer = arena.allocate(BUFFER);
                for (Map.Entry<String, Tensor> entry : order) {
                    writeTensor(channel, entry.getValue(), buffer, checksum);
                }
            }
            channel.position(0);
            writeFully(channel, header(metadata, order, checksum));
            if (event != null) {
                event.bytes = channel.size();
            }
        });
        WriteEvent.end(event, path);
    }

    private static ByteBuffer header(
            Map<String, String> metadata, List<Map.Entry<String, Tensor>> order, CRC32C checksum) {
        Map<String, String> sorted = new TreeMap<>(metadata);
        sorted.put(CHECKSUM, HexFormat.of().toHexDigits((int) checksum.getValue()));
        Map<String, Object> header = new LinkedHashMap<>();
        header.put(SafeTensorsHeader.METADATA, sorted);
        long offset = 0;
        for (Map.Entry<String, Tensor> entry : order) {
            Tensor tensor = entry.getValue();
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("dtype", tensor.dtype().name());
            fields.put("shape", Arrays.stream(tensor.shape().toArray()).boxed().toList());
            fields.put("data_offsets", List.of(offset, offset + tensor.byteSize()));
            header.put(entry.getKey(), fields);
            offset += tensor.byteSize();
        }
        byte[] json = Json.line(header).getBytes(StandardCharsets.UTF_8);
        long end = SafeTensorsHeader.LENGTH_BYTES + (long) json.length;
        int padded = json.length + (int) (Math.ceilDiv(end, DATA_ALIGNMENT) * DATA_ALIGNMENT - end);
        byte[] spaced = Arrays.copyOf(json, padded);
        Arrays.fill(spaced, json.length, padded, (byte) ' ');
        return ByteBuffer.allocate(SafeTensorsHeader.LENGTH_BYTES + padded)
                .order(java.nio.ByteOrder.LITTLE_ENDIAN)
                .putLong(padded)
                .put(spaced)
                .flip();
    }

    private static void writeTensor(FileChannel channel, Tensor tensor, MemorySegment buffer, CRC32C checksum)
            throws IOException {
        long size = tensor.dtype().byteSize();
        long atOnce = buffer.byteSize() / size;
        for (long first = 0; first < tensor.shape().elementCount(); first += atOnce) {
            long count = Math.min(atOnce, tensor.shape().elementCount() - first);
            gather(tensor, first, count, buffer);
            ByteBuffer bytes = buffer.asSlice(0, count * size).asByteBuffer();
            checksum.update(bytes);
            writeFully(channel, bytes.flip());
        }
    }

    /** Copies elements, counted in logical order, to the start of {@code target}. */
    private static void gather(Tensor tensor, long first, long count, MemorySegment target) {
        Shape shape = tensor.shape();
        long size = tensor.dtype().byteSize();
        long[] strides = tensor.layout().strides(shape);
        if (Arrays.equals(strides, Layout.ROW_MAJOR.strides(shape))) {
            MemorySegment.copy(tensor.data(), first * size, target, 0, count * size);
            return;
        }
        long[] index = new long[shape.rank()];
        long offset = 0;
        long rest = first;
        for (int d = shape.rank() - 1; d >= 0; d--) {
            index[d] = rest % shape.size(d);
            offset += index[d] * strides[d];
            rest /= shape.size(d);
        }
        for (long i = 0; i < count; i++) {
            copyElement(tensor.data(), offset * size, target, i * size, size);
            for (int d = shape.rank() - 1; d >= 0; d--) {
                offset += strides[d];
                if (++index[d] < shape.size(d)) {
                    break;
                }
                offset -= strides[d] * index[d];
                index[d] = 0;
            }
        }
    }

    /** Bits, not numbers, so that a NaN keeps its payload. */
    private static void copyElement(MemorySegment from, long fromByte, MemorySegment to, long toByte, long size) {
        if (size == Integer.BYTES) {
            to.set(ValueLayout.JAVA_INT_UNALIGNED, toByte, from.get(ValueLayout.JAVA_INT_UNALIGNED, fromByte));
        } else {
            MemorySegment.copy(from, fromByte, to, toByte, size);
        }
    }

    private static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }
}
