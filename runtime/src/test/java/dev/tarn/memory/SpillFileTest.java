package dev.tarn.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SpillFileTest {
    private static final long BYTES = 1 << 20;

    @TempDir
    private Path folder;

    private static void fill(MemorySegment segment, int seed) {
        for (long i = 0; i < segment.byteSize(); i++) {
            segment.set(ValueLayout.JAVA_BYTE, i, (byte) (i * 31 + seed));
        }
    }

    @Test
    void what_is_stored_comes_back_and_the_rest_is_zero() {
        try (Arena arena = Arena.ofShared();
                SpillFile file = new SpillFile()) {
            SpillFile.Slot first = file.reserve("first", BYTES);
            SpillFile.Slot second = file.reserve("second", BYTES);
            SpillFile.Slot part = second.part(64, 128);
            assertEquals(2 * BYTES, file.byteSize());
            file.open(folder);
            MemorySegment memory = arena.allocate(BYTES);
            MemorySegment copy = arena.allocate(BYTES);
            fill(memory, 1);
            fill(copy, 2);
            first.store(memory);
            second.load(copy);
            second.await();
            assertEquals(-1, copy.mismatch(arena.allocate(BYTES)));
            first.load(copy);
            first.await();
            assertEquals(-1, copy.mismatch(memory));
            part.store(memory.asSlice(0, 128));
            second.load(copy);
            second.await();
            assertEquals(-1, copy.asSlice(64, 128).mismatch(memory.asSlice(0, 128)));
            assertEquals(0, copy.get(ValueLayout.JAVA_BYTE, 63));
        }
    }

    @Test
    void the_file_has_no_name() throws Exception {
        try (SpillFile file = new SpillFile()) {
            file.reserve("value", BYTES);
            file.open(folder);
            try (var files = Files.list(folder)) {
                assertEquals(0, files.count());
            }
        }
    }

    @Test
    void a_disk_without_room_is_refused_with_the_bytes_that_are_there() {
        try (SpillFile file = new SpillFile()) {
            file.reserve("more than any disk has", Long.MAX_VALUE / 2);
            var e = assertThrows(UncheckedIOException.class, () -> file.open(folder));
            assertTrue(e.getMessage().contains("%,d".formatted(Long.MAX_VALUE / 2)), e.getMessage());
        }
    }

    @Test
    void memory_of_another_size_and_late_reservations_are_refused() {
        try (Arena arena = Arena.ofShared();
                SpillFile file = new SpillFile()) {
            SpillFile.Slot slot = file.reserve("value", BYTES);
            assertThrows(IllegalArgumentException.class, () -> slot.part(1, BYTES));
            file.open(folder);
            assertThrows(IllegalArgumentException.class, () -> slot.store(arena.allocate(BYTES - 1)));
            assertThrows(IllegalStateException.class, () -> file.reserve("late", BYTES));
        }
    }

    @Test
    void a_transfer_that_fails_is_told_to_whoever_waits_for_it() {
        Arena arena = Arena.ofShared();
        MemorySegment memory = arena.allocate(BYTES);
        try (SpillFile file = new SpillFile()) {
            SpillFile.Slot slot = file.reserve("value", BYTES);
            file.open(folder);
            arena.close();
            slot.store(memory);
            var e = assertThrows(IllegalStateException.class, slot::await);
            assertTrue(e.getMessage().contains("value"), e.getMessage());
        }
    }
}
