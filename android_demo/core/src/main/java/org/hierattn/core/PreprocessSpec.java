package org.hierattn.core;

/**
 * How a photo becomes the network's input; the mirror of Python's {@code PreprocessSpec}.
 *
 * <p>Version 1 leaves one choice, the side. Every other field must state the one meaning that this
 * code implements, so that a bundle made for other rules is refused instead of misread.
 */
public final class PreprocessSpec {
    private static final String[][] LITERALS = {
        {"orientation", "exif"},
        {"alpha", "composite_over_white"},
        {"sixteen_bit", "high_byte"},
        {"colour", "rgb"},
        {"fit", "squash"},
        {"resize", "pillow_bilinear_antialias"},
        {"layout", "nchw"},
    };

    /** Side of the square input, pixels. */
    public final int imageSize;

    /** A spec of version 1 with its one choice. */
    public PreprocessSpec(int imageSize) {
        if (imageSize < 1 || imageSize > 4096) {
            throw new IllegalArgumentException("side " + imageSize + " is not 1 to 4096");
        }
        this.imageSize = imageSize;
    }

    /**
     * Read the object {@code preprocessing} of bundle.json.
     *
     * @throws BundleException names the field with a meaning that is not implemented here
     */
    public static PreprocessSpec parse(Object json) throws BundleException {
        return parse(new Fields(json, "preprocessing"));
    }

    static PreprocessSpec parse(Fields fields) throws BundleException {
        fields.whole("version", 1, 1);
        fields.whole("divisor", 255, 255);
        int known = 3;
        for (String[] literal : LITERALS) {
            known++;
            if (!fields.text(literal[0]).equals(literal[1])) {
                throw fields.wrong(literal[0], "\"" + literal[1] + "\" is all that is known here");
            }
        }
        int side = (int) fields.whole("image_size", 1, 4096);
        if (fields.names().size() != known) {
            throw new BundleException("preprocessing: it has a field that is not known here");
        }
        return new PreprocessSpec(side);
    }
}
