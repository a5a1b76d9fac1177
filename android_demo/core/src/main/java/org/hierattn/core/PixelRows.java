package org.hierattn.core;

/** Takes a picture row by row, so that a large photo need never be in memory as a whole. */
public interface PixelRows {

    /**
     * Take one row of the stored picture, before any turning.
     *
     * @param y its place, 0 at the top; every row comes once, in any order
     * @param rgb 3 bytes a pixel, red first; only read during the call
     */
    void row(int y, byte[] rgb);
}
