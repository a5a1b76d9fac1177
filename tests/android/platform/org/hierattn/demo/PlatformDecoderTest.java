package org.hierattn.demo;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;
import static org.junit.Assert.fail;

import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import android.graphics.BitmapRegionDecoder;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Arrays;
import javax.imageio.ImageIO;
import org.hierattn.core.Alpha;
import org.hierattn.core.PhotoDecoder;
import org.hierattn.core.PreprocessSpec;
import org.hierattn.core.Preprocessor;
import org.hierattn.core.Reason;
import org.hierattn.core.RgbImage;
import org.hierattn.core.UnreadableImageException;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;

/** How the app asks a phone's decoder, with stand-ins for Android's classes. */
public class PlatformDecoderTest {
    private static final int SIDE = 64;
    private static final String[] GOLDEN = {"444", "420", "progressive", "turned"};
    private static final PreprocessSpec SPEC = new PreprocessSpec(SIDE);

    @Before
    public void count() {
        BitmapFactory.decoded = 0;
        BitmapRegionDecoder.decoded = 0;
        Bitmap.alive = 0;
    }

    @After
    public void allIsFreed() {
        assertEquals("bitmaps that were not recycled", 0, Bitmap.alive);
    }

    private static byte[] golden(String name) throws IOException {
        return Files.readAllBytes(
                new File(System.getProperty("hierattn.golden"), "photo_" + name).toPath());
    }

    private static byte[] read(long freeBytes, byte[] file) throws UnreadableImageException {
        return PlatformDecoder.within(SPEC, freeBytes).toPixels(file);
    }

    @Test
    public void goldenPhotosBecomeTheLabsPixelsBothWays() throws Exception {
        for (PhotoDecoder way : PlatformDecoder.bothWays(SPEC)) {
            for (String name : GOLDEN) {
                assertArrayEquals(name + " " + way.name(),
                        golden(name + ".rgb"), way.toPixels(golden(name + ".jpg")));
            }
        }
        assertEquals(GOLDEN.length, BitmapFactory.decoded);
        assertTrue(BitmapRegionDecoder.decoded + " strips",
                BitmapRegionDecoder.decoded >= 3 * GOLDEN.length);
    }

    @Test
    public void whatFitsIsDecodedOnceAndWhole() throws Exception {
        for (String name : GOLDEN) {
            count();
            read(1000000000L, golden(name + ".jpg"));
            assertEquals(name, 1, BitmapFactory.decoded);
            assertEquals(name, 0, BitmapRegionDecoder.decoded);
        }
    }

    @Test
    public void whatDoesNotFitIsDecodedInFewStrips() throws Exception {
        byte[] file = jpeg(300, 4000);
        byte[] whole = read(1000000000L, file);
        count();
        // 4 bytes a pixel would be 4.8 MB; strips take twice that of their rows.
        assertArrayEquals(whole, read(2400000, file));
        assertEquals(0, BitmapFactory.decoded);
        assertEquals(4, BitmapRegionDecoder.decoded);
    }

    @Test
    public void alphaLiesOverWhiteWholeAndInStrips() throws Exception {
        BufferedImage image = new BufferedImage(70, 90, BufferedImage.TYPE_INT_ARGB);
        byte[] rgb = new byte[70 * 90 * 3];
        for (int pixel = 0; pixel < 70 * 90; pixel++) {
            int colour = pixel * 0x01050B07;
            image.setRGB(pixel % 70, pixel / 70, colour);
            int alpha = colour >>> 24;
            for (int channel = 0; channel < 3; channel++) {
                rgb[3 * pixel + channel] =
                        (byte) Alpha.overWhite(colour >> 16 - 8 * channel & 255, alpha);
            }
        }
        byte[] wanted = new Preprocessor(SPEC).toPixels(new RgbImage(70, 90, rgb), 1);
        byte[] png = file(image, "png");
        byte[] webp = new byte[png.length + 12];
        System.arraycopy("RIFF    WEBP".getBytes("US-ASCII"), 0, webp, 0, 12);
        System.arraycopy(png, 0, webp, 12, png.length);
        for (byte[] file : new byte[][] {png, webp}) {
            assertArrayEquals(wanted, read(1000000000L, file));
        }
    }

    /** Android hands over HEIC as stored: the boxes of the file say how it is to be turned. */
    @Test
    public void heicIsTurnedByItsBoxesAndDecodedWhole() throws Exception {
        BufferedImage stored = new BufferedImage(50, 30, BufferedImage.TYPE_INT_RGB);
        byte[] rgb = new byte[50 * 30 * 3];
        for (int pixel = 0; pixel < 50 * 30; pixel++) {
            stored.setRGB(pixel % 50, pixel / 50, pixel);
            rgb[3 * pixel + 1] = (byte) (pixel >> 8);
            rgb[3 * pixel + 2] = (byte) pixel;
        }
        BitmapFactory.heic = stored;
        File folder = new File(System.getProperty("hierattn.heic"));
        for (int orientation = 1; orientation <= 8; orientation++) {
            byte[] file = Files.readAllBytes(
                    new File(folder, "turned_" + orientation + ".heic").toPath());
            assertArrayEquals("turned by " + orientation,
                    new Preprocessor(SPEC).toPixels(new RgbImage(50, 30, rgb), orientation),
                    read(1000000000L, file));
            refused(file, Reason.Kind.NO_MEMORY_FOR);
        }
        assertEquals(0, BitmapRegionDecoder.decoded);
    }

    @Test
    public void refusalsSayWhatIsWrong() throws Exception {
        byte[] whole = golden("420.jpg");
        refused(Arrays.copyOf(whole, whole.length / 2), Reason.Kind.DAMAGED);
        refused("no picture at all, only words".getBytes("US-ASCII"),
                Reason.Kind.NOT_A_PICTURE);
        assertEquals(0, BitmapFactory.decoded);
    }

    private static void refused(byte[] file, Reason.Kind kind) {
        try {
            read(5000, file);
            fail("it was read");
        } catch (UnreadableImageException expected) {
            assertEquals(expected.getMessage(), kind, expected.reason.kind);
        }
    }

    private static byte[] jpeg(int width, int height) throws IOException {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int pixel = 0; pixel < width * height; pixel++) {
            image.setRGB(pixel % width, pixel / width, pixel * 7919);
        }
        return file(image, "jpeg");
    }

    private static byte[] file(BufferedImage image, String format) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageIO.write(image, format, out);
        return out.toByteArray();
    }
}
