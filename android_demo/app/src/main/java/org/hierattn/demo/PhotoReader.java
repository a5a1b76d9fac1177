package org.hierattn.demo;

import android.content.ContentResolver;
import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import android.graphics.BitmapRegionDecoder;
import android.graphics.Rect;
import android.net.Uri;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import org.hierattn.core.Alpha;
import org.hierattn.core.ExifReader;
import org.hierattn.core.JpegLayout;
import org.hierattn.core.PreprocessSpec;
import org.hierattn.core.Preprocessor;
import org.hierattn.core.StreamingResize;
import org.hierattn.core.UnreadableImageException;

/**
 * From a picture somewhere on the phone to the network's pixels.
 *
 * <p>PNG goes through our own decoder. JPEG and WebP are decoded by the phone in strips of full
 * width, each pixel of which reaches the filter: no smaller decoding (inSampleSize), which would
 * change the answer. Other kinds are decoded whole, if they are not too large.
 */
final class PhotoReader {
    private static final int MOST_BYTES = 64000000;
    /** As many as Python reads. */
    private static final long MOST_PIXELS = 178956970L;
    /** Of a picture that must be decoded whole: 64 MB of memory. */
    private static final long MOST_WHOLE_PIXELS = 16000000L;
    /** Of one strip: 8 MB of memory. */
    private static final int STRIP_PIXELS = 2000000;

    private final ContentResolver resolver;
    private final PreprocessSpec spec;

    PhotoReader(ContentResolver resolver, PreprocessSpec spec) {
        this.resolver = resolver;
        this.spec = spec;
    }

    /**
     * Read, turn and squash a picture.
     *
     * @return bytes [S, S, 3], red first
     * @throws UnreadableImageException not a picture, damaged, or too large for this phone
     */
    byte[] read(Uri picture) throws UnreadableImageException {
        try {
            return toPixels(bytes(picture));
        } catch (OutOfMemoryError error) {
            throw new UnreadableImageException(
                    "it is too large for this phone's memory; choose a smaller one", error);
        } catch (RuntimeException error) {
            // Decoders, and the apps that keep pictures, throw these at damaged or absent ones.
            throw new UnreadableImageException("it could not be read: " + error, error);
        }
    }

    private byte[] bytes(Uri picture) throws UnreadableImageException {
        try {
            InputStream stream = resolver.openInputStream(picture);
            if (stream == null) {
                throw new UnreadableImageException("the app that keeps it gives nothing");
            }
            try {
                return AssetFolder.readAll(stream, MOST_BYTES);
            } finally {
                stream.close();
            }
        } catch (IOException error) {
            throw new UnreadableImageException(String.valueOf(error.getMessage()), error);
        } catch (SecurityException error) {
            throw new UnreadableImageException("the app that keeps it does not allow it", error);
        }
    }

    private byte[] toPixels(byte[] file) throws UnreadableImageException {
        if (isPng(file)) {
            return new Preprocessor(spec).pngToPixels(file);
        }
        if (JpegLayout.isJpeg(file)) {
            JpegLayout.check(file);
        }
        BitmapFactory.Options sides = new BitmapFactory.Options();
        sides.inJustDecodeBounds = true;
        BitmapFactory.decodeByteArray(file, 0, file.length, sides);
        if (sides.outWidth < 1 || sides.outHeight < 1) {
            throw new UnreadableImageException("not a picture of a kind this phone knows");
        }
        long pixels = (long) sides.outWidth * sides.outHeight;
        if (pixels > MOST_PIXELS) {
            throw tooLarge(pixels);
        }
        boolean strips = "image/jpeg".equals(sides.outMimeType)
                || "image/webp".equals(sides.outMimeType);
        return strips ? inStrips(file) : whole(file, pixels);
    }

