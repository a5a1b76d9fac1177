package org.hierattn.core;

import java.io.ByteArrayOutputStream;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Finds how a photo must be turned: the EXIF orientation of JPEG, PNG and WebP
 * bytes, the boxes {@code irot} and {@code imir} of HEIC and AVIF.
 *
 * <p>As Pillow does: EXIF first (JPEG segments APP1, PNG chunk eXIf or ImageMagick's text chunk, WebP
 * chunk EXIF), then {@code tiff:Orientation} of XMP. What is absent, damaged or not 1 to 8 counts as
 * 1; nothing is ever thrown for what the bytes say. Only the head of a JPEG is needed, up to its
 * first scan; a PNG may carry the chunk behind its pixels.
 */
public final class ExifReader {
    private static final int LARGEST_TEXT = 1 << 20;
    private static final String RAW_PROFILE = "Raw profile type exif";
    private static final String XMP_KEY = "XML:com.adobe.xmp";
    private static final byte[] XMP_HEAD = Bytes.ascii("http://ns.adobe.com/xap/1.0/\0");
    private static final byte[] EXIF_HEAD = Bytes.ascii("Exif\0\0");

    private final ByteArrayOutputStream exif = new ByteArrayOutputStream();
    private byte[] rawProfile;
    private byte[] xmp;

    private ExifReader() {}

    /**
     * The orientation a file asks for.
     *
     * @param file the bytes of a JPEG, PNG, WebP, HEIC or AVIF; of anything else the answer is 1
     * @return 1 to 8
     */
    public static int orientation(byte[] file) {
        if (HeifBoxes.isHeif(file)) {
            return HeifBoxes.orientation(file);
        }
        ExifReader reader = new ExifReader();
        if (Bytes.startsWith(file, 0, new byte[] {(byte) 0xff, (byte) 0xd8, (byte) 0xff})) {
            reader.readJpeg(file);
        } else if (Bytes.startsWith(file, 0, PlainPngDecoder.SIGNATURE)) {
            reader.readPng(file);
        } else if (Bytes.startsWith(file, 0, Bytes.ascii("RIFF")) && Bytes.startsWith(file, 8, Bytes.ascii("WEBP"))) {
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
        int found = OrientationTag.ofTiff(block);
        return found >= 1 && found <= 8 ? found : Orientation.UPRIGHT;
    }

    private int answer() {
        int found = OrientationTag.ABSENT;
        if (exif.size() > 0) {
            found = OrientationTag.ofTiff(exif.toByteArray());
        } else if (rawProfile != null) {
            found = OrientationTag.ofTiff(fromHex(rawProfile));
        }
        if (found == OrientationTag.ABSENT && xmp != null) {
            found = OrientationTag.ofXmp(xmp);
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
            int end = at + 2 + (int) Bytes.number(file, at + 2, 2, true);
            if (end > file.length || end < at + 4) {
                return;
            }
            if (marker == 0xe1 && Bytes.startsWith(file, at + 4, EXIF_HEAD)) {
                // An EXIF block too long for one segment goes on in the next ones.
                exif.write(file, at + 10, end - at - 10);
            } else if (marker == 0xe1 && Bytes.startsWith(file, at + 4, XMP_HEAD)) {
                xmp = Bytes.part(file, at + 4 + XMP_HEAD.length, end);
            }
            at = end;
        }
    }

    private void readPng(byte[] file) {
        int at = 8;
        while (at + 12 <= file.length) {
            long length = Bytes.number(file, at, 4, true);
            if (length > file.length - at - 12) {
                return;
            }
            int from = at + 8;
            int end = from + (int) length;
            if (Bytes.startsWith(file, at + 4, Bytes.ascii("eXIf"))) {
                exif.reset();
                exif.write(file, from, end - from);
            } else if (Bytes.startsWith(file, at + 4, Bytes.ascii("tEXt"))) {
                keep(file, from, Bytes.find(file, from, end), end, false);
            } else if (Bytes.startsWith(file, at + 4, Bytes.ascii("zTXt"))) {
                keep(file, from, Bytes.find(file, from, end) + 1, end, true);
            } else if (Bytes.startsWith(file, at + 4, Bytes.ascii("iTXt"))) {
                readInternationalText(file, from, end);
            } else if (Bytes.startsWith(file, at + 4, Bytes.ascii("IEND"))) {
                return;
            }
            at = end + 4;
        }
    }

    /** Keyword, 0, compressed or not, method, language, 0, translated keyword, 0, text. */
    private void readInternationalText(byte[] file, int from, int end) {
        int keyEnd = Bytes.find(file, from, end);
        if (keyEnd + 3 > end) {
            return;
        }
        boolean compressed = file[keyEnd + 1] != 0;
        int languageEnd = Bytes.find(file, keyEnd + 3, end);
        int translatedEnd = languageEnd < end ? Bytes.find(file, languageEnd + 1, end) : end;
        if (translatedEnd < end) {
            keep(file, from, translatedEnd, end, compressed);
        }
    }

    /** Keep the text behind {@code before} if its keyword, at {@code from}, is one of ours. */
    private void keep(byte[] file, int from, int before, int end, boolean compressed) {
        boolean raw = Bytes.startsWith(file, from, Bytes.ascii(RAW_PROFILE + "\0"));
        boolean isXmp = Bytes.startsWith(file, from, Bytes.ascii(XMP_KEY + "\0"));
        if (!raw && !isXmp || before >= end) {
            return;
        }
        byte[] text = Bytes.part(file, before + 1, end);
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
            long length = Bytes.number(file, at + 4, 4, false);
            if (length > file.length - at - 8) {
                return;
            }
            int end = at + 8 + (int) length;
            if (Bytes.startsWith(file, at, Bytes.ascii("EXIF")) && exif.size() == 0) {
                exif.write(file, at + 8, end - at - 8);
            } else if (Bytes.startsWith(file, at, Bytes.ascii("XMP ")) && xmp == null) {
                xmp = Bytes.part(file, at + 8, end);
            }
            at = end + (int) (length & 1);
        }
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
}
