package android.widget;

import android.app.Activity;
import android.content.Context;
import android.view.View;

/** Stands for Android's; a live region that is shown speaks when its text is set. */
public class TextView extends View {
    public int colour;
    private final Context context;
    private CharSequence text = "";

    public TextView(Context context) {
        super(context);
        this.context = context;
    }

    public void setText(CharSequence text) {
        this.text = text;
        if (attributes.containsKey("accessibilityLiveRegion") && isShown()) {
            ((Activity) context).spoken.add(String.valueOf(text));
        }
    }

    public void setText(int id) {
        setText(context.getString(id));
    }

    public CharSequence getText() {
        return text;
    }

    public void setTextColor(int colour) {
        this.colour = colour;
    }
}
