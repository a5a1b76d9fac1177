package android.graphics;

import java.awt.image.BufferedImage;
import java.io.IOException;

/** Stands for Android's on a desktop; counts the strips, each of which begins a JPEG anew. */
public final class BitmapRegionDecoder {
    /** How many regions were decoded. */
    public static int decoded;
    private final BufferedImage image;

    private BitmapRegionDecoder(BufferedImage image) {
        this.image = image;
    }

    public static BitmapRegionDecoder newInstance(byte[] file, int from, int length, boolean share)
            throws IOException {
        BufferedImage image = BitmapFactory.read(file);
        if (image == null || image == BitmapFactory.heic) {
            throw new IOException("Image format not supported");
        }
        return new BitmapRegionDecoder(image);
    }

    public int getWidth() {
        return image.getWidth();
    }

    public int getHeight() {
        return image.getHeight();
    }

    public Bitmap decodeRegion(Rect place, BitmapFactory.Options options) {
        BitmapFactory.check(options);
        decoded++;
        return new Bitmap(Bitmap.copy(image, place.left, place.top, place.right - place.left,
                place.bottom - place.top));
    }

    public void recycle() {}
}
