package org.hierattn.demo;

import android.content.Context;
import java.util.List;
import java.util.Map;
import org.hierattn.core.ModelBundle;
import org.hierattn.core.Reason;

/** What a passed self-test may claim: what was tested, and what was not. */
final class SelfTestWords {
    private SelfTestWords() {}

    /**
     * The sentences for the screen.
     *
     * @param runtime name and version
     */
    static String passed(Context context, String runtime, ModelBundle bundle) {
        int photos = bundle.photos.photos.size();
        String pictures = context.getString(
                R.string.self_test_passed, runtime, bundle.images.size());
        return pictures + " " + (photos == 0 ? context.getString(R.string.self_test_no_photos)
                : context.getString(R.string.self_test_photos, photos,
                        bundle.photos.maxDifference));
    }

    /** Which of the bundle's files this phone uses and why; empty where there is one alone. */
    static String choice(Context context, List<?> tried) {
        StringBuilder text = new StringBuilder();
        for (Object entry : tried) {
            Map<?, ?> file = (Map<?, ?>) entry;
            Object time = file.get("p50_ms");
            text.append(text.length() == 0 ? "" : "\n");
            if (file.get("reason") != null) {
                text.append(context.getString(
                        R.string.choice_refused, file.get("precision"),
                        Words.of(context, Reason.ofEntry(file))));
            } else {
                boolean chosen = Boolean.TRUE.equals(file.get("chosen"));
                text.append(context.getString(
                        chosen ? R.string.choice_used : R.string.choice_slower,
                        file.get("precision"), String.format("%.2f", (Double) time)));
            }
        }
        return text.toString();
    }
}
