package org.hierattn.core;

/** A picture in memory: 8 bits a channel, red first, rows from the top, no padding. */
public final class RgbImage {
    /** In pixels, at least 1. */
    public final int width;
    /** In pixels, at least 1. */
    public final int height;
    /** width * height * 3 bytes; not copied. */
    public final byte[] rgb;

    /**
     * Wrap pixels without copying them.
     *
     * @throws IllegalArgumentException the sides do not fit the number of bytes
     */
    public RgbImage(int width, int height, byte[] rgb) {
        if (width < 1 || height < 1 || (long) width * height * 3 != rgb.length) {
            throw new IllegalArgumentException(
                    width + " x " + height + " pixels do not fit " + rgb.length + " bytes");
        }
        this.width = width;
        this.height = height;
        this.rgb = rgb;
    }

    /** Hand all rows to a receiver, from the top. */
    public void sendTo(PixelRows receiver) {
        byte[] row = new byte[width * 3];
        for (int y = 0; y < height; y++) {
            System.arraycopy(rgb, y * row.length, row, 0, row.length);
            receiver.row(y, row);
        }
    }
}
