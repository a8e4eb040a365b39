"""Short films, with a kind and metrics of their own."""

import ganzoo


@ganzoo.hookimpl
def register_architectures(register: ganzoo.RegisterArchitecture) -> None:
    register("fam-film", generator="family_clips.networks:Generator", discriminator="family_clips.networks:Critic")


@ganzoo.hookimpl
def register_data(register: ganzoo.RegisterData) -> None:
    register("fam-balls", "family_clips.data:Balls", about="a ball that moves, drawn as it is needed")


@ganzoo.hookimpl
def register_kinds(register: ganzoo.RegisterKind) -> None:
    register("fam-clip", "family_clips.kinds:Clip")


@ganzoo.hookimpl
def register_metrics(register: ganzoo.RegisterMetrics) -> None:
    register("fam-motion", "family_clips.metrics:Motion", kind="fam-clip")
