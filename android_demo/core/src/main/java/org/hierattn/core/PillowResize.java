package org.hierattn.core;

/**
 * The antialiased bilinear resize of Pillow 13 of a whole picture in memory, bit for bit.
 *
 * <p>Rows are resized and rounded to bytes, then columns, or columns first: see
 * {@link #columnsFirst}. A side that keeps its length is passed over. For photos of a camera use
 * {@link StreamingResize}, which gives the same bytes without the whole picture in memory.
 */
public final class PillowResize {
    private PillowResize() {}

    /**
     * Squash or stretch to new sides.
     *
     * @param image upright
     * @param width in pixels, at least 1
     * @param height in pixels, at least 1
     * @return the same object where both sides already fit
     */
    public static RgbImage resize(RgbImage image, int width, int height) {
        if (columnsFirst(image.width, image.height, width, height)) {
            return horizontal(vertical(image, height), width);
        }
        return vertical(horizontal(image, width), height);
    }

    /**
     * Whether Pillow resizes the columns before the rows, which rounds to other bytes: since
     * version 13, where the height loses more than twice the pixels that the width loses. Earlier
     * versions never do.
     *
     * @param width before, pixels
     * @param height before, pixels
     * @param newWidth after, pixels
     * @param newHeight after, pixels
     */
    static boolean columnsFirst(int width, int height, int newWidth, int newHeight) {
        return height > newHeight && height - newHeight > 2L * (width - newWidth);
    }

    private static RgbImage horizontal(RgbImage image, int width) {
        if (image.width == width) {
            return image;
        }
        ResizeWeights weights = new ResizeWeights(image.width, width);
        RgbImage result = new RgbImage(width, image.height, new byte[width * image.height * 3]);
        for (int y = 0; y < image.height; y++) {
            row(weights, image.rgb, y * image.width * 3, result.rgb, y * width * 3);
        }
        return result;
    }

    /** Resize one row: from {@code in} at {@code inAt} to {@code out} at {@code outAt}. */
    static void row(ResizeWeights weights, byte[] in, int inAt, byte[] out, int outAt) {
        for (int x = 0; x < weights.outSize; x++) {
            int red = ResizeWeights.HALF;
            int green = ResizeWeights.HALF;
            int blue = ResizeWeights.HALF;
            int pixel = inAt + weights.first[x] * 3;
            int weightAt = x * weights.stride;
            for (int k = 0; k < weights.count[x]; k++, pixel += 3) {
                int weight = weights.weights[weightAt + k];
                red += (in[pixel] & 255) * weight;
                green += (in[pixel + 1] & 255) * weight;
                blue += (in[pixel + 2] & 255) * weight;
            }
            int place = outAt + x * 3;
            out[place] = ResizeWeights.toByte(red);
            out[place + 1] = ResizeWeights.toByte(green);
            out[place + 2] = ResizeWeights.toByte(blue);
        }
    }

    private static RgbImage vertical(RgbImage image, int height) {
        if (image.height == height) {
            return image;
        }
        ResizeWeights weights = new ResizeWeights(image.height, height);
        int rowBytes = image.width * 3;
        RgbImage result = new RgbImage(image.width, height, new byte[rowBytes * height]);
        for (int y = 0; y < height; y++) {
            for (int column = 0; column < rowBytes; column++) {
                int sum = ResizeWeights.HALF;
                for (int k = 0; k < weights.count[y]; k++) {
                    int value = image.rgb[(weights.first[y] + k) * rowBytes + column] & 255;
                    sum += value * weights.weights[y * weights.stride + k];
                }
                result.rgb[y * rowBytes + column] = ResizeWeights.toByte(sum);
            }
        }
        return result;
    }
}
