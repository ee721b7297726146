"""The terms of the training loss against the project's own objective and against NumPy."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs PyTorch: the extra `train`")

from live_nst.objective.image_pyramid import StyleTarget  # noqa: E402
from live_nst.objective.loss_functions import gatys  # noqa: E402
from live_nst.objective.perceptual_loss import PerceptualLoss  # noqa: E402
from live_nst.objective.vgg import ConvWeights, Vgg, preprocess  # noqa: E402
from tests.tools.training_material import random_picture, random_vgg  # noqa: E402
from tools.train_model import views  # noqa: E402
from tools.train_model.losses import (  # noqa: E402
    color_loss,
    color_order,
    content_loss,
    grams,
    grid_energy,
    grid_loss,
    roughness,
    steadiness_loss,
    style_losses,
    style_share,
    texture_loss,
)
from tools.train_model.pictures import Picture  # noqa: E402
from tools.train_model.vgg import CONTENT, Vgg16  # noqa: E402
from tools.train_model.views import cut, moved, noisy, to_tensor  # noqa: E402


def test_content_and_style_and_their_gradient_are_the_objectives() -> None:
    weights = random_vgg()
    photo, style, painted = random_picture(0, 48, 64), random_picture(1, 40, 56), None
    painted = random_picture(2, 48, 64)
    vgg = Vgg(
        "vgg16",
        {
            name.removesuffix("/weights"): ConvWeights(kernel, weights[name[:-7] + "bias"])
            for name, kernel in weights.items()
            if name.endswith("/weights")
        },
    )
    bgr = [np.ascontiguousarray(each[..., ::-1]) for each in (photo, style, painted)]
    objective = PerceptualLoss(vgg, bgr[0], [StyleTarget(bgr[1])], gatys("vgg16"))
    expected, slope = objective(preprocess(bgr[2]))

    ours = Vgg16(weights)
    picture = to_tensor([painted]).requires_grad_()
    with torch.no_grad():
        content = ours(to_tensor([photo]))[CONTENT]
        wanted = grams(ours(to_tensor([style])))
    features = ours(picture)
    content_term = content_loss(features, content)
    style_terms = style_losses(grams(features), wanted)
    (content_term + style_terms.sum(1)).sum().backward()

    assert content_term.item() == pytest.approx(expected.content_total, rel=1e-4)
    assert style_terms.sum().item() == pytest.approx(1000 * expected.style_total, rel=1e-4)
    layers = [1000 / 5 * value for value in expected.style.values()]
    assert style_terms[0].tolist() == pytest.approx(layers, rel=1e-3)
    gradient = picture.grad[0].permute(1, 2, 0).numpy()[..., ::-1] / 255
    assert np.abs(gradient - slope).max() < 1e-3 * np.abs(slope).max()


def test_the_style_share_is_one_for_the_photo_itself_and_a_floor_holds() -> None:
    own = torch.tensor([[1.0, 2.0, 5.0], [0.1, 0.2, 0.5]])
    none = torch.zeros(3)
    for even in (0.0, 0.5, 1.0):
        assert style_share(own, own, none, even).tolist() == pytest.approx([1.0, 1.0])
        assert style_share(own, own, own[0], even).tolist() == pytest.approx([1.0, 0.1])
    terms = torch.tensor([[1.0, 0.0, 0.0]])
    assert style_share(terms, own[:1], none, 0.0).item() == pytest.approx(1 / 8)
    assert style_share(terms, own[:1], none, 1.0).item() == pytest.approx(1 / 3)


def test_roughness_is_that_of_grids_and_not_of_ramps() -> None:
    ramp = torch.linspace(0, 1, 32).expand(1, 3, 32, 32)
    two = torch.arange(32).remainder(2).float().expand(1, 3, 32, 32)
    four = torch.arange(32).div(2, rounding_mode="floor").remainder(2).float().expand(1, 3, 32, 32)
    assert roughness(ramp).max() < 1e-10
    assert roughness(two).tolist() == [pytest.approx([4.0, 0.0])]
    assert roughness(four)[0, 1] == pytest.approx(4.0)
    assert texture_loss(two, torch.tensor([[1.0, 1.0]])).item() == pytest.approx(3.0)
    assert texture_loss(ramp, torch.zeros(1, 2)).item() < 1e-9


def test_steadiness_counts_where_both_see_the_same() -> None:
    first, other = torch.zeros(1, 3, 8, 8), torch.full((1, 3, 8, 8), 0.5)
    valid = torch.zeros(1, 1, 8, 8)
    assert steadiness_loss(first, other, valid).item() == 0.0
    valid[..., 2:4] = 1
    assert steadiness_loss(first, other, valid).item() == pytest.approx(0.25)


def test_the_color_loss_is_the_transport_of_colors_alone() -> None:
    rng = np.random.default_rng(0)
    picture = torch.from_numpy(rng.random((2, 3, 64, 96), np.float32))
    order = torch.from_numpy(rng.permutation(64 * 96))
    elsewhere = picture.flatten(2)[..., order].reshape(2, 3, 64, 96)

    assert color_loss(picture, color_order(picture)).max() == 0
    # Not zero: both are seen at other pixels, as many as `COLORS`.
    assert color_loss(elsewhere, color_order(picture)).max() < 1e-3
    # All colors moved by one step: its length along a mean direction, of which red is a share.
    step = torch.tensor([0.1, 0.0, 0.0])[:, None, None]
    text = "1 0 0  0 1 0  0 0 1  1 1 1  1 -1 0  1 0 -1  0 1 -1  1 1 -2  1 -2 1  -2 1 1"
    directions = np.array(text.split(), np.float64).reshape(10, 3)
    along = directions[:, 0] / np.linalg.norm(directions, axis=1)
    expected = float(np.square(0.1 * along).mean())
    found = color_loss(picture + step, color_order(picture))
    assert found.tolist() == pytest.approx([expected] * 2, rel=1e-3)


def test_a_grid_of_few_pixels_is_found_and_nothing_else() -> None:
    y, x = torch.meshgrid(torch.arange(80), torch.arange(96), indexing="ij")
    grid = 0.1 * ((x % 4 == 1) & (y % 4 == 2)).float()
    coarse = 0.1 * (x // 8 % 2).float()  # every place of a block has the same mean
    photo = to_tensor([random_picture(0, 80, 96)])

    wide = 0.1 * ((x % 8 == 1) & (y % 8 == 2)).float()

    # One place in 16 is 0.1 above the others: the variance is 0.1^2 (1/16 - 1/256).
    assert grid_energy(grid.expand(1, 3, 80, 96)).item() == pytest.approx(0.01 * 15 / 256)
    assert grid_energy(wide.expand(1, 3, 80, 96)).item() == pytest.approx(0.01 * 63 / 4096)
    assert grid_energy(coarse.expand(1, 3, 80, 96)).item() == pytest.approx(0.0, abs=1e-9)
    assert grid_loss(photo, photo).item() == 0.0
    assert grid_loss(photo + 0.5 * grid, photo).item() > 1e-4


def test_second_views_are_shifted_turned_and_bent() -> None:
    rng = np.random.default_rng(0)
    positions = np.stack(np.meshgrid(*2 * [np.arange(64, dtype=np.float32) - 31.5]), axis=-1)
    kinds = {"shifted": 0, "turned": 0, "bent": 0}
    for _ in range(60):
        away = views._move(64, rng) - positions
        assert np.abs(away).max() < views.MARGIN
        if np.abs(np.diff(away, 2, axis=0)).max() > 1e-3:
            kinds["bent"] += 1
        else:
            kinds["turned" if np.ptp(away[..., 0]) > 1e-3 else "shifted"] += 1
    assert kinds["shifted"] > 15 and kinds["turned"] > 5 and kinds["bent"] > 5, kinds


def test_two_views_show_the_same_once_they_are_aligned(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GAIN", "OFFSET", "COMPRESSED"):
        monkeypatch.setattr(views, name, 0.0)
    import cv2

    done, content = cv2.imencode(".png", cv2.GaussianBlur(random_picture(3, 150, 200), (0, 0), 2))
    assert done
    pair = cut([Picture("a", content.tobytes())] * 8, 96, 120, np.random.default_rng(0))

    aligned, valid = moved(pair.first, pair.moves)

    def difference(a: object) -> float:
        return 255 * steadiness_loss(a, pair.second, valid).sqrt().max().item()

    assert valid.mean() > 0.5
    assert difference(aligned) < 1.0
    assert difference(pair.first) > 3 * difference(aligned)
    same = cut([Picture("a", content.tobytes())] * 8, 96, 120, np.random.default_rng(0))
    assert torch.equal(same.second, pair.second)


def test_noise_depends_on_the_seed_of_each_picture_alone() -> None:
    pictures = torch.full((3, 3, 16, 16), 0.5)
    all_three = noisy(pictures, [1, 2, 3])
    assert torch.equal(noisy(pictures[:2], [3, 1]), all_three[[2, 0]])
    deviations = torch.stack([noisy(pictures[:1], [seed]).std() for seed in range(20)])
    assert deviations.min() > 0 and deviations.max() < 1.2 * views.NOISE
