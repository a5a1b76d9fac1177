package org.hierattn.core;

import java.util.ArrayList;
import java.util.List;

/**
 * Finds how a HEIC or AVIF picture must be turned: the boxes {@code irot} and {@code imir} of the
 * primary item (ISO/IEC 23008-12, 6.5.10 and 6.5.12), in the order in which it lists them.
 *
 * <p>Its EXIF block does not count, as in Pillow and libheif: the boxes are what a reader must obey.
 * Android's BitmapFactory hands over the picture as stored. What is damaged counts as absent.
 */
final class HeifBoxes {
    private final byte[] file;

    private HeifBoxes(byte[] file) {
        this.file = file;
    }

    /** Whether a file begins as HEIC and AVIF do, with a box {@code ftyp}. */
    static boolean isHeif(byte[] file) {
        return Bytes.startsWith(file, 4, Bytes.ascii("ftyp"));
    }

    /** 1 to 8, as EXIF counts. */
    static int orientation(byte[] file) {
        return new HeifBoxes(file).read();
    }

    private int read() {
        Box meta = first(new Box(0, file.length), "meta");
        if (meta == null) {
            return Orientation.UPRIGHT;
        }
        Box inside = new Box(meta.from + 4, meta.end);
        Box primary = first(inside, "pitm");
        Box properties = first(inside, "iprp");
        Box stored = properties == null ? null : first(properties, "ipco");
        if (primary == null || stored == null || primary.end - primary.from < 6) {
            return Orientation.UPRIGHT;
        }
        int idSize = file[primary.from] == 0 ? 2 : 4;
        long id = number(primary.from + 4, idSize, primary.end);
        List<Box> all = children(stored, null);
        Turn turn = new Turn();
        for (Box list : children(properties, "ipma")) {
            for (int index : associated(list, id)) {
                if (index >= 1 && index <= all.size()) {
                    apply(all.get(index - 1), turn);
                }
            }
        }
        return turn.orientation();
    }

    /** The numbers of an item's properties, counted from 1, from one box {@code ipma}. */
    private List<Integer> associated(Box list, long wanted) {
        List<Integer> found = new ArrayList<Integer>();
        if (list.end - list.from < 8) {
            return found;
        }
        int idSize = file[list.from] == 0 ? 2 : 4;
        boolean wide = (file[list.from + 3] & 1) != 0;
        int size = wide ? 2 : 1;
        long items = number(list.from + 4, 4, list.end);
        int at = list.from + 8;
        for (long item = 0; item < items && at + idSize + 1 <= list.end; item++) {
            long id = number(at, idSize, list.end);
            int count = file[at + idSize] & 255;
            at += idSize + 1;
            for (int place = 0; place < count && at + size <= list.end; place++, at += size) {
                if (id == wanted) {
                    // The highest bit says that the property is essential.
                    found.add((int) number(at, size, list.end) & (wide ? 0x7fff : 0x7f));
                }
            }
        }
        return found;
    }

    private void apply(Box property, Turn turn) {
        if (property.from >= property.end) {
            return;
        }
        if (property.is(file, "irot")) {
            // Quarter turns against the clock.
            for (int left = file[property.from] & 3; left > 0 && left < 4; left++) {
                turn.clockwise();
            }
        } else if (property.is(file, "imir")) {
            turn.mirror((file[property.from] & 1) != 0);
        }
    }

    private Box first(Box parent, String name) {
        List<Box> found = children(parent, name);
        return found.isEmpty() ? null : found.get(0);
    }

    /** The boxes inside one, those of a name or all for null. */
    private List<Box> children(Box parent, String name) {
        List<Box> found = new ArrayList<Box>();
        int at = parent.from;
        while (at >= 0 && at + 8 <= parent.end) {
            long size = number(at, 4, parent.end);
            int head = 8;
            if (size == 1 && at + 16 <= parent.end) {
                // 64 bits; the upper 32 would lie behind any file that fits here.
                size = number(at + 8, 4, parent.end) == 0 ? number(at + 12, 4, parent.end) : -1;
                head = 16;
            } else if (size == 0) {
                size = parent.end - at;
            }
            if (size < head || size > parent.end - at) {
                return found;
            }
            Box box = new Box(at + head, at + (int) size, at + 4);
            if (name == null || box.is(file, name)) {
                found.add(box);
            }
            at += (int) size;
        }
        return found;
    }

    private long number(int at, int size, int end) {
        return at < 0 || at + size > end ? -1 : Bytes.number(file, at, size, true);
    }

    /** What is inside a box, and where its name stands. */
    private static final class Box {
        final int from;
        final int end;
        final int nameAt;

        Box(int from, int end) {
            this(from, end, -1);
        }

        Box(int from, int end, int nameAt) {
            this.from = Math.min(from, end);
            this.end = end;
            this.nameAt = nameAt;
        }

        boolean is(byte[] file, String name) {
            return Bytes.startsWith(file, nameAt, Bytes.ascii(name));
        }
    }

    /** Turns and mirrorings, one after the other. */
    private static final class Turn {
        private boolean swaps;
        private boolean columns;
        private boolean rows;

        void clockwise() {
            boolean before = columns;
            swaps = !swaps;
            columns = !rows;
            rows = before;
        }

        void mirror(boolean leftAndRight) {
            columns ^= leftAndRight;
            rows ^= !leftAndRight;
        }

        int orientation() {
            for (int value = 1; value <= 8; value++) {
                if (Orientation.swapsSides(value) == swaps
                        && Orientation.mirrorsColumns(value) == columns
                        && Orientation.mirrorsRows(value) == rows) {
                    return value;
                }
            }
            throw new AssertionError("every turn has its EXIF value");
        }
    }
}
