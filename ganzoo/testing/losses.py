"""What every loss promises, each as a function of the `LossCase` in which it is checked."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ganzoo.contract import Loss, Step
from ganzoo.engine.scheduled import Scheduled
from ganzoo.engine.settings import SIDES
from ganzoo.errors import BadInput, Failed
from ganzoo.testing.cases import LossCase
from ganzoo.testing.check import (
    Skipped,
    Unplayable,
    accepting_refusal,
    describe_error,
    describe_options,
    prefix_failures,
    require,
)
from ganzoo.testing.turns import (
    check_bfloat16,
    check_resume,
    freeze_other_side,
    gradient_penalty,
    images_by_key,
    make_step,
    set_up,
)

T = TypeVar("T")

SCORE_SHAPES = ((1,), (1, 2, 2))
"""Shapes of one sample's scores, other than a single number."""


def builds_with_every_option(case: LossCase) -> None:
    """It can be built with the defaults, and with each value of an option that has a few."""
    for options in case.variants:
        with prefix_failures(describe_options(options)), accepting_refusal(options):
            case.make_loss(options)
    try:
        _ = case.game
    except Unplayable as reason:
        raise AssertionError(str(reason)) from reason


def terms_are_finite_scalars(case: LossCase) -> None:
    """On both turns every term is a finite number, with every option that `setup` does not refuse."""
    for options in case.variants:
        with prefix_failures(describe_options(options)):
            for loss, step in case.turns(options):
                check_terms(loss.terms(step), step)


def check_terms(terms: dict[str, Tensor], step: Step) -> None:
    """Check that every term is a finite number."""
    for name, term in terms.items():
        require(term.isfinite(), f"the term '{name}' of the {step.turn}'s turn is {term.item()}, not a finite number")


def gradient_reaches_its_own_side_only(case: LossCase) -> None:
    """Where a term has a gradient, it moves the side whose turn it is."""
    logged_only = [step.turn for loss, step in case.turns() if not has_gradient_for_own_side(loss, step)]
    for loss, step in case.turns():
        astray = step.turn in logged_only and loss.weigh(loss.terms(step))
        reason = f"on the {step.turn}'s turn the terms have a gradient for the other side alone, which is frozen"
        advice = f"make them depend on the {step.turn}, or detach what is only to be logged"
        require(not astray, f"{reason}: {advice}")
    cls = type(case.make_loss().loss)
    does_more = cls.view is not Loss.view or cls.after is not Loss.after
    if logged_only and not does_more:
        raise Skipped(f"its terms on the {' and the '.join(logged_only)}'s turn have no gradient and are only logged")


def has_gradient_for_own_side(loss: Scheduled, step: Step) -> bool:
    """Check that the gradient reaches no other side; return False for terms without any gradient."""
    own, other = freeze_other_side(step)
    terms = loss.terms(step)
    weighted = loss.weigh(terms)
    if not weighted:
        return not terms
    torch.autograd.backward(weighted)
    gradient = f"the gradient on the {step.turn}'s turn"
    require(any(p.grad is not None for p in own.parameters()), f"{gradient} reaches no parameter of the {step.turn}")
    require(all(p.grad is None for p in other.parameters()), f"{gradient} reaches the other side")
    require(gradients_are_finite(own), f"{gradient} is not finite: a square root needs an epsilon inside")
    return True


def gradients_are_finite(network: nn.Module) -> bool:
    """Return whether no parameter of a network has a gradient that is not finite."""
    return all(bool(p.grad is None or p.grad.isfinite().all()) for p in network.parameters())


def has_nothing_to_train(case: LossCase) -> None:
    """The loss has no trainable parameter of its own: nothing would train it. The engine freezes networks inside it."""
    trained = [name for name, p in case.make_loss().loss.named_parameters(recurse=False) if p.requires_grad]
    if trained:
        advice = "keep state in buffers, and what is trained in the networks"
        raise AssertionError(f"the loss has the parameter '{trained[0]}', which nothing trains: {advice}")


