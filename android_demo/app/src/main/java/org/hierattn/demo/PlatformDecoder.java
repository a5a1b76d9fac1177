package org.hierattn.demo;

import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import android.graphics.BitmapRegionDecoder;
import android.graphics.Rect;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.hierattn.core.Alpha;
import org.hierattn.core.DecodePlan;
import org.hierattn.core.ExifReader;
import org.hierattn.core.JpegLayout;
import org.hierattn.core.PhotoDecoder;
import org.hierattn.core.PreprocessSpec;
import org.hierattn.core.Preprocessor;
import org.hierattn.core.Reason;
import org.hierattn.core.StreamingResize;
import org.hierattn.core.UnreadableImageException;

/**
 * Android's own decoder, each pixel of which reaches the filter: no smaller decoding (inSampleSize),
 * which would change the answer. A photo is decoded whole where memory allows; JPEG and WebP else in
 * strips of full width.
 */
final class PlatformDecoder implements PhotoDecoder {
    /** Rows are handed on in slices of so many pixels: 8 MB of memory. */
    private static final int SLICE_PIXELS = 2000000;
    /** Of a picture with alpha that must be decoded whole, whose pixels are copied at once. */
    private static final long MOST_ALPHA_PIXELS = 16000000L;
    /** In the self-test: several strips even of small networks' photos, at no JPEG block's edge. */
    private static final int TEST_ROWS = 37;
    private static final int BY_PLAN = 0;
    /** Names of the ways, for results; {@link Words} has them in the user's language. */
    static final String WHOLE = "whole";
    static final String IN_STRIPS = "in strips";

    private final PreprocessSpec spec;
    private final String name;
    private final long freeBytes;
    private final int stripRows;

    private PlatformDecoder(PreprocessSpec spec, String name, long freeBytes, int stripRows) {
        this.spec = spec;
        this.name = name;
        this.freeBytes = freeBytes;
        this.stripRows = stripRows;
    }

    /** As a photo is read: whole or in strips, by what is free. */
    static PlatformDecoder within(PreprocessSpec spec, long freeBytes) {
        return new PlatformDecoder(spec, "by free memory", freeBytes, BY_PLAN);
    }

    /** Both ways, for the self-test. */
    static List<PhotoDecoder> bothWays(PreprocessSpec spec) {
        return Arrays.<PhotoDecoder>asList(
                new PlatformDecoder(spec, WHOLE, Long.MAX_VALUE, BY_PLAN),
                new PlatformDecoder(spec, IN_STRIPS, 0, TEST_ROWS));
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public byte[] toPixels(byte[] file) throws UnreadableImageException {
        boolean progressive = JpegLayout.isJpeg(file) && JpegLayout.check(file);
        BitmapFactory.Options sides = new BitmapFactory.Options();
        sides.inJustDecodeBounds = true;
        BitmapFactory.decodeByteArray(file, 0, file.length, sides);
        if (sides.outWidth < 1 || sides.outHeight < 1) {
            throw UnreadableImageException.of(
                    Reason.Kind.NOT_A_PICTURE, "not a picture of a kind this phone knows");
        }
        boolean strips = "image/jpeg".equals(sides.outMimeType)
                || "image/webp".equals(sides.outMimeType);
        if (stripRows != BY_PLAN) {
            return inStrips(file, stripRows);
        }
        DecodePlan plan = DecodePlan.of(
                sides.outWidth, sides.outHeight, progressive, strips, freeBytes);
        return plan.whole ? whole(file, strips) : inStrips(file, plan.rows);
    }

    private byte[] whole(byte[] file, boolean strips) throws UnreadableImageException {
        Bitmap picture = BitmapFactory.decodeByteArray(file, 0, file.length, options());
        if (picture == null) {
            throw UnreadableImageException.damaged("it is damaged");
        }
        try {
            int width = picture.getWidth();
            int height = picture.getHeight();
            if (picture.hasAlpha()) {
                return withAlpha(file, picture, strips);
            }
            StreamingResize resize = resizeOf(width, height, ExifReader.orientation(file));
            int rows = Math.max(1, SLICE_PIXELS / width);
            for (int top = 0; top < height; top += rows) {
                // A copy of some rows: a buffer of the whole would not fit Java's memory.
                send(Bitmap.createBitmap(picture, 0, top, width, Math.min(rows, height - top)),
                        top, resize);
            }
            return resize.finish();
        } finally {
            picture.recycle();
        }
    }

    /** Android cannot copy rows of a picture with alpha that is not multiplied into its colours. */
    private byte[] withAlpha(byte[] file, Bitmap picture, boolean strips)
            throws UnreadableImageException {
        int width = picture.getWidth();
        int height = picture.getHeight();
        if (strips) {
            picture.recycle();
            return inStrips(file, Math.max(1, SLICE_PIXELS / width));
        }
        if ((long) width * height > MOST_ALPHA_PIXELS) {
            throw UnreadableImageException.of(Reason.Kind.TRANSPARENT_TOO_LARGE,
                    "a picture of this kind with transparency is read up"
                    + " to " + MOST_ALPHA_PIXELS / 1000000 + " megapixels; choose a smaller copy",
                    MOST_ALPHA_PIXELS / 1000000);
        }
        StreamingResize resize = resizeOf(width, height, ExifReader.orientation(file));
        send(picture, 0, resize);
        return resize.finish();
    }

    private byte[] inStrips(byte[] file, int rows) throws UnreadableImageException {
        BitmapRegionDecoder decoder;
        try {
            decoder = BitmapRegionDecoder.newInstance(file, 0, file.length, false);
        } catch (IOException error) {
            throw UnreadableImageException.damaged("this phone cannot decode it", error);
        }
        if (decoder == null) {
            throw UnreadableImageException.damaged("this phone cannot decode it");
        }
        try {
            int width = decoder.getWidth();
            int height = decoder.getHeight();
            StreamingResize resize = resizeOf(width, height, ExifReader.orientation(file));
            for (int top = 0; top < height; top += rows) {
                Rect strip = new Rect(0, top, width, Math.min(height, top + rows));
                Bitmap part = decoder.decodeRegion(strip, options());
                if (part == null) {
                    throw UnreadableImageException.damaged("it is damaged");
                }
                send(part, top, resize);
            }
            return resize.finish();
        } finally {
            decoder.recycle();
        }
    }

    private StreamingResize resizeOf(int width, int height, int orientation)
            throws UnreadableImageException {
        try {
            return new Preprocessor(spec).stream(width, height, orientation);
        } catch (IllegalArgumentException error) {
            throw UnreadableImageException.damaged(error.getMessage(), error);
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
                throw UnreadableImageException.of(
                        Reason.Kind.UNKNOWN_COLOURS, "its colours are of a kind not understood");
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
}
