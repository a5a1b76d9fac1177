package org.hierattn.core;

/** A picture cannot be decoded, or its pixels have no defined meaning. */
public final class UnreadableImageException extends Exception {
    private static final long serialVersionUID = 1L;

    /** For a screen. */
    public final transient Reason reason;

    /** What is wrong with the picture; its English is the message. */
    public UnreadableImageException(Reason reason) {
        this(reason, null);
    }

    /** Likewise, with the error that showed it. */
    public UnreadableImageException(Reason reason, Throwable cause) {
        super(reason.toString(), cause);
        this.reason = reason;
    }

    /** Of any kind; one line of English says more, and its values come with it. */
    public static UnreadableImageException of(Reason.Kind kind, String english, Object... values) {
        return new UnreadableImageException(Reason.of(kind, english, values));
    }

    /** Of a file that is damaged or cut off; one line that says where. */
    public static UnreadableImageException damaged(String english) {
        return of(Reason.Kind.DAMAGED, english);
    }

    /** Likewise, with the error that showed it. */
    public static UnreadableImageException damaged(String english, Throwable cause) {
        return new UnreadableImageException(Reason.of(Reason.Kind.DAMAGED, english), cause);
    }
}
