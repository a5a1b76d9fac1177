package org.hierattn.demo;

import android.app.Activity;
import android.content.Intent;
import android.os.Bundle;
import android.view.View;
import android.view.WindowManager;
import android.widget.Button;
import android.widget.ProgressBar;
import android.widget.TextView;
import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Map;
import org.hierattn.core.Reason;

/**
 * A screen that runs one long task and writes its result as JSON: by its button, or at once where an
 * intent brings a token, as adb does.
 */
abstract class TaskActivity extends Activity {
    static final String TOKEN = "token";
    /** Of results that the button asked for. */
    private static final String OWN_TOKEN = "app";
    private static final int LIT = WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON
            | WindowManager.LayoutParams.FLAG_TURN_SCREEN_ON
            | WindowManager.LayoutParams.FLAG_SHOW_WHEN_LOCKED;

    private Engine engine;
    private Button run;
    private ProgressBar bar;
    private TextView outcome;
    private TextView figures;
    private int waiting;

    /** "selftest" or "benchmark": how the files begin. */
    abstract String kind();

    abstract int title();

    abstract int purpose();

    abstract int runLabel();

    /**
     * Do it; on the engine's thread.
     *
     * @param order what was asked for
     * @param token of the result
     * @param file takes progress
     * @return the result, an error too
     */
    abstract Outcome work(Engine engine, Intent order, String token, ResultFile file);

    /** One line for the screen. */
    abstract String headline(Outcome outcome);

    /** The figures for the screen. */
    abstract String details(Map<String, Object> result);

    /** Progress for the screen. */
    abstract int progressText();

    @Override
    protected void onCreate(Bundle state) {
        super.onCreate(state);
        setContentView(R.layout.activity_task);
        engine = Engine.of(this);
        ((TextView) findViewById(R.id.title)).setText(title());
        ((TextView) findViewById(R.id.purpose)).setText(purpose());
        run = (Button) findViewById(R.id.run);
        run.setText(runLabel());
        bar = (ProgressBar) findViewById(R.id.progress);
        outcome = (TextView) findViewById(R.id.outcome);
        figures = (TextView) findViewById(R.id.figures);
        run.setOnClickListener(new View.OnClickListener() {
            @Override
            public void onClick(View view) {
                start(new Intent(), OWN_TOKEN);
            }
        });
        // A token is worked off once, not again when Android brings the screen back.
        if (state == null) {
            take(getIntent());
        }
    }

    @Override
    protected void onNewIntent(Intent intent) {
        super.onNewIntent(intent);
        setIntent(intent);
        take(intent);
    }

    private void take(Intent intent) {
        if (intent.hasExtra(TOKEN)) {
            getWindow().addFlags(LIT);
            start(intent, intent.getStringExtra(TOKEN));
        }
    }

    private void start(final Intent order, final String token) {
        final ResultFile file;
        try {
            file = new ResultFile(getExternalFilesDir(null), kind(), token);
        } catch (IOException error) {
            outcome.setText(getString(R.string.result_failed, notWritten(error)));
            return;
        }
        file.clear();
        waiting++;
        run.setEnabled(false);
        bar.setIndeterminate(true);
        bar.setVisibility(View.VISIBLE);
        outcome.setText(R.string.busy);
        figures.setText("");
        engine.run(new Runnable() {
            @Override
            public void run() {
                Outcome made = outcomeOf(order, token, file);
                String problem = null;
                try {
                    file.write(made.result);
                } catch (IOException error) {
                    problem = notWritten(error);
                }
                show(made, file.target(), problem);
            }
        });
    }

    /** Whatever happens, whoever waits for the file gets one. */
    private Outcome outcomeOf(Intent order, String token, ResultFile file) {
        try {
            return work(engine, order, token, file);
        } catch (RuntimeException error) {
            Reason reason = Reasons.of(error);
            Map<String, Object> result = Report.head(getApplicationContext(), token, Report.ERROR,
                    reason.toString(), engine.bundle(), null);
            result.put("images", new ArrayList<Object>());
            return new Outcome(result, reason);
        }
    }

    private String notWritten(IOException error) {
        String said = String.valueOf(error.getMessage());
        return Words.of(this, Reason.of(Reason.Kind.NOT_WRITTEN, said, said));
    }

    /** Say how far it is; from any thread. */
    void showProgress(final int done, final int total) {
        engine.onScreen(new Runnable() {
            @Override
            public void run() {
                bar.setIndeterminate(false);
                bar.setMax(total);
                bar.setProgress(done);
                outcome.setText(getString(progressText(), done, total));
            }
        });
    }

    private void show(final Outcome made, final File file, final String problem) {
        engine.onScreen(new Runnable() {
            @Override
            public void run() {
                waiting--;
                if (waiting == 0) {
                    run.setEnabled(true);
                    bar.setVisibility(View.INVISIBLE);
                    getWindow().clearFlags(LIT);
                }
                outcome.setText(headline(made));
                figures.setText(details(made.result) + "\n" + (problem == null
                        ? getString(R.string.result_stored, file.getPath())
                        : getString(R.string.result_failed, problem)));
            }
        });
    }
}
