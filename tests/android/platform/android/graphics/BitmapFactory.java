package android.graphics;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import javax.imageio.ImageIO;

/**
 * Stands for Android's on a desktop, with the JDK's decoder behind it. As on a phone: PNG, JPEG, and
 * HEIC, which is handed over as stored; WebP is here a PNG behind WebP's twelve bytes.
 */
public final class BitmapFactory {
    /** As Android's, those that the app sets. */
    public static final class Options {
        public boolean inJustDecodeBounds;
        public Bitmap.Config inPreferredConfig;
        public boolean inPremultiplied = true;
        public boolean inScaled = true;
        public int inSampleSize = 1;
        public int outWidth = -1;
        public int outHeight = -1;
        public String outMimeType;
    }

    /** How often a whole picture was decoded. */
    public static int decoded;
    /** What any HEIC holds, as stored. */
    public static BufferedImage heic;

    private BitmapFactory() {}

    public static Bitmap decodeByteArray(byte[] file, int from, int length, Options options) {
        BufferedImage image = read(file);
        if (image == null) {
            return null;
        }
        if (options.inJustDecodeBounds) {
            options.outWidth = image.getWidth();
            options.outHeight = image.getHeight();
            options.outMimeType = mime(file);
            return null;
        }
        check(options);
        decoded++;
        return new Bitmap(Bitmap.copy(image, 0, 0, image.getWidth(), image.getHeight()));
    }

    /** Whatever would give other pixels than the lab's. */
    static void check(Options options) {
        if (options.inPreferredConfig != Bitmap.Config.ARGB_8888 || options.inPremultiplied
                || options.inScaled || options.inSampleSize != 1) {
            throw new AssertionError("decoded smaller, with fewer bits or multiplied by alpha");
        }
    }

    static BufferedImage read(byte[] file) {
        String mime = mime(file);
        if ("image/heic".equals(mime)) {
            return heic;
        }
        int head = "image/webp".equals(mime) ? 12 : 0;
        try {
            return ImageIO.read(new ByteArrayInputStream(
                    Arrays.copyOfRange(file, Math.min(head, file.length), file.length)));
        } catch (IOException error) {
            return null;
        }
    }

    private static String mime(byte[] file) {
        String head = new String(file, 0, Math.min(12, file.length),
                java.nio.charset.StandardCharsets.ISO_8859_1);
        return head.startsWith("RIFF") ? "image/webp" : head.startsWith("ftyp", 4) ? "image/heic"
                : head.startsWith("\u00ff\u00d8") ? "image/jpeg" : "image/png";
    }
}
