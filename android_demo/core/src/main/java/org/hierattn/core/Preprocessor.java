package org.hierattn.core;

/**
 * Makes the network's input from decoded pixels, bit for bit as Python does.
 *
 * <p>Decoding comes before: {@link PlainPngDecoder} for PNG; for JPEG the platform's decoder, whose
 * last bits may differ from those of another. A photo that is too large for memory goes through
 * {@link #stream}; never let a decoder make it smaller first (Android's inSampleSize), because the
 * filter must see every pixel.
 */
public final class Preprocessor {
    /** Order of the floats that a runtime takes. */
    public enum Layout {
        /** All reds, then all greens, then all blues: [1, 3, S, S]. */
        NCHW,
        /** Pixel by pixel: [1, S, S, 3]. */
        NHWC
    }

    private final PreprocessSpec spec;

    /** Follow a spec. */
    public Preprocessor(PreprocessSpec spec) {
        this.spec = spec;
    }

    /**
     * Turn and resize a picture in memory.
     *
     * @param stored as decoded
     * @param orientation EXIF value, 1 to 8, see {@link ExifReader}
     * @return bytes [S, S, 3]; the picture's own where nothing is to be done
     */
    public byte[] toPixels(RgbImage stored, int orientation) {
        RgbImage upright = Orientation.apply(stored, orientation);
        return PillowResize.resize(upright, spec.imageSize, spec.imageSize).rgb;
    }

    /**
     * Turn and resize a picture that comes row by row.
     *
     * @param storedWidth as decoded, before any turning; pixels
     * @param storedHeight likewise
     * @param orientation EXIF value, 1 to 8
     * @return give it every row, then take its finish()
     */
    public StreamingResize stream(int storedWidth, int storedHeight, int orientation) {
        return new StreamingResize(storedWidth, storedHeight, orientation, spec.imageSize);
    }

    /**
     * Decode a PNG, turn it as its EXIF says and resize it, with little memory.
     *
     * @param png the bytes of the file
     * @return bytes [S, S, 3]
     * @throws UnreadableImageException damaged, too large, or not a PNG
     */
    public byte[] pngToPixels(byte[] png) throws UnreadableImageException {
        int[] sides = PlainPngDecoder.sides(png);
        StreamingResize resize;
        try {
            resize = stream(sides[0], sides[1], ExifReader.orientation(png));
        } catch (IllegalArgumentException error) {
            throw UnreadableImageException.damaged("PNG: " + error.getMessage(), error);
        }
        new PlainPngDecoder().decode(png, resize);
        return resize.finish();
    }

    /**
     * The floats of an input: each byte over 255, in single precision.
     *
     * @param pixels bytes [S, S, 3]
     * @param layout as the bundle's input states it
     * @return S * S * 3 floats in [0, 1]
     * @throws IllegalArgumentException another number of bytes
     */
    public float[] toInput(byte[] pixels, Layout layout) {
        float[] input = new float[spec.imageSize * spec.imageSize * 3];
        fillInput(pixels, layout, input);
        return input;
    }

    /** As {@link #toInput}, into an array that is used again and again. */
    public void fillInput(byte[] pixels, Layout layout, float[] input) {
        int area = spec.imageSize * spec.imageSize;
        if (pixels.length != area * 3 || input.length != area * 3) {
            throw new IllegalArgumentException(
                    pixels.length + " bytes: " + area * 3 + " are needed");
        }
        boolean planes = layout == Layout.NCHW;
        for (int pixel = 0; pixel < area; pixel++) {
            for (int channel = 0; channel < 3; channel++) {
                int place = planes ? channel * area + pixel : pixel * 3 + channel;
                input[place] = (pixels[pixel * 3 + channel] & 255) / 255f;
            }
        }
    }
}
