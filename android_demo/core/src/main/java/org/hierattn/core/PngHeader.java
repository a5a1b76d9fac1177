package org.hierattn.core;

import java.util.zip.CRC32;

/** What stands before a PNG's pixels, and how its samples become RGB over white. */
final class PngHeader {
    static final int IDAT = 0x49444154;
    private static final int IHDR = 0x49484452;
    private static final int PLTE = 0x504c5445;
    private static final int TRNS = 0x74524e53;
    private static final int IEND = 0x49454e44;
    /** As wide as a JPEG can be. */
    private static final int MOST_WIDE = 65535;
    /** Bytes that deflate makes of one, at most: 1032, see zlib's technical details. */
    private static final int MOST_DEFLATED = 1032;
    private static final int GREY = 0;
    private static final int COLOUR = 2;
    private static final int PALETTE = 3;
    private static final int GREY_ALPHA = 4;
    private static final int COLOUR_ALPHA = 6;

    final int width;
    final int height;
    final boolean interlaced;
    /** Where the first chunk of pixels starts. */
    final int dataAt;
    private final int depth;
    private final int kind;
    private final int channels;
    private byte[] palette;
    private byte[] transparency;

    /** Read up to the first pixels. */
    static PngHeader read(byte[] png) throws UnreadableImageException {
        return new PngHeader(png);
    }

    private PngHeader(byte[] png) throws UnreadableImageException {
        for (int place = 0; place < PlainPngDecoder.SIGNATURE.length; place++) {
            if (png.length < 33 || png[place] != PlainPngDecoder.SIGNATURE[place]) {
                throw UnreadableImageException.of(Reason.Kind.NOT_A_PICTURE, "not a PNG");
            }
        }
        if (number(png, 12) != IHDR || chunkLength(png, 8) != 13) {
            throw UnreadableImageException.damaged("PNG: no header");
        }
        checkSum(png, 8, 13);
        width = number(png, 16);
        height = number(png, 20);
        depth = png[24];
        kind = png[25];
        interlaced = png[28] != 0;
        if (width < 1 || height < 1 || png[26] != 0 || png[27] != 0) {
            throw UnreadableImageException.damaged("PNG: a header of no known kind");
        }
        channels = channelsOf(kind);
        checkDepth();
        checkSize(png.length);
        dataAt = readChunks(png);
        if (kind == PALETTE && palette == null) {
            throw UnreadableImageException.damaged("PNG: the palette is missing");
        }
    }

    long pixels() {
        return (long) width * height;
    }

    String sides() {
        return width + " x " + height;
    }

    int bitsPerPixel() {
        return channels * depth;
    }

    /**
     * Turn one row of samples into RGB.
     *
     * @param row filters undone, packed as PNG packs it
     * @param count pixels
     * @param rgb where they go, 3 bytes a pixel
     * @throws UnreadableImageException a pixel points behind the palette's end
     */
    void toRgb(byte[] row, int count, byte[] rgb) throws UnreadableImageException {
        for (int x = 0, out = 0; x < count; x++, out += 3) {
            int red;
            int green;
            int blue;
            int alpha = 255;
            if (kind == PALETTE) {
                int entry = sample(row, x);
                if (entry * 3 + 3 > palette.length) {
                    throw UnreadableImageException.damaged("PNG: a pixel of colour " + entry
                            + ", the palette has " + palette.length / 3);
                }
                red = palette[entry * 3] & 255;
                green = palette[entry * 3 + 1] & 255;
                blue = palette[entry * 3 + 2] & 255;
                if (transparency != null && entry < transparency.length) {
                    alpha = transparency[entry] & 255;
                }
            } else {
                boolean grey = kind == GREY || kind == GREY_ALPHA;
                red = level(row, x * channels);
                green = grey ? red : level(row, x * channels + 1);
                blue = grey ? red : level(row, x * channels + 2);
                if (kind == GREY_ALPHA || kind == COLOUR_ALPHA) {
                    alpha = level(row, x * channels + channels - 1);
                } else if (isTransparent(red, green, blue)) {
                    alpha = 0;
                }
            }
            rgb[out] = (byte) Alpha.overWhite(red, alpha);
            rgb[out + 1] = (byte) Alpha.overWhite(green, alpha);
            rgb[out + 2] = (byte) Alpha.overWhite(blue, alpha);
        }
    }

    static int number(byte[] bytes, int at) {
        return (bytes[at] & 255) << 24 | (bytes[at + 1] & 255) << 16
                | (bytes[at + 2] & 255) << 8 | bytes[at + 3] & 255;
    }

