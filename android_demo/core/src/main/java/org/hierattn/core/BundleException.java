package org.hierattn.core;

/** A file or field of the bundle is not as {@code hierattn bundle} wrote it. */
public final class BundleException extends Exception {
    private static final long serialVersionUID = 1L;

    /** One line that names the file or field. */
    public BundleException(String message) {
        super(message);
    }

    /** One line that names the file or field, and the error that showed it. */
    public BundleException(String message, Throwable cause) {
        super(message, cause);
    }
}
