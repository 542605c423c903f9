"""What a clip is made from, and what a model is: values that travel and are kept."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from enum import StrEnum

from engine.errors import InvalidRequest
from engine.json_codec import shown

LATENT_SCALE = 8
"""Pixels of a side that one latent of that side stands for."""

MAX_SEED = 2**63 - 1
MAX_STEPS = 999  # one more would ask the schedule for a step of pure noise
MAX_NOISE_AUGMENTATION = 999
MAX_PROMPT_CHARACTERS = 10_000
"""Far beyond what a text encoder reads, and little enough to be kept inside every clip."""
MIN_SPEED = 0.25
MAX_SPEED = 4.0
NUM_BASE_FRAMES = 12
DEMO_MODEL = "demo"
RELEASED_MODEL = "kandinsky-1.1"
"""Names the released model, whose sizes come with this program."""


def _check_range(name: str, value: float, lowest: float, highest: float) -> None:
    if not lowest <= value <= highest:
        raise InvalidRequest(f"The {name} must be from {lowest} to {highest}, not {shown(value)}.")


def _check_text(name: str, text: str) -> None:
    if len(text) > MAX_PROMPT_CHARACTERS:
        raise InvalidRequest(
            f"The {name} must have at most {MAX_PROMPT_CHARACTERS} characters, not {len(text)}."
        )
    # Half of a character that takes two in UTF-16, such as many emoji, or a byte that was none.
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidRequest(f"The {name} holds a damaged character. Type it again.")


def _check_path(path: str) -> None:
    try:
        name = os.fsencode(path)
    except UnicodeEncodeError as error:
        raise InvalidRequest(f"{path!r} is not the name of a file.", detail=str(error)) from error
    if b"\0" in name:
        raise InvalidRequest(f"{path!r} is not the name of a file: it holds a zero byte.")


def draw_seed() -> int:
    """A seed for who has none: short enough to be read and typed."""
    return secrets.randbelow(2**32)


class Fps(StrEnum):
    """How smooth the clip is. Every clip lasts about five and a half seconds."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def frames_per_second(self) -> int:
        """Frames shown in a second."""
        return {"low": 2, "medium": 8, "high": 32}[self.value]

    @property
    def interpolation_passes(self) -> int:
        """How often three frames are put between every two."""
        return {"low": 0, "medium": 1, "high": 2}[self.value]

    @classmethod
    def of_frames(cls, num_frames: int) -> Fps | None:
        """How smooth a finished clip of `num_frames` is; None where no clip has so many."""
        return next((fps for fps in cls if fps.num_frames == num_frames), None)

    @property
    def num_frames(self) -> int:
        """Frames of the finished clip: 12, 45 or 177."""
        num_frames = NUM_BASE_FRAMES
        for _ in range(self.interpolation_passes):
            num_frames = 4 * num_frames - 3
        return num_frames


