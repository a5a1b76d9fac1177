package org.hierattn.demo;

import android.app.Activity;
import android.graphics.Bitmap;
import android.view.LayoutInflater;
import android.view.View;
import android.view.ViewGroup;
import android.widget.ImageView;
import android.widget.ProgressBar;
import android.widget.TextView;
import org.hierattn.core.Decision;
import org.hierattn.core.ModelBundle;
import org.hierattn.core.OperatingPoint;

/** Puts an answer into words. It never says more than the network can know. */
final class AnswerView {
    private final Activity screen;
    private Answer shown;

    AnswerView(Activity screen) {
        this.screen = screen;
    }

    /** Show an answer, or nothing for null. */
    void show(Answer answer, ModelBundle bundle) {
        if (answer != null && answer == shown) {
            // Set once: a live region speaks whenever its text is set.
            return;
        }
        shown = answer;
        screen.findViewById(R.id.melanoma_card)
                .setVisibility(answer != null ? View.VISIBLE : View.GONE);
        screen.findViewById(R.id.answer).setVisibility(answer == null ? View.GONE : View.VISIBLE);
        if (answer == null) {
            ((ImageView) screen.findViewById(R.id.photo)).setImageDrawable(null);
            return;
        }
        // Where the mark stands; it is spoken first, too.
        screen.findViewById(R.id.scroll).scrollTo(0, 0);
        showMelanoma(answer.decision, bundle.operatingPoint);
        ((ImageView) screen.findViewById(R.id.photo)).setImageBitmap(picture(answer));
        text(R.id.photo_note).setText(screen.getString(R.string.as_seen, answer.side)
                + " " + screen.getString(R.string.decoder_note)
                + " " + screen.getString(R.string.answer_time,
                        Figures.whole(answer.networkMs), Figures.whole(answer.wholeMs)));
        showHeadline(answer.decision, bundle.operatingPoint);
        showScores(answer.decision, bundle.operatingPoint);
    }

    private void showHeadline(Decision decision, OperatingPoint point) {
        Decision.Candidate first = decision.top.get(0);
        if (decision.sure) {
            text(R.id.headline).setText(screen.getString(
                    R.string.looks_most_like, ClassNames.of(screen, first.label)));
            text(R.id.headline_why).setText(R.string.looks_most_like_why);
        } else {
            text(R.id.headline).setText(R.string.not_sure);
            text(R.id.headline_why).setText(screen.getString(R.string.not_sure_why,
                    Figures.percent(first.probability), Figures.percent(point.abstainThreshold)));
        }
    }

    private void showScores(Decision decision, OperatingPoint point) {
        text(R.id.scores_title).setText(
                point.isFitted() ? R.string.scores : R.string.scores_not_calibrated);
        ViewGroup list = (ViewGroup) screen.findViewById(R.id.scores);
        list.removeAllViews();
        for (Decision.Candidate candidate : decision.top) {
            View row = LayoutInflater.from(screen).inflate(R.layout.score, list, false);
            String name = ClassNames.of(screen, candidate.label);
            String percent = Figures.percent(candidate.probability);
            ((TextView) row.findViewById(R.id.name)).setText(name);
            ((TextView) row.findViewById(R.id.percent)).setText(percent);
            ((ProgressBar) row.findViewById(R.id.bar))
                    .setProgress((int) Math.round(candidate.probability * 1000));
            row.setContentDescription(
                    screen.getString(R.string.score_description, name, percent));
            list.addView(row);
        }
    }

    private void showMelanoma(Decision decision, OperatingPoint point) {
        View card = screen.findViewById(R.id.melanoma_card);
        boolean marked = Boolean.TRUE.equals(decision.melanomaFlag);
        card.setBackgroundResource(marked ? R.drawable.card_alert : R.drawable.card);
        int colour = screen.getResources().getColor(marked ? R.color.alert_text : R.color.text,
                screen.getTheme());
        text(R.id.melanoma).setTextColor(colour);
        text(R.id.melanoma_why).setTextColor(colour);
        text(R.id.melanoma).setVisibility(decision.melanomaFlag == null ? View.GONE : View.VISIBLE);
        if (decision.melanomaFlag == null) {
            text(R.id.melanoma_why).setText(R.string.melanoma_unknown);
        } else {
            text(R.id.melanoma).setText(
                    marked ? R.string.melanoma_marked : R.string.melanoma_not_marked);
            text(R.id.melanoma_why).setText(screen.getString(
                    marked ? R.string.melanoma_marked_why : R.string.melanoma_not_marked_why,
                    Figures.percent(decision.melanomaProbability),
                    Figures.percent(point.melanomaThreshold)));
        }
        text(R.id.fitted_on).setVisibility(point.isFitted() ? View.VISIBLE : View.GONE);
        text(R.id.fitted_on).setText(screen.getString(R.string.fitted_on, point.fittedOn));
    }

    private static Bitmap picture(Answer answer) {
        int[] colours = new int[answer.side * answer.side];
        for (int pixel = 0; pixel < colours.length; pixel++) {
            colours[pixel] = 0xFF000000
                    | (answer.pixels[pixel * 3] & 255) << 16
                    | (answer.pixels[pixel * 3 + 1] & 255) << 8
                    | (answer.pixels[pixel * 3 + 2] & 255);
        }
        return Bitmap.createBitmap(colours, answer.side, answer.side, Bitmap.Config.ARGB_8888);
    }

    private TextView text(int id) {
        return (TextView) screen.findViewById(id);
    }
}
