package org.hierattn.demo;

import android.app.Activity;
import android.os.Bundle;
import android.widget.TextView;
import java.nio.charset.StandardCharsets;
import org.hierattn.core.BundleException;
import org.hierattn.core.ModelBundle;

/** What the network is, what it may be used for, its model card and licences. */
public final class AboutActivity extends Activity {
    private static final String CARD = "MODEL_CARD.md";

    @Override
    protected void onCreate(Bundle state) {
        super.onCreate(state);
        setContentView(R.layout.activity_about);
        text(R.id.runtime).setText(Runtime.LICENCE);
        final Engine engine = Engine.of(this);
        engine.run(new Runnable() {
            @Override
            public void run() {
                try {
                    ModelBundle bundle = engine.loadBundle();
                    byte[] card = bundle.read(engine.assets, CARD);
                    show(engine, bundle, new String(card, StandardCharsets.UTF_8));
                } catch (final BundleException error) {
                    engine.onScreen(new Runnable() {
                        @Override
                        public void run() {
                            text(R.id.summary).setText(
                                    getString(R.string.self_test_error, Words.of(
                                            AboutActivity.this, Reasons.of(error))));
                        }
                    });
                }
            }
        });
    }

    private void show(Engine engine, final ModelBundle bundle, final String card) {
        engine.onScreen(new Runnable() {
            @Override
            public void run() {
                text(R.id.summary).setText(getString(R.string.about_summary, bundle.model,
                        bundle.format, bundle.precision, Runtime.NAME, bundle.artefact,
                        bundle.sha256));
                text(R.id.intended_use).setText(bundle.intendedUse);
                text(R.id.licence).setText(bundle.licence);
                text(R.id.card).setText(card);
            }
        });
    }

    private TextView text(int id) {
        return (TextView) findViewById(id);
    }
}
