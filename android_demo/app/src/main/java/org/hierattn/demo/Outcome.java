package org.hierattn.demo;

import java.util.Map;
import org.hierattn.core.Reason;

/** What a task made: the result for its file, and for the screen why there is none. */
final class Outcome {
    final Map<String, Object> result;
    /** Null where all went well. */
    final Reason reason;

    Outcome(Map<String, Object> result, Reason reason) {
        this.result = result;
        this.reason = reason;
    }
}
