"""What of the training needs no PyTorch."""

import json
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from tools.train_model.checkpoint import Checkpoint, load, mix, save
from tools.train_model.log import Log
from tools.train_model.pictures import (
    Picture,
    long_side,
    middle_square,
    read_pictures,
    short_side,
    some,
    split,
    variant,
)
from tools.train_model.settings import Settings


def encoded(height: int, width: int, level: int = 0) -> bytes:
    image = np.full((height, width, 3), level, np.uint8)
    image[..., 2] = 200  # red, as OpenCV orders colors
    done, content = cv2.imencode(".png", image)
    assert done
    return content.tobytes()


def test_pictures_come_from_archives_and_folders_in_the_order_of_their_names(
    tmp_path: Path,
) -> None:
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("inside/c.png", encoded(10, 20))
        archive.writestr("notes.txt", "no picture")
    folder = tmp_path / "more" / "deep"
    folder.mkdir(parents=True)
    (folder / "a.PNG").write_bytes(encoded(8, 8))

    found = read_pictures([tmp_path / "photos.zip", tmp_path / "more"])

    assert [each.name for each in found] == ["a.PNG", "c.png"]
    image = found[1].decode()
    assert image.shape == (10, 20, 3)
    assert image[0, 0].tolist() == [200, 0, 0]


def test_a_place_without_pictures_and_a_damaged_picture_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no pictures"):
        read_pictures([tmp_path])
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    (damaged,) = read_pictures([tmp_path])
    with pytest.raises(ValueError, match=r"a\.jpg is no picture"):
        damaged.decode()


def test_the_split_depends_on_each_name_alone(tmp_path: Path) -> None:
    for number in range(200):
        (tmp_path / f"{number}.png").write_bytes(encoded(1, 1))
    pictures = read_pictures([tmp_path])

    train, held = split(pictures, 0.2)
    fewer_train, fewer_held = split(pictures[::3], 0.2)

    assert sorted([*train, *held], key=lambda each: each.name) == pictures
    assert 20 <= len(held) <= 60
    assert {each.name for each in fewer_held} <= {each.name for each in held}
    assert {each.name for each in fewer_train} <= {each.name for each in train}
    assert split(pictures, 0.0) == (pictures, [])


def test_some_pictures_are_picked_by_their_names(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"{number}.png").write_bytes(encoded(1, 1))
    pictures = read_pictures([tmp_path])

    picked = some(pictures, 7)

    assert len(picked) == 7
    assert picked == some(pictures, 7)
    assert {each.name for each in some(pictures, 5)} <= {each.name for each in picked}
    assert some(pictures, 0) == some(pictures, 99) == pictures


def test_a_variant_is_a_part_of_a_style_with_its_colors_exchanged() -> None:
    image = np.zeros((200, 400, 3), np.uint8)
    image[...] = 10, 20, 200
    done, content = cv2.imencode(".png", image[..., ::-1])
    assert done
    style = Picture("a.png", content.tobytes())

    for number in (1, 2, 3):
        made = variant(style, number)
        assert made == variant(style, number)
        varied = made.decode()
        assert sorted(varied[0, 0].tolist()) == [10, 20, 200]
        assert min(varied.shape[:2]) >= 144 * 0.99 and max(varied.shape[:2]) <= 432
    colors = [tuple(variant(style, number).decode()[0, 0]) for number in range(1, 21)]
    assert len(set(colors)) >= 4 and 0 < colors.count((10, 20, 200)) < 10


def test_pictures_are_scaled_in_proportion() -> None:
    image = np.zeros((100, 300, 3), np.uint8)
    assert short_side(image, 50).shape == (50, 150, 3)
    assert long_side(image, 150).shape == (50, 150, 3)
    image[:, 100:200] = 9
    square = middle_square(image, 64)
    assert square.shape == (64, 64, 3)
    assert square.min() == square.max() == 9


def test_settings_survive_json_and_ignore_what_they_do_not_know() -> None:
    settings = Settings(student="live", strokes=(0.7, 2.0), style=5.0)
    values = json.loads(json.dumps(settings.to_dict()))

    assert Settings.from_dict(values | {"gone": 1}) == settings
    assert settings.changed(style=None, batch=8) == Settings(
        student="live", strokes=(0.7, 2.0), style=5.0, batch=8
    )


@pytest.mark.parametrize("wrong", [{"crop": 100}, {"crop": 512}, {"full": 2.0}, {"batch": 0}])
def test_settings_out_of_range_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Settings(**wrong)


