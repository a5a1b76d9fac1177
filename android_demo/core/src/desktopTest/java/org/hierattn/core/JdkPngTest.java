package org.hierattn.core;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import javax.imageio.ImageIO;
import org.junit.Test;

/** The plain decoder against the JDK's, which an Android build cannot even compile. */
public class JdkPngTest {
    @Test
    public void agreesWithTheJdkWhereThatFollowsTheSameRules() throws Exception {
        // Not the deep and the grey ones: the JDK converts their levels by a colour profile.
        for (String name : new String[] {
            "exact", "large_wide", "small_tall", "odd", "thin", "turned", "checkerboard", "alpha"}) {
            byte[] png = Vectors.bytes("bundle/selftest/" + name + ".png");
            BufferedImage image = ImageIO.read(new ByteArrayInputStream(png));
            RgbImage found = new PlainPngDecoder().decode(png);
            assertEquals(image.getWidth(), found.width);
            assertEquals(image.getHeight(), found.height);
            int[] argb = image.getRGB(0, 0, found.width, found.height, null, 0, found.width);
            byte[] wanted = new byte[found.rgb.length];
            Alpha.argbRowOverWhite(argb, 0, argb.length, wanted);
            assertArrayEquals(name, wanted, found.rgb);
        }
    }
}
