"""What every loss promises, each as a function of the `LossCase` in which it is checked."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo.contract import Loss, Step
from ganzoo.engine.scheduled import Scheduled
from ganzoo.engine.settings import SIDES
from ganzoo.errors import BadInput, Failed
from ganzoo.testing.cases import LossCase
from ganzoo.testing.check import Skipped, Unplayable, describe_options, require, saying, sentence_of
from ganzoo.testing.games import Plain
from ganzoo.testing.turns import penalty, plays, resumes, set_up, sides_of, turn_of

SHAPES = ((1,), (1, 2, 2))
"""Shapes of a sample's scores beside a single number."""


def builds_with_every_option(case: LossCase) -> None:
    """With the defaults, and with each value of an option that has a few."""
    for options in case.variants:
        with saying(describe_options(options)):
            case.use(options)
    try:
        _ = case.game
    except Unplayable as reason:
        raise AssertionError(str(reason)) from reason


def terms_are_finite_scalars(case: LossCase) -> None:
    """On both turns, with every option that `setup` does not refuse."""
    for options in case.variants:
        with saying(describe_options(options)):
            for use, step in case.turns(options):
                look_at(use.terms(step), step)


def look_at(terms: dict[str, Tensor], step: Step) -> None:
    """Whether every term is a finite number."""
    for name, term in terms.items():
        require(term.isfinite(), f"the term '{name}' of the {step.turn}'s turn is {term.item()}, no finite number")


def gradient_reaches_its_own_side_only(case: LossCase) -> None:
    """Where a term has a gradient, it moves the side whose turn it is."""
    logging = [step.turn for use, step in case.turns() if not reaches(use, step)]
    for use, step in case.turns():
        said = f"on the {step.turn}'s turn the terms have a gradient for the other side alone, which is frozen"
        astray = step.turn in logging and use.weigh(use.terms(step))
        require(not astray, f"{said}: make them depend on the {step.turn}, or detach what is only to be logged")
    cls = type(case.use().loss)
    does_more = cls.view is not Loss.view or cls.after is not Loss.after
    if logging and not does_more:
        raise Skipped(f"its terms on the {' and the '.join(logging)}'s turn have no gradient and are only logged")


def reaches(use: Scheduled, step: Step) -> bool:
    """Whether there is a gradient where there are terms; it must reach the right side and stay out of the other one."""
    own, other = sides_of(step)
    terms = use.terms(step)
    counted = use.weigh(terms)
    if not counted:
        return not terms
    torch.autograd.backward(counted)
    said = f"the gradient on the {step.turn}'s turn"
    require(any(p.grad is not None for p in own.parameters()), f"{said} reaches no parameter of the {step.turn}")
    require(all(p.grad is None for p in other.parameters()), f"{said} reaches the other side")
    finite = all(p.grad is None or p.grad.isfinite().all() for p in own.parameters())
    require(finite, f"{said} is not finite: a square root needs an epsilon inside")
    return True


def has_nothing_to_train(case: LossCase) -> None:
    """No parameter of its own: nobody would train it. Networks inside it are frozen by the engine."""
    trained = [name for name, p in case.use().loss.named_parameters(recurse=False) if p.requires_grad]
    said = f"the loss has the parameter '{(trained or [''])[0]}', which nothing trains"
    require(not trained, f"{said}: keep state in buffers, and what is trained in the networks")


def calls_the_networks_through_the_step(case: LossCase) -> None:
    """Only there are views, half precision and compilation."""
    for use, step in case.turns():
        called = direct_calls(step)
        use.terms(step)
        said = f"on the {step.turn}'s turn the loss calls the {(called or [''])[0]} itself"
        require(not called, f"{said}, past views and half precision: use step.generate, step.score or step.gradient")


def direct_calls(step: Step) -> list[str]:
    """A list to which from here on every call of a side is added that does not go through the step."""
    found, inside, through = [], [], step._call

    def counted(network: nn.Module, *inputs: Any, twice: bool = False) -> Any:
        inside.append(network)
        try:
            return through(network, *inputs, twice=twice)
        finally:
            inside.pop()

    def note(side: str, *_: Any) -> None:
        if not inside:
            found.append(side)

    step._call = counted
    for side in SIDES:
        getattr(step, side).register_forward_pre_hook(partial(note, side))
    return found


def leaves_the_steps_to_the_engine(case: LossCase) -> None:
    """It calls neither `backward` nor an optimizer."""
    for use, step in case.turns():
        sides_of(step)
        before = weights(step)
        use.terms(step)
        said = f"on the {step.turn}'s turn the loss itself"
        advice = "return the terms, the engine alone calls backward and step"
        stepped = any(not old.equal(new) for old, new in zip(before, weights(step), strict=True))
        require(not stepped, f"{said} changes the networks: {advice}")
        require(all(p.grad is None for p in parameters(step)), f"{said} calls backward: {advice}")


