package dev.tarn.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class OwnedMemoryTest {
    @Test
    void the_account_counts_to_the_byte() {
        long before = MemoryAccount.current();
        try (var memory = OwnedMemory.open("test")) {
            memory.allocate(1000);
            assertEquals(before + 1000, MemoryAccount.current());
            assertEquals(1000, memory.byteSize());
            assertTrue(MemoryAccount.peak() >= before + 1000);
        }
        assertEquals(before, MemoryAccount.current());
    }

    @Test
    void memory_is_zero_and_aligned() {
        try (var memory = OwnedMemory.open("test")) {
            memory.allocate(7);
            MemorySegment segment = memory.allocate(100);
            assertEquals(0, segment.address() % OwnedMemory.ALIGNMENT);
            assertEquals(-1, segment.mismatch(MemorySegment.ofArray(new byte[100])));
        }
    }

    @Test
    void use_after_close_is_an_exception() {
        var memory = OwnedMemory.open("test");
        MemorySegment segment = memory.allocate(8);
        memory.close();
        memory.close();
        assertThrows(IllegalStateException.class, () -> segment.get(ValueLayout.JAVA_LONG, 0));
        assertThrows(IllegalStateException.class, memory::acquire);
        var e = assertThrows(IllegalStateException.class, () -> memory.allocate(8));
        assertEquals("test is closed", e.getMessage());
    }

    @Test
    void held_memory_cannot_be_closed() {
        var memory = OwnedMemory.open("test");
        memory.acquire();
        assertThrows(IllegalStateException.class, memory::close);
        assertTrue(memory.isOpen());
        memory.release();
        memory.close();
        assertFalse(memory.isOpen());
    }

    @Test
    void an_owner_that_is_never_closed_is_reported() throws InterruptedException {
        forget();
        for (int i = 0; i < 200 && !OwnedMemory.leaks().contains("forgotten"); i++) {
            System.gc();
            Thread.sleep(10);
        }
        assertTrue(OwnedMemory.leaks().contains("forgotten"));
    }

    private static void forget() {
        OwnedMemory.open("forgotten").allocate(64);
    }
}
