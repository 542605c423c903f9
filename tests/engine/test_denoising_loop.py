"""The denoising loop: what it computes, and that it can be stopped anywhere."""

import pytest
import torch
from golden_networks import interpolation_unet, key_frame_unet, null_embedding, recorded, text
from safetensors.torch import load_file, save_file

from engine.api import Sampler
from engine.denoisers import (
    BaseFrameDenoiser,
    GuidedText,
    InterpolationDenoiser,
    KeyFrameDenoiser,
    between,
)
from engine.diffusion.guidance import PromptAndImageGuidance, PromptGuidance
from engine.diffusion.loop import DenoisingLoop, LoopState
from engine.diffusion.solvers import Prediction, Solver, add_noise
from engine.errors import Cancelled

TOLERANCE = 1e-4


def guided_text(seed):
    unprompted = GuidedText.unprompted(text(0), null_embedding(seed))
    return GuidedText(prompt=text(0), without_prompt=unprompted)


def prepared(denoiser):
    denoiser.prepare()
    return denoiser


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def assert_close(latents, name):
    assert (latents - recorded()[name]).abs().max().item() <= TOLERANCE


def test_key_frame_loop():
    generator = seeded(11)
    solver = Solver(Sampler.DDPM, Prediction.NOISE, 50)
    loop = DenoisingLoop(
        prepared(KeyFrameDenoiser(key_frame_unet(), guided_text(105), solver.timesteps)),
        solver,
        PromptGuidance(5.0),
        latents=torch.randn((1, 4, 24, 16), generator=generator),
        generator=generator,
    )
    assert_close(loop.run(), "loop.image")


def test_base_frames_loop():
    generator = seeded(12)
    latents = torch.randn((12, 4, 12, 8), generator=generator)
    key_frame = recorded()["loop.video.key_frame"]
    solver = Solver(Sampler.DDPM, Prediction.NOISE, 50)
    denoiser = BaseFrameDenoiser(
        key_frame_unet(),
        guided_text(105),
        add_noise(key_frame, torch.rand(key_frame.shape, generator=generator), 20),
        solver.timesteps,
        num_frames=12,
        motion_score=50,
        noise_augmentation=20,
    )
    loop = DenoisingLoop(
        prepared(denoiser),
        solver,
        PromptAndImageGuidance(5.0, 3.0),
        latents=latents,
        generator=generator,
    )
    assert_close(loop.run(), "loop.video")


def interpolation_loop(sampler, num_steps, generator):
    frames = recorded()["loop.video"][:4]
    solver = Solver(sampler, Prediction.VELOCITY, num_steps)
    denoiser = InterpolationDenoiser(
        interpolation_unet(), guided_text(106), frames, solver.timesteps, skip_frames=3
    )
    return DenoisingLoop(
        prepared(denoiser),
        solver,
        PromptGuidance(0.5),
        latents=torch.randn((3, 12, 12, 8), generator=generator),
        generator=generator,
    )


def test_interpolation_loop():
    loop = interpolation_loop(Sampler.DDPM, 10, seeded(13))
    assert_close(loop.run(), "loop.interpolation")


def key_frame_loop(sampler, num_steps, generator):
    solver = Solver(sampler, Prediction.NOISE, num_steps)
    return DenoisingLoop(
        prepared(KeyFrameDenoiser(key_frame_unet(), guided_text(105), solver.timesteps)),
        solver,
        PromptGuidance(5.0),
        latents=torch.randn((1, 4, 8, 8), generator=generator),
        generator=generator,
    )


@pytest.mark.parametrize("make_loop", [key_frame_loop, interpolation_loop])
@pytest.mark.parametrize("sampler", list(Sampler))
@pytest.mark.parametrize("num_steps", [1, 2, 8])
def test_stopped_after_any_step_and_resumed_equals_uninterrupted(
    make_loop, sampler, num_steps, tmp_path
):
    generator = seeded(3)
    loop = make_loop(sampler, num_steps, generator)
    states = [loop.state()]
    result = loop.run(lambda _: states.append(loop.state()))
    generator_at_end = generator.get_state()
    assert len(states) == num_steps + 1

    for number, state in enumerate(states):
        save_file(state.to_tensors(), tmp_path / f"{number}.safetensors")
        generator = seeded(99)
        resumed = make_loop(sampler, num_steps, generator)
        resumed.restore(LoopState.from_tensors(load_file(tmp_path / f"{number}.safetensors")))
        seen = []
        assert torch.equal(resumed.run(lambda step, seen=seen: seen.append(step.number)), result)
        assert seen == list(range(number + 1, num_steps + 1))
        assert torch.equal(generator.get_state(), generator_at_end)


