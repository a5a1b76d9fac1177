package org.hierattn.demo;

import android.content.Context;
import java.util.EnumMap;
import java.util.Map;
import org.hierattn.core.Reason;

/** Reasons and ways of decoding in the user's language. */
final class Words {
    private static final Map<Reason.Kind, Integer> OF_KIND =
            new EnumMap<Reason.Kind, Integer>(Reason.Kind.class);

    static {
        OF_KIND.put(Reason.Kind.NOT_A_PICTURE, R.string.why_not_a_picture);
        OF_KIND.put(Reason.Kind.DAMAGED, R.string.why_damaged);
        OF_KIND.put(Reason.Kind.UNKNOWN_COLOURS, R.string.why_unknown_colours);
        OF_KIND.put(Reason.Kind.TOO_MANY_PIXELS, R.string.why_too_many_pixels);
        OF_KIND.put(Reason.Kind.TOO_WIDE, R.string.why_too_wide);
        OF_KIND.put(Reason.Kind.NO_MEMORY, R.string.why_no_memory);
        OF_KIND.put(Reason.Kind.NO_MEMORY_FOR, R.string.why_no_memory_for);
        OF_KIND.put(Reason.Kind.NO_MEMORY_FOR_PROGRESSIVE, R.string.why_no_memory_for_progressive);
        OF_KIND.put(Reason.Kind.TRANSPARENT_TOO_LARGE, R.string.why_transparent_too_large);
        OF_KIND.put(Reason.Kind.TOO_MANY_BYTES, R.string.why_too_many_bytes);
        OF_KIND.put(Reason.Kind.NOT_GIVEN, R.string.why_not_given);
        OF_KIND.put(Reason.Kind.UNREADABLE, R.string.why_unreadable);
        OF_KIND.put(Reason.Kind.PIXELS_DIFFER, R.string.why_pixels_differ);
        OF_KIND.put(Reason.Kind.NOT_DECODED, R.string.why_not_decoded);
        OF_KIND.put(Reason.Kind.LOGITS_LACK, R.string.why_logits_lack);
        OF_KIND.put(Reason.Kind.NO_NUMBER, R.string.why_no_number);
        OF_KIND.put(Reason.Kind.LOGIT_OFF, R.string.why_logit_off);
        OF_KIND.put(Reason.Kind.PHOTO_DIFFERS, R.string.why_photo_differs);
        OF_KIND.put(Reason.Kind.PHOTO_NOT_DECODED, R.string.why_photo_not_decoded);
        OF_KIND.put(Reason.Kind.BUNDLE_DAMAGED, R.string.why_bundle_damaged);
        OF_KIND.put(Reason.Kind.RUNTIME_FAILED, R.string.why_runtime_failed);
        OF_KIND.put(Reason.Kind.NO_MEMORY_FOR_NETWORK, R.string.why_no_memory_for_network);
        OF_KIND.put(Reason.Kind.RECORD_STAYS, R.string.why_record_stays);
        OF_KIND.put(Reason.Kind.NOT_TESTED, R.string.why_not_tested);
        OF_KIND.put(Reason.Kind.NO_LATENCY, R.string.why_no_latency);
        OF_KIND.put(Reason.Kind.NOT_WRITTEN, R.string.why_not_written);
        OF_KIND.put(Reason.Kind.WRONG_ORDER, R.string.why_wrong_order);
        OF_KIND.put(Reason.Kind.ENDED_THE_APP, R.string.why_ended_the_app);
        OF_KIND.put(Reason.Kind.NO_MARK, R.string.why_no_mark);
        OF_KIND.put(Reason.Kind.UNEXPECTED, R.string.why_unexpected);
    }

    private Words() {}

    /** One sentence without its dot; a reason among the values is put into words, too. */
    static String of(Context context, Reason reason) {
        Object[] values = reason.values();
        for (int place = 0; place < values.length; place++) {
            if (values[place] instanceof Reason) {
                values[place] = of(context, (Reason) values[place]);
            } else if (values[place] instanceof String) {
                values[place] = way(context, (String) values[place]);
            }
        }
        return context.getString(OF_KIND.get(reason.kind), values);
    }

    /** How warm a phone says it is; what it does not tell, or not by a known name, is not put into words. */
    static String thermal(Context context, Object name) {
        int place = Device.THERMAL.indexOf(name);
        return place < 0 ? context.getString(R.string.detail_not_told)
                : context.getResources().getStringArray(R.array.thermal)[place];
    }

    /** The name of a way of decoding; any other text as it is. */
    static String way(Context context, String name) {
        if (PlatformDecoder.WHOLE.equals(name)) {
            return context.getString(R.string.way_whole);
        }
        return PlatformDecoder.IN_STRIPS.equals(name)
                ? context.getString(R.string.way_strips) : name;
    }
}