def calls_the_networks_through_the_step(case: LossCase) -> None:
    """The networks are called through the step alone, where views, half precision and compilation are applied."""
    for loss, step in case.turns():
        called = record_direct_calls(step)
        loss.terms(step)
        if called:
            reason = f"on the {step.turn}'s turn the loss calls the {called[0]} itself, past views and half precision"
            part = called[0].rpartition(" ")[2]
            advice = f"step.call(step.{part}, ...)" if "." in part else "step.generate, step.score or step.gradient"
            raise AssertionError(f"{reason}: use {advice}")


def record_direct_calls(step: Step) -> list[str]:
    """Return a list to which every later call of a side is added that does not go through the step."""
    direct: list[str] = []
    running: list[object] = []
    call_through_step = step._call

    def call(network: Callable[..., T], *inputs: Any, twice: bool = False) -> T:
        running.append(network)
        try:
            return call_through_step(network, *inputs, twice=twice)
        finally:
            running.pop()

    def note(side: str, *_: Any) -> None:
        if not running:
            direct.append(side)

    step._call = call
    for side, network in (("generator", step.generator), ("discriminator", step.discriminator)):
        for name, module in network.named_modules():
            if "parametrizations" not in name:  # these run where a weight is looked at, which any loss may do
                module.register_forward_pre_hook(partial(note, f"{side}.{name}".removesuffix(".")))
    return direct


def leaves_the_steps_to_the_engine(case: LossCase) -> None:
    """The loss calls neither `backward` nor an optimizer."""
    for loss, step in case.turns():
        freeze_other_side(step)
        before = copy_weights(step)
        loss.terms(step)
        reason = f"on the {step.turn}'s turn the loss itself"
        advice = "return the terms, the engine alone calls backward and step"
        changed = any(not old.equal(new) for old, new in zip(before, copy_weights(step), strict=True))
        require(not changed, f"{reason} changes the networks: {advice}")
        require(all(p.grad is None for p in parameters(step)), f"{reason} calls backward: {advice}")


def parameters(step: Step) -> list[nn.Parameter]:
    """Return the parameters of both sides."""
    return [*step.generator.parameters(), *step.discriminator.parameters()]


def copy_weights(step: Step) -> list[Tensor]:
    """Return copies of the parameters of both sides."""
    return [parameter.detach().clone() for parameter in parameters(step)]


def scores_may_have_any_shape(case: LossCase) -> None:
    """Scores of shape (n, 1) mean the same as (n,), and a map of scores gives finite terms; or `setup` refuses them."""
    expected = terms_for(case, ())
    for shape in SCORE_SHAPES:
        try:
            terms = terms_for(case, shape)
        except BadInput:
            continue  # refused in a sentence, before training
        if shape == (1,):
            check_same_terms(expected, terms)


def check_same_terms(expected: dict[str, Tensor], terms: dict[str, Tensor]) -> None:
    """Check that the terms are the same where scores have the shape (n, 1) in place of (n,)."""
    reason = "is another where the same scores come as (n, 1)"
    for name, value in expected.items():
        same = torch.isclose(terms[name], value, rtol=1e-4, atol=1e-6)
        require(same, f"the term '{name}' {reason}: do not mix them with tensors of shape (n,)")


def terms_for(case: LossCase, shape: tuple[int, ...]) -> dict[str, Tensor]:
    """Return the terms of both turns where a sample's scores have that shape. Raises `BadInput` where it is refused."""
    game = case.game  # found before the seed is set, as trying games draws random numbers
    found: dict[str, Tensor] = {}
    for turn in SIDES:
        torch.manual_seed(0)  # so that the weights are equal
        loss, batch = case.make_loss(), game.batch()
        players = game.players(losses=[loss])
        players[1].register_forward_hook(partial(reshape_scores, shape))
        set_up(loss, players, batch)
        step = make_step(turn, players, batch, [loss])
        with prefix_failures(f"with scores of shape (n{''.join(f', {size}' for size in shape)})"):
            terms = loss.terms(step)
            check_terms(terms, step)
        found |= {f"{turn}/{name}": term.detach() for name, term in terms.items()}
    return found


