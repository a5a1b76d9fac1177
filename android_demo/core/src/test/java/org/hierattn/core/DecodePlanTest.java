package org.hierattn.core;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;
import static org.junit.Assert.fail;

import org.junit.Test;

/** Whole where it fits, few strips else, and a refusal that says what to do. */
public class DecodePlanTest {
    private static final long MEGA = 1000000L;

    private static void assertRefused(int width, int height, boolean progressive, boolean strips,
            long free, Reason.Kind kind, String... words) {
        try {
            DecodePlan.of(width, height, progressive, strips, free);
            fail("accepted");
        } catch (UnreadableImageException error) {
            assertEquals(kind, error.reason.kind);
            assertTrue(error.getMessage(), error.getMessage().contains(
                    error.reason.values()[0] + " megapixels"));
            for (String word : words) {
                assertTrue(error.getMessage(), error.getMessage().contains(word));
            }
        }
    }

    @Test
    public void photosOfPhonesAreDecodedWhole() throws Exception {
        // 24 and 48 megapixels of any kind, HEIC without strips too, in 400 MB.
        int[][] sides = {{4000, 3000}, {5712, 4284}, {8064, 6048}, {6048, 8064}};
        for (int[] side : sides) {
            for (boolean strips : new boolean[] {true, false}) {
                DecodePlan plan = DecodePlan.of(side[0], side[1], false, strips, 400 * MEGA);
                assertTrue(plan.whole);
                assertEquals(side[1], plan.rows);
            }
        }
    }

    @Test
    public void exactlyWhatFitsIsWholeAndOneByteLessIsNot() throws Exception {
        assertTrue(DecodePlan.of(1000, 1000, false, true, 4 * MEGA).whole);
        assertFalse(DecodePlan.of(1000, 1000, false, true, 4 * MEGA - 1).whole);
        assertTrue(DecodePlan.of(1000, 1000, true, true, 10 * MEGA).whole);
        assertFalse(DecodePlan.of(1000, 1000, true, true, 10 * MEGA - 1).whole);
    }

    @Test
    public void stripsAreFewAndFit() throws Exception {
        // 50 megapixels in 100 MB: 8160 rows of 6120, in 4 strips or 5, not 25.
        DecodePlan plan = DecodePlan.of(6120, 8160, false, true, 100 * MEGA);
        assertFalse(plan.whole);
        assertEquals(100 * MEGA / (8 * 6120), plan.rows);
        assertTrue((8160 + plan.rows - 1) / plan.rows <= 5);
        // A progressive one keeps 300 MB beside them.
        assertEquals(plan.rows, DecodePlan.of(6120, 8160, true, true,
                100 * MEGA + 6L * 6120 * 8160).rows);
    }

    @Test
    public void whatCannotBeReadIsRefusedWithTheMend() {
        assertRefused(16320, 12240, false, true, Long.MAX_VALUE, Reason.Kind.TOO_MANY_PIXELS,
                "200 megapixels", "at most 179", "Set the camera", "smaller copy");
        assertRefused(8064, 6048, false, false, 100 * MEGA, Reason.Kind.NO_MEMORY_FOR,
                "49 megapixels", "Close other apps");
        assertRefused(8064, 6048, true, true, 200 * MEGA, Reason.Kind.NO_MEMORY_FOR_PROGRESSIVE,
                "progressive", "smaller copy");
        assertRefused(8064, 6048, false, true, 1 * MEGA, Reason.Kind.NO_MEMORY_FOR, "memory");
        assertRefused(8064, 6048, false, true, -5, Reason.Kind.NO_MEMORY_FOR, "memory");
        assertRefused(Integer.MAX_VALUE, Integer.MAX_VALUE, true, true, Long.MAX_VALUE,
                Reason.Kind.TOO_MANY_PIXELS, "at most");
    }

    @Test
    public void aWideFewRowsNeedNoSixtyFour() throws Exception {
        assertEquals(10, DecodePlan.of(100000, 10, false, true, 4 * MEGA).rows);
    }
}
