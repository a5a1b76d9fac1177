package org.hierattn.core;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertSame;
import static org.junit.Assert.assertTrue;
import static org.junit.Assert.fail;

import java.util.Arrays;
import org.junit.Test;

/** Pictures small enough to see what is right; the vectors of Python hold the large ones. */
public class PicturesTest {
    /** Two columns, three rows; each pixel's three bytes are its number. */
    private static final int[] STORED = {1, 2, 3, 4, 5, 6};

    private static RgbImage image(int width, int height, int... numbers) {
        byte[] rgb = new byte[numbers.length * 3];
        for (int place = 0; place < rgb.length; place++) {
            rgb[place] = (byte) numbers[place / 3];
        }
        return new RgbImage(width, height, rgb);
    }

    @Test
    public void allEightOrientations() {
        int[][] upright = {
            {1, 2, 3, 4, 5, 6}, {2, 1, 4, 3, 6, 5}, {6, 5, 4, 3, 2, 1}, {5, 6, 3, 4, 1, 2},
            {1, 3, 5, 2, 4, 6}, {5, 3, 1, 6, 4, 2}, {6, 4, 2, 5, 3, 1}, {2, 4, 6, 1, 3, 5},
        };
        for (int orientation = 1; orientation <= 8; orientation++) {
            RgbImage found = Orientation.apply(image(2, 3, STORED), orientation);
            assertEquals(orientation < 5 ? 2 : 3, found.width);
            RgbImage wanted = image(found.width, found.height, upright[orientation - 1]);
            assertArrayEquals("orientation " + orientation, wanted.rgb, found.rgb);
        }
        for (int wrong : new int[] {-1, 0, 9}) {
            try {
                Orientation.apply(image(2, 3, STORED), wrong);
                fail("orientation " + wrong);
            } catch (IllegalArgumentException expected) {
                assertTrue(expected.getMessage().contains("1 to 8"));
            }
        }
    }

    @Test
    public void theRightSizePassesUntouched() {
        RgbImage image = image(2, 2, 9, 8, 7, 6);
        assertSame(image, PillowResize.resize(image, 2, 2));
        assertSame(image.rgb, new Preprocessor(new PreprocessSpec(2)).toPixels(image, 1));
    }

    @Test
    public void onePixelFillsAll() {
        byte[] found = new Preprocessor(new PreprocessSpec(3)).toPixels(image(1, 1, 77), 6);
        byte[] wanted = new byte[27];
        Arrays.fill(wanted, (byte) 77);
        assertArrayEquals(wanted, found);
    }

    @Test
    public void columnsFirstAsInPillow13() {
        assertTrue(PillowResize.columnsFirst(300, 345, 256, 256));
        assertEquals(false, PillowResize.columnsFirst(300, 344, 256, 256));
        assertEquals(false, PillowResize.columnsFirst(200, 256, 256, 256));
        assertEquals(false, PillowResize.columnsFirst(3000, 4000, 256, 256));
    }

    @Test
    public void rowsMustComeOnceAndWhole() {
        StreamingResize resize = new StreamingResize(2, 3, 1, 2);
        resize.row(2, new byte[6]);
        int[][] wrong = {{2, 6}, {3, 6}, {-1, 6}, {0, 5}};
        for (int[] row : wrong) {
            try {
                resize.row(row[0], new byte[row[1]]);
                fail("row " + row[0]);
            } catch (IllegalArgumentException expected) {
                assertTrue(expected.getMessage().contains("must come once"));
            }
        }
        try {
            resize.finish();
            fail("finished early");
        } catch (IllegalStateException expected) {
            assertTrue(expected.getMessage().contains("1 of 3 rows"));
        }
        resize.row(0, new byte[6]);
        resize.row(1, new byte[600]);
        assertEquals(12, resize.finish().length);
        try {
            resize.finish();
            fail("finished twice");
        } catch (IllegalStateException expected) {
            assertTrue(expected.getMessage().contains("before"));
        }
    }

    /** 48 megapixels would take 144 MB as bytes and 192 MB as Android's packed pixels. */
    @Test
    public void fortyEightMegapixelsNeedLittleMemory() {
        for (int orientation : new int[] {1, 6}) {
            StreamingResize resize = new StreamingResize(8000, 6000, orientation, 256);
            byte[] row = new byte[24000];
            for (int y = 0; y < 6000; y++) {
                Arrays.fill(row, (byte) (orientation == 1 ? y / 24 : 100));
                resize.row(y, row);
            }
            byte[] found = resize.finish();
            int middle = (128 * 256 + 128) * 3;
            assertEquals(orientation == 1 ? 125 : 100, found[middle] & 255, 1);
        }
    }

    @Test
    public void packedPixelsLieOverWhite() {
        byte[] row = new byte[12];
        int[] argb = {0, 0xff010203, 0x00ffffff, 0x80000000, 0xfe0a0b0c};
        Alpha.argbRowOverWhite(argb, 1, 4, row);
        assertArrayEquals(
                new byte[] {1, 2, 3, -1, -1, -1, 127, 127, 127, 11, 12, 13}, row);
    }

    @Test
    public void sidesMustFitTheBytes() {
        int[][] wrong = {{0, 1, 0}, {1, 0, 0}, {2, 2, 11}, {-1, -1, 3}, {65536, 65536, 0}};
        for (int[] sides : wrong) {
            try {
                new RgbImage(sides[0], sides[1], new byte[sides[2]]);
                fail(sides[0] + " x " + sides[1]);
            } catch (IllegalArgumentException expected) {
                assertTrue(expected.getMessage().contains("do not fit"));
            }
        }
    }
}