def reshape_scores(shape: tuple[int, ...], module: nn.Module, inputs: Any, judgement: Any) -> Any:
    """Give each sample's scores that shape in what a discriminator returns; a forward hook."""
    scores, *extras = judgement if isinstance(judgement, tuple) else (judgement,)
    if isinstance(scores, list):
        scores = [reshape_scores(shape, module, inputs, each) for each in scores]
    else:
        one_each = scores.flatten(1).mean(1) if scores.dim() > 1 else scores
        scores = one_each.view(-1, *[1] * len(shape)).expand(-1, *shape)
    return (scores, *extras) if extras else scores


def can_be_differentiated_twice(case: LossCase) -> None:
    """A penalty can take the gradient of a gradient, through the loss's `view` too; or `setup` refuses."""
    loss, players, _ = case.prepare()
    batch = case.game.full_batch()
    step = make_step("discriminator", players, batch, [loss])
    own, _ = freeze_other_side(step)
    reason = "what the loss does cannot be differentiated twice, as gradient penalties do"
    try:
        gradient_penalty(make_step("discriminator", players, batch))
    except (RuntimeError, Failed) as error:
        raise Skipped(f"the discriminator of {case.game.name} cannot be differentiated twice") from error
    try:
        torch.autograd.backward([gradient_penalty(step), *loss.weigh(loss.terms(step))])
    except (RuntimeError, Failed) as error:
        advice = "write it in differentiable operations or let setup refuse"
        raise AssertionError(f"{reason}; {advice}: {describe_error(error)}") from error
    require(gradients_are_finite(own), f"{reason}: it is not finite")


def plays_in_bfloat16(case: LossCase) -> None:
    """A few training steps under autocast give finite numbers."""
    check_bfloat16(case.game, case.make_losses)


def view_lets_gradient_through(case: LossCase) -> None:
    """A view keeps the type of images, is finite, and passes a gradient on to the fake."""
    loss, players, batch = case.prepare()
    if type(loss.loss).view is Loss.view:
        raise Skipped("it has no view of its own")
    step = make_step("generator", players, batch)
    for what, images in {"real": step.real, "fake": step.fake}.items():
        views = loss.call("view", step, images, step.given)
        views = images_by_key(step.generator, views[0] if isinstance(views, tuple) else views)
        for key, image in images_by_key(step.generator, images).items():
            check_view(what, views[key], image)


def check_view(what: str, view: Tensor, image: Tensor) -> None:
    """Check that a view of real or fake images is of their type, finite, and lets a gradient through to a fake."""
    require(view.dtype == image.dtype, f"view makes {view.dtype} of {what} images that are {image.dtype}")
    require(view.isfinite().all(), f"view makes {what} images that are not finite")
    if what == "fake":
        reason = "view lets no gradient through to the fake"
        require(has_gradient(view, image), f"{reason}: change images by differentiable operations only")


def has_gradient(view: Tensor, image: Tensor) -> bool:
    """Return whether a view has a gradient with respect to the image that it shows."""
    if not view.requires_grad:
        return False
    (gradient,) = torch.autograd.grad((view * torch.randn_like(view)).sum(), image, allow_unused=True)
    return gradient is not None and bool(gradient.any())


def state_survives_save_and_restore(case: LossCase) -> None:
    """A resumed training continues as if it had never stopped."""
    check_resume(case.game, case.make_losses)


CHECKS: tuple[Callable[[LossCase], None], ...] = (
    builds_with_every_option,
    terms_are_finite_scalars,
    gradient_reaches_its_own_side_only,
    has_nothing_to_train,
    calls_the_networks_through_the_step,
    leaves_the_steps_to_the_engine,
    scores_may_have_any_shape,
    can_be_differentiated_twice,
    plays_in_bfloat16,
    view_lets_gradient_through,
    state_survives_save_and_restore,
)
