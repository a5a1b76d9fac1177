package org.hierattn.core;

/**
 * Turns and resizes a picture that arrives row by row, to the same bytes as {@link Orientation}
 * followed by {@link PillowResize}.
 *
 * <p>Memory, for a square side S: S * S * 12 bytes of sums, 0.8 MB at 256. Where the orientation
 * swaps the sides (5 to 8) a stored row is an upright column, and S * width * 12 bytes come on top:
 * 12 MB for a photo of 4000 pixels a row at 256. Rows may come in any order, each once.
 */
public final class StreamingResize implements PixelRows {
    private final int storedWidth;
    private final int storedHeight;
    private final int side;
    private final boolean swaps;
    private final boolean mirrorsColumns;
    private final boolean mirrorsRows;
    private final ResizeWeights across;
    private final ResizeWeights down;
    private final boolean[] seen;
    /** Sums of the vertical pass, [side, side, 3]. */
    private final int[] sums;
    /** Sums of the horizontal pass where sides are swapped, [upright height, side, 3]. */
    private final int[] acrossSums;
    private final byte[] flipped;
    private final byte[] narrow;
    private int rowsSeen;
    private boolean finished;

    /**
     * Start a picture.
     *
     * @param storedWidth as decoded, before any turning; pixels, at least 1
     * @param storedHeight likewise
     * @param orientation EXIF value, 1 to 8
     * @param side of the square result, pixels, at least 1
     * @throws IllegalArgumentException a number out of its range, or sums too large for an array
     */
    public StreamingResize(int storedWidth, int storedHeight, int orientation, int side) {
        if (storedWidth < 1 || storedHeight < 1 || side < 1) {
            throw new IllegalArgumentException(
                    "sides must be at least 1: " + storedWidth + " x " + storedHeight + " to " + side);
        }
        this.storedWidth = storedWidth;
        this.storedHeight = storedHeight;
        this.side = side;
        swaps = Orientation.swapsSides(orientation);
        if ((long) side * Math.max(side, swaps ? storedWidth : 1) * 3 > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException(
                    storedWidth + " x " + storedHeight + " pixels are too many to turn");
        }
        mirrorsColumns = Orientation.mirrorsColumns(orientation);
        mirrorsRows = Orientation.mirrorsRows(orientation);
        across = new ResizeWeights(swaps ? storedHeight : storedWidth, side);
        down = new ResizeWeights(swaps ? storedWidth : storedHeight, side);
        seen = new boolean[storedHeight];
        sums = new int[side * side * 3];
        acrossSums = swaps ? new int[storedWidth * side * 3] : null;
        flipped = new byte[swaps ? 0 : storedWidth * 3];
        narrow = new byte[side * 3];
    }

    /**
     * Take one stored row.
     *
     * @throws IllegalArgumentException no such row, too short, or it came before
     */
    @Override
    public void row(int y, byte[] rgb) {
        if (y < 0 || y >= storedHeight || rgb.length < storedWidth * 3 || seen[y]) {
            throw new IllegalArgumentException(
                    "row " + y + " of " + rgb.length + " bytes: each of " + storedHeight
                            + " rows must come once, with " + storedWidth * 3 + " bytes");
        }
        seen[y] = true;
        rowsSeen++;
        if (swaps) {
            addColumn(mirrorsColumns ? storedHeight - 1 - y : y, rgb);
            return;
        }
        byte[] upright = mirrorsColumns ? flip(rgb) : rgb;
        if (across.isIdentity()) {
            addNarrow(mirrorsRows ? storedHeight - 1 - y : y, upright);
            return;
        }
        PillowResize.horizontalRow(across, upright, 0, narrow, 0);
        addNarrow(mirrorsRows ? storedHeight - 1 - y : y, narrow);
    }

    /**
     * The finished picture; call it once, after the last row.
     *
     * @return bytes [side, side, 3]
     * @throws IllegalStateException rows are missing, or it was called before
     */
    public byte[] finish() {
        if (finished) {
            throw new IllegalStateException("the picture was finished before");
        }
        if (rowsSeen != storedHeight) {
            throw new IllegalStateException(
                    rowsSeen + " of " + storedHeight + " rows came: decode the whole photo");
        }
        finished = true;
        if (swaps) {
            for (int y = 0; y < storedWidth; y++) {
                for (int place = 0; place < narrow.length; place++) {
                    narrow[place] = fromSum(across, acrossSums[y * narrow.length + place]);
                }
                addNarrow(y, narrow);
            }
        }
        byte[] result = new byte[sums.length];
        for (int place = 0; place < sums.length; place++) {
            result[place] = fromSum(down, sums[place]);
        }
        return result;
    }

    /** A sum is the pixel itself where the pass is passed over. */
    private static byte fromSum(ResizeWeights pass, int sum) {
        return pass.isIdentity() ? (byte) sum : ResizeWeights.toByte(sum + ResizeWeights.HALF);
    }

    /** A stored row that stands upright as column {@code x}: its share of the horizontal pass. */
    private void addColumn(int x, byte[] rgb) {
        int last = across.isIdentity() ? x : across.firstOut[x] + across.countOut[x] - 1;
        for (int out = across.isIdentity() ? x : across.firstOut[x]; out <= last; out++) {
            int weight = across.isIdentity() ? 1 : across.weight(out, x);
            for (int stored = 0; stored < storedWidth; stored++) {
                int y = mirrorsRows ? storedWidth - 1 - stored : stored;
                int place = (y * side + out) * 3;
                acrossSums[place] += (rgb[stored * 3] & 255) * weight;
                acrossSums[place + 1] += (rgb[stored * 3 + 1] & 255) * weight;
                acrossSums[place + 2] += (rgb[stored * 3 + 2] & 255) * weight;
            }
        }
    }

    /** An upright row of the final width: its share of the vertical pass. */
    private void addNarrow(int y, byte[] row) {
        int last = down.isIdentity() ? y : down.firstOut[y] + down.countOut[y] - 1;
        for (int out = down.isIdentity() ? y : down.firstOut[y]; out <= last; out++) {
            int weight = down.isIdentity() ? 1 : down.weight(out, y);
            int place = out * side * 3;
            for (int column = 0; column < side * 3; column++) {
                sums[place + column] += (row[column] & 255) * weight;
            }
        }
    }

    private byte[] flip(byte[] rgb) {
        for (int x = 0; x < storedWidth; x++) {
            int from = (storedWidth - 1 - x) * 3;
            flipped[x * 3] = rgb[from];
            flipped[x * 3 + 1] = rgb[from + 1];
            flipped[x * 3 + 2] = rgb[from + 2];
        }
        return flipped;
    }
}
