package org.hierattn.core;

/** The orientation within an EXIF block or an XMP text. */
final class OrientationTag {
    /** Nothing is stated. */
    static final int ABSENT = 0;
    /** Something is stated, and it is none of 1 to 8. */
    static final int OTHER = -1;
    private static final int TAG = 0x0112;
    private static final byte[] EXIF_HEAD = Bytes.ascii("Exif\0\0");
    private static final byte[] XMP_FIELD = Bytes.ascii("tiff:Orientation");

    private OrientationTag() {}

    /**
     * The tag of the first directory of a TIFF block.
     *
     * @param block with or without its "Exif" head
     * @return 1 to 8, {@link #ABSENT} or {@link #OTHER}; the latter too where it is no TIFF
     */
    static int ofTiff(byte[] block) {
        int start = 0;
        while (start < 2 * EXIF_HEAD.length && Bytes.startsWith(block, start, EXIF_HEAD)) {
            start += EXIF_HEAD.length;
        }
        if (start == block.length) {
            return ABSENT;
        }
        boolean big = Bytes.startsWith(block, start, Bytes.ascii("MM"));
        if (!isTiff(block, start)) {
            return OTHER;
        }
        long directory = start + Bytes.number(block, start + 4, 4, big);
        if (directory + 2 > block.length) {
            return ABSENT;
        }
        int entries = (int) Bytes.number(block, (int) directory, 2, big);
        for (int entry = 0; entry < entries; entry++) {
            long at = directory + 2 + entry * 12L;
            if (at + 12 > block.length) {
                return ABSENT;
            }
            if (Bytes.number(block, (int) at, 2, big) == TAG) {
                int value = fromEntry(block, (int) at, start, big);
                if (value != ABSENT) {
                    return value;
                }
            }
        }
        return ABSENT;
    }

    /** Some cameras write the 42 in the other order of bytes; Pillow lets them. */
    private static boolean isTiff(byte[] block, int start) {
        if (start + 8 > block.length || block[start] != block[start + 1]
                || block[start] != 'M' && block[start] != 'I') {
            return false;
        }
        int high = block[start + 2];
        int low = block[start + 3];
        return high == 0 && low == 42 || high == 42 && low == 0;
    }

    /** The first value of an entry; {@link #ABSENT} if it has none within the block. */
    private static int fromEntry(byte[] block, int at, int start, boolean big) {
        int type = (int) Bytes.number(block, at + 2, 2, big);
        long count = Bytes.number(block, at + 4, 4, big);
        // EXIF asks for SHORT; some writers put LONG or the signed kinds.
        int size = type == 3 || type == 8 ? 2 : type == 4 || type == 9 || type == 13 ? 4 : type == 6 ? 1 : 0;
        if (size == 0) {
            return type >= 1 && type <= 12 ? OTHER : ABSENT;
        }
        if (count == 0) {
            return ABSENT;
        }
        long from = count * size <= 4 ? at + 8 : start + Bytes.number(block, at + 8, 4, big);
        if (from + count * size > block.length) {
            return ABSENT;
        }
        long value = Bytes.number(block, (int) from, size, big);
        return value >= 1 && value <= 8 ? (int) value : OTHER;
    }

    /** The digit of {@code tiff:Orientation="6"} or {@code <tiff:Orientation>6}. */
    static int ofXmp(byte[] text) {
        for (int at = 0; at + XMP_FIELD.length + 2 <= text.length; at++) {
            if (!Bytes.startsWith(text, at, XMP_FIELD)) {
                continue;
            }
            int next = at + XMP_FIELD.length;
            if (Bytes.startsWith(text, next, Bytes.ascii("=\""))) {
                next += 2;
            } else if (text[next] == '>') {
                next++;
            } else {
                continue;
            }
            if (next < text.length && text[next] >= '0' && text[next] <= '9') {
                return text[next] == '0' ? OTHER : text[next] - '0';
            }
        }
        return ABSENT;
    }
}
