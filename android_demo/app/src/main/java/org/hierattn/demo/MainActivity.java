package org.hierattn.demo;

import android.app.Activity;
import android.content.ActivityNotFoundException;
import android.content.ClipData;
import android.content.Intent;
import android.net.Uri;
import android.os.Bundle;
import android.provider.MediaStore;
import android.text.TextUtils;
import android.view.View;
import android.widget.Button;
import android.widget.TextView;
import org.hierattn.core.ModelBundle;

/** The first screen: one photo in, an honest answer out, once the self-test has passed. */
public final class MainActivity extends Activity {
    private static final int CHOOSE = 1;
    private static final int TAKE = 2;

    private Engine engine;
    private AnswerView answerView;
    private PhotoSession session;
    private final Runnable listener = new Runnable() {
        @Override
        public void run() {
            show();
        }
    };

    @Override
    protected void onCreate(Bundle state) {
        super.onCreate(state);
        setContentView(R.layout.activity_main);
        engine = Engine.of(this);
        answerView = new AnswerView(this);
        session = PhotoSession.of(this);
        if (state == null) {
            // Left behind if the phone went off while the camera was open.
            CaptureProvider.forget(this);
        }
        onClick(R.id.choose, new Runnable() {
            @Override
            public void run() {
                choose();
            }
        });
        onClick(R.id.take, new Runnable() {
            @Override
            public void run() {
                take();
            }
        });
        opens(R.id.self_test, SelfTestActivity.class);
        opens(R.id.benchmark, BenchmarkActivity.class);
        opens(R.id.about, AboutActivity.class);
    }

    @Override
    protected void onStart() {
        super.onStart();
        engine.listen(listener);
        engine.prepare();
        show();
    }

    @Override
    protected void onStop() {
        engine.ignore(listener);
        super.onStop();
    }

    @Override
    protected void onDestroy() {
        // Another window of the app may still show the answer.
        if (isFinishing() && !engine.isListenedTo()) {
            session.forget();
        }
        super.onDestroy();
    }

    private void show() {
        Engine.State state = engine.state();
        ModelBundle bundle = engine.bundle();
        boolean ready = state == Engine.State.READY;
        boolean looking = session.looking();
        findViewById(R.id.choose).setEnabled(ready && !looking);
        findViewById(R.id.take).setEnabled(ready && !looking);
        boolean busy =
                looking || state == Engine.State.LOADING || state == Engine.State.TESTING;
        findViewById(R.id.busy).setVisibility(busy ? View.VISIBLE : View.GONE);
        showState(state);
        boolean doubtful = bundle != null && !bundle.verified;
        findViewById(R.id.unverified_card).setVisibility(doubtful ? View.VISIBLE : View.GONE);
        if (doubtful) {
            String reasons = TextUtils.join("; ", bundle.gateReasons);
            text(R.id.unverified).setText(getString(R.string.unverified,
                    reasons.isEmpty() ? getString(R.string.unverified_no_reason) : reasons));
        }
        answerView.show(ready ? session.answer() : null, bundle);
        text(R.id.message).setText(session.problem());
        text(R.id.message).setVisibility(session.problem() == null ? View.GONE : View.VISIBLE);
    }

    private void showState(Engine.State state) {
        TextView line = text(R.id.state);
        int colour = R.color.text;
        if (session.looking()) {
            line.setText(R.string.working);
        } else if (state == Engine.State.LOADING) {
            line.setText(R.string.self_test_waiting);
        } else if (state == Engine.State.TESTING) {
            line.setText(R.string.self_test_running);
        } else if (state == Engine.State.READY) {
            colour = R.color.good_text;
            String choice = SelfTestWords.choice(this, engine.tried());
            line.setText(SelfTestWords.passed(this,
                    Runtime.NAME + " " + engine.classifier().runtimeVersion(), engine.bundle())
                    + (choice.isEmpty() ? "" : "\n" + choice));
        } else {
            colour = R.color.alert_text;
            boolean refused = state == Engine.State.REFUSED;
            line.setText(getString(
                    refused ? R.string.self_test_failed : R.string.self_test_error,
                    Words.of(this, engine.reason())));
        }
        line.setTextColor(getResources().getColor(colour, getTheme()));
    }

    private void choose() {
        Intent intent = new Intent(Intent.ACTION_GET_CONTENT);
        intent.addCategory(Intent.CATEGORY_OPENABLE);
        intent.setType("image/*");
        // Nothing that would have to be fetched from a server first.
        intent.putExtra(Intent.EXTRA_LOCAL_ONLY, true);
        startForPicture(intent, CHOOSE, R.string.no_gallery);
    }

    private void take() {
        CaptureProvider.forget(this);
        Intent intent = new Intent(MediaStore.ACTION_IMAGE_CAPTURE);
        intent.putExtra(MediaStore.EXTRA_OUTPUT, CaptureProvider.ADDRESS);
        intent.setClipData(ClipData.newRawUri("", CaptureProvider.ADDRESS));
        intent.addFlags(Intent.FLAG_GRANT_WRITE_URI_PERMISSION
                | Intent.FLAG_GRANT_READ_URI_PERMISSION);
        startForPicture(intent, TAKE, R.string.no_camera);
    }

    private void startForPicture(Intent intent, int request, int failure) {
        session.forget();
        try {
            startActivityForResult(intent, request);
        } catch (ActivityNotFoundException error) {
            session.fail(getString(failure));
        } catch (SecurityException error) {
            session.fail(getString(failure));
        }
    }

    @Override
    protected void onActivityResult(int request, int result, Intent data) {
        super.onActivityResult(request, result, data);
        if (request == TAKE) {
            revokeUriPermission(CaptureProvider.ADDRESS, Intent.FLAG_GRANT_WRITE_URI_PERMISSION
                    | Intent.FLAG_GRANT_READ_URI_PERMISSION);
        }
        if (result != RESULT_OK) {
            CaptureProvider.forget(this);
            return;
        }
        Uri picture = request == TAKE ? CaptureProvider.ADDRESS
                : data == null ? null : data.getData();
        if (picture == null || request == TAKE && CaptureProvider.file(this).length() == 0) {
            session.fail(getString(R.string.no_picture_came));
            return;
        }
        session.lookAt(picture);
    }

    private void opens(int button, final Class<? extends Activity> screen) {
        onClick(button, new Runnable() {
            @Override
            public void run() {
                startActivity(new Intent(MainActivity.this, screen));
            }
        });
    }

    private void onClick(int button, final Runnable action) {
        ((Button) findViewById(button)).setOnClickListener(new View.OnClickListener() {
            @Override
            public void onClick(View view) {
                action.run();
            }
        });
    }

    private TextView text(int id) {
        return (TextView) findViewById(id);
    }
}
