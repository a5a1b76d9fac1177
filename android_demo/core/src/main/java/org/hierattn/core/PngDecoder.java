package org.hierattn.core;

/**
 * Decodes a PNG as the preprocessing asks: 16 bits reduced to the high byte, alpha composited over
 * white, not turned, no colour management. {@link PlainPngDecoder} does; a platform's decoder may
 * not.
 */
public interface PngDecoder {

    /**
     * Decode a file as stored, before any turning.
     *
     * @param png the bytes of the file
     * @throws UnreadableImageException damaged, or not a PNG
     */
    RgbImage decode(byte[] png) throws UnreadableImageException;
}
