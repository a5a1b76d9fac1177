package android.widget;

import android.content.Context;
import android.view.View;

/** Stands for Android's. */
public class ProgressBar extends View {
    public int progress;

    public ProgressBar(Context context) {
        super(context);
    }

    public void setProgress(int progress) {
        this.progress = progress;
    }

    public void setMax(int most) {}

    public void setIndeterminate(boolean isIt) {}
}
