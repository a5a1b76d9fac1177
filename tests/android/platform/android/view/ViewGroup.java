package android.view;

import android.content.Context;
import java.util.ArrayList;
import java.util.List;

/** Stands for Android's. */
public class ViewGroup extends View {
    public final List<View> children = new ArrayList<View>();

    public ViewGroup(Context context) {
        super(context);
    }

    public void addView(View child) {
        children.add(child);
        child.parent = this;
    }

    public void removeAllViews() {
        children.clear();
    }

    @Override
    public View findViewById(int wanted) {
        View found = super.findViewById(wanted);
        for (int place = 0; found == null && place < children.size(); place++) {
            found = children.get(place).findViewById(wanted);
        }
        return found;
    }
}
