package org.hierattn.core;

/**
 * From a photo's file to the network's pixels, on the way that the app's photos take: the platform's
 * decoder, then {@link StreamingResize}. A platform has several ways, such as whole and in strips;
 * each is a decoder of its own to the self-test.
 */
public interface PhotoDecoder {

    /** Which way it is, such as "whole"; for the result of the self-test. */
    String name();

    /**
     * Decode, turn and squash.
     *
     * @param file the bytes of the photo
     * @return bytes [S, S, 3], red first
     * @throws UnreadableImageException damaged, or of a kind that is not decoded
     */
    byte[] toPixels(byte[] file) throws UnreadableImageException;
}
