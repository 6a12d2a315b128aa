package dev.tarn.ffm.kernels;

import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** An argument struct of the native library: what to write where before a kernel is planned or run. */
public final class NativeStruct {
    private final String name;
    private final Map<String, NativeField> fields;

    NativeStruct(String name, List<NativeField> fields) {
        this.name = name;
        var byName = new LinkedHashMap<String, NativeField>();
        for (NativeField field : fields) {
            byName.put(field.name(), field);
        }
        this.fields = Collections.unmodifiableMap(byName);
    }

    /** For instance {@code conv2d}. */
    public String name() {
        return name;
    }

    /** In the order of the struct. */
    public Collection<NativeField> fields() {
        return fields.values();
    }

    /**
     * The field of this name.
     *
     * @throws IllegalArgumentException if there is none
     */
    public NativeField field(String field) {
        NativeField found = fields.get(field);
        if (found == null) {
            throw new IllegalArgumentException(
                    "struct " + name + " has no field " + field + ", only " + fields.keySet());
        }
        return found;
    }

    /** Size of the struct. */
    public long byteSize() {
        return Long.BYTES * (long) fields.size();
    }
}
