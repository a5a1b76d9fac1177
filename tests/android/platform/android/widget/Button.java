package android.widget;

import android.content.Context;

/** Stands for Android's. */
public class Button extends TextView {
    public Button(Context context) {
        super(context);
    }
}
