package org.hierattn.core;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Finds how a photo must be turned: the EXIF orientation of JPEG, PNG and WebP bytes.
 *
 * <p>As Pillow does: EXIF first (JPEG segments APP1, PNG chunk eXIf or ImageMagick's text chunk, WebP
 * chunk EXIF), then {@code tiff:Orientation} of XMP. What is absent, damaged or not 1 to 8 counts as
 * 1; nothing is ever thrown for what the bytes say. Only the head of a JPEG is needed, up to its
 * first scan; a PNG may carry the chunk behind its pixels.
 */
public final class ExifReader {
    private static final int ABSENT = 0;
    private static final int LARGEST_TEXT = 1 << 20;
    private static final String RAW_PROFILE = "Raw profile type exif";
    private static final String XMP_KEY = "XML:com.adobe.xmp";
    private static final byte[] XMP_HEAD = ascii("http://ns.adobe.com/xap/1.0/\0");
    private static final byte[] EXIF_HEAD = ascii("Exif\0\0");
    private static final byte[] XMP_FIELD = ascii("tiff:Orientation");

    private final ByteArrayOutputStream exif = new ByteArrayOutputStream();
    private byte[] rawProfile;
    private byte[] xmp;

    private ExifReader() {}

    /**
     * The orientation a file asks for.
     *
     * @param file the bytes of a JPEG, PNG or WebP; of anything else the answer is 1
     * @return 1 to 8
     */
    public static int orientation(byte[] file) {
        ExifReader reader = new ExifReader();
        if (startsWith(file, 0, new byte[] {(byte) 0xff, (byte) 0xd8, (byte) 0xff})) {
            reader.readJpeg(file);
        } else if (startsWith(file, 0, PlainPngDecoder.SIGNATURE)) {
            reader.readPng(file);
        } else if (startsWith(file, 0, ascii("RIFF")) && startsWith(file, 8, ascii("WEBP"))) {
            reader.readWebp(file);
        }
        return reader.answer();
    }

    /**
     * The orientation that an EXIF block states.
     *
     * @param block with or without its "Exif" head
     * @return 1 to 8; 1 where it states none
     */
    public static int orientationOfExif(byte[] block) {
        int found = fromTiff(block);
        return found >= 1 && found <= 8 ? found : Orientation.UPRIGHT;
    }

    private int answer() {
        int found = ABSENT;
        if (exif.size() > 0) {
            found = fromTiff(exif.toByteArray());
        } else if (rawProfile != null) {
            found = fromTiff(fromHex(rawProfile));
        }
        if (found == ABSENT && xmp != null) {
            found = fromXmp(xmp);
        }
        return found >= 1 && found <= 8 ? found : Orientation.UPRIGHT;
    }

    private void readJpeg(byte[] file) {
        int at = 2;
        while (at + 4 <= file.length) {
            if ((file[at] & 255) != 0xff) {
                at++;
                continue;
            }
            int marker = file[at + 1] & 255;
            if (marker == 0xff) {
                at++;
                continue;
            }
            if (marker == 0 || marker == 1 || marker >= 0xd0 && marker <= 0xd8) {
                at += 2;
                continue;
            }
            if (marker == 0xda || marker == 0xd9) {
                return;
            }
            int end = at + 2 + (int) unsigned(file, at + 2, 2, true);
            if (end > file.length || end < at + 4) {
                return;
            }
            if (marker == 0xe1 && startsWith(file, at + 4, EXIF_HEAD)) {
                // An EXIF block too long for one segment goes on in the next ones.
                exif.write(file, at + 10, end - at - 10);
            } else if (marker == 0xe1 && startsWith(file, at + 4, XMP_HEAD)) {
                xmp = part(file, at + 4 + XMP_HEAD.length, end);
            }
            at = end;
        }
    }

    private void readPng(byte[] file) {
        int at = 8;
        while (at + 12 <= file.length) {
            long length = unsigned(file, at, 4, true);
            if (length > file.length - at - 12) {
                return;
            }
            int from = at + 8;
            int end = from + (int) length;
            if (startsWith(file, at + 4, ascii("eXIf"))) {
                exif.reset();
                exif.write(file, from, end - from);
            } else if (startsWith(file, at + 4, ascii("tEXt"))) {
                keep(file, from, find(file, from, end), end, false);
            } else if (startsWith(file, at + 4, ascii("zTXt"))) {
                keep(file, from, find(file, from, end) + 1, end, true);
            } else if (startsWith(file, at + 4, ascii("iTXt"))) {
                readInternationalText(file, from, end);
            } else if (startsWith(file, at + 4, ascii("IEND"))) {
                return;
            }
            at = end + 4;
        }
    }

    /** Keyword, 0, compressed or not, method, language, 0, translated keyword, 0, text. */
    private void readInternationalText(byte[] file, int from, int end) {
        int keyEnd = find(file, from, end);
        if (keyEnd + 3 > end) {
            return;
        }
        boolean compressed = file[keyEnd + 1] != 0;
        int languageEnd = find(file, keyEnd + 3, end);
        int translatedEnd = languageEnd < end ? find(file, languageEnd + 1, end) : end;
        if (translatedEnd < end) {
            keep(file, from, translatedEnd, end, compressed);
        }
    }

    /** Keep the text behind {@code before} if its keyword, at {@code from}, is one of ours. */
    private void keep(byte[] file, int from, int before, int end, boolean compressed) {
        boolean raw = startsWith(file, from, ascii(RAW_PROFILE + "\0"));
        boolean isXmp = startsWith(file, from, ascii(XMP_KEY + "\0"));
        if (!raw && !isXmp || before >= end) {
            return;
        }
        byte[] text = part(file, before + 1, end);
        if (compressed) {
            text = inflate(text);
        }
        if (raw) {
            rawProfile = text;
        } else {
            xmp = text;
        }
    }

