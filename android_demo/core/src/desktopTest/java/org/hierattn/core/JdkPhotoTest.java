package org.hierattn.core;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Collections;
import javax.imageio.ImageIO;
import org.junit.Test;

/** The golden photos through a real decoder that is not Pillow's: the one of the JDK. */
public class JdkPhotoTest {
    private static final class Jdk implements PhotoDecoder {
        private final PreprocessSpec spec;
        private final boolean turns;

        Jdk(PreprocessSpec spec, boolean turns) {
            this.spec = spec;
            this.turns = turns;
        }

        @Override
        public String name() {
            return "by the JDK";
        }

        @Override
        public byte[] toPixels(byte[] file) throws UnreadableImageException {
            BufferedImage image;
            try {
                image = ImageIO.read(new ByteArrayInputStream(file));
            } catch (IOException error) {
                throw UnreadableImageException.damaged("damaged", error);
            }
            StreamingResize resize = new Preprocessor(spec).stream(image.getWidth(),
                    image.getHeight(), turns ? ExifReader.orientation(file) : 1);
            int[] colours = new int[image.getWidth()];
            byte[] row = new byte[3 * colours.length];
            for (int y = 0; y < image.getHeight(); y++) {
                image.getRGB(0, y, colours.length, 1, colours, 0, colours.length);
                for (int x = 0; x < colours.length; x++) {
                    row[3 * x] = (byte) (colours[x] >> 16);
                    row[3 * x + 1] = (byte) (colours[x] >> 8);
                    row[3 * x + 2] = (byte) colours[x];
                }
                resize.row(y, row);
            }
            return resize.finish();
        }
    }

    private static SelfTestResult run(boolean turns) throws Exception {
        MapAssets assets = MapAssets.fake();
        ModelBundle bundle = ModelBundle.load(assets);
        return SelfTest.run(bundle, assets, new PlainPngDecoder(),
                Collections.<PhotoDecoder>singletonList(new Jdk(bundle.preprocessing, turns)),
                new FakeClassifier());
    }

    @Test
    public void anotherDecoderOfTheSameSettingsPasses() throws Exception {
        SelfTestResult result = run(true);
        for (PhotoTest.Result photo : result.photos) {
            System.out.println("JDK: " + photo.file + " largest " + photo.maxDifference
                    + ", mean " + photo.meanDifference);
        }
        assertTrue(result.reason, result.passed());
        assertEquals(4, result.photos.size());
    }

    @Test
    public void whoDoesNotTurnIsFound() throws Exception {
        SelfTestResult result = run(false);
        assertFalse(result.passed());
        assertTrue(result.reason, result.reason.startsWith("photo_turned.jpg: decoded by the JDK"));
    }
}
