package org.hierattn.core;

/** A model was asked before it passed the self-test of its bundle on this device. */
public final class NotTestedException extends Exception {
    private static final long serialVersionUID = 1L;

    /** One line that says why the model does not answer. */
    public NotTestedException(String message) {
        super(message);
    }
}
