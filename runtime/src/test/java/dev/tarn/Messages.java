package dev.tarn;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.jspecify.annotations.Nullable;

/** Assertions on what errors say. */
public final class Messages {
    private Messages() {}

    /** The error is of the type and its message contains all parts. */
    public static void assertSays(Class<? extends Throwable> type, @Nullable Throwable error, String... parts) {
        String message = assertInstanceOf(type, error).getMessage();
        for (String part : parts) {
            assertTrue(message != null && message.contains(part), () -> "'" + part + "' is not in: " + message);
        }
    }
}
