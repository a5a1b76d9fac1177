package android.view;

import android.content.Context;
import java.util.HashMap;
import java.util.Map;

/** Stands for Android's; keeps what a test wants to know. */
public class View {
    /** As Android's. */
    public interface OnClickListener {
        void onClick(View view);
    }

    public static final int VISIBLE = 0;
    public static final int INVISIBLE = 4;
    public static final int GONE = 8;

    /** Of the layout's file, without prefix. */
    public final Map<String, String> attributes = new HashMap<String, String>();
    public int id;
    public int background;
    public int scrollY = 777;
    public CharSequence description;
    protected View parent;
    private int visibility;
    private boolean enabled = true;
    private OnClickListener listener;

    public View(Context context) {}

    public View findViewById(int wanted) {
        return wanted == id ? this : null;
    }

    public void setVisibility(int visibility) {
        this.visibility = visibility;
    }

    /** Whether it and all around it are visible. */
    public boolean isShown() {
        return visibility == VISIBLE && (parent == null || parent.isShown());
    }

    public void setEnabled(boolean enabled) {
        this.enabled = enabled;
    }

    public boolean isEnabled() {
        return enabled;
    }

    public void setOnClickListener(OnClickListener listener) {
        this.listener = listener;
    }

    public boolean performClick() {
        listener.onClick(this);
        return true;
    }

    public void setContentDescription(CharSequence description) {
        this.description = description;
    }

    public void setBackgroundResource(int background) {
        this.background = background;
    }

    public void scrollTo(int x, int y) {
        scrollY = y;
    }
}
