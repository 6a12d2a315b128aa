package dev.tarn.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.tarn.ffm.kernels.NativeVariant;
import dev.tarn.tensor.DType;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class KernelsTest {
    private static final Set<String> KNOWN = Set.of("few_channels", "winograd");

    @Test
    void techniques_are_left_out_by_name() {
        assertEquals(Set.of(), Kernels.leftOut("", KNOWN));
        assertEquals(Set.of("winograd"), Kernels.leftOut("winograd", KNOWN));
        assertEquals(KNOWN, Kernels.leftOut(" winograd,few_channels,", KNOWN));
    }

    @Test
    void unknown_technique_is_refused_and_the_known_ones_are_named() {
        var e = assertThrows(
                IllegalArgumentException.class, () -> Kernels.leftOut("winograd,winogard", Set.of("winograd")));
        assertEquals("tarn.without=winograd,winogard: the techniques are [winograd]", e.getMessage());
    }

    @Test
    void variants_are_those_of_the_level_that_are_not_left_out() {
        List<NativeVariant> variants = Kernels.variants("conv2d_forward", DType.F32, KernelLevel.active());
        assertEquals("conv2d_forward_f32__ref", variants.getLast().name());
        for (NativeVariant v : variants) {
            assertEquals(false, v.level().compareTo(KernelLevel.active()) > 0, v.name());
            assertEquals(false, Kernels.leftOut().contains(v.technique()), v.name());
        }
    }
}
