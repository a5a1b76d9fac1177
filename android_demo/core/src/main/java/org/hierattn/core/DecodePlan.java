package org.hierattn.core;

/**
 * How a platform's decoder reads a photo of given sides in given memory: whole where it fits, since
 * every strip of a JPEG begins the file anew; else in as few strips as fit; else not at all.
 */
public final class DecodePlan {
    /** As many pixels as Python reads. */
    public static final long MOST_PIXELS = 178956970L;
    /** Red, green, blue, alpha. */
    private static final long PIXEL_BYTES = 4;
    /** A progressive JPEG's coefficients: 2 bytes for each of three colours at full resolution. */
    private static final long COEFFICIENT_BYTES = 6;
    /** Of a strip, beside the decoder's own copy. */
    private static final int STRIP_COPIES = 2;
    /** Fewer rows than these would mean hundreds of strips. */
    private static final int LEAST_ROWS = 64;

    /** The rows that are decoded at once; the whole height where all are. */
    public final int rows;
    /** Whether one strip is the whole photo. */
    public final boolean whole;

    private DecodePlan(int rows, boolean whole) {
        this.rows = rows;
        this.whole = whole;
    }

    /**
     * Plan it.
     *
     * @param width pixels, as stored
     * @param height pixels, as stored
     * @param progressive whether it is a progressive JPEG, whose coefficients stay in memory
     * @param strips whether the platform can decode this kind of file in strips
     * @param freeBytes what bitmaps and decoder may take
     * @throws UnreadableImageException too large; says what to do
     */
    public static DecodePlan of(int width, int height, boolean progressive, boolean strips,
            long freeBytes) throws UnreadableImageException {
        long pixels = (long) width * height;
        if (pixels > MOST_PIXELS) {
            throw UnreadableImageException.of(Reason.Kind.TOO_MANY_PIXELS, "it has "
                    + megapixels(pixels) + " megapixels; at most " + megapixels(MOST_PIXELS)
                    + " are read. Set the camera to 50 megapixels or fewer, or choose a smaller copy",
                    megapixels(pixels), megapixels(MOST_PIXELS));
        }
        long left = freeBytes - (progressive ? pixels * COEFFICIENT_BYTES : 0);
        if (pixels * PIXEL_BYTES <= left) {
            return new DecodePlan(height, true);
        }
        long rows = strips ? left / (STRIP_COPIES * PIXEL_BYTES * width) : 0;
        if (rows < Math.min(height, LEAST_ROWS)) {
            throw UnreadableImageException.of(progressive ? Reason.Kind.NO_MEMORY_FOR_PROGRESSIVE
                            : Reason.Kind.NO_MEMORY_FOR,
                    "it has " + megapixels(pixels) + " megapixels"
                    + (progressive ? " in a progressive JPEG" : "")
                    + ", too many for the memory that is free on this phone. Close other apps,"
                    + " set the camera to fewer megapixels, or choose a smaller copy",
                    megapixels(pixels));
        }
        return new DecodePlan((int) Math.min(height, rows), false);
    }

    static long megapixels(long pixels) {
        return Math.round(pixels / 1e6);
    }
}
