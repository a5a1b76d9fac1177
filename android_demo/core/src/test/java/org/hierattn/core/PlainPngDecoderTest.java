package org.hierattn.core;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;
import static org.junit.Assert.fail;

import java.util.Arrays;
import java.util.Random;
import org.junit.Test;

/** Damaged files; Python's pixels are compared in PreprocessVectorsTest. */
public class PlainPngDecoderTest {
    @Test
    public void everyCutIsRefused() throws Exception {
        byte[] png = Vectors.bytes("bundle/selftest/thin.png");
        int end = png.length - 12;
        for (int length = 0; length < end - 4; length++) {
            try {
                new PlainPngDecoder().decode(Arrays.copyOf(png, length));
                // Of the compressed pixels only the checksum may be lacking.
                assertTrue("cut at " + length, length >= end - 12);
            } catch (UnreadableImageException expected) {
                assertEquals(1, expected.getMessage().split("\n").length);
            }
        }
    }

    @Test
    public void damageIsRefusedOrHarmless() throws Exception {
        byte[] png = Vectors.bytes("bundle/selftest/small_tall.png");
        Random random = new Random(9);
        int refused = 0;
        for (int run = 0; run < 3000; run++) {
            byte[] damaged = png.clone();
            int changes = 1 + random.nextInt(3);
            for (int change = 0; change < changes; change++) {
                int place = run % 2 == 0 ? random.nextInt(80) : random.nextInt(png.length);
                damaged[place] = (byte) random.nextInt(256);
            }
            try {
                new PlainPngDecoder().decode(damaged);
            } catch (UnreadableImageException expected) {
                refused++;
            }
        }
        assertTrue(refused + " refused", refused > 2000);
    }

    /** Memory for the pixels must not be asked for before the file can hold them. */
    @Test
    public void aBombIsRefusedBeforeItTakesMemory() {
        int[][] sides = {{178956970, 1}, {60000, 2900}, {1, 178956970}, {13377, 13377}};
        for (int[] side : sides) {
            for (int interlaced = 0; interlaced < 2; interlaced++) {
                try {
                    new Preprocessor(new PreprocessSpec(256))
                            .pngToPixels(bomb(side[0], side[1], interlaced));
                    fail(side[0] + " x " + side[1] + " was read");
                } catch (UnreadableImageException expected) {
                    String said = expected.getMessage();
                    assertTrue(said, said.contains("cannot hold") || said.contains("in a row"));
                }
            }
        }
    }

    private static byte[] bomb(int width, int height, int interlaced) {
        java.nio.ByteBuffer file = java.nio.ByteBuffer.allocate(80);
        file.put(PlainPngDecoder.SIGNATURE).putInt(13).putInt(0x49484452);
        file.putInt(width).putInt(height).put((byte) 8).put((byte) 2).put((byte) 0);
        file.put((byte) 0).put((byte) interlaced);
        java.util.zip.CRC32 sum = new java.util.zip.CRC32();
        sum.update(file.array(), 12, 17);
        file.putInt((int) sum.getValue()).putInt(23).putInt(PngHeader.IDAT);
        return file.array();
    }

    @Test
    public void othersAreNoPng() {
        for (byte[] file : new byte[][] {{}, new byte[100], {(byte) 0xff, (byte) 0xd8, (byte) 0xff}}) {
            try {
                new PlainPngDecoder().decode(file);
                fail("decoded");
            } catch (UnreadableImageException expected) {
                assertEquals("not a PNG", expected.getMessage());
            }
        }
    }
}
