"""The command line: `kvdesk generate`, `prepare`, `inspect` and `models`."""

from __future__ import annotations

import argparse
import contextlib
import json
import secrets
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

import engine
from engine.api import (
    DEMO_MODEL,
    CropBox,
    Fps,
    FrameSize,
    GenerateRequest,
    GuidanceScales,
    Motion,
    PictureRequest,
    Playback,
    Sampler,
    SamplingSettings,
    SaveRequest,
    Stopped,
    event_to_json,
)
from engine.errors import Cancelled, EngineError, InvalidRequest
from engine.terminal import TerminalProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from types import FrameType

    from engine.api import ClipDefaults, Event

NumberT = TypeVar("NumberT", int, float)

EXIT_FAILED = 1
EXIT_CANCELLED = 130  # what a shell expects of a program that Ctrl-C ended
RANDOM_SEED_BELOW = 2**32


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit status: 0 done, 1 failed, 2 wrong arguments, 130 cancelled.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        print(
            "The window of kvdesk is not part of this version. Make a clip without it:\n"
            '  kvdesk generate "a red circle moving to the right on a black background" '
            "-o clip.mp4\n"
            "See kvdesk --help for everything else."
        )
        return 0
    try:
        options.run(options)
    except Cancelled:
        return EXIT_CANCELLED
    except EngineError as error:
        print(f"kvdesk: {error.message}", file=sys.stderr)
        if error.detail:
            print(error.detail, file=sys.stderr)
        return EXIT_FAILED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kvdesk", description="Make videos with Kandinsky Video 1.1 on your own computer."
    )
    parser.add_argument("--version", action="version", version=f"kvdesk {engine.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _add_generate(commands.add_parser("generate", help="make a clip from a prompt or a picture"))

    prepare = commands.add_parser("prepare", help="prepare the official files of a model for use")
    prepare.add_argument("source", metavar="SOURCE_FOLDER")
    prepare.add_argument("destination", metavar="MODEL_FOLDER")
    prepare.add_argument("--json", action="store_true", help="print events as lines of JSON")
    prepare.set_defaults(run=_prepare)

    inspect = commands.add_parser("inspect", help="print the request that a clip was made from")
    inspect.add_argument("file", metavar="FILE", type=Path)
    inspect.set_defaults(run=_inspect)

    models = commands.add_parser("models", help="list the models that can be used")
    models.set_defaults(run=_models)
    return parser


def _add_generate(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_generate)
    add = parser.add_argument
    add("prompt", help="what the clip shows")
    add("-o", "--output", required=True, metavar="FILE", help=".mp4, .gif, .webp or .png (frames)")
    add("--model", default=DEMO_MODEL, metavar="FOLDER|demo", help="default: demo")
    add("--device", metavar="D", help="cpu, cuda or cuda:N; default: a graphics card if there is")
    add("--json", action="store_true", help="print events as lines of JSON, not a progress bar")

    add = parser.add_argument_group("picture").add_argument
    add("--image", metavar="FILE", help="begin with this picture instead of drawing one")
    add("--crop", type=_crop, metavar="L,T,R,B", help="the part of it to use; default: the middle")
    add("--background", type=_colour, default=(255, 255, 255), metavar="#RRGGBB",
        help="shows where it is transparent; default: #ffffff")  # fmt: skip

    add = parser.add_argument_group("clip").add_argument
    add("--width", type=int, metavar="W", help="in pixels; default: the model's own")
    add("--height", type=int, metavar="H")
    add("--fps", type=Fps, choices=list(Fps), default=Fps.LOW, help="12, 45 or 177 frames")
    add("--motion", type=Motion, choices=list(Motion), default=Motion.MEDIUM)
    add("--noise-augmentation", type=int, default=20, metavar="N",
        help="0 to 999, default 20; more lets the clip leave its picture further")  # fmt: skip
    add("--negative-prompt", default="", metavar="T", help="what the clip must not show")
    add("--key-frame-guidance", type=float, metavar="X", help="pull of the prompt; 0 is none")
    add("--prompt-guidance", type=float, metavar="X", help="pull of the prompt; 1 is none")
    add("--image-guidance", type=float, metavar="X", help="pull of the picture; 1 is none")
    add("--interpolation-guidance", type=float, metavar="X", help="0 is none")

    add = parser.add_argument_group("sampling").add_argument
    add("--seed", type=int, metavar="N", help="the same seed gives the same clip; default: drawn")
    add("--steps", type=int, metavar="N", help="denoising steps")
    add("--interpolation-steps", type=int, metavar="N")
    add("--sampler", type=Sampler, choices=list(Sampler))

    add = parser.add_argument_group("file").add_argument
    add("--crf", type=int, default=18, metavar="N", help="quality of an MP4, 0 (best) to 51")
    add("--playback", type=Playback, choices=list(Playback), default=Playback.LOOP)
    add("--overwrite", action="store_true", help="replace a file of the same name")


def _generate(options: argparse.Namespace) -> None:
    from engine.checkpoint.folder import ModelFolder, locate_model

    info = ModelFolder.open(locate_model(options.model)).info
    request = _request(options, info.defaults)
    save = SaveRequest(
        path=options.output,
        crf=options.crf,
        playback=options.playback,
        overwrite=options.overwrite,
    )
    with _reporting(as_json=options.json) as (on_event, is_cancelled):
        from engine.jobs import JobRunner  # torch takes seconds; bad arguments need not wait

        JobRunner().generate(
            request,
            save,
            model=options.model,
            device_name=options.device,
            on_event=on_event,
            is_cancelled=is_cancelled,
        )
    if not options.json:
        print(f"{options.output}: {request.fps.num_frames} frames, seed {request.seed}")


def _request(options: argparse.Namespace, defaults: ClipDefaults) -> GenerateRequest:
    picture = None
    if options.image is not None:
        picture = PictureRequest(
            path=str(Path(options.image).resolve()),
            crop=options.crop,
            background=options.background,
        )
    elif options.crop is not None:
        raise InvalidRequest("--crop is for a picture. Name one with --image.")
    scales, sampling = defaults.guidance, defaults.sampling
    return GenerateRequest(
        prompt=options.prompt,
        negative_prompt=options.negative_prompt,
        picture=picture,
        seed=secrets.randbelow(RANDOM_SEED_BELOW) if options.seed is None else options.seed,
        size=FrameSize(
            width=options.width or defaults.size.width,
            height=options.height or defaults.size.height,
        ),
        fps=options.fps,
        motion=options.motion,
        noise_augmentation=options.noise_augmentation,
        guidance=GuidanceScales(
            key_frame=_or(options.key_frame_guidance, scales.key_frame),
            prompt=_or(options.prompt_guidance, scales.prompt),
            image=_or(options.image_guidance, scales.image),
            interpolation=_or(options.interpolation_guidance, scales.interpolation),
        ),
        sampling=SamplingSettings(
            sampler=options.sampler or sampling.sampler,
            steps=_or(options.steps, sampling.steps),
            interpolation_steps=_or(options.interpolation_steps, sampling.interpolation_steps),
        ),
    )


def _prepare(options: argparse.Namespace) -> None:
    with _reporting(as_json=options.json) as (on_event, is_cancelled):
        from engine.jobs import prepare

        prepare(options.source, options.destination, on_event=on_event, is_cancelled=is_cancelled)
    if not options.json:
        print(f"The model is ready: kvdesk generate --model {options.destination} …")


def _inspect(options: argparse.Namespace) -> None:
    from engine.video_io import read_request

    print(json.dumps(read_request(options.file), indent=2, ensure_ascii=False))


def _models(options: argparse.Namespace) -> None:
    from engine.checkpoint.folder import find_models, models_folder

    del options
    for info in find_models():
        print(f"{info.name}\n  {info.description}\n  {info.defaults.size}, in {info.folder}")
        for example in info.defaults.examples:
            print(f'  kvdesk generate "{example}" --model {info.name} -o clip.mp4')
    print(f"Models that you prepare belong in {models_folder()}")


@contextlib.contextmanager
def _reporting(*, as_json: bool) -> Generator[tuple[Callable[[Event], None], Callable[[], bool]]]:
    """Where events go, and whether Ctrl-C was pressed; the second press ends at once."""
    pressed = False

    def on_interrupt(_signal: int, _frame: FrameType | None) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True
        print("\nStopping after this step; press Ctrl-C again to stop at once.", file=sys.stderr)

    previous = signal.signal(signal.SIGINT, on_interrupt)
    try:
        if as_json:
            try:
                yield _print_event, lambda: pressed
            except Cancelled:
                _print_event(Stopped())
                raise
        else:
            with TerminalProgress() as progress:
                yield progress.show, lambda: pressed
    except KeyboardInterrupt:
        raise Cancelled from None
    finally:
        signal.signal(signal.SIGINT, previous)


def _print_event(event: Event) -> None:
    print(json.dumps(event_to_json(event)), flush=True)


def _or(given: NumberT | None, default: NumberT) -> NumberT:
    return default if given is None else given


def _crop(text: str) -> CropBox:
    try:
        left, top, right, bottom = (float(number) for number in text.split(","))
        return CropBox(left=left, top=top, right=right, bottom=bottom)
    except (ValueError, InvalidRequest) as error:
        _refuse(f"a crop is LEFT,TOP,RIGHT,BOTTOM in pixels, not {text!r} ({error})")


def _colour(text: str) -> tuple[int, int, int]:
    digits = text.removeprefix("#")
    try:
        red, green, blue = bytes.fromhex(digits)
    except ValueError:
        _refuse(f"a colour is #RRGGBB, not {text!r}")
    return red, green, blue


def _refuse(message: str) -> NoReturn:
    raise argparse.ArgumentTypeError(message)


if __name__ == "__main__":
    sys.exit(main())
