package dev.tarn.ffm.load;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Opens shared libraries that travel as resources. Each is unpacked once into a cache: the folder named by the property
 * {@code tarn.cache}, else {@code $XDG_CACHE_HOME/tarn}, else {@code ~/.cache/tarn}. If that folder cannot be used (read-only,
 * or mounted without the right to execute) a private temporary folder serves this process alone. Nothing is ever downloaded.
 */
public final class LibraryLoader {
    private static final AtomicBoolean WARNED = new AtomicBoolean();

    private final Path cache;
    private final Path temporary;

    LibraryLoader(Path cache, Path temporary) {
        this.cache = cache;
        this.temporary = temporary;
    }

    /** The loader that the properties and the environment of this process ask for. */
    public static LibraryLoader standard() {
        try {
            return new LibraryLoader(cacheFolder(), Path.of(System.getProperty("java.io.tmpdir", "/tmp")));
        } catch (InvalidPathException e) {
            throw new NativeLoadException("The cache folder is not a path: " + e.getMessage(), e);
        }
    }

    private static Path cacheFolder() {
        String chosen = System.getProperty("tarn.cache", "");
        if (!chosen.isEmpty()) {
            return Path.of(chosen).toAbsolutePath();
        }
        String xdg = System.getenv("XDG_CACHE_HOME");
        // The standard says that a relative path there is to be ignored.
        return xdg != null && xdg.startsWith("/")
                ? Path.of(xdg, "tarn")
                : Path.of(System.getProperty("user.home", "/"), ".cache", "tarn")
                        .toAbsolutePath();
    }

    /**
     * Opens a file as it is, for as long as the process lives.
     *
     * @throws NativeLoadException if the system's linker refuses it, with the linker's reason
     */
    @SuppressWarnings("restricted") // runs the library's start-up code, and the process lives with what it does
    public LoadedLibrary open(Path file) {
        try {
            return new LoadedLibrary(file, SymbolLookup.libraryLookup(file, Arena.global()));
        } catch (IllegalArgumentException e) {
            throw new NativeLoadException(DynamicLinker.refusal(file), e);
        }
    }

    /**
     * Unpacks a resource and opens it, for as long as the process lives.
     *
     * @throws NativeLoadException if it can be opened from neither folder, naming both and why
     */
    public LoadedLibrary open(URL resource) {
        LibraryResource library;
        try {
            library = LibraryResource.of(resource);
        } catch (IOException e) {
            throw new NativeLoadException("Cannot read " + resource + ": " + e.getMessage(), e);
        }
        String refused;
        try {
            return open(new LibraryCache(cache).place(library));
        } catch (IOException | NativeLoadException | UnsupportedOperationException e) {
            refused = cache + " (" + e.getMessage() + ")";
        }
        try {
            LoadedLibrary loaded = openTemporarily(library);
            if (!WARNED.getAndSet(true)) {
                System.getLogger(LibraryLoader.class.getName())
                        .log(
                                Level.WARNING,
                                "Native libraries are unpacked into a temporary folder at every start, for the cache"
                                        + " cannot be used: "
                                        + refused);
            }
            return loaded;
        } catch (IOException | NativeLoadException | UnsupportedOperationException e) {
            throw new NativeLoadException(
                    "Cannot load " + library.fileName() + ". Tried " + refused + ", then " + temporary + " ("
                            + e.getMessage() + "). Name a folder that can be written and executed with"
                            + " -Dtarn.cache=FOLDER.",
                    e);
        }
    }

    /** The file goes as soon as it is mapped: a process that is killed leaves nothing behind. */
    private LoadedLibrary openTemporarily(LibraryResource library) throws IOException {
        Path folder = Files.createTempDirectory(temporary, "tarn");
        try {
            return open(new LibraryCache(folder).place(library));
        } finally {
            Path home = folder.resolve(library.key());
            Files.deleteIfExists(home.resolve(library.fileName()));
            Files.deleteIfExists(home);
            Files.deleteIfExists(folder);
        }
    }
}
