package org.hierattn.demo;

import org.hierattn.core.BundleException;
import org.hierattn.core.ClassifierException;
import org.hierattn.core.Reason;
import org.hierattn.core.UnreadableImageException;

/** What an error means for who looks at the screen; its English is for results. */
final class Reasons {
    private Reasons() {}

    /** Of whatever reading a bundle, loading a network or asking it may throw. */
    static Reason of(Throwable error) {
        String said = error.getMessage();
        if (error instanceof UnreadableImageException) {
            return ((UnreadableImageException) error).reason;
        }
        if (error instanceof BundleException) {
            return Reason.of(Reason.Kind.BUNDLE_DAMAGED, said, said);
        }
        if (error instanceof ClassifierException) {
            return Reason.of(Reason.Kind.RUNTIME_FAILED, said, said);
        }
        if (error instanceof OutOfMemoryError) {
            return Reason.of(Reason.Kind.NO_MEMORY_FOR_NETWORK,
                    "this phone has too little memory for it");
        }
        return Reason.of(Reason.Kind.UNEXPECTED, "unexpected: " + error, error.toString());
    }
}
