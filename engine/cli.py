"""The command line: `kvdesk generate`, `prepare`, `inspect`, `plan`, `doctor` and `models`."""

from __future__ import annotations

import argparse
import io
import json
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

import engine
from engine.api import (
    DEMO_MODEL,
    CropBox,
    Failed,
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
    draw_seed,
    models_folder,
)
from engine.doctor.command import add_doctor_options
from engine.download.command import add_download_options
from engine.environment import settle_environment
from engine.errors import Cancelled, EightBitWouldFit, EngineError, InvalidRequest, OutputExists
from engine.failures import in_words
from engine.plan_command import add_plan_options, gigabytes
from engine.prepare_command import add_prepare_options
from engine.self_test_command import add_self_test_options
from engine.terminal import print_event, reporting
from engine.torch_command import add_torch_options
from engine.unpickling_guard import forbid_unpickling

if TYPE_CHECKING:
    from collections.abc import Sequence
    from enum import StrEnum

    from engine.api import ClipDefaults

NumberT = TypeVar("NumberT", int, float)

EXIT_FAILED = 1
EXIT_CANCELLED = 130  # what a shell expects of a program that Ctrl-C ended


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit status: 0 done, 1 failed, 2 wrong arguments, 130 cancelled.
    """
    settle_environment()
    if isinstance(sys.stdout, io.TextIOWrapper):  # names of files may have characters it lacks
        sys.stdout.reconfigure(errors="backslashreplace")
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return 0
    try:
        status = _run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # who read the output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    return status


def _run(options: argparse.Namespace) -> int:
    try:
        status = options.run(options)
    except (Cancelled, KeyboardInterrupt):
        if options.json:
            print_event(Stopped())
        print("kvdesk: stopped.", file=sys.stderr)
        return EXIT_CANCELLED
    except BrokenPipeError:
        raise
    except EngineError as error:
        return _failed(error, as_json=options.json)
    except Exception as error:  # the edge of the program: a fault of ours gets a sentence too
        return _failed(in_words(error), as_json=options.json)
    return 0 if status is None else status


def _failed(error: EngineError, *, as_json: bool) -> int:
    if as_json:
        print_event(Failed(code=error.code, message=error.message, detail=error.detail))
    print(f"kvdesk: {error.message}", file=sys.stderr)
    if isinstance(error, OutputExists):
        print("With --overwrite it is replaced.", file=sys.stderr)
    if isinstance(error, EightBitWouldFit):
        print("With --8bit these weights are used.", file=sys.stderr)
    if error.detail:
        print(error.detail, file=sys.stderr)
    return EXIT_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kvdesk", description="Make videos with Kandinsky Video 1.1 on your own computer."
    )
    parser.set_defaults(json=False)
    parser.add_argument("--version", action="version", version=f"kvdesk {engine.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _add_generate(commands.add_parser("generate", help="make a clip from a prompt or a picture"))

    words = "prepare the official files of a model for use"
    add_prepare_options(commands.add_parser("prepare", help=words))

    words = "make a small clip with all networks of a model, and look whether it is right"
    add_self_test_options(commands.add_parser("self-test", help=words))

    inspect = commands.add_parser("inspect", help="print the request that a clip was made from")
    inspect.add_argument("file", metavar="FILE", type=Path)
    inspect.set_defaults(run=_inspect)

    add_plan_options(commands.add_parser("plan", help="say what a clip takes, before making it"))

    words = "check the machine, the models and the folders, and say what to do"
    add_doctor_options(commands.add_parser("doctor", help=words))

    words = "fetch the official files of the model, to prepare them"
    add_download_options(commands.add_parser("download", help=words))

    words = "fetch PyTorch for the graphics card that is there"
    add_torch_options(commands.add_parser("get-torch", help=words))

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
    add("--memory", type=gigabytes, metavar="GB", help="use no more; default: what is free")
    add("--8bit", dest="eight_bit", action="store_true", help="allow 8-bit weights if need be")
    add("--json", action="store_true", help="print events as lines of JSON, not a progress bar")

    add = parser.add_argument_group("picture").add_argument
    add("--image", metavar="FILE", help="begin with this picture instead of drawing one")
    add("--crop", type=_crop, metavar="L,T,R,B", help="the part of it to use; default: the middle")
    add("--background", type=_colour, default=(255, 255, 255), metavar="#RRGGBB",
        help="shows where it is transparent; default: #ffffff")  # fmt: skip

    add = parser.add_argument_group("clip").add_argument
    add("--width", type=int, metavar="W", help="in pixels; default: the model's own")
    add("--height", type=int, metavar="H")
    add("--fps", choices=_names(Fps), default="low", help="12, 45 or 177 frames")
    add("--motion", choices=_names(Motion), default="medium")
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
    add("--sampler", choices=_names(Sampler))

    add = parser.add_argument_group("file").add_argument
    add("--crf", type=int, default=18, metavar="N", help="quality of an MP4, 0 (best) to 51")
    add("--playback", choices=_names(Playback), default="loop")
    add("--overwrite", action="store_true", help="replace a file of the same name")


def _generate(options: argparse.Namespace) -> None:
    from engine.checkpoint.folder import ModelFolder, locate_model
    from engine.video_io import prepare_output

    info = ModelFolder.open(locate_model(options.model)).info
    request = _request(options, info.defaults)
    save = SaveRequest(
        path=options.output,
        crf=options.crf,
        playback=Playback(options.playback),
        overwrite=options.overwrite,
    )
    prepare_output(Path(save.path), overwrite=save.overwrite)
    with reporting(as_json=options.json) as (on_event, is_cancelled):
        from engine.jobs import JobRunner  # torch takes seconds; bad arguments need not wait

        written = JobRunner().generate(
            request,
            save,
            model=options.model,
            device_name=options.device,
            memory_bytes=options.memory,
            eight_bit=options.eight_bit,
            on_event=on_event,
            is_cancelled=is_cancelled,
        )
    if not options.json:
        print(f"{written[0]}: {request.fps.num_frames} frames, seed {request.seed}")


def _request(options: argparse.Namespace, defaults: ClipDefaults) -> GenerateRequest:
    picture = None
    if options.image is not None:
        picture = PictureRequest(
            path=str(Path(options.image).absolute()),
            crop=options.crop,
            background=options.background,
        )
    elif options.crop is not None:
        raise InvalidRequest("--crop is for a picture. Name one with --image.")
    scales, sampling = defaults.guidance, defaults.sampling
    return GenerateRequest(
        prompt=_words(options.prompt),
        negative_prompt=_words(options.negative_prompt),
        picture=picture,
        seed=draw_seed() if options.seed is None else options.seed,
        size=FrameSize(
            width=_or(options.width, defaults.size.width),
            height=_or(options.height, defaults.size.height),
        ),
        fps=Fps(options.fps),
        motion=Motion(options.motion),
        noise_augmentation=options.noise_augmentation,
        guidance=GuidanceScales(
            key_frame=_or(options.key_frame_guidance, scales.key_frame),
            prompt=_or(options.prompt_guidance, scales.prompt),
            image=_or(options.image_guidance, scales.image),
            interpolation=_or(options.interpolation_guidance, scales.interpolation),
        ),
        sampling=SamplingSettings(
            sampler=Sampler(options.sampler or sampling.sampler),
            steps=_or(options.steps, sampling.steps),
            interpolation_steps=_or(options.interpolation_steps, sampling.interpolation_steps),
        ),
    )


def _inspect(options: argparse.Namespace) -> None:
    from engine.video_io import read_request

    can_write_all = sys.stdout.encoding.lower() == "utf-8"
    print(json.dumps(read_request(options.file), indent=2, ensure_ascii=not can_write_all))


def _models(options: argparse.Namespace) -> None:
    from engine.checkpoint.folder import list_models

    del options
    for info in list_models():
        if not info.is_ready:
            print(f"{info.name} is not here yet. To get it:")
            print("  kvdesk download")
            print(f"  kvdesk prepare --delete-originals DOWNLOAD_FOLDER {shlex.quote(info.folder)}")
            continue
        print(f"{info.name}\n  {info.description}\n  {info.defaults.size}, in {info.folder}")
        for example in info.defaults.examples:
            print(f'  kvdesk generate "{example}" --model {info.name} -o clip.mp4')
    print(f"Models that you prepare belong in {models_folder()}")


def _names(choices: type[StrEnum]) -> list[str]:
    return [choice.value for choice in choices]


def _words(argument: str) -> str:
    """A prompt as the terminal wrote it: a plain locale makes halves of its characters."""
    try:
        return os.fsencode(argument).decode()
    except UnicodeError:
        return argument


def _or(given: NumberT | None, default: NumberT) -> NumberT:
    return default if given is None else given


def _crop(text: str) -> CropBox:
    try:
        left, top, right, bottom = (float(number) for number in text.split(","))
        return CropBox(left=left, top=top, right=right, bottom=bottom)
    except InvalidRequest as error:
        _refuse(error.message)
    except ValueError:
        _refuse(f"a crop is LEFT,TOP,RIGHT,BOTTOM in pixels, not {text!r}")


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
    forbid_unpickling()  # for the whole process, which is not `main`'s to decide
    sys.exit(main())
