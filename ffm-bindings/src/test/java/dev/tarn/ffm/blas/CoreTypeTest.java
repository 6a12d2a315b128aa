package dev.tarn.ffm.blas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.ffm.kernels.Level;
import org.junit.jupiter.api.Test;

class CoreTypeTest {
    private static final CoreType UNFORCED = new CoreType(null, "");

    @Test
    void nothing_set_leaves_the_choice_to_openblas() {
        assertEquals(UNFORCED, CoreType.choose("env", null, Level.AVX512));
        assertEquals(UNFORCED, CoreType.choose("env", "", Level.AVX512));
    }

    @Test
    void weaker_core_from_the_environment_is_ignored_and_noted() {
        CoreType core = CoreType.choose("env", "haswell", Level.AVX512);
        assertEquals(null, core.forced());
        assertTrue(core.note().startsWith("OPENBLAS_CORETYPE=haswell holds OpenBLAS below"), core.note());
        assertTrue(core.note().contains("-Dtarn.openblas.coretype=haswell"), core.note());
    }

    @Test
    void fitting_core_from_the_environment_is_obeyed() {
        assertEquals(new CoreType("Haswell", ""), CoreType.choose("env", "Haswell", Level.AVX2));
        assertEquals(new CoreType("SkylakeX", ""), CoreType.choose("env", "SkylakeX", Level.AVX512));
        assertEquals(new CoreType("Nehalem", ""), CoreType.choose("env", "Nehalem", Level.BLAS));
    }

    @Test
    void unknown_core_is_left_to_openblas_to_judge() {
        assertEquals(new CoreType("NEOVERSEN1", ""), CoreType.choose("env", "NEOVERSEN1", Level.BLAS));
    }

    @Test
    void core_beyond_the_processor_is_ignored_wherever_it_comes_from() {
        for (CoreType core : new CoreType[] {
            CoreType.choose("env", "SkylakeX", Level.AVX2), CoreType.choose("SkylakeX", null, Level.AVX2)
        }) {
            assertEquals(null, core.forced());
            assertTrue(core.note().endsWith("SkylakeX needs AVX512, this processor has AVX2: ignored"), core.note());
        }
    }

    @Test
    void property_insists_on_a_weaker_core() {
        assertEquals(new CoreType("Haswell", ""), CoreType.choose("Haswell", "SkylakeX", Level.AVX512));
    }

    @Test
    void auto_ignores_the_environment() {
        assertEquals(UNFORCED, CoreType.choose("auto", "Haswell", Level.AVX2));
    }
}