class Motion(StrEnum):
    """How much moves in the clip."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    EXTREME = "extreme"

    @property
    def score(self) -> int:
        """The number that the network was trained on."""
        return {"low": 1, "medium": 10, "high": 50, "extreme": 100}[self.value]


class Sampler(StrEnum):
    """The solver of the denoising loops."""

    DDPM = "ddpm"
    DPM_SOLVER = "dpm++"
    UNIPC = "unipc"
    DDIM = "ddim"


class Playback(StrEnum):
    """How a clip is to be played.

    GIF and WebP files say so themselves. An MP4 cannot: whether it begins again is up to the
    player. A sequence of PNG files is not played at all.
    """

    ONCE = "once"
    LOOP = "loop"
    BOOMERANG = "boomerang"
    """Forwards, backwards, and on: the frames at both ends are there only once."""


class Stage(StrEnum):
    """The five stages of a clip, in the order they run, and saving its file."""

    TEXT = "text"
    KEY_FRAME = "key_frame"
    BASE_FRAMES = "base_frames"
    INTERPOLATION = "interpolation"
    DECODE = "decode"
    SAVE = "save"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameSize:
    """Width and height of the clip's frames, in pixels."""

    width: int
    height: int

    def __post_init__(self) -> None:
        for name, pixels in (("width", self.width), ("height", self.height)):
            if not 1 <= pixels <= 8192 or pixels % LATENT_SCALE:
                raise InvalidRequest(
                    f"The {name} must be a multiple of {LATENT_SCALE} from {LATENT_SCALE} to 8192, "
                    f"not {shown(pixels)}."
                )

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidanceScales:
    """How strongly each stage is pulled towards its conditions.

    `key_frame` and `interpolation` are 0 where guidance is off; `prompt` and `image`, the two of
    the base frames, are 1 where it is off.
    """

    key_frame: float = 5.0
    prompt: float = 5.0
    image: float = 2.0
    interpolation: float = 0.5

    def __post_init__(self) -> None:
        for name in ("key_frame", "prompt", "image", "interpolation"):
            _check_range(f"{name} guidance", getattr(self, name), -100, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class CropBox:
    """The part of a picture to use, in pixels of the upright picture; right and bottom excluded."""

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        if not (0 <= self.left < self.right and 0 <= self.top < self.bottom):
            raise InvalidRequest(
                f"The crop ({self.left:g}, {self.top:g}) to ({self.right:g}, {self.bottom:g}) "
                "is empty or begins outside the picture."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRequest:
    """The picture that the clip starts from, and how to make it ready.

    `crop` is None for the centre; `background` (red, green, blue, each 0 to 255) is what shows
    through where the picture is transparent.
    """

    path: str
    crop: CropBox | None = None
    background: tuple[int, int, int] = (255, 255, 255)

    def __post_init__(self) -> None:
        _check_path(self.path)
        for channel in self.background:
            _check_range("values of a colour", channel, 0, 255)


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingSettings:
    """The solver and its steps; `steps` counts for the key frame and for the base frames each."""

    sampler: Sampler = Sampler.DDPM
    steps: int = 50
    interpolation_steps: int = 10

    def __post_init__(self) -> None:
        _check_range("number of steps", self.steps, 1, MAX_STEPS)
        _check_range("number of interpolation steps", self.interpolation_steps, 1, MAX_STEPS)


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateRequest:
    """Everything that decides what a clip shows. The same request gives the same clip."""

    prompt: str
    seed: int
    size: FrameSize
    negative_prompt: str = ""
    picture: PictureRequest | None = None
    fps: Fps = Fps.LOW
    motion: Motion = Motion.MEDIUM
    noise_augmentation: int = 20
    guidance: GuidanceScales = GuidanceScales()
    sampling: SamplingSettings = SamplingSettings()

    def __post_init__(self) -> None:
        _check_text("prompt", self.prompt)
        _check_text("negative prompt", self.negative_prompt)
        _check_range("seed", self.seed, 0, MAX_SEED)
        _check_range("noise augmentation", self.noise_augmentation, 0, MAX_NOISE_AUGMENTATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipDefaults:
    """What a model is used with unless somebody says otherwise."""

    size: FrameSize = FrameSize(width=512, height=512)
    sampling: SamplingSettings = SamplingSettings()
    guidance: GuidanceScales = GuidanceScales()
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """A model, as a list of models shows it.

    Attributes:
        text_encoder_8bit: whether its text encoder has 8-bit weights.
        size_multiple: sides of clips are multiples of so many pixels.
        unets_8bit: whether its U-Nets are there in 8 bit too, for who allows that.
        error_8bit: mean relative error of these 8-bit weights, measured when the model was
            prepared; None where nobody has.
        is_ready: whether clips can be made with it; else it has to be prepared into `folder`.
    """

    name: str
    folder: str
    description: str
    text_encoder_8bit: bool
    size_multiple: int
    defaults: ClipDefaults
    unets_8bit: bool = False
    error_8bit: float | None = None
    is_ready: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveRequest:
    """Where a clip is saved and how; the ending of `path` is .mp4, .gif, .webp or .png.

    `crf` (0 best, to 51) is the quality of an MP4, `webp_quality` (0 to 100 best) of a WebP.
    `width` in pixels, with the height in proportion; None leaves the frames as they are. At
    `speed` 2 the clip takes half as long.
    """

    path: str
    crf: int = 18
    webp_quality: int = 80
    playback: Playback = Playback.LOOP
    overwrite: bool = False
    width: int | None = None
    speed: float = 1.0

    def __post_init__(self) -> None:
        _check_path(self.path)
        if self.width is not None:
            _check_range("width", self.width, 16, 8192)
        _check_range("speed", self.speed, MIN_SPEED, MAX_SPEED)
        _check_range("CRF", self.crf, 0, 51)
        _check_range("WebP quality", self.webp_quality, 0, 100)