def parameters(step: Step) -> list[nn.Parameter]:
    """Those of both sides."""
    return [*step.generator.parameters(), *step.discriminator.parameters()]


def weights(step: Step) -> list[Tensor]:
    """Copies of the parameters of both sides."""
    return [parameter.detach().clone() for parameter in parameters(step)]


def scores_may_have_any_shape(case: LossCase) -> None:
    """As (n, 1) they mean what they mean as (n,), and a map of them gives finite terms; or `setup` refuses them."""
    wanted = terms_for(case, ())
    for shape in SHAPES:
        try:
            terms = terms_for(case, shape)
        except BadInput:
            continue  # refused in a sentence, before training
        if shape == (1,):
            said = "is another where the same scores come as (n, 1): do not mix them with tensors of shape (n,)"
            for name, value in wanted.items():
                require(torch.isclose(terms[name], value, rtol=1e-4, atol=1e-6), f"the term '{name}' {said}")


def terms_for(case: LossCase, shape: tuple[int, ...]) -> dict[str, Tensor]:
    """The terms of both turns where each sample's scores have that shape. Raises `BadInput` where it is refused."""
    found, game = {}, case.game  # which draws random numbers when it is looked for
    for turn in SIDES:
        torch.manual_seed(0)  # for equal weights
        use, players, batch = case.use(), game.players(), game.batch()
        players[1].register_forward_hook(partial(reshaped, shape))
        set_up(use, players, batch)
        step = turn_of(turn, players, batch, [use])
        with saying(f"with scores of shape (n{''.join(f', {size}' for size in shape)})"):
            terms = use.terms(step)
            look_at(terms, step)
        found |= {f"{turn}/{name}": term.detach() for name, term in terms.items()}
    return found


def reshaped(shape: tuple[int, ...], module: nn.Module, inputs: Any, judgement: Any) -> Any:
    """A forward hook: what a discriminator returns, with scores of this shape for each sample."""
    scores, *extras = judgement if isinstance(judgement, tuple) else (judgement,)
    each = scores.flatten(1).mean(1) if scores.dim() > 1 else scores
    scores = each.view(-1, *[1] * len(shape)).expand(-1, *shape)
    return (scores, *extras) if extras else scores


def can_be_differentiated_twice(case: LossCase) -> None:
    """Through its `view` too, a penalty can take the gradient of a gradient; or `setup` refuses."""
    use, players, batch = case.ready()
    step = turn_of("discriminator", players, batch, [use])
    own, _ = sides_of(step)
    said = "what the loss does cannot be differentiated twice, as gradient penalties do"
    try:
        (penalty(step) + sum(use.weigh(use.terms(step)))).backward()
    except (RuntimeError, Failed) as error:
        advice = "write it in differentiable operations or let setup refuse"
        raise AssertionError(f"{said}; {advice}: {sentence_of(error)}") from error
    require(all(p.grad is None or p.grad.isfinite().all() for p in own.parameters()), f"{said}: it is not finite")


def plays_in_bfloat16(case: LossCase) -> None:
    """A few training steps under autocast give finite numbers."""
    plays(case.game, lambda: [case.use(), Plain()], "bf16")


def view_lets_gradient_through(case: LossCase) -> None:
    """What the discriminator sees keeps its type, is finite, and has a gradient towards the fake."""
    use, players, batch = case.ready()
    if type(use.loss).view is Loss.view:
        raise Skipped("it has no view of its own")
    step = turn_of("generator", players, batch)
    for kind, images in {"real": step.real, "fake": step.fake}.items():
        for image in images.values() if isinstance(images, dict) else [images]:
            seen = use.call("view", step, image, step.given)
            require(seen.dtype == image.dtype, f"view makes {seen.dtype} of {kind} images that are {image.dtype}")
            require(seen.isfinite().all(), f"view makes {kind} images that are not finite")
            if kind == "fake":
                said = "view lets no gradient through to the fake: change images by differentiable operations only"
                require(has_gradient(seen, image), said)


def has_gradient(seen: Tensor, image: Tensor) -> bool:
    """Whether what is seen depends on an image in a way that can be trained."""
    if not seen.requires_grad:
        return False
    (gradient,) = torch.autograd.grad((seen * torch.randn_like(seen)).sum(), image, allow_unused=True)
    return gradient is not None and bool(gradient.any())


def state_survives_save_and_restore(case: LossCase) -> None:
    """A resumed training goes on as if nothing had happened."""
    resumes(case.game, lambda: [case.use(), Plain()])


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
