import dataclasses
from pathlib import Path

from PIL import Image

from benchmarks.report.charts import pareto_image
from benchmarks.report.charts.svg import new_figure
from benchmarks.report.charts.tradeoff import tradeoff_panels
from benchmarks.report.rows import number_rows
from benchmarks.results import PhotoSet
from tests.benchmarks.report.sample import sample_results


def test_every_point_has_its_key_under_its_panel() -> None:
    for panel in tradeoff_panels(number_rows(sample_results())):
        figure = new_figure(1000, 600)
        pareto_image._draw_key(figure, panel, 300)
        told = {text.get_text().split()[0]: text.get_text() for text in figure.texts}
        assert told.keys() == {str(point.numbered.number) for point in panel.points}
        assert all(
            point.numbered.row.runtime in told[str(point.numbered.number)] for point in panel.points
        )
        figure.canvas.draw()
        boxes = [text.get_window_extent() for text in figure.texts]
        assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_the_image_has_room_for_its_keys(tmp_path: Path) -> None:
    (panel, *_) = tradeoff_panels(number_rows(sample_results()))
    one = dataclasses.replace(panel.points[0].numbered, number=1)
    heights = []
    for count in (1, 7):
        rows = [dataclasses.replace(one, number=place + 1) for place in range(count)]
        pareto_image.draw_pareto(rows, tmp_path / f"{count}.png")
        with Image.open(tmp_path / f"{count}.png") as image:
            heights.append(image.height)
    assert heights[1] > heights[0]


def test_the_image_says_of_which_photos_it_is_though_shown_alone(tmp_path: Path) -> None:
    rows = number_rows(sample_results())
    heights = []
    for note in (None, "the run was calibrated on some of them; " * 20):
        photos = PhotoSet(name="some $x$ 皮肤", sha256="0" * 64, images=3, note=note)
        assert pareto_image._photos_line(photos).startswith("Photos: 3 of some $x$")
        pareto_image.draw_pareto(rows, tmp_path / "one.png", photos)
        with Image.open(tmp_path / "one.png") as image:
            heights.append(image.height)
    assert heights[1] > heights[0]
