package org.hierattn.core;

import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;
import static org.junit.Assert.fail;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;
import org.junit.Test;

public final class JpegLayoutTest {
    @Test
    public void wholeFilesPass() throws Exception {
        for (boolean progressive : new boolean[] {false, true}) {
            JpegLayout.check(jpeg(BufferedImage.TYPE_INT_RGB, progressive));
            JpegLayout.check(jpeg(BufferedImage.TYPE_BYTE_GRAY, progressive));
        }
    }

    @Test
    public void bytesBehindTheEndAreNoMatter() throws Exception {
        byte[] whole = jpeg(BufferedImage.TYPE_INT_RGB, false);
        JpegLayout.check(Arrays.copyOf(whole, whole.length + 5000));
    }

    @Test
    public void fillBytesBeforeAMarkerPass() throws Exception {
        byte[] whole = jpeg(BufferedImage.TYPE_INT_RGB, false);
        byte[] filled = new byte[whole.length + 2];
        System.arraycopy(whole, 0, filled, 0, 2);
        filled[2] = (byte) 0xFF;
        filled[3] = (byte) 0xFF;
        System.arraycopy(whole, 2, filled, 4, whole.length - 2);
        JpegLayout.check(filled);
    }

    @Test
    public void strayBytesBetweenSegmentsPass() throws Exception {
        byte[] whole = jpeg(BufferedImage.TYPE_INT_RGB, false);
        int behindFirst = 4 + ((whole[4] & 255) << 8 | whole[5] & 255);
        byte[] stray = {7, 8, (byte) 0xFF, 0, 9};
        byte[] file = new byte[whole.length + stray.length];
        System.arraycopy(whole, 0, file, 0, behindFirst);
        System.arraycopy(stray, 0, file, behindFirst, stray.length);
        System.arraycopy(whole, behindFirst, file, behindFirst + stray.length,
                whole.length - behindFirst);
        JpegLayout.check(file);
    }

    @Test
    public void everyCutIsRefused() throws Exception {
        for (boolean progressive : new boolean[] {false, true}) {
            byte[] whole = jpeg(BufferedImage.TYPE_INT_RGB, progressive);
            for (int length = 3; length < whole.length; length++) {
                refuses(Arrays.copyOf(whole, length), "");
            }
        }
    }

    @Test
    public void otherFilesAreRefused() throws Exception {
        refuses(new byte[0], "not a JPEG");
        refuses(new byte[] {(byte) 0xFF, (byte) 0xD8}, "not a JPEG");
        refuses("GIF89a, and no more".getBytes("US-ASCII"), "not a JPEG");
    }

    @Test
    public void fourInksAreRefused() throws Exception {
        byte[] whole = jpeg(BufferedImage.TYPE_INT_RGB, false);
        for (int place = 0; place < whole.length - 9; place++) {
            if ((whole[place] & 255) == 0xFF && (whole[place + 1] & 255) == 0xC0) {
                whole[place + 9] = 4;
                refuses(whole, "4 colour components");
                return;
            }
        }
        fail("the test's own JPEG has no frame");
    }

    @Test
    public void noiseIsRefusedWithoutAnError() {
        java.util.Random random = new java.util.Random(1);
        for (int round = 0; round < 2000; round++) {
            byte[] noise = new byte[3 + random.nextInt(300)];
            random.nextBytes(noise);
            noise[0] = (byte) 0xFF;
            noise[1] = (byte) 0xD8;
            noise[2] = (byte) 0xFF;
            assertTrue(JpegLayout.isJpeg(noise));
            try {
                JpegLayout.check(noise);
            } catch (UnreadableImageException expected) {
                assertFalse(expected.getMessage().isEmpty());
            }
        }
    }

    private static void refuses(byte[] file, String words) {
        try {
            JpegLayout.check(file);
        } catch (UnreadableImageException expected) {
            assertTrue(expected.getMessage(), expected.getMessage().contains(words));
            return;
        }
        fail("taken, with " + file.length + " bytes");
    }

    private static byte[] jpeg(int kind, boolean progressive) throws IOException {
        BufferedImage image = new BufferedImage(37, 23, kind);
        for (int pixel = 0; pixel < 37 * 23; pixel++) {
            image.setRGB(pixel % 37, pixel / 37, pixel * 7919);
        }
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        ImageWriteParam how = writer.getDefaultWriteParam();
        if (progressive) {
            how.setProgressiveMode(ImageWriteParam.MODE_DEFAULT);
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ImageOutputStream out = ImageIO.createImageOutputStream(bytes);
        writer.setOutput(out);
        writer.write(null, new IIOImage(image, null, null), how);
        out.close();
        writer.dispose();
        byte[] file = bytes.toByteArray();
        if (ImageIO.read(new ByteArrayInputStream(file)) == null) {
            throw new IOException("the test's own JPEG cannot be read");
        }
        return file;
    }
}
