package dev.tarn.ffm.load;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;

/** An opened shared library; it stays open until the process ends. */
public record LoadedLibrary(Path file, SymbolLookup symbols) {

    /**
     * Address of an exported function.
     *
     * @throws NativeLoadException if the library has no such function
     */
    public MemorySegment symbol(String name) {
        return symbols.find(name)
                .orElseThrow(() -> new NativeLoadException(file + " has no function " + name
                        + ": it is not the library that this version of Tarn was built with"));
    }
}
