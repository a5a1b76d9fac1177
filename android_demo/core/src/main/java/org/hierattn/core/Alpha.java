package org.hierattn.core;

/** Transparent pixels laid over white, by the integer formula that Python uses. */
public final class Alpha {
    private Alpha() {}

    /**
     * Lay one channel over white: (c * a + 255 * (255 - a) + 127) / 255, rounded down.
     *
     * @param channel 0 to 255, not multiplied by alpha
     * @param alpha 0 to 255
     */
    public static int overWhite(int channel, int alpha) {
        return (channel * alpha + 255 * (255 - alpha) + 127) / 255;
    }

    /**
     * Turn one row of packed pixels, as Android's Bitmap.getPixels gives them, into RGB over white.
     *
     * <p>Decode with {@code inPremultiplied = false} where a photo may have alpha: colours that
     * were multiplied by alpha and divided again have lost bits.
     *
     * @param argb packed as 0xAARRGGBB
     * @param from index of the row's first pixel
     * @param width pixels to take
     * @param rgb where they go, 3 bytes a pixel from index 0
     */
    public static void argbRowOverWhite(int[] argb, int from, int width, byte[] rgb) {
        for (int x = 0, out = 0; x < width; x++, out += 3) {
            int pixel = argb[from + x];
            int alpha = pixel >>> 24;
            int red = pixel >> 16 & 255;
            int green = pixel >> 8 & 255;
            int blue = pixel & 255;
            if (alpha != 255) {
                red = overWhite(red, alpha);
                green = overWhite(green, alpha);
                blue = overWhite(blue, alpha);
            }
            rgb[out] = (byte) red;
            rgb[out + 1] = (byte) green;
            rgb[out + 2] = (byte) blue;
        }
    }
}
