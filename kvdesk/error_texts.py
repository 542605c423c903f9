"""What went wrong in the worker, in the language of the window.

The worker's sentences are in English and name files and numbers. In another language the person
reads what kind of error it is, with the worker's own sentence behind it. The deaths of a worker,
also by a lost device, are told in the window's own sentences and stand alone.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QLocale

from engine import errors


def error_text(code: str, message: str) -> str:
    """The sentence to show for an error of the worker; `message` is its own."""
    if QLocale().language() in (QLocale.Language.English, QLocale.Language.C):
        return message
    kind = _kinds().get(code, "")
    return f"{kind} {message}".strip()


def _kinds() -> dict[str, str]:
    translate = QCoreApplication.translate
    return {
        errors.InvalidRequest.code: translate("Errors", "A setting does not fit the model."),
        errors.PictureError.code: translate("Errors", "The picture cannot be used."),
        errors.ModelNotFound.code: translate("Errors", "The model is not there."),
        errors.ModelFileError.code: translate("Errors", "A file of the model is damaged."),
        errors.NewerModel.code: translate("Errors", "The model is of a newer kvdesk."),
        errors.UnsupportedModel.code: translate("Errors", "This model cannot be used."),
        errors.DeviceError.code: translate("Errors", "The device does not work."),
        errors.WrongNumbers.code: translate(
            "Errors", "The device or the model computes wrong numbers."
        ),
        errors.OutOfMemory.code: translate("Errors", "There is too little memory."),
        errors.EightBitWouldFit.code: translate(
            "Errors", "There is too little memory for the exact weights."
        ),
        errors.VideoFileError.code: translate("Errors", "The video file cannot be used."),
        errors.OutputExists.code: translate("Errors", "There is a file of that name already."),
        errors.ClipError.code: translate("Errors", "The clip's folder cannot be used."),
        errors.DiskFull.code: translate("Errors", "The disk is full."),
        errors.DownloadError.code: translate("Errors", "The download did not succeed."),
        errors.WorkerSilent.code: translate("Errors", "The engine does not answer."),
        errors.InternalError.code: translate("Errors", "Something went wrong in the worker."),
    }
