package android.graphics;

import java.awt.image.BufferedImage;
import java.nio.ByteBuffer;

/**
 * Stands for Android's on a desktop: bytes red, green, blue, alpha, each row with bytes behind it that
 * belong to no pixel. Once recycled it gives nothing, as on a phone.
 */
public final class Bitmap {
    /** As Android's. */
    public enum Config { ARGB_8888, RGB_565 }

    /** Those that have not been recycled. */
    public static int alive;
    private static final int BEHIND_A_ROW = 8;

    private BufferedImage image;

    Bitmap(BufferedImage image) {
        this.image = image;
        alive++;
    }

    /** As Android's: not of a picture with alpha that is not multiplied in. */
    public static Bitmap createBitmap(Bitmap from, int x, int y, int width, int height) {
        if (from.hasAlpha()) {
            throw new IllegalArgumentException("pixels are not premultiplied");
        }
        return new Bitmap(copy(from.image, x, y, width, height));
    }

    /** As Android's: packed colours, row by row. */
    public static Bitmap createBitmap(int[] colours, int width, int height, Config config) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_ARGB);
        image.setRGB(0, 0, width, height, colours, 0, width);
        return new Bitmap(image);
    }

    static BufferedImage copy(BufferedImage from, int x, int y, int width, int height) {
        BufferedImage part = new BufferedImage(width, height, from.getColorModel().hasAlpha()
                ? BufferedImage.TYPE_INT_ARGB : BufferedImage.TYPE_INT_RGB);
        int[] colours = from.getRGB(x, y, width, height, null, 0, width);
        part.setRGB(0, 0, width, height, colours, 0, width);
        return part;
    }

    public int getWidth() {
        return image.getWidth();
    }

    public int getHeight() {
        return image.getHeight();
    }

    public boolean hasAlpha() {
        return image.getColorModel().hasAlpha();
    }

    public Config getConfig() {
        return Config.ARGB_8888;
    }

    public int getRowBytes() {
        return 4 * image.getWidth() + BEHIND_A_ROW;
    }

    public void copyPixelsToBuffer(ByteBuffer target) {
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                int colour = image.getRGB(x, y);
                target.put((byte) (colour >> 16)).put((byte) (colour >> 8)).put((byte) colour);
                target.put((byte) (colour >> 24));
            }
            target.put(new byte[BEHIND_A_ROW]);
        }
    }

    public void recycle() {
        alive -= image == null ? 0 : 1;
        image = null;
    }
}
