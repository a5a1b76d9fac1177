package org.hierattn.core;

/** A picture cannot be decoded, or its pixels have no defined meaning. */
public final class UnreadableImageException extends Exception {
    private static final long serialVersionUID = 1L;

    /** One line that says what is wrong with the picture. */
    public UnreadableImageException(String message) {
        super(message);
    }

    /** One line that says what is wrong, and the error that showed it. */
    public UnreadableImageException(String message, Throwable cause) {
        super(message, cause);
    }
}
