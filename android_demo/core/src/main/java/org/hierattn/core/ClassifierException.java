package org.hierattn.core;

/** A runtime could not load the model or could not answer. */
public final class ClassifierException extends Exception {
    private static final long serialVersionUID = 1L;

    /** One line that says what failed. */
    public ClassifierException(String message) {
        super(message);
    }

    /** One line that says what failed, and the runtime's own error. */
    public ClassifierException(String message, Throwable cause) {
        super(message, cause);
    }
}
