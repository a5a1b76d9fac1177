package org.hierattn.demo;

import android.content.Intent;
import java.util.Map;

/** Measures the network on this phone. */
public final class BenchmarkActivity extends TaskActivity {
    @Override
    String kind() {
        return "benchmark";
    }

    @Override
    int title() {
        return R.string.benchmark;
    }

    @Override
    int purpose() {
        return R.string.benchmark_purpose;
    }

    @Override
    int runLabel() {
        return R.string.benchmark_run;
    }

    @Override
    int progressText() {
        return R.string.benchmark_progress;
    }

    @Override
    Outcome work(Engine engine, Intent order, String token, final ResultFile file) {
        int runs = order.getIntExtra("runs", 100);
        int warmup = order.getIntExtra("warmup", 10);
        int threads = order.getIntExtra("threads", Engine.defaultThreads());
        int which = order.getIntExtra("file", -1);
        Benchmark benchmark =
                new Benchmark(getApplicationContext(), engine, runs, warmup, threads, which);
        return benchmark.run(token, new Benchmark.Progress() {
            @Override
            public void at(int done, int total) {
                file.progress(done, total);
                showProgress(done, total);
            }
        });
    }

    @Override
    String headline(Outcome outcome) {
        Map<String, Object> result = outcome.result;
        if (outcome.reason != null) {
            return getString(R.string.result_failed, Words.of(this, outcome.reason));
        }
        return getString(R.string.benchmark_done, milliseconds(result.get("p50_ms")),
                milliseconds(result.get("p90_ms")), milliseconds(result.get("p99_ms")));
    }

    @Override
    String details(Map<String, Object> result) {
        if (result.get("p50_ms") == null) {
            return "";
        }
        Map<?, ?> thermal = (Map<?, ?>) result.get("thermal");
        return getString(R.string.detail_benchmark, SelfTestActivity.runtime(result),
                result.get("threads"), result.get("runs"), milliseconds(result.get("load_ms")),
                milliseconds(result.get("first_ms")), milliseconds(result.get("peak_rss_mb")),
                Words.thermal(this, thermal.get("before")),
                Words.thermal(this, thermal.get("after"))) + "\n";
    }

    private String milliseconds(Object value) {
        return value == null ? getString(R.string.detail_not_told)
                : String.format("%.2f", (Double) value);
    }
}
