"""Sampling: guidance, solvers and the one denoising loop. Knows nothing of networks or devices."""