    private byte[] inStrips(byte[] file) throws UnreadableImageException {
        BitmapRegionDecoder decoder;
        try {
            decoder = BitmapRegionDecoder.newInstance(file, 0, file.length, false);
        } catch (IOException error) {
            throw new UnreadableImageException("this phone cannot decode it", error);
        }
        if (decoder == null) {
            throw new UnreadableImageException("this phone cannot decode it");
        }
        try {
            int width = decoder.getWidth();
            int height = decoder.getHeight();
            StreamingResize resize = resizeOf(width, height, ExifReader.orientation(file));
            int rows = Math.max(1, Math.min(height, STRIP_PIXELS / width));
            for (int top = 0; top < height; top += rows) {
                Rect strip = new Rect(0, top, width, Math.min(height, top + rows));
                Bitmap part = decoder.decodeRegion(strip, options());
                if (part == null) {
                    throw new UnreadableImageException("it is damaged");
                }
                send(part, top, resize);
            }
            return resize.finish();
        } finally {
            decoder.recycle();
        }
    }

    private byte[] whole(byte[] file, long pixels) throws UnreadableImageException {
        if (pixels > MOST_WHOLE_PIXELS) {
            throw tooLarge(pixels);
        }
        Bitmap picture = BitmapFactory.decodeByteArray(file, 0, file.length, options());
        if (picture == null) {
            throw new UnreadableImageException("it is damaged");
        }
        StreamingResize resize =
                resizeOf(picture.getWidth(), picture.getHeight(), ExifReader.orientation(file));
        send(picture, 0, resize);
        return resize.finish();
    }

    private StreamingResize resizeOf(int width, int height, int orientation)
            throws UnreadableImageException {
        try {
            return new Preprocessor(spec).stream(width, height, orientation);
        } catch (IllegalArgumentException error) {
            throw new UnreadableImageException(error.getMessage(), error);
        }
    }

    /** Colours as stored: not multiplied by alpha, and 8 bits each. */
    private static BitmapFactory.Options options() {
        BitmapFactory.Options options = new BitmapFactory.Options();
        options.inPreferredConfig = Bitmap.Config.ARGB_8888;
        options.inPremultiplied = false;
        options.inScaled = false;
        return options;
    }

    /**
     * Hand a bitmap's rows on and free it. The raw bytes, red first: getPixels() would convert a
     * picture with a colour profile to sRGB, which training did not.
     */
    private static void send(Bitmap part, int top, StreamingResize resize)
            throws UnreadableImageException {
        try {
            if (part.getConfig() != Bitmap.Config.ARGB_8888) {
                throw new UnreadableImageException("its colours are of a kind not understood");
            }
            int stride = part.getRowBytes();
            ByteBuffer raw = ByteBuffer.allocate(stride * part.getHeight());
            part.copyPixelsToBuffer(raw);
            byte[] rgba = raw.array();
            byte[] row = new byte[part.getWidth() * 3];
            for (int y = 0; y < part.getHeight(); y++) {
                toRgb(rgba, y * stride, row);
                resize.row(top + y, row);
            }
        } finally {
            part.recycle();
        }
    }

    private static void toRgb(byte[] rgba, int from, byte[] row) {
        for (int in = from, out = 0; out < row.length; in += 4, out += 3) {
            int alpha = rgba[in + 3] & 255;
            if (alpha == 255) {
                row[out] = rgba[in];
                row[out + 1] = rgba[in + 1];
                row[out + 2] = rgba[in + 2];
            } else {
                row[out] = (byte) Alpha.overWhite(rgba[in] & 255, alpha);
                row[out + 1] = (byte) Alpha.overWhite(rgba[in + 1] & 255, alpha);
                row[out + 2] = (byte) Alpha.overWhite(rgba[in + 2] & 255, alpha);
            }
        }
    }

    private static boolean isPng(byte[] file) {
        return file.length > 8 && (file[0] & 255) == 0x89
                && file[1] == 'P' && file[2] == 'N' && file[3] == 'G';
    }

    private static UnreadableImageException tooLarge(long pixels) {
        return new UnreadableImageException("it has " + pixels / 1000000
                + " megapixels, too many for this kind of file; choose a smaller one");
    }
}
