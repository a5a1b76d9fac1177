package org.hierattn.core;

import java.nio.charset.StandardCharsets;

/** Looking into files byte by byte. */
final class Bytes {
    private Bytes() {}

    /** A whole number of up to four bytes, without sign. */
    static long number(byte[] bytes, int at, int size, boolean big) {
        long value = 0;
        for (int place = 0; place < size; place++) {
            value = value << 8 | bytes[big ? at + place : at + size - 1 - place] & 255;
        }
        return value;
    }

    /** The first 0 at or behind {@code from}, {@code end} if there is none. */
    static int find(byte[] bytes, int from, int end) {
        int at = from;
        while (at < end && bytes[at] != 0) {
            at++;
        }
        return at;
    }

    /** Whether {@code head} stands at {@code at}; false where it would reach behind the end. */
    static boolean startsWith(byte[] bytes, int at, byte[] head) {
        if (at < 0 || at + head.length > bytes.length) {
            return false;
        }
        for (int place = 0; place < head.length; place++) {
            if (bytes[at + place] != head[place]) {
                return false;
            }
        }
        return true;
    }

    /** A copy; empty where {@code end} lies before {@code from}. */
    static byte[] part(byte[] bytes, int from, int end) {
        byte[] result = new byte[Math.max(end - from, 0)];
        System.arraycopy(bytes, from, result, 0, result.length);
        return result;
    }

    /** The bytes of a text in ASCII. */
    static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
