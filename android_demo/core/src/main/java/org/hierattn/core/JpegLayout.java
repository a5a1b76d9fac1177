package org.hierattn.core;

/**
 * Walks through a JPEG without decoding it, to refuse what a platform decoder would let pass: a
 * file that was cut off, whose missing part it paints grey, and four inks (CMYK), which it turns into
 * colours in a way of its own.
 */
public final class JpegLayout {
    private static final int PROGRESSIVE = 0xC2;
    private static final int START_OF_SCAN = 0xDA;
    private static final int END_OF_IMAGE = 0xD9;

    private JpegLayout() {}

    /** Whether a file begins as a JPEG does. */
    public static boolean isJpeg(byte[] file) {
        return file.length > 2 && at(file, 0) == 0xFF && at(file, 1) == 0xD8 && at(file, 2) == 0xFF;
    }

    /**
     * Refuse what is no JPEG, not whole, or not of grey or three colours.
     *
     * @return whether it is progressive: a decoder then keeps all of its coefficients in memory
     * @throws UnreadableImageException says which
     */
    public static boolean check(byte[] jpeg) throws UnreadableImageException {
        if (!isJpeg(jpeg)) {
            throw UnreadableImageException.of(Reason.Kind.NOT_A_PICTURE, "not a JPEG");
        }
        boolean progressive = false;
        int place = 2;
        while (true) {
            place = nextMarker(jpeg, place);
            int marker = at(jpeg, place + 1);
            place += 2;
            if (marker == END_OF_IMAGE) {
                return progressive;
            }
            if (marker == 0xFF) {
                // A fill byte: the marker begins one later.
                place--;
                continue;
            }
            if (marker == 0x00 || marker == 0x01 || marker >= 0xD0 && marker <= 0xD7) {
                continue;
            }
            int length = number(jpeg, place);
            if (length < 2) {
                throw UnreadableImageException.damaged("JPEG: a segment of impossible length");
            }
            if (isFrame(marker)) {
                checkColours(jpeg, place, length);
                progressive |= marker == PROGRESSIVE;
            }
            place += length;
            if (marker == START_OF_SCAN) {
                place = behindScan(jpeg, place);
            }
        }
    }

    /** Stray bytes before a marker are passed over, as libjpeg and Pillow do. */
    private static int nextMarker(byte[] jpeg, int from) throws UnreadableImageException {
        for (int place = from; place + 1 < jpeg.length; place++) {
            if (at(jpeg, place) == 0xFF) {
                return place;
            }
        }
        throw cutOff();
    }

    /** SOF0 to SOF15, without DHT, JPG and DAC, which share their row. */
    private static boolean isFrame(int marker) {
        return marker >= 0xC0 && marker <= 0xCF
                && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    }

    private static void checkColours(byte[] jpeg, int place, int length)
            throws UnreadableImageException {
        if (length < 8 || place + 8 > jpeg.length) {
            throw cutOff();
        }
        int components = at(jpeg, place + 7);
        if (components != 1 && components != 3) {
            throw UnreadableImageException.of(Reason.Kind.UNKNOWN_COLOURS, "JPEG: " + components
                    + " colour components; only grey and three colours are understood");
        }
    }

    /** Over the packed pixels, where 0xFF is followed by 0 or a restart marker. */
    private static int behindScan(byte[] jpeg, int from) throws UnreadableImageException {
        for (int place = from; place + 1 < jpeg.length; place++) {
            if (at(jpeg, place) == 0xFF) {
                int next = at(jpeg, place + 1);
                if (next != 0 && next != 0xFF && !(next >= 0xD0 && next <= 0xD7)) {
                    return place;
                }
            }
        }
        throw cutOff();
    }

    private static int number(byte[] jpeg, int place) throws UnreadableImageException {
        if (place + 1 >= jpeg.length) {
            throw cutOff();
        }
        return at(jpeg, place) << 8 | at(jpeg, place + 1);
    }

    private static int at(byte[] jpeg, int place) {
        return jpeg[place] & 255;
    }

    private static UnreadableImageException cutOff() {
        return UnreadableImageException.damaged("JPEG: the file is cut off");
    }
}