    /** Length of the chunk at {@code at}, checked to lie within the file. */
    static int chunkLength(byte[] png, int at) throws UnreadableImageException {
        int length = at + 12 <= png.length ? number(png, at) : -1;
        if (length < 0 || length > png.length - at - 12) {
            throw UnreadableImageException.damaged("PNG: the file is cut short");
        }
        return length;
    }

    private int readChunks(byte[] png) throws UnreadableImageException {
        int at = 33;
        while (true) {
            int length = chunkLength(png, at);
            int name = number(png, at + 4);
            if (name == IDAT) {
                return at;
            }
            if (name == IEND) {
                throw UnreadableImageException.damaged("PNG: no pixels");
            }
            checkSum(png, at, length);
            if (name == PLTE) {
                palette = content(png, at, length);
            } else if (name == TRNS) {
                transparency = content(png, at, length);
                int least = kind == GREY ? 2 : kind == COLOUR ? 6 : 0;
                if (transparency.length < least) {
                    throw UnreadableImageException.damaged("PNG: chunk tRNS is cut short");
                }
            }
            at += length + 12;
        }
    }

    /**
     * Whether a pixel has the one colour that counts as transparent.
     *
     * <p>Follows Pillow to the letter: it compares the low byte of the stated colour with the
     * pixel's 8-bit level, also where samples have 2, 4 or 16 bits, and not at all in 16-bit grey.
     */
    private boolean isTransparent(int red, int green, int blue) {
        if (transparency == null || kind == GREY && depth == 16) {
            return false;
        }
        if (kind == GREY) {
            int stated = transparency[1] & 255;
            if (depth == 1) {
                stated = transparency[0] != 0 || stated != 0 ? 255 : 0;
            }
            return red == stated;
        }
        return red == (transparency[1] & 255) && green == (transparency[3] & 255)
                && blue == (transparency[5] & 255);
    }

    /** A sample as 0 to 255: fewer bits are spread, of 16 the high byte is kept. */
    private int level(byte[] row, int sample) {
        switch (depth) {
            case 16:
                return row[sample * 2] & 255;
            case 8:
                return row[sample] & 255;
            default:
                return sample(row, sample) * 255 / ((1 << depth) - 1);
        }
    }

    /** A sample of at most 8 bits as it is stored. */
    private int sample(byte[] row, int index) {
        int bit = index * depth;
        return (row[bit / 8] & 255) >> 8 - depth - bit % 8 & (1 << depth) - 1;
    }

    private void checkDepth() throws UnreadableImageException {
        boolean known;
        if (kind == GREY) {
            known = depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
        } else if (kind == PALETTE) {
            known = depth == 1 || depth == 2 || depth == 4 || depth == 8;
        } else {
            known = depth == 8 || depth == 16;
        }
        if (!known) {
            throw UnreadableImageException.of(Reason.Kind.UNKNOWN_COLOURS,
                    "PNG: " + depth + " bits of colour type " + kind);
        }
    }

    /**
     * Before memory is asked for: no row that no photo has, and no more pixels than the file's bytes
     * can hold at deflate's best.
     */
    private void checkSize(int bytes) throws UnreadableImageException {
        if (width > MOST_WIDE) {
            throw UnreadableImageException.of(Reason.Kind.TOO_WIDE, "PNG: " + sides()
                    + " pixels: at most " + MOST_WIDE
                    + " in a row are read; choose a smaller picture", width, MOST_WIDE);
        }
        if (pixels() * bitsPerPixel() / 8 > (long) bytes * MOST_DEFLATED) {
            throw UnreadableImageException.damaged("PNG: the file is cut short: " + bytes
                    + " bytes cannot hold " + sides() + " pixels");
        }
    }

    private static int channelsOf(int kind) throws UnreadableImageException {
        switch (kind) {
            case GREY:
            case PALETTE:
                return 1;
            case GREY_ALPHA:
                return 2;
            case COLOUR:
                return 3;
            case COLOUR_ALPHA:
                return 4;
            default:
                throw UnreadableImageException.of(Reason.Kind.UNKNOWN_COLOURS,
                        "PNG: unknown colour type " + kind);
        }
    }

    private static byte[] content(byte[] png, int at, int length) {
        byte[] result = new byte[length];
        System.arraycopy(png, at + 8, result, 0, length);
        return result;
    }

    private static void checkSum(byte[] png, int at, int length) throws UnreadableImageException {
        CRC32 sum = new CRC32();
        sum.update(png, at + 4, length + 4);
        if ((int) sum.getValue() != number(png, at + 8 + length)) {
            throw UnreadableImageException.damaged("PNG: a damaged chunk at byte " + at);
        }
    }
}