def test_the_rate_rises_stays_and_falls() -> None:
    settings = Settings(rate=1.0, warm_up=10, pictures=1000, decay=0.2)
    assert settings.rate_at(0, 0) == pytest.approx(0.1)
    assert settings.rate_at(400, 100) == pytest.approx(1.0)
    assert settings.rate_at(800, 200) == pytest.approx(1.0)
    assert settings.rate_at(900, 225) == pytest.approx(0.51)
    assert settings.rate_at(1000, 250) == pytest.approx(0.02)
    assert settings.rate_at(2000, 500) == pytest.approx(0.02)


def state(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {"a.weight": rng.random((3, 2), np.float32), "a.bias": rng.random(3, np.float32)}


def test_a_checkpoint_is_read_as_it_was_written_and_has_the_same_bytes_twice(
    tmp_path: Path,
) -> None:
    checkpoint = Checkpoint(
        Settings(), state(0), state(1), (state(2), state(3)), 7, 28, [0.1, 1 / 3], [{"from": 0}]
    )
    save(checkpoint, tmp_path / "a.npz")
    save(checkpoint, tmp_path / "b.npz")

    found = load(tmp_path / "a.npz")

    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npz", "b.npz"]
    for name in ("settings", "step", "seen", "floor", "history"):
        assert getattr(found, name) == getattr(checkpoint, name)
    assert found.weights is not None and found.optimizer is not None
    np.testing.assert_equal(found.average, checkpoint.average)
    np.testing.assert_equal(found.weights, checkpoint.weights)
    np.testing.assert_equal(found.optimizer, checkpoint.optimizer)


def test_a_small_checkpoint_has_the_average_alone(tmp_path: Path) -> None:
    full = Checkpoint(Settings(), state(0), state(1), (state(2), state(3)), 7, 28)
    save(full, tmp_path / "small.npz", small=True)

    found = load(tmp_path / "small.npz")

    np.testing.assert_equal(found.average, full.average)
    assert (found.weights, found.optimizer, found.step, found.seen) == (None, None, 0, 28)


def test_a_mix_lies_between_two_networks_and_says_so() -> None:
    first = Checkpoint(Settings(), state(0), seen=8, history=[{"from": 0}])

    mixed = mix(first, state(1), 0.25, "other")

    for name, values in mixed.average.items():
        expected = 0.25 * state(0)[name] + 0.75 * state(1)[name]
        np.testing.assert_allclose(values, expected, rtol=1e-6)
    assert mixed.history == [{"from": 0}, {"from": 8, "mixed": {"share": 0.25, "with": "other"}}]
    assert mixed.seen == 8 and mixed.optimizer is None
    with pytest.raises(ValueError, match="two shapes"):
        mix(first, {"a.bias": np.zeros(3, np.float32)}, 0.5, "other")


def test_a_mix_of_heads_is_the_mix_of_their_maps() -> None:
    rng = np.random.default_rng(0)
    heads = [
        {
            "head.linear.weight": rng.standard_normal((3, 5)),
            "head.linear.bias": rng.standard_normal(3),
            "head.mean": mean * rng.random(5),
            "head.scale": 1 + mean * rng.random(5),
        }
        for mean in (1, 0)
    ]

    def bottleneck(head: dict[str, np.ndarray], features: np.ndarray) -> np.ndarray:
        centered = (features - head["head.mean"]) / head["head.scale"]
        return head["head.linear.weight"] @ centered + head["head.linear.bias"]

    mixed = mix(Checkpoint(Settings(), heads[0]), heads[1], 0.25, "other").average

    features = rng.random(5)
    first, second = (bottleneck(head, features) for head in heads)
    np.testing.assert_allclose(bottleneck(mixed, features), 0.25 * first + 0.75 * second, 1e-4)


def test_another_file_is_no_checkpoint(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", a=np.zeros(1))
    (tmp_path / "text.npz").write_text("text")
    for name in ("other.npz", "text.npz"):
        with pytest.raises(ValueError, match="is no checkpoint"):
            load(tmp_path / name)


def test_the_log_has_means_and_pictures_a_second(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.jsonl", 2)
    for seen, value in ((4, 1.0), (8, 2.0), (12, 5.0)):
        log(seen, 4, {"style": value, "odd": value} if seen == 8 else {"style": value})

    (line,) = [json.loads(each) for each in (tmp_path / "log.jsonl").read_text().splitlines()]

    assert (line["seen"], line["style"], line["odd"]) == (8, 1.5, 2.0)
    assert line["pictures_per_second"] > 0
