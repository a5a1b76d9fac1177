package org.hierattn.demo;

import android.content.Intent;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** Runs the self-test anew and shows it picture by picture. */
public final class SelfTestActivity extends TaskActivity {
    @Override
    String kind() {
        return "selftest";
    }

    @Override
    int title() {
        return R.string.self_test;
    }

    @Override
    int purpose() {
        return R.string.self_test_purpose;
    }

    @Override
    int runLabel() {
        return R.string.self_test_run;
    }

    @Override
    int progressText() {
        return R.string.self_test_progress;
    }

    @Override
    Outcome work(Engine engine, Intent order, String token, ResultFile file) {
        return engine.test(token);
    }

    @Override
    String headline(Outcome outcome) {
        if (outcome.reason == null) {
            return SelfTestWords.passed(this, runtime(outcome.result), Engine.of(this).bundle());
        }
        boolean failed = "failed".equals(outcome.result.get("status"));
        return getString(failed ? R.string.self_test_failed : R.string.self_test_error,
                Words.of(this, outcome.reason));
    }

    @Override
    String details(Map<String, Object> result) {
        StringBuilder text = new StringBuilder();
        List<?> tried = (List<?>) result.get("tried");
        if (tried != null && !tried.isEmpty()) {
            text.append(SelfTestWords.choice(this, tried)).append('\n');
        }
        for (Object entry : (List<?>) result.get("images")) {
            Map<?, ?> image = (Map<?, ?>) entry;
            Object relative = image.get("max_relative");
            text.append(mark(image)).append(getString(R.string.detail_picture, image.get("file"),
                    image.get("differing_bytes"), relative == null
                            ? getString(R.string.detail_no_number)
                            : String.format("%.1e", (Double) relative))).append('\n');
        }
        List<?> photos = (List<?>) result.get("photos");
        for (Object entry : photos == null ? Collections.emptyList() : photos) {
            Map<?, ?> photo = (Map<?, ?>) entry;
            String way = Words.way(this, String.valueOf(photo.get("decoder")));
            Object mean = photo.get("mean_difference");
            text.append(mark(photo)).append(mean == null
                    ? getString(R.string.detail_photo_not_decoded, photo.get("file"), way)
                    : getString(R.string.detail_photo, photo.get("file"), way,
                            photo.get("max_difference"), String.format("%.3f", (Double) mean)))
                    .append('\n');
        }
        return text.toString();
    }

    private static String mark(Map<?, ?> tested) {
        return Boolean.TRUE.equals(tested.get("passed")) ? "✓ " : "✗ ";
    }

    static String runtime(Map<String, Object> result) {
        Map<?, ?> runtime = (Map<?, ?>) result.get("runtime");
        Object version = runtime.get("version");
        return version == null ? "" + runtime.get("name") : runtime.get("name") + " " + version;
    }
}
