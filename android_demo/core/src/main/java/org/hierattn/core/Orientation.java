package org.hierattn.core;

/** How a stored picture must be turned to stand upright: the EXIF values 1 to 8. */
public final class Orientation {
    /** As stored. */
    public static final int UPRIGHT = 1;

    private Orientation() {}

    /** Whether width and height change places: 5 to 8. */
    public static boolean swapsSides(int orientation) {
        check(orientation);
        return orientation >= 5;
    }

    /**
     * Turn a stored picture upright.
     *
     * @param stored as decoded
     * @param orientation EXIF value, 1 to 8
     * @return the same object for 1, else a new picture
     * @throws IllegalArgumentException another value
     */
    public static RgbImage apply(RgbImage stored, int orientation) {
        check(orientation);
        if (orientation == UPRIGHT) {
            return stored;
        }
        boolean swaps = swapsSides(orientation);
        int width = swaps ? stored.height : stored.width;
        int height = swaps ? stored.width : stored.height;
        byte[] upright = new byte[stored.rgb.length];
        int in = 0;
        for (int y = 0; y < stored.height; y++) {
            for (int x = 0; x < stored.width; x++, in += 3) {
                int column = swaps ? y : x;
                int row = swaps ? x : y;
                if (mirrorsColumns(orientation)) {
                    column = width - 1 - column;
                }
                if (mirrorsRows(orientation)) {
                    row = height - 1 - row;
                }
                int out = (row * width + column) * 3;
                upright[out] = stored.rgb[in];
                upright[out + 1] = stored.rgb[in + 1];
                upright[out + 2] = stored.rgb[in + 2];
            }
        }
        return new RgbImage(width, height, upright);
    }

    /** Whether left and right change places, once sides are swapped. */
    static boolean mirrorsColumns(int orientation) {
        return orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
    }

    /** Whether top and bottom change places, once sides are swapped. */
    static boolean mirrorsRows(int orientation) {
        return orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
    }

    private static void check(int orientation) {
        if (orientation < 1 || orientation > 8) {
            throw new IllegalArgumentException("orientation " + orientation + " is not 1 to 8");
        }
    }
}