@pytest.mark.parametrize("sampler", list(Sampler))
@pytest.mark.parametrize("num_steps", [1, 3, 20, 50, 123, 999])
def test_every_number_of_steps_is_made_and_stays_finite(sampler, num_steps):
    for prediction in Prediction:
        solver = Solver(sampler, prediction, num_steps)
        times = solver.timesteps
        # Multistep solvers may leave out what would be the same time twice.
        assert 0 < len(times) <= num_steps + 1
        assert times == sorted(times, reverse=True)
        assert times[0] <= 999
        assert times[-1] >= 0
        generator = seeded(1)
        latents = torch.randn((1, 4, 4, 4), generator=generator)
        for index in range(len(times)):
            latents, clean = solver.step(latents * 0.5, index, latents, generator)
            assert clean.abs().max() <= 1  # the clean latents are thresholded
        assert latents.isfinite().all()


@pytest.mark.parametrize("sampler", list(Sampler))
def test_estimate_of_the_clean_latents_ends_at_the_result(sampler):
    steps = []
    result = key_frame_loop(sampler, 12, seeded(5)).run(steps.append)
    assert [step.number for step in steps] == list(range(1, 13))
    assert all(step.num_steps == 12 for step in steps)
    assert all(step.clean_latents.shape == result.shape for step in steps)
    assert torch.equal(steps[-1].latents, result)
    first, last = ((step.clean_latents - result).abs().mean() for step in (steps[0], steps[-1]))
    assert last < 0.02
    assert last < first


def test_cancelled_between_steps():
    done = []

    def cancel_after_three(step):
        done.append(step.number)
        if step.number == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        key_frame_loop(Sampler.DDPM, 20, seeded(5)).run(cancel_after_three)
    assert done == [1, 2, 3]


def test_state_is_a_copy_that_later_steps_do_not_change():
    loop = key_frame_loop(Sampler.DPM_SOLVER, 6, seeded(5))
    states = []
    loop.run(lambda step: states.append(loop.state()) if step.number == 2 else None)
    again = key_frame_loop(Sampler.DPM_SOLVER, 6, seeded(5))
    copies = []
    again.run(lambda step: copies.append(again.state()) if step.number == 2 else None)
    first, second = states[0].to_tensors(), copies[0].to_tensors()
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_frames_go_between_their_neighbours():
    frames = torch.arange(3.0)[:, None, None, None].expand(3, 4, 1, 1)
    groups = torch.stack(
        [
            torch.cat([torch.full((4, 1, 1), first + part / 4) for part in (1, 2, 3)])
            for first in (0.0, 1.0)
        ]
    )
    clip = between(frames, groups)
    assert clip.shape == (9, 4, 1, 1)
    assert clip[:, 0, 0, 0].tolist() == [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2]


def test_guidance_is_off_at_zero_for_pictures_and_at_one_for_clips():
    branches = torch.randn(3, 2, 4, 2, 2)
    assert torch.equal(PromptGuidance(0.0).combine(branches[:2]), branches[0])
    combined = PromptAndImageGuidance(1.0, 1.0).combine(branches)
    assert torch.allclose(combined, branches[0], atol=1e-6)


def test_a_longer_negative_prompt_does_not_change_the_branch_of_the_prompt():
    short, long = text(0), text(1)
    assert short.tokens.shape[1] < long.tokens.shape[1]
    latents = torch.randn((1, 4, 8, 8), generator=seeded(1))

    def predicted(prompt, without_prompt):
        texts = GuidedText(prompt=prompt, without_prompt=without_prompt)
        return prepared(KeyFrameDenoiser(key_frame_unet(), texts, [500]))(latents, 500)

    with_null = predicted(short, guided_text(105).without_prompt)
    with_negative = predicted(short, long)
    assert torch.allclose(with_null[0], with_negative[0], atol=1e-6)
    assert torch.allclose(predicted(long, long)[0], with_negative[1], atol=1e-6)
