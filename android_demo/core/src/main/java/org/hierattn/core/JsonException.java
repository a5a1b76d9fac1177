package org.hierattn.core;

/** A text is not strict JSON, or a value cannot be written as JSON. */
public final class JsonException extends Exception {
    private static final long serialVersionUID = 1L;

    /** One line that says what is wrong, and at which character. */
    public JsonException(String message) {
        super(message);
    }
}