    private void readWebp(byte[] file) {
        int at = 12;
        while (at + 8 <= file.length) {
            long length = unsigned(file, at + 4, 4, false);
            if (length > file.length - at - 8) {
                return;
            }
            int end = at + 8 + (int) length;
            if (startsWith(file, at, ascii("EXIF")) && exif.size() == 0) {
                exif.write(file, at + 8, end - at - 8);
            } else if (startsWith(file, at, ascii("XMP ")) && xmp == null) {
                xmp = part(file, at + 8, end);
            }
            at = end + (int) (length & 1);
        }
    }

    /** The tag 0x0112 of the first directory, {@link #ABSENT} without it, -1 if it is no number. */
    private static int fromTiff(byte[] block) {
        int start = 0;
        for (int heads = 0; heads < 2 && startsWith(block, start, EXIF_HEAD); heads++) {
            start += EXIF_HEAD.length;
        }
        boolean big = startsWith(block, start, new byte[] {'M', 'M', 0, 42});
        if (!big && !startsWith(block, start, new byte[] {'I', 'I', 42, 0})) {
            return ABSENT;
        }
        if (start + 8 > block.length) {
            return ABSENT;
        }
        long directory = start + unsigned(block, start + 4, 4, big);
        if (directory + 2 > block.length) {
            return ABSENT;
        }
        int entries = (int) unsigned(block, (int) directory, 2, big);
        for (int entry = 0; entry < entries; entry++) {
            long at = directory + 2 + entry * 12L;
            if (at + 12 > block.length) {
                return ABSENT;
            }
            if (unsigned(block, (int) at, 2, big) == 0x0112) {
                int value = fromEntry(block, (int) at, start, big);
                if (value != ABSENT) {
                    return value;
                }
            }
        }
        return ABSENT;
    }

    /** The first value of an entry; {@link #ABSENT} if it has none within the block. */
    private static int fromEntry(byte[] block, int at, int start, boolean big) {
        int type = (int) unsigned(block, at + 2, 2, big);
        long count = unsigned(block, at + 4, 4, big);
        // EXIF asks for SHORT; some writers put LONG or the signed kinds.
        int size = type == 3 || type == 8 ? 2 : type == 4 || type == 9 ? 4 : type == 6 ? 1 : 0;
        if (size == 0) {
            return type >= 1 && type <= 12 ? -1 : ABSENT;
        }
        if (count == 0) {
            return ABSENT;
        }
        long from = count * size <= 4 ? at + 8 : start + unsigned(block, at + 8, 4, big);
        if (from + count * size > block.length) {
            return ABSENT;
        }
        long value = unsigned(block, (int) from, size, big);
        return value >= 1 && value <= 8 ? (int) value : -1;
    }

    /** The digit of {@code tiff:Orientation="6"} or {@code <tiff:Orientation>6}. */
    private static int fromXmp(byte[] text) {
        for (int at = 0; at + XMP_FIELD.length + 2 <= text.length; at++) {
            if (!startsWith(text, at, XMP_FIELD)) {
                continue;
            }
            int next = at + XMP_FIELD.length;
            if (startsWith(text, next, ascii("=\""))) {
                next += 2;
            } else if (text[next] == '>') {
                next++;
            } else {
                continue;
            }
            if (next < text.length && text[next] >= '0' && text[next] <= '9') {
                return text[next] == '0' ? -1 : text[next] - '0';
            }
        }
        return ABSENT;
    }

    /** ImageMagick's profile: three lines of head, then hexadecimal digits. */
    private static byte[] fromHex(byte[] text) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int line = 0;
        int high = -1;
        for (byte symbol : text) {
            if (symbol == '\n') {
                line++;
            } else if (line >= 3) {
                int digit = Character.digit(symbol, 16);
                if (digit >= 0 && high >= 0) {
                    bytes.write(high << 4 | digit);
                    high = -1;
                } else if (digit >= 0) {
                    high = digit;
                }
            }
        }
        return bytes.toByteArray();
    }

    private static byte[] inflate(byte[] compressed) {
        Inflater inflater = new Inflater();
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        byte[] buffer = new byte[4096];
        try {
            inflater.setInput(compressed);
            int read = inflater.inflate(buffer);
            while (read > 0 && text.size() < LARGEST_TEXT) {
                text.write(buffer, 0, read);
                read = inflater.inflate(buffer);
            }
        } catch (DataFormatException error) {
            return new byte[0];
        } finally {
            inflater.end();
        }
        return text.toByteArray();
    }

    private static long unsigned(byte[] bytes, int at, int size, boolean big) {
        long value = 0;
        for (int place = 0; place < size; place++) {
            value = value << 8 | bytes[big ? at + place : at + size - 1 - place] & 255;
        }
        return value;
    }

    /** The first 0 at or behind {@code from}, {@code end} if there is none. */
    private static int find(byte[] bytes, int from, int end) {
        int at = from;
        while (at < end && bytes[at] != 0) {
            at++;
        }
        return at;
    }

    private static boolean startsWith(byte[] bytes, int at, byte[] head) {
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

    private static byte[] part(byte[] bytes, int from, int end) {
        byte[] result = new byte[Math.max(end - from, 0)];
        System.arraycopy(bytes, from, result, 0, result.length);
        return result;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
