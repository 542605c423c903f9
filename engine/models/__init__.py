"""The networks: `nn.Module`s and nothing else.

No file, no device and no random number is touched here. Attribute names are the keys of the
official checkpoints; class names say what a thing is. What looks odd and must stay carries
`# PARITY:`, because the released weights were trained with it.

Axes: B batch, F frames, G groups between base frames, N tokens, C channels, H W height and width.
"""
