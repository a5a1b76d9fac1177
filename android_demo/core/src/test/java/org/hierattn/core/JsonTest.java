package org.hierattn.core;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;
import static org.junit.Assert.fail;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.Test;

public class JsonTest {
    private static void assertRefused(String text) {
        try {
            fail(text + " was read as " + Json.parse(text));
        } catch (JsonException error) {
            assertTrue(error.getMessage(), error.getMessage().startsWith("JSON, character "));
        }
    }

    private static void assertNotWritten(Object value) {
        try {
            fail("written: " + JsonWriter.write(value));
        } catch (JsonException expected) {
            assertTrue(expected.getMessage().length() > 0);
        }
    }

    @Test
    public void readsEveryKind() throws Exception {
        Map<?, ?> read = (Map<?, ?>) Json.parse(
                " {\"a\":[1,-2.5e1,0,true,false,null],\r\n\t\"b\":{},\"c\":[],\"d\":\"x\"} ");
        assertEquals(Arrays.<Object>asList(1L, -25.0, 0L, true, false, null), read.get("a"));
        assertTrue(((Map<?, ?>) read.get("b")).isEmpty());
        assertTrue(((List<?>) read.get("c")).isEmpty());
        assertEquals("[a, b, c, d]", read.keySet().toString());
        assertNull(Json.parse("null"));
    }

    @Test
    public void numbers() throws Exception {
        assertEquals(Long.MAX_VALUE, Json.parse("9223372036854775807"));
        assertEquals(9.223372036854775808e18, Json.parse("9223372036854775808"));
        assertEquals(1e-5, Json.parse("1e-05"));
        assertEquals(4.9e-324, Json.parse("5e-324"));
        assertEquals(10.0, Json.parse("1E+1"));
        for (String wrong : new String[] {
            "01", "-", "+1", ".5", "1.", "1e", "1e+", "0x1", "NaN", "Infinity", "-Infinity", "1e999",
            "-1e999", "1_0", "1d", "1f", "--1", "\u0661"}) {
            assertRefused(wrong);
        }
    }

    @Test
    public void strings() throws Exception {
        assertEquals("\"\\/\b\f\n\r\t\u00e4\ud83d\ude00",
                Json.parse("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00E4\\ud83d\\uDE00\""));
        assertEquals("\u00e4\ud83d\ude00", Json.parse("\"\u00e4\ud83d\ude00\""));
        for (String wrong : new String[] {
            "\"", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\ud83d\"", "\"\\ude00\\ud83d\"",
            "\"\\u\u0661\u0661\u0661\u0661\"", "\"\n\"", "\"\u0000\"", "'a'", "\"a\"b"}) {
            assertRefused(wrong);
        }
    }

    @Test
    public void structure() {
        for (String wrong : new String[] {
            "", " ", "{", "[", "]", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "[1,]",
            "[1 2]", "{\"a\" 1}", "{a:1}", "{1:1}", "[1]]", "1 1", "tru", "nul", "True", "//1",
            "{\"a\":1 \"b\":2}", "\ufeff1"}) {
            assertRefused(wrong);
        }
    }

    @Test
    public void everyCutIsRefused() {
        String whole = "{\"a\": [1.5, \"\\u00e4\", {\"b\": null}], \"c\": true}";
        for (int length = 0; length < whole.length(); length++) {
            assertRefused(whole.substring(0, length));
        }
    }

    @Test
    public void aKeyTwiceIsRefused() {
        assertRefused("{\"a\": 1, \"a\": 1}");
        assertRefused("[{\"x\": {\"a\": 1, \"\\u0061\": null}}]");
    }

    @Test
    public void depthHasALimit() throws Exception {
        String open = new String(new char[Json.DEEPEST]).replace('\0', '[');
        String close = open.replace('[', ']');
        Object deepest = Json.parse(open + close);
        assertEquals(open + close, JsonWriter.write(deepest));
        assertRefused("[" + open + close + "]");
        assertNotWritten(Collections.singletonList(deepest));
        assertRefused(new String(new char[1000000]).replace('\0', '['));
    }

    @Test
    public void bytesMustBeUtf8() throws Exception {
        assertEquals("\u00e4", Json.parse("\"\u00e4\"".getBytes(StandardCharsets.UTF_8)));
        try {
            Json.parse("\"\u00e4\"".getBytes(StandardCharsets.ISO_8859_1));
            fail("Latin bytes were read");
        } catch (JsonException expected) {
            assertEquals("not UTF-8", expected.getMessage());
        }
    }

    @Test
    public void writesWhatItReads() throws Exception {
        Map<String, Object> map = new LinkedHashMap<String, Object>();
        map.put("text", "\"\\\n\u0001\u00e4\ud83d\ude00\u2028");
        map.put("numbers", Arrays.<Object>asList(1L, -0.1, 1e300, 1.0e-5, 0.1f + 0.2, null, true));
        map.put("empty", new HashMap<String, Object>());
        String written = JsonWriter.write(map);
        assertEquals(map, Json.parse(written));
        assertTrue(written, written.matches("[ -~]*"));
        assertEquals("[1.5, 0.10000000149011612]", JsonWriter.write(new float[] {1.5f, 0.1f}));
        assertEquals("[0.1]", JsonWriter.write(new double[] {0.1}));
        assertEquals("7", JsonWriter.write(7));
    }

    @Test
    public void writesNothingElse() {
        assertNotWritten(Double.NaN);
        assertNotWritten(Float.POSITIVE_INFINITY);
        assertNotWritten(new float[] {Float.NaN});
        assertNotWritten(new Object());
        assertNotWritten(Collections.singletonMap(1, 1));
    }

    @Test
    public void doublesSurvive() throws Exception {
        Random random = new Random(3);
        for (int run = 0; run < 20000; run++) {
            double value = Double.longBitsToDouble(random.nextLong());
            if (!Double.isNaN(value) && !Double.isInfinite(value)) {
                assertEquals(value, Json.parse(JsonWriter.write(value)));
            }
        }
    }
}
