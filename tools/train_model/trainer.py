"""One run: a student, its average, its optimizer, and the step that changes them."""

import copy
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tools.train_model.batches import Batch
from tools.train_model.checkpoint import Checkpoint, State
from tools.train_model.losses import (
    color_loss,
    color_order,
    content_loss,
    grams,
    grid_loss,
    roughness,
    steadiness_loss,
    style_losses,
    style_share,
    texture_loss,
)
from tools.train_model.predictor import SIDE, Predictor
from tools.train_model.students import Student, load_state, make, state_of
from tools.train_model.targets import VIEWS, Target
from tools.train_model.vgg import CONTENT, Vgg16
from tools.train_model.views import moved, noisy

BETAS = 0.9, 0.99
"""Of Adam."""

CLIP = 1.0
"""The largest norm of a gradient."""

FLOOR = 0.3
"""A photo's own style loss counts as no less than this share of the running median."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What some pictures of a batch give: their part of the loss, its gradient, their terms."""

    loss: Tensor
    slopes: Sequence[Tensor]
    own: Tensor
    terms: dict[str, Tensor]


class Trainer:
    """Takes steps from the state of a checkpoint.

    Args:
        checkpoint: Where to go on from. Without the optimizer's state the average is trained on.
        vgg: Sees content and style; its device is the run's.
        predictor: Makes the features of the photos themselves.
        target: Gives the target of a (style, stroke).
        teacher: A network whose paintings the student is to have as well; None for none.
        shards: Parts of a batch that are computed at the same time, each by a thread of its own.
            On a CPU, as many as cores with one thread each waste the least.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        vgg: Vgg16,
        predictor: Predictor,
        target: Callable[[int, float], Target],
        teacher: Student | None = None,
        shards: int = 1,
    ) -> None:
        self.settings = checkpoint.settings
        self.device = vgg.mean.device
        self._vgg, self._predictor, self._target = vgg, predictor, target
        self._teacher = teacher
        self._shards, self._pool = shards, ThreadPoolExecutor(shards)
        self.student = make(self.settings.student)
        load_state(self.student, checkpoint.weights or checkpoint.average)
        self.student.to(self.device)
        self.average = copy.deepcopy(self.student)
        load_state(self.average, checkpoint.average)
        # A head that stays as it is must not count in the gradient's norm either.
        self.student.head.requires_grad_(self.settings.head_rate > 0)
        named = self.student.named_parameters()
        self._trained = {name: each for name, each in named if each.requires_grad}
        groups: tuple[list[Tensor], list[Tensor]] = [], []
        for name, each in self._trained.items():
            groups[name.startswith("head.")].append(each)
        self._optimizer = torch.optim.Adam([{"params": each} for each in groups], betas=BETAS)
        self._step, self.seen = checkpoint.step, checkpoint.seen
        self._history = checkpoint.history
        self._floor: Tensor | None = None
        if checkpoint.floor is not None:
            self._floor = torch.tensor(checkpoint.floor, dtype=torch.float64)
        if checkpoint.optimizer is not None:
            self._restore(*checkpoint.optimizer)

    def checkpoint(self) -> Checkpoint:
        """Return the present state; it shares memory with the run."""
        first, second = self._moments()
        return Checkpoint(
            self.settings,
            state_of(self.average),
            state_of(self.student),
            (first, second),
            self._step,
            self.seen,
            None if self._floor is None else self._floor.tolist(),
            self._history,
        )

    def step(self, batch: Batch) -> dict[str, float]:
        """Take one step.

        Returns:
            Means over the batch: "content" and "style" as shares of the unpainted photo's style
            loss, as benchmarks/quality/results.md has them, "layer1" to "layer5" by VGG's blocks,
            "flicker" the root mean square difference between two views' paintings in levels of
            0..255, "texture", "color" and "grid" as `losses` has them, "taught" the root mean
            square difference from the teacher's in levels, and the weighted "loss". Terms of no
            weight are left out. Where pictures were painted at full strength, "content_full" and
            "style_full" are theirs alone.

        Raises:
            FloatingPointError: The loss is not finite.
        """
        targets = [self._target(*style) for style in batch.styles]
        self._set_rate()
        parts = torch.arange(len(targets)).tensor_split(min(self._shards, len(targets)))
        results = list(self._pool.map(lambda part: self._part(batch, targets, part), parts))
        loss = sum(float(result.loss) for result in results)
        if not math.isfinite(loss):
            raise FloatingPointError(f"the loss is {loss} after {self.seen} pictures")
        for number, parameter in enumerate(self._trained.values()):
            parameter.grad = sum(result.slopes[number] for result in results)
        nn.utils.clip_grad_norm_(self._trained.values(), CLIP)
        self._optimizer.step()
        if self.settings.perceive:
            self._follow_floor(torch.cat([result.own for result in results]))
        self._step += 1
        self.seen += len(targets)
        self._follow()
        terms = {
            name: torch.cat([result.terms[name] for result in results]).cpu()
            for name in results[0].terms
        }
        full = batch.strengths == 1
        if bool(full.any()):
            for name in {"content", "style"} & terms.keys():
                terms[f"{name}_full"] = terms[name][full]
        return {name: float(values.mean()) for name, values in terms.items()} | {"loss": loss}

    def _part(self, batch: Batch, targets: list[Target], part: Tensor) -> "_Part":
        """Compute the loss and its gradient for some pictures of a batch."""
        s = self.settings
        photo, second = batch.views.first[part], batch.views.second[part]
        photo, second = photo.to(self.device), second.to(self.device)
        strength = batch.strengths[part].to(self.device)
        moves = batch.views.moves[part].to(self.device)
        targets = [targets[int(index)] for index in part]
        seeds = [s.seed * 1_000_003 + self.seen + int(index) for index in part]
        views = VIEWS if s.head_rate else 1  # the first is the style as the program shows it
        shown = [seed % views for seed in seeds]
        features = torch.stack([t.features[view] for view, t in zip(shown, targets, strict=True)])
        features = self._mixed(photo, features, strength)
        first = noisy(photo, [2 * seed for seed in seeds])
        with torch.no_grad():
            other = self._paint(noisy(second, [2 * seed + 1 for seed in seeds]), features)
        painted = self._paint(first, features)
        aligned, valid = moved(painted, moves)
        steady = steadiness_loss(aligned, other, valid)
        terms = {"flicker": 255 * steady.sqrt()}
        each = s.steady * steady
        own = torch.empty(0)
        if s.perceive:
            perceived, own, more = self._perceived(painted, photo, targets, strength)
            each, terms = each + s.perceive * perceived, terms | more
        if self._teacher is not None and s.teach:
            with torch.no_grad():
                wanted = self._paint(photo, features, self._teacher)
            taught = (painted - wanted).square().mean((1, 2, 3))
            each, terms = each + s.teach * taught, terms | {"taught": 255 * taught.sqrt()}
        loss = each.sum() / len(batch.styles)
        slopes = torch.autograd.grad(loss, list(self._trained.values()))
        terms = {name: values.detach() for name, values in terms.items()}
        return _Part(loss.detach(), slopes, own, terms)

    def _perceived(
        self, painted: Tensor, photo: Tensor, targets: list[Target], strength: Tensor
    ) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """Compute the loss of what VGG and the eye see, the photos' own style losses, and terms."""
        s = self.settings
        with torch.no_grad():
            features = self._vgg(photo)
            content, photo_grams = features[CONTENT], grams(features)
            del features
            style_grams = [
                torch.stack(each) for each in zip(*(t.grams for t in targets), strict=True)
            ]
            wanted = [
                torch.lerp(mine, theirs, strength[:, None, None])
                for mine, theirs in zip(photo_grams, style_grams, strict=True)
            ]
            own = style_losses(photo_grams, style_grams)
            floor = torch.zeros_like(own[0]) if self._floor is None else FLOOR * self._floor
            floor = floor.to(own)
            allowed = torch.stack([target.roughness for target in targets])
            allowed = torch.maximum(allowed, roughness(photo))
            colors = torch.stack([target.colors for target in targets])
            colors = torch.lerp(color_order(photo), colors, strength[:, None, None])
        seen = self._vgg(painted)
        painted_grams = grams(seen)
        scale = own.sum(1).clamp(min=float(floor.sum()))
        content_share = s.frame_area / s.crop**2 * content_loss(seen, content) / scale
        style = style_share(style_losses(painted_grams, wanted), own, floor, s.even)
        texture, color = texture_loss(painted, allowed), color_loss(painted, colors)
        grid = grid_loss(painted, photo)
        loss = content_share + s.style * style + s.texture * texture
        loss = loss + s.color * color + s.grid * grid
        with torch.no_grad():
            plain = style_losses(painted_grams, style_grams)
            apart = plain / torch.maximum(own, floor)
            terms = {"content": content_share, "style": plain.sum(1) / scale}
            terms |= {"texture": texture, "color": color, "grid": grid}
            terms |= {f"layer{block + 1}": apart[:, block] for block in range(apart.shape[1])}
        return loss, own, terms

    def _paint(self, photos: Tensor, features: Tensor, network: Student | None = None) -> Tensor:
        network = network or self.student
        half = self._vgg.precision
        with torch.autocast(self.device.type, half, enabled=half != torch.float32):
            painted = network(photos, network.head(features))
        return painted.float()

    def _mixed(self, photo: Tensor, style: Tensor, strength: Tensor) -> Tensor:
        """Mix the styles' features with the photos' own, as `Look.blend` mixes bottlenecks."""
        partial = torch.nonzero(strength < 1).flatten()
        if not len(partial):
            return style
        size = (SIDE, SIDE)
        seen = nn.functional.interpolate(photo[partial], size, mode="bilinear", antialias=True)
        mixed = style.clone()
        mixed[partial] = torch.lerp(
            self._predictor(seen), style[partial], strength[partial][:, None]
        )
        return mixed

    def _set_rate(self) -> None:
        rate = self.settings.rate_at(self.seen, self._step)
        others, head = self._optimizer.param_groups
        others["lr"], head["lr"] = rate, rate * self.settings.head_rate

    def _follow_floor(self, own: Tensor) -> None:
        """Follow the median of `own`, `[batch, blocks]`."""
        now = own.median(0).values.double().cpu()
        self._floor = now if self._floor is None else 0.98 * self._floor + 0.02 * now

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the average towards the weights."""
        past = min(self.settings.average, self._step / (self._step + 10))
        for mean, now in zip(self.average.parameters(), self.student.parameters(), strict=True):
            mean.lerp_(now, 1 - past)

    def _moments(self) -> tuple[State, State]:
        first, second = {}, {}
        for name, parameter in self.student.named_parameters():
            state = self._optimizer.state.get(parameter)
            if state:
                first[name] = state["exp_avg"].cpu().numpy()
                second[name] = state["exp_avg_sq"].cpu().numpy()
        return first, second

    def _restore(self, first: State, second: State) -> None:
        for name, parameter in self._trained.items():
            if name not in first:  # it was not trained before
                continue
            self._optimizer.state[parameter] = {
                "step": torch.tensor(float(self._step)),
                "exp_avg": torch.tensor(first[name], device=self.device),
                "exp_avg_sq": torch.tensor(second[name], device=self.device),
            }
