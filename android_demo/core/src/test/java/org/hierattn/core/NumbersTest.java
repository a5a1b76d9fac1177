package org.hierattn.core;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;
import static org.junit.Assert.fail;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.Test;

/** Probabilities, decisions, percentiles and floats against numpy's and scipy's. */
public class NumbersTest {
    private static final List<String> CLASSES = Arrays.asList("a", "b", "c", "d");

    @Test
    public void decisionsArePythons() throws Exception {
        List<?> cases = Vectors.numbers().list("decisions");
        for (Object entry : cases) {
            Map<?, ?> map = (Map<?, ?>) entry;
            double[] wide = Vectors.doubles(map, "logits");
            float[] logits = new float[wide.length];
            List<String> names = new ArrayList<String>();
            for (int index = 0; index < wide.length; index++) {
                logits[index] = (float) wide[index];
                names.add("class " + index);
            }
            double[] wanted = Vectors.doubles(map, "probabilities");
            OperatingPoint point = new OperatingPoint((Double) map.get("temperature"),
                    (Double) map.get("abstain_threshold"), new int[] {0},
                    (Double) map.get("melanoma_threshold"), "");
            Decision found = Decision.of(logits, names, point);
            for (int index = 0; index < wanted.length; index++) {
                // exp may differ in its last bit between libraries.
                assertEquals(wanted[index], found.probabilities[index], 4e-15 * wanted[index]);
            }
            double[] order = Vectors.doubles(map, "order");
            assertEquals(Math.min(3, logits.length), found.top.size());
            for (int rank = 0; rank < found.top.size(); rank++) {
                Decision.Candidate candidate = found.top.get(rank);
                assertEquals((int) order[rank], candidate.index);
                assertEquals("class " + candidate.index, candidate.label);
            }
            assertEquals(map.get("sure"), found.sure);
            assertEquals(map.get("melanoma"), found.melanomaFlag);
            JsonWriter.write(found.toJson());
        }
        assertEquals(300, cases.size());
    }

    @Test
    public void thresholdsCountFromThemselves() {
        // Two equal logits: each class has exactly one half.
        float[] logits = {2, 2};
        List<String> names = Arrays.asList("a", "MEL");
        Decision at = Decision.of(logits, names, new OperatingPoint(1, 0.5, new int[] {1}, 0.5, ""));
        assertTrue(at.sure);
        assertEquals(true, at.melanomaFlag);
        double above = Math.nextUp(0.5);
        Decision below = Decision.of(logits, names, new OperatingPoint(1, above, new int[] {1}, above, ""));
        assertEquals(false, below.sure);
        assertEquals(false, below.melanomaFlag);
        Decision none = Decision.of(logits, names, new OperatingPoint(1, 0, new int[0], Double.NaN, ""));
        assertNull(none.melanomaFlag);
    }

    @Test
    public void targetsAreAddedUp() {
        // Three equal logits: two targets have two thirds, though neither reaches one half.
        List<String> names = Arrays.asList("a", "in situ", "invasive");
        OperatingPoint point = new OperatingPoint(1, 0, new int[] {1, 2}, 0.6, "");
        Decision found = Decision.of(new float[3], names, point);
        assertEquals(true, found.melanomaFlag);
        assertEquals(2.0 / 3, found.melanomaProbability, 1e-15);
    }

    @Test
    public void equalsComeInOrder() {
        assertArrayEquals(new int[] {1, 3, 0}, Probabilities.top(new double[] {1, 2, 0, 2}, 3));
        assertArrayEquals(new int[] {0, 1}, Probabilities.top(new double[] {5, 5}, 3));
        assertArrayEquals(new int[0], Probabilities.top(new double[] {5, 5}, 0));
        assertArrayEquals(new int[0], Probabilities.top(new double[0], 3));
    }

    @Test
    public void largeLogitsDoNotOverflow() {
        double[] found = Probabilities.softmax(new float[] {3e38f, -3e38f, 3e38f}, 0.2);
        assertArrayEquals(new double[] {0.5, 0, 0.5}, found, 0);
    }

    @Test
    public void noNumberIsNoAnswer() {
        OperatingPoint point = new OperatingPoint(1, 0, new int[0], Double.NaN, "");
        float[][] wrong = {
            {0, Float.NaN, 0, 0}, {0, Float.POSITIVE_INFINITY, 0, 0},
            {0, Float.NEGATIVE_INFINITY, 0, 0}, {0, 0, 0}, {}};
        for (float[] logits : wrong) {
            try {
                fail("answered " + Decision.of(logits, CLASSES, point).top.get(0).label);
            } catch (IllegalArgumentException expected) {
                assertTrue(expected.getMessage().contains("logit"));
            }
        }
        for (double temperature : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
            try {
                Probabilities.softmax(new float[] {1}, temperature);
                fail("temperature " + temperature);
            } catch (IllegalArgumentException expected) {
                assertTrue(expected.getMessage().contains("temperature"));
            }
        }
    }

    @Test
    public void percentilesAreNumpys() throws Exception {
        for (Object entry : Vectors.numbers().list("percentiles")) {
            Map<?, ?> map = (Map<?, ?>) entry;
            double[] values = Vectors.doubles(map, "values");
            double[] before = values.clone();
            LatencySummary found = new LatencySummary(values);
            assertArrayEquals(before, values, 0);
            assertEquals(map.get("p50"), found.p50);
            assertEquals(map.get("p90"), found.p90);
            assertEquals(map.get("p99"), found.p99);
            // numpy adds in pairs.
            assertEquals((Double) map.get("mean"), found.mean, 1e-13 * found.mean);
            JsonWriter.write(found.toJson());
        }
    }

    @Test
    public void noTimesAreRefused() {
        double[][] wrong = {{}, {1, Double.NaN}, {-1}, {Double.POSITIVE_INFINITY}};
        for (double[] values : wrong) {
            try {
                fail("p50 " + new LatencySummary(values).p50);
            } catch (IllegalArgumentException expected) {
                assertTrue(expected.getMessage().contains("run"));
            }
        }
    }

    @Test
    public void floatsArePythonsToTheBit() throws Exception {
        Fields input = Vectors.numbers().object("input");
        double[] wide = input.numbers("pixels", 768);
        byte[] pixels = new byte[wide.length];
        for (int place = 0; place < pixels.length; place++) {
            pixels[place] = (byte) (int) wide[place];
        }
        Preprocessor preprocessor = new Preprocessor(new PreprocessSpec(16));
        float[] nchw = preprocessor.toInput(pixels, Preprocessor.Layout.NCHW);
        float[] nhwc = preprocessor.toInput(pixels, Preprocessor.Layout.NHWC);
        double[] wantedNchw = input.numbers("nchw", 768);
        double[] wantedNhwc = input.numbers("nhwc", 768);
        for (int place = 0; place < pixels.length; place++) {
            assertEquals((float) wantedNchw[place], nchw[place], 0);
            assertEquals((float) wantedNhwc[place], nhwc[place], 0);
        }
        try {
            preprocessor.toInput(new byte[3], Preprocessor.Layout.NCHW);
            fail("too few bytes");
        } catch (IllegalArgumentException expected) {
            assertTrue(expected.getMessage().contains("768 are needed"));
        }
    }
}
