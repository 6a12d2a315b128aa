package dev.tarn.ffm.load;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LibraryLoaderTest {
    private static final URL TARN = Objects.requireNonNull(LibraryLoaderTest.class.getResource(
            "/META-INF/native/" + Platform.name() + "/" + System.mapLibraryName("tarn")));

    @TempDir
    Path folder;

    private Path cache;
    private Path temporary;

    @BeforeEach
    void folders() throws IOException {
        cache = folder.resolve("cache");
        temporary = Files.createDirectory(folder.resolve("temporary"));
    }

    private LoadedLibrary open() {
        return new LibraryLoader(cache, temporary).open(TARN);
    }

    @Test
    void first_use_unpacks_into_a_folder_for_its_owner_alone() throws IOException {
        Path file = open().file();
        assertTrue(file.startsWith(cache));
        assertArrayEquals(content(), Files.readAllBytes(file));
        for (Path home : List.of(cache, file.getParent())) {
            assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(home)));
        }
    }

    @Test
    void second_use_leaves_the_file_alone() throws IOException {
        Object before = Files.getAttribute(open().file(), "unix:ino");
        assertEquals(before, Files.getAttribute(open().file(), "unix:ino"));
    }

    @Test
    void damaged_file_is_replaced() throws IOException {
        Path file = new LibraryCache(cache).place(LibraryResource.of(TARN));
        byte[] damaged = content();
        damaged[damaged.length / 2] ^= 1;
        Files.write(file, damaged);
        assertEquals(file, open().file());
        assertArrayEquals(content(), Files.readAllBytes(file));
    }

    @Test
    void truncated_file_is_replaced() throws IOException {
        Path file = new LibraryCache(cache).place(LibraryResource.of(TARN));
        Files.write(file, new byte[0]);
        assertEquals(file, open().file());
        assertArrayEquals(content(), Files.readAllBytes(file));
    }

    @Test
    void cache_that_cannot_be_created_falls_back_and_leaves_nothing_behind() throws IOException {
        Files.write(cache, new byte[1]);
        LoadedLibrary library = open();
        assertTrue(library.file().startsWith(temporary));
        assertTrue(library.symbols().find("tarn_abi").isPresent());
        assertEquals(List.of(), files(temporary));
    }

    @Test
    void cache_that_others_may_write_to_is_refused() throws IOException {
        Files.createDirectory(cache);
        Files.setPosixFilePermissions(cache, PosixFilePermissions.fromString("rwxrwxrwx"));
        assertTrue(open().file().startsWith(temporary));
    }

    @Test
    void no_usable_folder_names_both_and_the_remedy() throws IOException {
        Files.write(cache, new byte[1]);
        Files.delete(temporary);
        String message = assertThrows(NativeLoadException.class, this::open).getMessage();
        assertTrue(message.contains(cache.toString()), message);
        assertTrue(message.contains(temporary.toString()), message);
        assertTrue(message.contains("-Dtarn.cache="), message);
    }

    @Test
    void file_that_is_not_there_is_refused_with_the_linkers_reason() {
        Path file = folder.resolve("libtarn.so");
        var loader = new LibraryLoader(cache, temporary);
        String message =
                assertThrows(NativeLoadException.class, () -> loader.open(file)).getMessage();
        assertTrue(message.startsWith(file + ": cannot open"), message);
    }

    @Test
    void many_threads_at_once_share_one_complete_file() throws Exception {
        int threads = 8;
        var start = new CyclicBarrier(threads);
        Callable<Path> place = () -> {
            start.await();
            Path file = new LibraryCache(cache).place(LibraryResource.of(TARN));
            assertArrayEquals(content(), Files.readAllBytes(file));
            return file;
        };
        try (var pool = Executors.newFixedThreadPool(threads)) {
            var placed = new ArrayList<Path>();
            for (Future<Path> file : pool.invokeAll(Collections.nCopies(threads, place))) {
                placed.add(file.get());
            }
            assertEquals(1, placed.stream().distinct().count());
            assertEquals(List.of(placed.getFirst()), files(placed.getFirst().getParent()));
        }
    }

    @Test
    void library_in_a_jar_is_the_same_as_in_a_folder() throws IOException {
        Path jar = folder.resolve("libraries.jar");
        try (var out = new JarOutputStream(Files.newOutputStream(jar))) {
            out.putNextEntry(new JarEntry(System.mapLibraryName("tarn")));
            out.write(content());
        }
        URL inJar = java.net
                .URI
                .create("jar:" + jar.toUri() + "!/" + System.mapLibraryName("tarn"))
                .toURL();
        Path loose = Files.write(folder.resolve(System.mapLibraryName("tarn")), content());
        assertEquals(
                LibraryResource.of(loose.toUri().toURL()).key(),
                LibraryResource.of(inJar).key());
        assertArrayEquals(
                content(),
                Files.readAllBytes(
                        new LibraryLoader(cache, temporary).open(inJar).file()));
    }

    private static byte[] content() throws IOException {
        try (var in = TARN.openStream()) {
            return in.readAllBytes();
        }
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }
}
