package org.hierattn.demo;

import android.content.Context;
import org.hierattn.core.ModelBundle;

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
}
