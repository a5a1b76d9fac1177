package org.hierattn.core;

/**
 * Turns and resizes a picture that arrives row by row, to the same bytes as {@link Orientation}
 * followed by {@link PillowResize}.
 *
 * <p>Two orders are possible, and the bytes depend on it: every stored row is resized when it comes,
 * then summed up across rows; or whole rows are summed up, and what comes out is resized at the end.
 * Memory, for a square side S: S * S * 12 bytes of sums in the first order, 0.8 MB at 256;
 * S * width * 12 in the second, which a photo needs that must be turned by a quarter: 12 MB for
 * 4000 pixels a row at 256. Rows may come in any order, each once.
 */
public final class StreamingResize implements PixelRows {
    private final int storedWidth;
    private final int storedHeight;
    private final int side;
    private final boolean swaps;
    private final boolean mirrorsAlong;
    private final boolean mirrorsAcross;
    /** Whether a row is resized before rows are summed up. */
    private final boolean alongFirst;
    private final ResizeWeights along;
    private final ResizeWeights across;
    private final boolean[] seen;
    /** Of bytes a row. */
    private final int[][] sums;
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
     * @throws IllegalArgumentException a number out of its range
     */
    public StreamingResize(int storedWidth, int storedHeight, int orientation, int side) {
        if (storedWidth < 1 || storedHeight < 1 || side < 1 || storedWidth > Integer.MAX_VALUE / 4) {
            throw new IllegalArgumentException(
                    "sides must be at least 1: " + storedWidth + " x " + storedHeight + " to " + side);
        }
        this.storedWidth = storedWidth;
        this.storedHeight = storedHeight;
        this.side = side;
        swaps = Orientation.swapsSides(orientation);
        boolean mirrorsColumns = Orientation.mirrorsColumns(orientation);
        boolean mirrorsRows = Orientation.mirrorsRows(orientation);
        // A stored row is an upright column where sides are swapped.
        mirrorsAlong = swaps ? mirrorsRows : mirrorsColumns;
        mirrorsAcross = swaps ? mirrorsColumns : mirrorsRows;
        int width = swaps ? storedHeight : storedWidth;
        int height = swaps ? storedWidth : storedHeight;
        alongFirst = swaps == PillowResize.columnsFirst(width, height, side, side);
        along = new ResizeWeights(storedWidth, side);
        across = new ResizeWeights(storedHeight, side);
        seen = new boolean[storedHeight];
        sums = new int[side][(alongFirst ? side : storedWidth) * 3];
        flipped = new byte[mirrorsAlong ? storedWidth * 3 : 0];
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
        byte[] row = mirrorsAlong ? flip(rgb) : rgb;
        if (alongFirst && !along.isIdentity()) {
            PillowResize.row(along, row, 0, narrow, 0);
            row = narrow;
        }
        add(mirrorsAcross ? storedHeight - 1 - y : y, row);
    }

    /**
     * The finished picture; call it once, after the last row.
     *
     * @return bytes [side, side, 3]
     * @throws IllegalStateException rows are missing, or it was called before
     */
    public byte[] finish() {
        if (finished || rowsSeen != storedHeight) {
            throw new IllegalStateException(finished ? "the picture was finished before"
                    : rowsSeen + " of " + storedHeight + " rows came: decode the whole photo");
        }
        finished = true;
        byte[] result = new byte[side * side * 3];
        byte[] row = new byte[sums[0].length];
        for (int line = 0; line < side; line++) {
            for (int place = 0; place < row.length; place++) {
                int sum = sums[line][place];
                // Where the pass is passed over, a sum is the pixel itself.
                row[place] = across.isIdentity()
                        ? (byte) sum : ResizeWeights.toByte(sum + ResizeWeights.HALF);
            }
            byte[] done = row;
            if (!alongFirst && !along.isIdentity()) {
                PillowResize.row(along, row, 0, narrow, 0);
                done = narrow;
            }
            place(done, line, result);
        }
        return result;
    }

    /** Add a row's share to every line of the result that it counts for. */
    private void add(int at, byte[] row) {
        boolean same = across.isIdentity();
        int from = same ? at : across.firstOut[at];
        int end = same ? at + 1 : from + across.countOut[at];
        for (int line = from; line < end; line++) {
            int weight = same ? 1 : across.weight(line, at);
            int[] sum = sums[line];
            for (int place = 0; place < sum.length; place++) {
                sum[place] += (row[place] & 255) * weight;
            }
        }
    }

    /** Put a finished line where it stands upright: a row, or a column where sides are swapped. */
    private void place(byte[] line, int number, byte[] result) {
        if (!swaps) {
            System.arraycopy(line, 0, result, number * side * 3, side * 3);
            return;
        }
        for (int y = 0; y < side; y++) {
            System.arraycopy(line, y * 3, result, (y * side + number) * 3, 3);
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
